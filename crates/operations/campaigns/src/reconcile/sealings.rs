//! What the log tells of sealings that were given up: the line about one is gone, and with it the
//! evidence. Entries are found by a column that nothing signs, and each is held against what the
//! proved log says of its swap.

use std::collections::HashMap;

use instance::{Encrypted, Instance, limits::LOG_ENTRIES_PER_READ};
use ledger::{CampaignEvent, Fold, Whom};
use model::{AccountId, CampaignId, CredentialVersion, FindingId, StoredHash, SwapId};
use outbox::Kept;
use store::{NewResetLine, Swap, Tx};

use crate::{ReconcileError, person::PersonToTell};

/// The sealings of one campaign that the log tells of.
pub(crate) struct Sealings {
    campaign: CampaignId,
    evidence: HashMap<SwapId, Evident>,
}

/// On what evidence a password was taken out of use.
struct Evident {
    found_as: CredentialVersion,
    findings: Vec<FindingId>,
}

impl Sealings {
    /// Those of these accounts. The log is read only if there are any.
    pub(crate) async fn of(
        instance: &Instance,
        tx: &mut Tx,
        campaign: CampaignId,
        accounts: &[AccountId],
    ) -> Result<Self, ReconcileError> {
        let subjects = instance.subjects_of(tx, accounts).await?.into_iter();
        let named = subjects.flat_map(|(id, subject)| [Whom::Account(id), subject.into()]);
        let named: Vec<_> = named.collect();
        let mut sealings = Self { campaign, evidence: HashMap::new() };
        let log = instance.proved(tx).await?;
        let mut from = 0;
        while !named.is_empty() {
            let entries = tx.log_entries_of(campaign, from, LOG_ENTRIES_PER_READ).await?;
            let Some(last) = entries.last() else { break };
            from = last.position + 1;
            for entry in &entries {
                let position = entry.position;
                let event = CampaignEvent::of(campaign, &entry.body);
                let event = event.map_err(|source| ReconcileError::Entry { position, source })?;
                sealings.follow(&log, event, &entry.body, &named);
            }
        }
        Ok(sealings)
    }

    fn follow(&mut self, log: &Fold, event: Option<CampaignEvent>, body: &[u8], named: &[Whom]) {
        let Some(CampaignEvent::AccountSealing {
            whom,
            credential_version: found_as,
            findings,
            swap: Some(swap),
            ..
        }) = event
        else {
            return;
        };
        if named.contains(&whom) && log.is_intent(swap, body) {
            let findings = findings.into_iter().map(FindingId).collect();
            self.evidence.insert(swap, Evident { found_as, findings });
        }
    }

    /// Writes the line of a sealing again, without the hash that was replaced: it is gone. `false` if
    /// the log names no swap there, or another campaign has a line about the same password.
    pub(crate) async fn write_line(
        &self,
        instance: &Instance,
        tx: &mut Tx,
        swap: &Swap,
        whom: &PersonToTell,
        hash: &StoredHash,
    ) -> Result<bool, ReconcileError> {
        let Some(Evident { found_as, findings }) = self.evidence.get(&swap.id) else {
            let is_named = instance.proved(tx).await?.knows_swap(swap.id);
            let none = ReconcileError::NoIntent { swap: swap.id };
            return if is_named { Err(none) } else { Ok(false) };
        };
        let (campaign, subject) = (self.campaign, swap.subject);
        let others = tx.resets_of_subject(subject).await?;
        let is_other = |version| version == *found_as;
        if others.iter().any(|past| past.campaign != campaign && is_other(past.line.version)) {
            return Ok(false);
        }
        let PersonToTell { address, username, locale } = whom;
        let (address, username, locale) = (address.clone(), username.clone(), locale.clone());
        // Where it was found is told by the findings, whose numbers the log has.
        let kept = Kept::new(None, hash, address, username, locale, Vec::new());
        let account = &instance.account_of(tx, subject).await?;
        let Encrypted { wrapped_key, body } = kept.encrypt(instance, campaign, account)?;
        let line = NewResetLine {
            subject,
            version: *found_as,
            replaced: swap.expected,
            sealed: swap.made,
            wrapped_key,
            kept: body,
            evidence: findings.clone(),
        };
        let now = tx.now().await?;
        tx.put_reset_line(campaign, line, now).await?;
        Ok(true)
    }
}

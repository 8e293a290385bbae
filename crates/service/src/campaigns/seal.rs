use std::{collections::BTreeMap, sync::Arc};

use campaign::{
    Claim, HaltReason, NoticeDue, Refusal, Resolution, Reverification, RowNow, TargetAction,
    after_reverification, decide_claim, notice_due, resolve_sealing,
};
use data_encoding::HEXLOWER;
use ledger::{CampaignEvent, Event};
use model::{
    Account, AccountId, CampaignId, NoticeId, NoticeKind, Randomness, Secret, SkipReason,
    StoredHash, TargetState, Verdict,
};
use notice::NoticeCode;
use password::{ImitateError, Verifier};
use store::{AddressLease, Finding, NewResetLine, ResetLine, StoreError, TargetRow, Tx};
use tokio::{task::spawn_blocking, time};

use super::{
    CampaignError,
    addressee::Addressee,
    evidence::{Evidence, Reverified, Suspicion, reverify},
    kept::Kept,
    run::{Gate, WorkError, Worker, group},
};
use crate::{
    failpoint,
    limits::{ADDRESSES_PER_CLAIM, RENEWALS_PER_LEASE},
};

/// Bytes of the secret that nobody knows and that takes a password's place.
const RANDOM_SECRET_BYTES: usize = 32;

/// One address in this worker's hands, with all of its accounts.
struct Held {
    lease: AddressLease,
    members: Vec<Member>,
}

/// One account, as the store has it.
struct Member {
    row: TargetRow,
    findings: Vec<Finding>,
    line: Option<ResetLine>,
    is_reset_elsewhere: bool,
}

/// What is to be done with one account.
enum Action {
    /// Put our hash in the place of the one that was verified.
    Seal(Box<Sealing>),
    /// Our hash is there.
    Sealed,
    /// Leave it alone.
    Skip(SkipReason),
    /// Leave it alone, and stop: what was frozen as evidence is none.
    SkipAndHalt(SkipReason),
    /// Its sealing was begun and can be neither finished nor taken back.
    Stuck,
}

/// An account that is exposed at this moment, and what takes its password's place.
struct Sealing {
    evidence: Evidence,
    sealed: StoredHash,
    kept: Kept,
}

impl Worker<'_> {
    /// Takes up some addresses and seals their accounts; `false` if there is none to take now.
    pub(super) async fn seal_next(&self, campaign: CampaignId) -> Result<bool, WorkError> {
        let held = match self.claim_addresses(campaign).await {
            Err(
                forged @ (WorkError::NotInPlan(_) | WorkError::Campaign(CampaignError::Group(_))),
            ) => {
                self.halt_alone(campaign).await?;
                return Err(forged);
            }
            claimed => claimed?,
        };
        if held.is_empty() {
            return Ok(false);
        }
        failpoint::reach("addresses_claimed");
        let leases: Vec<_> = held.iter().map(|held| held.lease.clone()).collect();
        tokio::select! {
            done = self.seal(campaign, held) => done?,
            failed = self.keep_renewing(&leases) => return Err(failed.into()),
        }
        Ok(true)
    }

    async fn halt_alone(&self, campaign: CampaignId) -> Result<(), WorkError> {
        let mut tx = self.site.store.begin().await?;
        self.halt(&mut tx, campaign, HaltReason::Contradicted).await?;
        Ok(tx.commit().await?)
    }

    async fn claim_addresses(&self, campaign: CampaignId) -> Result<Vec<Held>, WorkError> {
        let tree = self.tree(campaign).await?;
        let mut tx = self.site.store.begin().await?;
        let Some(mut gate) = self.gate(&mut tx, campaign).await? else { return Ok(Vec::new()) };
        let mut claimed = Vec::new();
        for number in tx.addresses_to_take(campaign, gate.allowed(), ADDRESSES_PER_CLAIM).await? {
            let members = members(&mut tx, campaign, number).await?;
            let rows: Vec<_> = members.iter().map(Member::as_signed).collect();
            let group = group(&tree, &gate.signed, &rows)?;
            let states: Vec<_> = members.iter().map(|member| member.row.state).collect();
            match decide_claim(&group, &states, &gate.facts()) {
                Claim::Proceed => {}
                Claim::Wait { .. } | Claim::Refuse(Refusal::KillSwitch) => break,
                Claim::Refuse(refused) => return Err(CampaignError::from(refused).into()),
            }
            let lease = self.site.options.lease;
            if let Some(lease) = tx.take_address(campaign, number, &self.name, lease).await? {
                gate.count(&lease, &states);
                claimed.push(Held { lease, members });
            }
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// Ends only with a fault of the store. An address that is lost is found to be so when its
    /// result is recorded.
    async fn keep_renewing(&self, leases: &[AddressLease]) -> StoreError {
        loop {
            time::sleep(self.site.options.lease / RENEWALS_PER_LEASE).await;
            if let Err(failed) = self.renew(leases).await {
                return failed;
            }
        }
    }

    async fn renew(&self, leases: &[AddressLease]) -> Result<(), StoreError> {
        let mut tx = self.site.store.begin().await?;
        for lease in leases {
            tx.renew_address(lease, self.site.options.lease).await?;
        }
        tx.commit().await
    }

    /// Every account goes through the same steps together: looked at again, the intent committed,
    /// the site's row swapped, sessions ended, and then recorded.
    async fn seal(&self, campaign: CampaignId, held: Vec<Held>) -> Result<(), WorkError> {
        let mut actions = self.examine(campaign, &held).await?;
        self.intend(campaign, &held, &mut actions).await?;
        failpoint::reach("sealing_intended");
        self.swap(&mut actions).await?;
        failpoint::reach("hashes_swapped");
        self.end_sessions(&actions).await?;
        failpoint::reach("sessions_ended");
        self.record_sealed(campaign, held, &actions).await?;
        failpoint::reach("sealed_recorded");
        Ok(())
    }

    /// Looks at every account as it is at this moment.
    async fn examine(&self, campaign: CampaignId, held: &[Held]) -> Result<Actions, WorkError> {
        let members: Vec<_> = held.iter().flat_map(|held| &held.members).collect();
        let ids: Vec<_> = members.iter().map(|member| member.row.account.clone()).collect();
        let present = self.means.directory.by_ids(&ids).await?;
        let mut present: BTreeMap<_, _> = present.into_iter().map(|a| (a.id.clone(), a)).collect();
        let mut actions = Actions::new();
        let mut open = Vec::new();
        for member in members {
            let account = present.remove(&member.row.account);
            match self.first_look(campaign, member, account)? {
                Look::Decided(action) => drop(actions.insert(member.row.account.clone(), action)),
                Look::Open(case) => open.push(*case),
            }
        }
        let (verifier, randomness) = (Arc::clone(&self.means.verifier), self.randomness());
        let closed = spawn_blocking(move || try_again(&verifier, &*randomness, open)).await??;
        actions.extend(closed);
        Ok(actions)
    }

    fn randomness(&self) -> Arc<dyn Randomness> {
        Arc::clone(&self.site.randomness)
    }

    /// What can be told without trying a secret.
    fn first_look(
        &self,
        campaign: CampaignId,
        member: &Member,
        account: Option<Account>,
    ) -> Result<Look, WorkError> {
        match &member.line {
            Some(line) if member.row.state == TargetState::Sealing => {
                self.look_at_begun(campaign, member, line, account)
            }
            _ => self.look_at_fresh(campaign, member, account),
        }
    }

    fn look_at_fresh(
        &self,
        campaign: CampaignId,
        member: &Member,
        account: Option<Account>,
    ) -> Result<Look, WorkError> {
        let Some(account) = account else { return Ok(Look::seen(Reverification::Gone)) };
        let Some(hash) = account.hash.clone() else {
            return Ok(Look::seen(Reverification::NoPassword));
        };
        if member.is_reset_elsewhere {
            return Ok(Look::seen(Reverification::AlreadyReset));
        }
        let recorded = self.means.directory.records_verified();
        let Some(addressee) = Addressee::of(self.site, campaign, &account, recorded) else {
            return Ok(Look::seen(Reverification::AddressUnverified));
        };
        if *addressee.key.as_bytes() != member.row.address_key {
            return Ok(Look::seen(Reverification::AddressChanged));
        }
        let same_version = self.site.vault.credential_version(&hash) == member.row.version;
        let Account { id, username, locale, .. } = account;
        let suspicion = Suspicion::new(self.site, id.clone(), hash, member.findings.clone())?;
        let whom = Whom::Addressee { address: addressee.address.to_string(), username, locale };
        Ok(Look::Open(Box::new(Case { account: id, suspicion, same_version, whom })))
    }

    /// A worker that is gone, or slow, had committed the intent: the site's row tells how far it
    /// came.
    fn look_at_begun(
        &self,
        campaign: CampaignId,
        member: &Member,
        line: &ResetLine,
        account: Option<Account>,
    ) -> Result<Look, WorkError> {
        let row = self.row_now(line, account.as_ref());
        match (resolve_sealing(row), account) {
            (Resolution::Sealed, _) => Ok(Look::Decided(Action::Sealed)),
            (Resolution::Skipped(reason), _) => Ok(Look::Decided(Action::Skip(reason))),
            (Resolution::Again, Some(Account { id, hash: Some(hash), .. })) => {
                let suspicion =
                    Suspicion::new(self.site, id.clone(), hash, member.findings.clone())?;
                let kept = self.kept(campaign, line)?;
                let whom = Whom::Begun(kept);
                Ok(Look::Open(Box::new(Case { account: id, suspicion, same_version: true, whom })))
            }
            (Resolution::Again, _) => Ok(Look::Decided(Action::Stuck)),
        }
    }

    fn row_now(&self, line: &ResetLine, account: Option<&Account>) -> RowNow {
        let Some(account) = account else { return RowNow::Gone };
        let Some(hash) = &account.hash else { return RowNow::Empty };
        let version = self.site.vault.credential_version(hash);
        match version {
            version if version == line.sealed => RowNow::Ours,
            version if version == line.replaced => RowNow::Old,
            _ => RowNow::Other,
        }
    }

    pub(super) fn kept(&self, campaign: CampaignId, line: &ResetLine) -> Result<Kept, WorkError> {
        let destroyed = || SealError::Destroyed { account: line.account.clone() };
        let wrapped = line.wrapped_key.as_ref().ok_or_else(destroyed)?;
        let kept = line.kept.as_ref().ok_or_else(destroyed)?;
        Ok(Kept::decrypt(self.site, campaign, &line.account, wrapped, kept)?)
    }

    /// Commits what is about to be done, with all that is needed to take it back. An address that
    /// was lost meanwhile is somebody else's: nothing is done there.
    async fn intend(
        &self,
        campaign: CampaignId,
        held: &[Held],
        actions: &mut Actions,
    ) -> Result<(), WorkError> {
        let mut tx = self.site.store.begin().await?;
        tx.hold_campaign(campaign).await?;
        let mut events = Vec::new();
        for held in held {
            let is_ours = tx.renew_address(&held.lease, self.site.options.lease).await?;
            for member in &held.members {
                let account = &member.row.account;
                if !is_ours {
                    actions.remove(account);
                    continue;
                }
                if let Some(Action::Seal(sealing)) = actions.get(account) {
                    events.extend(self.intend_one(&mut tx, campaign, member, sealing).await?);
                }
            }
        }
        self.record_some(&mut tx, events).await?;
        Ok(tx.commit().await?)
    }

    async fn intend_one(
        &self,
        tx: &mut Tx,
        campaign: CampaignId,
        member: &Member,
        sealing: &Sealing,
    ) -> Result<Option<CampaignEvent>, WorkError> {
        let (evidence, account) = (&sealing.evidence, sealing.evidence.account());
        let kept = sealing.kept.encrypt(self.site, campaign, account);
        let (wrapped_key, kept) = kept.map_err(SealError::Kept)?;
        let line = NewResetLine {
            account: account.clone(),
            version: evidence.found_as(),
            replaced: self.site.vault.credential_version(evidence.hash()),
            sealed: self.site.vault.credential_version(&sealing.sealed),
            wrapped_key,
            kept,
            evidence: evidence.findings().to_vec(),
        };
        let now = tx.now().await?;
        tx.put_reset_line(campaign, line, now).await?;
        if member.row.state == TargetState::Sealing {
            return Ok(None);
        }
        let (from, to) = (TargetState::Pending, TargetState::Sealing);
        expect_moved(tx.move_target(campaign, account, from, to, None).await?, account)?;
        Ok(Some(CampaignEvent::AccountSealing {
            campaign,
            account: account.clone(),
            credential_version: evidence.found_as(),
            findings: evidence.findings().iter().map(|finding| finding.get()).collect(),
        }))
    }

    /// Puts our hash in the place of the very hash that was verified. Whatever anybody else has
    /// put there meanwhile stays.
    async fn swap(&self, actions: &mut Actions) -> Result<(), WorkError> {
        for action in actions.values_mut() {
            if let Action::Seal(sealing) = action {
                *action = self.swap_one(sealing).await?;
            }
        }
        Ok(())
    }

    async fn swap_one(&self, sealing: &Sealing) -> Result<Action, WorkError> {
        let Sealing { evidence, sealed, .. } = sealing;
        let account = evidence.account();
        if self.means.directory.replace_hash(account, evidence.hash(), sealed).await? {
            return Ok(Action::Sealed);
        }
        // Somebody was quicker: the owner, or another worker with the same intent.
        let now = self.means.directory.by_ids(std::slice::from_ref(account)).await?;
        let row = match now.first().map(|account| &account.hash) {
            None => RowNow::Gone,
            Some(None) => RowNow::Empty,
            Some(Some(hash)) if hash.expose() == sealed.expose() => RowNow::Ours,
            Some(Some(_)) => RowNow::Other,
        };
        Ok(match resolve_sealing(row) {
            Resolution::Sealed => Action::Sealed,
            Resolution::Skipped(reason) => Action::Skip(reason),
            Resolution::Again => Action::Stuck,
        })
    }

    async fn end_sessions(&self, actions: &Actions) -> Result<(), WorkError> {
        let sealed = actions.iter().filter(|(_, action)| matches!(action, Action::Sealed));
        let sealed: Vec<_> = sealed.map(|(account, _)| account.clone()).collect();
        if !sealed.is_empty() {
            self.means.directory.end_sessions(&sealed).await?;
        }
        Ok(())
    }

    /// States, notices, log and the end of the addresses: one transaction.
    async fn record_sealed(
        &self,
        campaign: CampaignId,
        held: Vec<Held>,
        actions: &Actions,
    ) -> Result<(), WorkError> {
        let mut tx = self.site.store.begin().await?;
        tx.hold_campaign(campaign).await?;
        let mut events = Vec::new();
        for held in held {
            let known =
                |member: &Member| actions.get(&member.row.account).is_some_and(Action::ends);
            if held.members.iter().all(known) {
                self.record_address(&mut tx, &held, actions, &mut events).await?;
            }
        }
        self.record_some(&mut tx, events).await?;
        let halts = |action: &Action| matches!(action, Action::SkipAndHalt(_) | Action::Stuck);
        if actions.values().any(halts) {
            self.halt(&mut tx, campaign, HaltReason::Contradicted).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn record_address(
        &self,
        tx: &mut Tx,
        held: &Held,
        actions: &Actions,
        events: &mut Vec<CampaignEvent>,
    ) -> Result<(), WorkError> {
        let AddressLease { campaign, number, .. } = held.lease;
        let ends: Vec<_> = held.members.iter().map(|member| end_of(member, actions)).collect();
        let is_due = notice_due(&ends) == NoticeDue::Now;
        if !tx.finish_address(&held.lease, !is_due).await? {
            return Ok(());
        }
        for (member, end) in held.members.iter().zip(&ends) {
            events.push(record_account(tx, campaign, member, *end, actions).await?);
        }
        let notice = if is_due { Some(self.write_notice(tx, held, &ends).await?) } else { None };
        events.push(CampaignEvent::AddressDone { campaign, address: number, notice });
        Ok(())
    }

    /// The row of the one mail to this address, to be sent from now on.
    async fn write_notice(
        &self,
        tx: &mut Tx,
        held: &Held,
        ends: &[TargetState],
    ) -> Result<NoticeId, WorkError> {
        let sealed = held.members.iter().zip(ends).filter(|(_, end)| end.was_sealed());
        let sealed: Vec<_> = sealed.map(|(member, _)| member.row.account.clone()).collect();
        let AddressLease { campaign, number, .. } = held.lease;
        let now = tx.now().await?;
        let id = tx.add_notice(campaign, number, NoticeKind::ResetRequired, &sealed, now).await?;
        let key = self.site.vault.notice_key();
        tx.set_code_lookup(id, NoticeCode::derive(&key, id.0).lookup(&key)).await?;
        Ok(id)
    }

    pub(super) async fn record_some(
        &self,
        tx: &mut Tx,
        events: Vec<CampaignEvent>,
    ) -> Result<(), WorkError> {
        if events.is_empty() {
            return Ok(());
        }
        let events: Vec<_> = events.into_iter().map(Event::from).collect();
        Ok(self.site.record(tx, &events).await?)
    }
}

impl Gate {
    /// Counts an address that was just taken, for the decision on the next one.
    fn count(&mut self, lease: &AddressLease, states: &[TargetState]) {
        if lease.attempt == 1 {
            self.rate.this_minute += 1;
            self.rate.this_hour += 1;
        }
        let pending = states.iter().filter(|state| **state == TargetState::Pending);
        self.sealed_untold += pending.count() as u64;
    }
}

impl Member {
    fn as_signed(&self) -> (TargetRow, Vec<store::FindingId>) {
        (self.row.clone(), self.findings.iter().map(|finding| finding.id).collect())
    }
}

async fn members(tx: &mut Tx, campaign: CampaignId, number: u64) -> Result<Vec<Member>, WorkError> {
    let mut members = Vec::new();
    for row in tx.targets_of_address(campaign, number).await? {
        members.push(Member {
            findings: tx.findings_of_target(campaign, &row.account).await?,
            line: tx.reset_line(campaign, &row.account).await?,
            is_reset_elsewhere: tx.is_reset_elsewhere(campaign, &row.account).await?,
            row,
        });
    }
    Ok(members)
}

/// By account. One that is missing was lost to another worker.
type Actions = BTreeMap<AccountId, Action>;

impl Action {
    /// Whether it settles the account.
    const fn ends(&self) -> bool {
        matches!(self, Self::Sealed | Self::Skip(_) | Self::SkipAndHalt(_))
    }
}

enum Look {
    Decided(Action),
    Open(Box<Case>),
}

impl Look {
    fn seen(found: Reverification) -> Self {
        Self::Decided(action(found).unwrap_or(Action::Stuck))
    }
}

/// What is left alone; `None` for what is to be sealed, which takes evidence.
fn action(found: Reverification) -> Option<Action> {
    match after_reverification(found) {
        TargetAction::Seal => None,
        TargetAction::Skip(reason) => Some(Action::Skip(reason)),
        TargetAction::SkipAndHalt(reason) => Some(Action::SkipAndHalt(reason)),
    }
}

/// An account whose leaked secrets are to be tried again.
struct Case {
    account: AccountId,
    suspicion: Suspicion,
    same_version: bool,
    whom: Whom,
}

/// Whom to tell, and with which hash to seal.
enum Whom {
    /// As the directory has it now.
    Addressee { address: String, username: Option<String>, locale: Option<String> },
    /// As an earlier attempt has committed it.
    Begun(Kept),
}

/// Tries the secrets again; for each that is still the password, makes what takes its place.
fn try_again(
    verifier: &Verifier,
    randomness: &dyn Randomness,
    cases: Vec<Case>,
) -> Result<Vec<(AccountId, Action)>, SealError> {
    let mut rest = Vec::new();
    let mut suspicions = Vec::new();
    for Case { account, suspicion, same_version, whom } in cases {
        rest.push((account, same_version, whom));
        suspicions.push(suspicion);
    }
    let tried = rest.into_iter().zip(reverify(verifier, suspicions));
    tried
        .map(|((account, same_version, whom), tried)| {
            let action = match tried {
                Reverified::Exposed(evidence) => seal_with(verifier, randomness, evidence, whom)?,
                Reverified::Not(verdict) => leave(verdict, same_version, &whom),
            };
            Ok((account, action))
        })
        .collect()
}

/// Once an intent is committed, another worker may still act on it: it can be finished, but not
/// taken back.
fn leave(verdict: Verdict, same_version: bool, whom: &Whom) -> Action {
    match whom {
        Whom::Begun(_) => Action::Stuck,
        Whom::Addressee { .. } => {
            action(Reverification::Present { verdict, same_version }).unwrap_or(Action::Stuck)
        }
    }
}

fn seal_with(
    verifier: &Verifier,
    randomness: &dyn Randomness,
    evidence: Evidence,
    whom: Whom,
) -> Result<Action, SealError> {
    let (sealed, kept) = match whom {
        Whom::Begun(kept) => {
            let account = evidence.account().clone();
            (kept.sealed().ok_or(SealError::Destroyed { account })?, kept)
        }
        Whom::Addressee { address, username, locale } => {
            let sealed = verifier.imitate(evidence.hash(), &random_secret(randomness), randomness);
            let account = evidence.account();
            let sealed =
                sealed.map_err(|source| SealError::Imitate { account: account.clone(), source })?;
            let kept = Kept::new(evidence.hash(), &sealed, address, username, locale);
            (sealed, kept)
        }
    };
    Ok(Action::Seal(Box::new(Sealing { evidence, sealed, kept })))
}

/// As text: bcrypt refuses a NUL.
fn random_secret(randomness: &dyn Randomness) -> Secret {
    let bytes: [u8; RANDOM_SECRET_BYTES] = randomness.array();
    Secret::new(HEXLOWER.encode(&bytes).into_bytes())
}

fn end_of(member: &Member, actions: &Actions) -> TargetState {
    match actions.get(&member.row.account) {
        Some(Action::Sealed) => TargetState::Sealed,
        Some(Action::Skip(_) | Action::SkipAndHalt(_)) => TargetState::Skipped,
        _ => member.row.state,
    }
}

async fn record_account(
    tx: &mut Tx,
    campaign: CampaignId,
    member: &Member,
    end: TargetState,
    actions: &Actions,
) -> Result<CampaignEvent, WorkError> {
    let account = member.row.account.clone();
    let reason = match actions.get(&account) {
        Some(Action::Skip(reason) | Action::SkipAndHalt(reason)) => Some(*reason),
        _ => None,
    };
    let line = tx.reset_line(campaign, &account).await?;
    let from = if line.is_some() { TargetState::Sealing } else { TargetState::Pending };
    expect_moved(tx.move_target(campaign, &account, from, end, reason).await?, &account)?;
    let Some(reason) = reason else {
        let address = member.row.address;
        return Ok(CampaignEvent::AccountSealed { campaign, account, address });
    };
    if line.is_some() {
        tx.drop_reset_line(campaign, &account).await?;
    }
    Ok(CampaignEvent::AccountSkipped { campaign, account, reason })
}

fn expect_moved(moved: bool, account: &AccountId) -> Result<(), SealError> {
    if moved { Ok(()) } else { Err(SealError::Moved { account: account.clone() }) }
}

/// Why an account cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No hash of the site's own form can be made.
    #[error("no hash in the form of account {account}'s can be made: {source}")]
    Imitate {
        /// Whose.
        account: AccountId,
        /// Why not.
        source: ImitateError,
    },
    /// What is kept of it is gone.
    #[error("what was kept of account {account} when it was sealed is destroyed")]
    Destroyed {
        /// Whose.
        account: AccountId,
    },
    /// Somebody else has moved it on while this worker held its address.
    #[error("account {account} was moved on by somebody else while its address was held")]
    Moved {
        /// Whose.
        account: AccountId,
    },
    /// What is to be kept cannot be written.
    #[error("what is to be kept of an account cannot be written: {0}")]
    Kept(serde_json::Error),
}

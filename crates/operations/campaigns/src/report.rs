use std::collections::BTreeMap;

use campaign::Reckoning;
use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::Fold;
use model::{
    ChosenPassword, Discrepancy, InstanceKind, NoticeState, SkipReason, TargetState, Timestamp,
};
use serde::Serialize;

use crate::{
    ReportError,
    agreed::agreed_tale,
    loaded::{Loaded, seen},
    tale::Tale,
};

/// What became of everybody in a campaign, counted from the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CampaignReport {
    /// What operators call it.
    pub name: String,
    /// Whether it is tried out only: its counts are of no site's people.
    pub rehearsal: bool,
    /// Where it stands.
    pub state: &'static str,
    /// Accounts in the signed plan.
    pub targeted: u64,
    /// Addresses in the signed plan.
    pub addresses: u64,
    /// Accounts that its leaks name and whose password could not be tried, as the rows say: nobody knows
    /// whether they are exposed.
    pub not_checked: u64,
    /// Exposed accounts that the plan left out, by reason.
    pub left_out: BTreeMap<SkipReason, u64>,
    /// Accounts of the plan that were left alone after all, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Accounts not touched yet.
    pub pending: u64,
    /// Accounts whose sealing has begun and is not known to have ended.
    pub sealing: u64,
    /// Accounts whose old password was taken out of use, whatever happened since.
    pub sealed: u64,
    /// Of these, those whose notice is not final: nobody was told yet.
    pub untold: u64,
    /// Accounts that hold another password, or the old one again, and of which nobody can tell
    /// whether they held ours before.
    pub perhaps_sealed: u64,
    /// Of these, those whose owner has chosen a new password since.
    pub reset_since: u64,
    /// Of these, those whose new password is the leaked one again.
    pub reused: u64,
    /// Of these, those whose new password could not be compared with the leaked one: its hash is
    /// of an unknown form or too expensive, or the leaked one is destroyed.
    pub reset_unjudged: u64,
    /// Of those sealed, those whose notice the mail server would not have.
    pub sealed_unreached: u64,
    /// Of those sealed, those of whom the site's table holds the old password again: it works.
    pub put_back: u64,
    /// How the site's table disagreed with the campaign when it was last compared; who is not told is
    /// counted above, as of now.
    pub disagreements: BTreeMap<Discrepancy, u64>,
    /// Notices by how far they are: `sent`, `refused` and `uncertain` are final.
    pub notices: BTreeMap<NoticeState, u64>,
    /// Notices of which their recipients say that they are not right.
    pub disputed: u64,
    /// The first entry of the log that is about it, and the last: when it happened.
    pub from: Option<Timestamp>,
    /// The last one.
    pub to: Option<Timestamp>,
    /// When the first password was taken out of use.
    pub sealed_from: Option<Timestamp>,
    /// Entries of the log that these counts were made of.
    pub log_entries: u64,
}

impl CampaignReport {
    fn new(
        tale: &Tale,
        loaded: &Loaded,
        counts: Reckoning,
        aside: Aside,
        kind: InstanceKind,
    ) -> Self {
        let Aside { disagreements, not_checked } = aside;
        let of = |state| counts.accounts.get(&state).copied().unwrap_or_default();
        Self {
            name: loaded.row.name.clone(),
            rehearsal: kind == InstanceKind::Rehearsal,
            state: loaded.campaign.state().as_str(),
            not_checked,
            targeted: counts.targets,
            addresses: counts.addresses,
            pending: of(TargetState::Pending),
            sealing: of(TargetState::Sealing),
            sealed: counts.was_sealed().saturating_sub(tale.perhaps_put_back),
            untold: tale.untold,
            perhaps_sealed: of(TargetState::Overtaken) + tale.perhaps_put_back,
            put_back: of(TargetState::PutBack).saturating_sub(tale.perhaps_put_back),
            disagreements,
            reset_since: of(TargetState::Reset),
            reused: tale.chosen(ChosenPassword::Leaked),
            reset_unjudged: tale.chosen(ChosenPassword::Unjudged),
            disputed: tale.disputed,
            sealed_unreached: tale.sealed_unreached,
            skipped: counts.skipped,
            notices: counts.notices,
            left_out: tale.left_out.clone(),
            from: tale.from,
            to: tale.to,
            sealed_from: tale.sealed_from,
            log_entries: tale.entries,
        }
    }

    /// Whether nobody has to be looked after: whoever was sealed was told, every notice was taken or
    /// refused for sure, of nobody is it unknown whether they were sealed or told, and the site's table agreed
    /// when it was last compared.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        let uncertain = self.notices.get(&NoticeState::Uncertain).copied().unwrap_or_default();
        let unrecorded = self.skipped.get(&SkipReason::Unrecorded).copied().unwrap_or_default();
        self.disagreements.is_empty()
            && [self.sealing, self.untold, self.perhaps_sealed, uncertain, unrecorded] == [0; 5]
    }
}

/// What a report tells besides what the log says.
struct Aside {
    disagreements: BTreeMap<Discrepancy, u64>,
    not_checked: u64,
}

/// Counts a campaign from the audit log, every entry of which a signed checkpoint covers, and holds
/// the counts against the rows.
///
/// # Errors
/// [`ReportError::Irreconcilable`] if somebody is missing or counted twice, and
/// [`ReportError::Fault`] if the log is not what was signed: nothing is to be published then.
pub fn report_campaign<'a>(
    instance: &'a Instance,
    name: &'a str,
) -> BoxFuture<'a, Result<CampaignReport, ReportError>> {
    Box::pin(async move {
        // Whom nobody could check stands in rows as well.
        exposure::check_noted(instance, &mut instance.store().read().await?).await?;
        let mut tx = instance.store().read().await?;
        let (loaded, log) = seen(instance, &mut tx, name).await?;
        let disagreements = disagreements(&log, &loaded);
        let (tale, logged) = agreed_tale(log, &mut tx, &loaded).await?;
        let not_checked = tx.unverified_in_campaign(loaded.id()).await?;
        let aside = Aside { disagreements, not_checked };
        Ok(CampaignReport::new(&tale, &loaded, logged, aside, instance.kind()))
    })
}

/// How the site's table disagreed with the campaign when it was last compared.
fn disagreements(log: &Fold, loaded: &Loaded) -> BTreeMap<Discrepancy, u64> {
    let last = log.last_reconciled();
    let found = last.and_then(|(_, result)| result.campaigns.get(&loaded.row.name));
    let mut found = found.cloned().unwrap_or_default();
    found.remove(&Discrepancy::Untold);
    found
}

use std::{cmp::Reverse, collections::BTreeMap};

use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::{CampaignEvent, FoldRefusal, StatementFold};
use model::{CampaignId, NoticeState, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Leak, Tx, Versioned};

use crate::{
    CampaignError, CampaignReport, StatementError,
    loaded::{logged_digest, named},
    report_campaign,
    unsettled::refuse_unsettled,
};

/// What the site says in public of one campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// When something was said of it for the first time.
    pub said_at: Timestamp,
    /// When this was said.
    pub updated_at: Timestamp,
    /// What became of everybody.
    pub counts: StatementCounts,
}

/// What became of everybody, in numbers that name nobody. They are counted from the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementCounts {
    /// The leaks that it was about, each with its date.
    pub leaks: Vec<(String, String)>,
    /// Whether it is over.
    pub is_over: bool,
    /// The day on which the first password was taken out of use, in microseconds since 1970.
    pub began_at: Option<i64>,
    /// Accounts whose password was taken out of use.
    pub sealed: u64,
    /// Of these, those whose owner has chosen a new one since.
    pub reset_since: u64,
    /// Accounts of which nobody can tell whether their password was taken out of use.
    #[serde(default)]
    pub perhaps_sealed: u64,
    /// Accounts that were to be dealt with and were left alone: mostly, their owner was quicker.
    pub skipped: u64,
    /// Mails that mail servers took.
    pub sent: u64,
    /// Mails that mail servers would not have.
    pub refused: u64,
    /// Mails of which nobody can tell.
    pub uncertain: u64,
}

/// Says in public what became of everybody in a campaign. What was said before of it stays on
/// record, and shows no more.
///
/// # Errors
/// [`StatementError::Report`] if the totals do not reconcile, [`CampaignError::Unsettled`] while
/// somebody is sealed and untold, or may be: then nothing is said.
pub fn publish_statement<'a>(
    instance: &'a Instance,
    name: &'a str,
) -> BoxFuture<'a, Result<StatementCounts, StatementError>> {
    Box::pin(async move {
        let report = report_campaign(instance, name).await?;
        if report.sealed == 0 {
            return Err(StatementError::Nothing { name: name.to_owned() });
        }
        let mut tx = instance.store().begin().await?;
        let loaded = named(&mut tx, name).await?;
        refuse_unsettled(instance, &mut tx, &loaded).await?;
        let campaign = loaded.id();
        let ids = tx.campaign_leaks(campaign).await?;
        instance
            .proved(&mut tx)
            .await?
            .check_leaks_of(campaign, &ids)
            .map_err(CampaignError::from)?;
        let leaks =
            instance.leaks(&mut tx).await?.into_iter().filter(|leak| ids.contains(&leak.id));
        let counts = counts(&report, leaks);
        let body = serde_json::to_vec(&counts)?;
        let sha256 = logged_digest(&body);
        let now = tx.now().await?;
        tx.add_statement(campaign, body, now).await?;
        instance
            .record(&mut tx, &[CampaignEvent::StatementMade { campaign, sha256 }.into()])
            .await?;
        tx.commit().await?;
        Ok(counts)
    })
}

/// Everything that the site says in public, the newest campaign first.
///
/// # Errors
/// [`StatementError`] if the store fails.
pub fn statements(instance: &Instance) -> BoxFuture<'_, Result<Vec<Statement>, StatementError>> {
    Box::pin(async move { statements_in(instance, &mut instance.store().read().await?).await })
}

/// The log comes first, so that it and the rows are of one moment.
pub(crate) async fn statements_in(
    instance: &Instance,
    tx: &mut Tx,
) -> Result<Vec<Statement>, StatementError> {
    let log = instance.proved(tx).await?;
    let rows = tx.statements().await?;
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.campaign, row.body)).collect();
    if let Some(campaign) = rows.keys().find(|id| !log.statements().any(|(of, _)| of == **id)) {
        return Err(CampaignError::from(FoldRefusal::Statement { campaign: *campaign }).into());
    }
    let read = log.statements().map(|(campaign, said)| read(campaign, said, rows.get(&campaign)));
    let mut said = read.collect::<Result<Vec<_>, StatementError>>()?;
    said.sort_by_key(|statement| Reverse(statement.said_at));
    Ok(said)
}

/// The counts are the row's, if the log has their digest; when they were said is the log's.
fn read(
    campaign: CampaignId,
    said: &StatementFold,
    body: Option<&Versioned>,
) -> Result<Statement, StatementError> {
    let refusal = || CampaignError::from(FoldRefusal::Statement { campaign });
    let body = body.filter(|body| logged_digest(body) == said.sha256).ok_or_else(refusal)?;
    let counts = serde_json::from_slice(body)?;
    Ok(Statement { said_at: said.first_at, updated_at: said.at, counts })
}

/// By the name that people know it by.
fn told(leak: Leak) -> (String, String) {
    (leak.public_name.unwrap_or(leak.name).to_string(), leak.date.to_string())
}

fn counts(report: &CampaignReport, leaks: impl Iterator<Item = Leak>) -> StatementCounts {
    let notices = |state| report.notices.get(&state).copied().unwrap_or_default();
    StatementCounts {
        leaks: leaks.map(told).collect(),
        is_over: matches!(report.state, "done" | "closed"),
        began_at: report.sealed_from.map(Timestamp::as_micros),
        sealed: report.sealed,
        reset_since: report.reset_since,
        perhaps_sealed: report.perhaps_sealed,
        skipped: report.skipped.values().sum(),
        sent: notices(NoticeState::Sent),
        refused: notices(NoticeState::Refused),
        uncertain: notices(NoticeState::Uncertain),
    }
}

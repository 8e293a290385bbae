//! Whom a campaign is about.

use futures_util::{StreamExt as _, stream::BoxStream};
use model::{
    CampaignId, CredentialVersion, FindingId, LeakId, SkipReason, SubjectId, TargetState, Timestamp,
};

use crate::{Finding, StoreError, StoreFuture, Tx, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO target (campaign, place, subject, address, version, finding, state, open)
        VALUES {rows}"];
    ADD_FINDINGS = ["INSERT INTO target_finding (campaign, subject, finding) VALUES {rows}"];
    DROP_FINDINGS = ["DELETE FROM target_finding WHERE campaign = $1"];
    DROP = ["DELETE FROM target WHERE campaign = $1"];
    ALL_TARGETS = ["SELECT target.place, target.subject, target.address,
            campaign_address.address_key, target.version, target.state, target.skip_reason
        FROM target JOIN campaign_address ON campaign_address.campaign = target.campaign
            AND campaign_address.number = target.address
        WHERE target.campaign = $1 ORDER BY target.place"];
    OF_ADDRESSES = ["SELECT target.place, target.subject, target.address,
            campaign_address.address_key, target.version, target.state, target.skip_reason
        FROM target JOIN campaign_address ON campaign_address.campaign = target.campaign
            AND campaign_address.number = target.address
        WHERE target.campaign = $1 AND target.address IN {list} ORDER BY target.place"];
    OF_ACCOUNT = ["SELECT target.place, target.subject, target.address,
            campaign_address.address_key, target.version, target.state, target.skip_reason
        FROM target JOIN campaign_address ON campaign_address.campaign = target.campaign
            AND campaign_address.number = target.address
        WHERE target.campaign = $1 AND target.subject = $2"];
    FINDINGS = ["SELECT subject, finding FROM target_finding WHERE campaign = $1
        ORDER BY subject, finding"];
    FINDINGS_OF = ["SELECT finding.id, finding.leak, finding.subject, finding.version, finding.tier,
            finding.hash_format, finding.state, finding.verified_at, finding.wrapped_key,
            finding.sealed_secret
        FROM target_finding JOIN finding ON finding.id = target_finding.finding
        WHERE target_finding.campaign = $1 AND target_finding.subject IN {list}
        ORDER BY finding.id"];
    OPEN_FINDINGS = ["SELECT id, leak, subject, version, tier, hash_format, state, verified_at,
            wrapped_key, sealed_secret
        FROM finding WHERE state = 'open' AND wrapped_key IS NOT NULL AND leak IN {list}
        ORDER BY subject, id"];
    DISMISSED = ["SELECT COUNT(DISTINCT subject) FROM finding
        WHERE state = 'dismissed' AND leak IN {list}"];
    SET_STATE = ["UPDATE target SET state = $1, skip_reason = $2
        WHERE campaign = $3 AND subject = $4 AND state = $5"];
    // Whoever is still to be told that an old password is out of use belongs to nobody else, also
    // where the site has put it back.
    RELEASE = ["UPDATE target SET open = FALSE WHERE campaign = $1
        AND NOT (state = 'put_back' AND EXISTS (SELECT 1 FROM campaign_address
            WHERE campaign_address.campaign = target.campaign
                AND campaign_address.number = target.address AND settled_at IS NULL))"];
    RELEASE_PUT_BACK = ["UPDATE target SET open = FALSE
        WHERE campaign = $1 AND address = $2 AND state = 'put_back' AND open
            AND EXISTS (SELECT 1 FROM campaign_address
                WHERE campaign_address.campaign = target.campaign
                    AND campaign_address.number = target.address AND settled_at IS NOT NULL)"];
    RELEASE_ONE = ["UPDATE target SET open = FALSE WHERE campaign = $1 AND subject = $2"];
    HELD = ["SELECT subject FROM target WHERE open"];
    OF_OTHERS = ["SELECT (SELECT COUNT(*) FROM target
            WHERE campaign <> $1 AND open AND state = 'pending')
        + (SELECT COUNT(*) FROM reset_line
            WHERE campaign <> $1 AND intended_at >= $2 AND recalled_at IS NULL)"];
    COUNTS = ["SELECT state, skip_reason, COUNT(*) FROM target WHERE campaign = $1
        GROUP BY state, skip_reason ORDER BY state, skip_reason"];
    SECRETS = ["SELECT COUNT(*) FROM target_finding
        JOIN finding ON finding.id = target_finding.finding
        WHERE target_finding.campaign = $1 AND finding.wrapped_key IS NOT NULL"];
    DESTROY_SECRETS = ["UPDATE finding SET wrapped_key = NULL, sealed_secret = NULL
        WHERE wrapped_key IS NOT NULL
            AND id IN (SELECT finding FROM target_finding WHERE campaign = $1)"];
    CLOSE_FINDINGS = ["UPDATE finding SET state = 'reset', wrapped_key = NULL, sealed_secret = NULL
        WHERE id IN (SELECT finding FROM target_finding WHERE campaign = $1 AND subject = $2)"];
}

/// One account of a frozen plan.
#[derive(Debug, Clone)]
pub struct NewTarget {
    /// Its place in the plan's order, from 0.
    pub place: u64,
    /// Whose password.
    pub subject: SubjectId,
    /// The number of its address.
    pub address: u64,
    /// The password as it is stored now.
    pub version: CredentialVersion,
    /// The findings against it; at least one, or the schema refuses it.
    pub findings: Vec<FindingId>,
}

/// One account of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// Its place in the plan's order, from 0.
    pub place: u64,
    /// Whose password.
    pub subject: SubjectId,
    /// The number of its address.
    pub address: u64,
    /// The keyed hash of its address.
    pub address_key: [u8; 32],
    /// The password as it was stored when the plan was frozen.
    pub version: CredentialVersion,
    /// How far the campaign is with it.
    pub state: TargetState,
    /// Why it was skipped.
    pub skip_reason: Option<SkipReason>,
}

record!(TargetRow { place, subject, address, address_key, version, state, skip_reason });

/// Accounts of a campaign by how far it is with them, and why they were skipped.
pub type TargetCount = (TargetState, Option<SkipReason>, u64);

impl Tx {
    /// Fixes whom a campaign is about. The schema refuses an account of another open campaign,
    /// and one without a finding of its own.
    pub fn add_targets<'c>(
        &'c mut self,
        campaign: CampaignId,
        targets: &'c [NewTarget],
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let first = |target: &NewTarget| target.findings.first().map(|finding| Cell(*finding));
            self.0
                .insert_all(&ADD, targets, |query, target| {
                    let query = query.bind(Cell(campaign)).bind(Cell(target.place));
                    let query = query.bind(Cell(target.subject)).bind(Cell(target.address));
                    let query = query.bind(Cell(target.version)).bind(first(target));
                    query.bind(Cell(TargetState::Pending)).bind(true)
                })
                .await?;
            let findings = targets.iter().flat_map(|target| {
                target.findings.iter().map(|finding| (target.subject, *finding))
            });
            self.0
                .insert_all(&ADD_FINDINGS, findings, |query, (subject, finding)| {
                    query.bind(Cell(campaign)).bind(Cell(subject)).bind(Cell(finding))
                })
                .await?;
            Ok(())
        })
    }

    /// Takes back the targets of a campaign that is edited again. The schema refuses it once
    /// anybody's password has been touched.
    pub fn drop_targets(&mut self, campaign: CampaignId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            for statement in [&DROP_FINDINGS, &DROP] {
                self.0.run(statement).bind(Cell(campaign)).execute().await?;
            }
            Ok(())
        })
    }

    /// Everybody whom a campaign is about, in the plan's order, as they come.
    pub fn targets(
        &mut self,
        campaign: CampaignId,
    ) -> BoxStream<'_, Result<TargetRow, StoreError>> {
        let rows = self.0.run(&ALL_TARGETS).bind(Cell(campaign)).stream::<TargetRow>();
        rows.map(|row| Ok(row?)).boxed()
    }

    /// The accounts of some addresses, in the order of the plan.
    pub fn targets_of_addresses<'c>(
        &'c mut self,
        campaign: CampaignId,
        addresses: &'c [u64],
    ) -> StoreFuture<'c, Vec<TargetRow>> {
        Box::pin(async move { Ok(self.all_of(&OF_ADDRESSES, Some(campaign), addresses).await?) })
    }

    /// One account of a campaign.
    pub fn target(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> StoreFuture<'_, TargetRow> {
        Box::pin(async move {
            let query = self.0.run(&OF_ACCOUNT).bind(Cell(campaign));
            Ok(query.bind(Cell(subject)).one().await?)
        })
    }

    /// The findings against everybody, by account and then in ascending order.
    pub fn target_findings(
        &mut self,
        campaign: CampaignId,
    ) -> StoreFuture<'_, Vec<(SubjectId, FindingId)>> {
        Box::pin(async move {
            let query = self.0.run(&FINDINGS).bind(Cell(campaign));
            let rows = query.all::<(Cell<SubjectId>, Cell<FindingId>)>().await?;
            Ok(rows.into_iter().map(|(Cell(subject), Cell(finding))| (subject, finding)).collect())
        })
    }

    /// The findings against some accounts of a campaign; those of one account in ascending order.
    pub fn findings_of_targets<'c>(
        &'c mut self,
        campaign: CampaignId,
        subjects: &'c [SubjectId],
    ) -> StoreFuture<'c, Vec<Finding>> {
        Box::pin(async move { Ok(self.all_of(&FINDINGS_OF, Some(campaign), subjects).await?) })
    }

    /// Findings of these leaks about which nothing has been done yet and whose secrets are still
    /// there, by account. No leak is nobody.
    pub fn open_findings<'c>(&'c mut self, leaks: &'c [LeakId]) -> StoreFuture<'c, Vec<Finding>> {
        Box::pin(async move {
            if leaks.is_empty() {
                return Ok(Vec::new());
            }
            let statement = OPEN_FINDINGS.with_list(0, leaks.len());
            let query = self.0.run(&statement);
            Ok(leaks.iter().fold(query, |query, leak| query.bind(Cell(*leak))).all().await?)
        })
    }

    /// How many accounts have a finding of these leaks that somebody dismissed.
    pub fn dismissed_accounts<'c>(&'c mut self, leaks: &'c [LeakId]) -> StoreFuture<'c, u64> {
        Box::pin(async move {
            if leaks.is_empty() {
                return Ok(0);
            }
            let statement = DISMISSED.with_list(0, leaks.len());
            let query = self.0.run(&statement);
            Ok(Self::count(leaks.iter().fold(query, |query, leak| query.bind(Cell(*leak)))).await?)
        })
    }

    /// Moves one account on; `false` if it is not in the state that it should be in.
    pub fn move_target(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
        from: TargetState,
        to: TargetState,
        reason: Option<SkipReason>,
    ) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let query = self.0.run(&SET_STATE).bind(Cell(to)).bind(reason.map(Cell));
            let query = query.bind(Cell(campaign)).bind(Cell(subject)).bind(Cell(from));
            Ok(query.execute().await? == 1)
        })
    }

    /// Lets every account of a campaign become a target of another one.
    pub fn release_targets(&mut self, campaign: CampaignId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.run(&RELEASE).bind(Cell(campaign)).execute().await?;
            Ok(())
        })
    }

    /// Accounts that other campaigns have begun to seal since a moment, or are still to.
    pub fn accounts_of_others(
        &mut self,
        campaign: CampaignId,
        since: Timestamp,
    ) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let query = self.0.run(&OF_OTHERS).bind(Cell(campaign)).bind(Cell(since));
            Ok(Self::count(query).await?)
        })
    }

    /// Lets one account become a target of another campaign.
    pub fn release_target(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&RELEASE_ONE).bind(Cell(campaign)).bind(Cell(subject));
            Ok(query.exactly_one().await?)
        })
    }

    /// Lets another campaign take up whoever of an address has the old password again: once they are
    /// told what this one did.
    pub fn release_put_back(&mut self, campaign: CampaignId, address: u64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&RELEASE_PUT_BACK).bind(Cell(campaign)).bind(Cell(address));
            query.execute().await?;
            Ok(())
        })
    }

    /// The accounts that belong to some campaign now.
    pub fn subjects_in_open_campaigns(&mut self) -> StoreFuture<'_, Vec<SubjectId>> {
        Box::pin(async move {
            let rows = self.0.run(&HELD).all::<(Cell<SubjectId>,)>().await?;
            Ok(rows.into_iter().map(|(Cell(subject),)| subject).collect())
        })
    }

    /// How many accounts of a campaign are in which state.
    pub fn target_counts(&mut self, campaign: CampaignId) -> StoreFuture<'_, Vec<TargetCount>> {
        Box::pin(async move {
            type Row = (Cell<TargetState>, Option<Cell<SkipReason>>, Cell<u64>);
            let rows = self.0.run(&COUNTS).bind(Cell(campaign)).all::<Row>().await?;
            let count = |(Cell(state), reason, Cell(count)): Row| {
                (state, reason.map(|Cell(reason)| reason), count)
            };
            Ok(rows.into_iter().map(count).collect())
        })
    }

    /// Destroys the secrets of all findings of a campaign; returns how many there were.
    pub fn destroy_campaign_secrets(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(self.0.run(&DESTROY_SECRETS).bind(Cell(campaign)).execute().await?) },
        )
    }

    /// How many findings of a campaign still have their secret.
    pub fn campaign_secrets(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(Self::count(self.0.run(&SECRETS).bind(Cell(campaign))).await?) })
    }

    /// Says of an account's findings that its password is another one now, and destroys their
    /// secrets.
    pub fn close_findings(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&CLOSE_FINDINGS).bind(Cell(campaign)).bind(Cell(subject));
            query.execute().await?;
            Ok(())
        })
    }
}

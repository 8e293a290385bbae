//! What was taken out of use, and on what evidence.

use model::{
    CampaignId, CredentialVersion, FindingId, FoundIn, LeakId, SubjectId, Tier, Timestamp,
};

use crate::{StoreError, StoreFuture, Tx, cell::Cell};

sql::queries! {
    PUT_LINE = ["INSERT INTO reset_line (campaign, subject, version, replaced_version,
            sealed_version, intended_at, wrapped_key, kept)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (campaign, subject) DO UPDATE SET version = excluded.version,
            replaced_version = excluded.replaced_version,
            sealed_version = excluded.sealed_version, wrapped_key = excluded.wrapped_key,
            kept = excluded.kept
        WHERE reset_line.recalled_at IS NULL"];
    ADD_EVIDENCE = ["INSERT INTO reset_evidence (campaign, subject, finding) VALUES {rows}"];
    EVIDENCE = ["SELECT finding.leak, finding.tier, finding.verified_at
        FROM reset_evidence JOIN finding ON finding.id = reset_evidence.finding
        WHERE reset_evidence.campaign = $1 AND reset_evidence.subject = $2 ORDER BY finding.id"];
    DROP_EVIDENCE = ["DELETE FROM reset_evidence WHERE campaign = $1 AND subject = $2"];
    DROP_LINE = ["DELETE FROM reset_line WHERE campaign = $1 AND subject = $2"];
    LINE = ["SELECT subject, version, replaced_version, sealed_version, wrapped_key, kept
        FROM reset_line WHERE campaign = $1 AND subject = $2"];
    OF_ACCOUNT = ["SELECT campaign, intended_at, subject, version, replaced_version,
            sealed_version, wrapped_key, kept
        FROM reset_line WHERE subject = $1 AND recalled_at IS NULL ORDER BY intended_at, campaign"];
    OUT_OF_USE = ["SELECT COUNT(*) FROM target JOIN reset_line ON reset_line.campaign = target.campaign
            AND reset_line.subject = target.subject
        WHERE target.campaign = $1 AND target.state IN ('sealed', 'reset')
            AND reset_line.recalled_at IS NULL"];
    LINES = ["SELECT subject, version FROM reset_line WHERE recalled_at IS NULL"];
    LINES_ELSEWHERE = ["SELECT DISTINCT reset_line.subject FROM reset_line
        JOIN target_finding ON target_finding.subject = reset_line.subject
        JOIN finding ON finding.id = target_finding.finding AND finding.version = reset_line.version
        WHERE target_finding.campaign = $1 AND target_finding.subject IN {list}
            AND reset_line.campaign <> $1 AND reset_line.recalled_at IS NULL"];
    SEALED = ["SELECT target.place, reset_line.subject, reset_line.version,
            reset_line.replaced_version, reset_line.sealed_version, reset_line.wrapped_key,
            reset_line.kept
        FROM target JOIN reset_line ON reset_line.campaign = target.campaign
            AND reset_line.subject = target.subject
        WHERE target.campaign = $1 AND target.state = 'sealed' AND target.place >= $2
            AND (target.place + $3) % $4 < $5
        ORDER BY target.place LIMIT $6"];
    // No join: after a freeze, until it has counted anew, PostgreSQL would hash all targets for it.
    SEALED_AMONG = ["SELECT campaign, subject, version, replaced_version, sealed_version,
            wrapped_key, kept
        FROM reset_line WHERE recalled_at IS NULL AND subject IN {list}
            AND 'sealed' = (SELECT target.state FROM target
                WHERE target.campaign = reset_line.campaign
                    AND target.subject = reset_line.subject)"];
    COUNT_SEALED = ["SELECT COUNT(*) FROM target WHERE campaign = $1 AND state = 'sealed'"];
}

/// That a password was, or is about to be, taken out of use.
#[derive(Debug, Clone)]
pub struct NewResetLine {
    /// Whose.
    pub subject: SubjectId,
    /// The password as it was found; a verified rehash inherits it.
    pub version: CredentialVersion,
    /// The hash that is replaced.
    pub replaced: CredentialVersion,
    /// The hash that replaces it.
    pub sealed: CredentialVersion,
    /// The wrapped key of `kept`.
    pub wrapped_key: Vec<u8>,
    /// Both hashes and whom to tell, encrypted.
    pub kept: Vec<u8>,
    /// The findings that verified just now.
    pub evidence: Vec<FindingId>,
}

/// That a password was, or is about to be, taken out of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetLine {
    /// Whose.
    pub subject: SubjectId,
    /// The password as it was found.
    pub version: CredentialVersion,
    /// The hash that is replaced.
    pub replaced: CredentialVersion,
    /// The hash that replaces it.
    pub sealed: CredentialVersion,
    /// The wrapped key of `kept`; `None` once it is destroyed.
    pub wrapped_key: Option<Vec<u8>>,
    /// Both hashes and whom to tell, encrypted; `None` once they are destroyed.
    pub kept: Option<Vec<u8>>,
}

record!(ResetLine { subject, version, replaced = "replaced_version", sealed = "sealed_version", wrapped_key, kept });

/// What one campaign has done to a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastReset {
    /// Which campaign.
    pub campaign: CampaignId,
    /// When.
    pub at: Timestamp,
    /// What it did.
    pub line: ResetLine,
}

record!(PastReset { campaign, at = "intended_at"; line });

/// What the campaign in which an account is sealed now has done to its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedLine {
    /// Which campaign.
    pub campaign: CampaignId,
    /// What it did.
    pub line: ResetLine,
}

record!(SealedLine { campaign; line });

/// Some of the equal shares into which a campaign's accounts are dealt, one after the other in
/// the plan's order. An account keeps its share whatever becomes of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// The first of these, below `of`.
    pub first: u64,
    /// How many these are; behind the last share comes the first one again.
    pub count: u64,
    /// How many there are altogether.
    pub of: u64,
}

impl Shares {
    /// Everybody.
    pub const ALL: Self = Self { first: 0, count: 1, of: 1 };
}

struct SealedRow {
    place: u64,
    line: ResetLine,
}

record!(SealedRow { place; line });

impl Tx {
    /// Writes down that a password is about to be taken out of use, in place of an earlier attempt
    /// of the same campaign. The schema refuses what another campaign has done already.
    pub fn put_reset_line(
        &mut self,
        campaign: CampaignId,
        line: NewResetLine,
        now: Timestamp,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let subject = line.subject;
            let query = self.0.run(&PUT_LINE).bind(Cell(campaign)).bind(Cell(subject));
            let query = query.bind(Cell(line.version)).bind(Cell(line.replaced));
            let query = query.bind(Cell(line.sealed)).bind(Cell(now));
            query.bind(line.wrapped_key).bind(line.kept).exactly_one().await?;
            self.drop_evidence(campaign, subject).await?;
            self.0
                .insert_all(&ADD_EVIDENCE, line.evidence, |query, finding| {
                    query.bind(Cell(campaign)).bind(Cell(subject)).bind(Cell(finding))
                })
                .await?;
            Ok(())
        })
    }

    async fn drop_evidence(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> Result<(), StoreError> {
        let query = self.0.run(&DROP_EVIDENCE).bind(Cell(campaign)).bind(Cell(subject));
        query.execute().await?;
        Ok(())
    }

    /// Takes back the intent to take a password out of use, when its owner was quicker.
    pub fn drop_reset_line(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.drop_evidence(campaign, subject).await?;
            let query = self.0.run(&DROP_LINE).bind(Cell(campaign)).bind(Cell(subject));
            Ok(query.exactly_one().await?)
        })
    }

    /// What is kept of an account's old password.
    pub fn reset_line(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> StoreFuture<'_, Option<ResetLine>> {
        Box::pin(async move {
            let query = self.0.run(&LINE).bind(Cell(campaign)).bind(Cell(subject));
            Ok(query.optional().await?)
        })
    }

    /// Where the password that a campaign took out of use was found, the first finding first.
    pub fn reset_evidence(
        &mut self,
        campaign: CampaignId,
        subject: SubjectId,
    ) -> StoreFuture<'_, Vec<FoundIn>> {
        Box::pin(async move {
            let query = self.0.run(&EVIDENCE).bind(Cell(campaign)).bind(Cell(subject));
            let rows =
                query.all::<(Cell<LeakId>, Cell<Tier>, Cell<Timestamp>)>().await?.into_iter();
            let found =
                |(Cell(leak), Cell(tier), Cell(verified_at))| FoundIn { leak, tier, verified_at };
            Ok(rows.map(found).collect())
        })
    }

    /// What campaigns have done to an account's passwords and not taken back, the latest last.
    pub fn resets_of_subject(&mut self, subject: SubjectId) -> StoreFuture<'_, Vec<PastReset>> {
        Box::pin(async move { Ok(self.0.run(&OF_ACCOUNT).bind(Cell(subject)).all().await?) })
    }

    /// Of how many accounts whose passwords a campaign has taken out of use it is kept what they were.
    pub fn reset_line_count(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(Self::count(self.0.run(&OUT_OF_USE).bind(Cell(campaign))).await?) },
        )
    }

    /// Every password that some campaign has taken out of use, and none has given back.
    pub fn reset_lines(&mut self) -> StoreFuture<'_, Vec<(SubjectId, CredentialVersion)>> {
        Box::pin(async move {
            let rows =
                self.0.run(&LINES).all::<(Cell<SubjectId>, Cell<CredentialVersion>)>().await?;
            Ok(rows.into_iter().map(|(Cell(subject), Cell(version))| (subject, version)).collect())
        })
    }

    /// Those of some accounts of a campaign of whom another one has taken a password out of use that
    /// this one's findings are about.
    pub fn reset_elsewhere<'c>(
        &'c mut self,
        campaign: CampaignId,
        subjects: &'c [SubjectId],
    ) -> StoreFuture<'c, Vec<SubjectId>> {
        Box::pin(async move {
            let (lines, campaign) = (&LINES_ELSEWHERE, Some(campaign));
            let found = self.all_of::<_, (Cell<SubjectId>,)>(lines, campaign, subjects).await?;
            Ok(found.into_iter().map(|(Cell(subject),)| subject).collect())
        })
    }

    /// Some accounts of these shares that are sealed and whose owners have not been seen to choose
    /// another password, from a place in the order on: each with its place.
    pub fn sealed_lines(
        &mut self,
        campaign: CampaignId,
        shares: Shares,
        from: u64,
        limit: u64,
    ) -> StoreFuture<'_, Vec<(u64, ResetLine)>> {
        Box::pin(async move {
            let Shares { first, count, of } = shares;
            let query = self.0.run(&SEALED).bind(Cell(campaign)).bind(Cell(from));
            let query = query.bind(Cell(of - first)).bind(Cell(of)).bind(Cell(count));
            let rows: Vec<SealedRow> = query.bind(Cell(limit)).all().await?;
            Ok(rows.into_iter().map(|row| (row.place, row.line)).collect())
        })
    }

    /// Those of some accounts that are sealed, in whichever campaign, and whose owners have not
    /// been seen to choose another password.
    pub fn sealed_among<'c>(
        &'c mut self,
        subjects: &'c [SubjectId],
    ) -> StoreFuture<'c, Vec<SealedLine>> {
        Box::pin(async move { Ok(self.all_among(&SEALED_AMONG, subjects).await?) })
    }

    /// How many accounts of a campaign are sealed, their owners not seen to choose another
    /// password.
    pub fn sealed_count(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(Self::count(self.0.run(&COUNT_SEALED).bind(Cell(campaign))).await?) },
        )
    }
}

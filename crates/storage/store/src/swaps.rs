//! Every value of ours that was, or may have been, written into the site's table.
//!
//! No row ever goes. An attempt's number is the fence: whoever takes a swap over raises it before
//! asking the site anything, and what an earlier attempt would write here is refused from then on.

use std::time::Duration;

use model::{
    CampaignId, CredentialVersion, SiteTransaction, SubjectId, SwapId, SwapPurpose, SwapState,
};
use sql::{Record, Row, SqlError};

use crate::{
    LinkId, ResetLine, StoreFuture, Tx, WorkerName,
    cell::{Cell, Field},
};

sql::queries! {
    INTEND = ["INSERT INTO swap (subject, purpose, campaign, round, link, expected, made, state,
            attempt, lease_owner, lease_until, intended_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'intended', 1, $8, " NOW " + $9, " NOW ")
        ON CONFLICT (subject) WHERE state = 'intended' DO NOTHING RETURNING id"];
    PASS = ["UPDATE swap SET passed = attempt, site = $1, transaction_id = $2
        WHERE id = $3 AND attempt = $4 AND state = 'intended'
        RETURNING id, subject, purpose, campaign, round, link, expected, made, state, attempt,
            passed, site, transaction_id"];
    HELD = ["SELECT id, subject, purpose, campaign, round, link, expected, made, state, attempt,
            passed, site, transaction_id
        FROM swap WHERE id = $1 AND attempt = $2 AND state = 'intended'"];
    TAKE = ["UPDATE swap SET attempt = attempt + 1, lease_owner = $1, lease_until = " NOW " + $2
        WHERE id = $3 AND state = 'intended' AND lease_until <= " NOW "
        RETURNING id, subject, purpose, campaign, round, link, expected, made, state, attempt,
            passed, site, transaction_id"];
    FINISH = ["UPDATE swap SET state = $1, ended_at = " NOW "
        WHERE id = $2 AND attempt = $3 AND state = 'intended'
        RETURNING id, subject, purpose, campaign, round, link, expected, made, state, attempt,
            passed, site, transaction_id"];
    OPEN_OF_ACCOUNT = ["SELECT id, subject, purpose, campaign, round, link, expected, made, state,
            attempt, passed, site, transaction_id
        FROM swap WHERE subject = $1 AND state = 'intended'" FOR_SHARE];
    OF_LINE = ["SELECT id, subject, purpose, campaign, round, link, expected, made, state, attempt,
            passed, site, transaction_id
        FROM swap WHERE subject = $1 AND campaign = $2 AND made = $3 AND purpose = 'seal'
        ORDER BY id DESC LIMIT 1"];
    DENIED = ["SELECT EXISTS (SELECT 1 FROM swap WHERE made = $1 AND purpose = 'seal')
            OR EXISTS (SELECT 1 FROM target
                WHERE version = $1 AND state = 'pending' AND open)"];
    INTENDED = ["SELECT id FROM swap WHERE state = 'intended'"];
    IN_ORDER = ["SELECT id, subject, purpose, campaign, round, link, expected, made, state,
            attempt, passed, site, transaction_id
        FROM swap WHERE id > $1 ORDER BY id LIMIT $2"];
    LEFT = ["SELECT id, subject, purpose, campaign, round, link, expected, made, state, attempt,
            passed, site, transaction_id
        FROM swap WHERE state = 'intended' AND lease_until <= " NOW " AND purpose = $1
        ORDER BY id LIMIT $2"];
    LEFT_OF_ACCOUNT = ["SELECT id, subject, purpose, campaign, round, link, expected, made, state,
            attempt, passed, site, transaction_id
        FROM swap WHERE subject = $1 AND state = 'intended' AND lease_until <= " NOW];
    OF_LINK = ["SELECT id, subject, purpose, campaign, round, link, expected, made, state, attempt,
            passed, site, transaction_id
        FROM swap WHERE link = $1 ORDER BY id DESC LIMIT 1"];
    SEALING = ["SELECT DISTINCT campaign FROM swap
        WHERE state = 'intended' AND purpose = 'seal' AND campaign IS NOT NULL"];
    COUNT_INTENDED = ["SELECT COUNT(*) FROM swap WHERE campaign = $1 AND state = 'intended'"];
}

/// A replacement that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSwap {
    /// Whose stored password.
    pub subject: SubjectId,
    /// On whose behalf.
    pub behalf: SwapBehalf,
    /// What has to stand in the site's row.
    pub expected: CredentialVersion,
    /// What takes its place.
    pub made: CredentialVersion,
}

/// On whose behalf a stored password is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapBehalf {
    /// A campaign takes it out of use, by the signatures of this round.
    Seal {
        /// Which campaign.
        campaign: CampaignId,
        /// The round that it was in.
        round: u32,
    },
    /// A campaign puts it back, by the signatures of this round.
    Reinstate {
        /// Which campaign.
        campaign: CampaignId,
        /// The round that it was in.
        round: u32,
    },
    /// The person has chosen another one, with a link.
    Choose {
        /// Which link.
        link: LinkId,
    },
}

/// A swap that one attempt looks after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwapLease {
    /// Which swap.
    pub id: SwapId,
    /// Which attempt, from 1: the fence.
    pub attempt: u32,
}

/// A swap as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// Its key.
    pub id: SwapId,
    /// Whose stored password.
    pub subject: SubjectId,
    /// On whose behalf.
    pub behalf: SwapBehalf,
    /// What had to stand in the site's row.
    pub expected: CredentialVersion,
    /// What takes its place.
    pub made: CredentialVersion,
    /// How far it is.
    pub state: SwapState,
    /// The attempt that looks after it.
    pub attempt: u32,
    /// The attempt that was let through to commit on the site; `None` if none ever was.
    pub passed: Option<u32>,
    /// Its transaction there, where the site's database can tell what became of one.
    pub transaction: Option<SiteTransaction>,
}

impl Swap {
    /// The hold of the attempt that looks after it.
    #[must_use]
    pub const fn held(&self) -> SwapLease {
        SwapLease { id: self.id, attempt: self.attempt }
    }
}

impl SwapBehalf {
    /// What for, in one word.
    #[must_use]
    pub const fn purpose(self) -> SwapPurpose {
        match self {
            Self::Seal { .. } => SwapPurpose::Seal,
            Self::Reinstate { .. } => SwapPurpose::Reinstate,
            Self::Choose { .. } => SwapPurpose::Choose,
        }
    }

    /// The campaign and its round, if it is one's.
    #[must_use]
    pub const fn campaign(self) -> Option<(CampaignId, u32)> {
        match self {
            Self::Seal { campaign, round } | Self::Reinstate { campaign, round } => {
                Some((campaign, round))
            }
            Self::Choose { .. } => None,
        }
    }

    /// The link with which the person sets it, if a person does.
    #[must_use]
    pub const fn link(self) -> Option<LinkId> {
        match self {
            Self::Choose { link } => Some(link),
            _ => None,
        }
    }
}

impl Record for SwapBehalf {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        Ok(match Field::read(row, "purpose")? {
            SwapPurpose::Seal => {
                let (campaign, round) = (Field::read(row, "campaign")?, Field::read(row, "round")?);
                Self::Seal { campaign, round }
            }
            SwapPurpose::Reinstate => {
                let (campaign, round) = (Field::read(row, "campaign")?, Field::read(row, "round")?);
                Self::Reinstate { campaign, round }
            }
            SwapPurpose::Choose => Self::Choose { link: Field::read(row, "link")? },
        })
    }
}

impl Record for Swap {
    fn decode(row: &Row) -> Result<Self, SqlError> {
        let site = Field::read(row, "site")?;
        let transaction = Option::zip(site, Field::read(row, "transaction_id")?);
        Ok(Self {
            id: Field::read(row, "id")?,
            subject: Field::read(row, "subject")?,
            behalf: SwapBehalf::decode(row)?,
            expected: Field::read(row, "expected")?,
            made: Field::read(row, "made")?,
            state: Field::read(row, "state")?,
            attempt: Field::read(row, "attempt")?,
            passed: Field::read(row, "passed")?,
            transaction: transaction
                .map(|(database, number)| SiteTransaction::new(database, number)),
        })
    }
}

impl Tx {
    /// Writes down that a stored password is about to be replaced; `None` while another
    /// replacement of the same account's is intended. Commit it before the site is asked.
    ///
    /// # Errors
    /// What the database reports: a value is made once.
    pub fn intend_swap<'c>(
        &'c mut self,
        new: &'c NewSwap,
        owner: &'c WorkerName,
        lease: Duration,
    ) -> StoreFuture<'c, Option<SwapLease>> {
        Box::pin(async move {
            let behalf = new.behalf;
            let (campaign, round) = behalf.campaign().unzip();
            let query = self.0.run(&INTEND).bind(Cell(new.subject));
            let query = query.bind(Cell(behalf.purpose())).bind(campaign.map(Cell));
            let query = query.bind(round.map(Cell)).bind(behalf.link().map(Cell));
            let query = query.bind(Cell(new.expected)).bind(Cell(new.made));
            let query = query.bind(owner.to_string()).bind(Cell(lease));
            let intended = query.optional::<(Cell<SwapId>,)>().await?;
            Ok(intended.map(|(Cell(id),)| SwapLease { id, attempt: 1 }))
        })
    }

    /// Lets an attempt through to commit on the site, where it holds the row's lock; `None` if a
    /// later attempt has taken the swap over: then it must not.
    pub fn pass_swap<'c>(
        &'c mut self,
        held: SwapLease,
        transaction: Option<&'c SiteTransaction>,
    ) -> StoreFuture<'c, Option<Swap>> {
        Box::pin(async move {
            let site = transaction.map(|transaction| transaction.database().to_owned());
            let id = transaction.map(|transaction| Cell(transaction.number()));
            let query = self.0.run(&PASS).bind(site).bind(id).bind(Cell(held.id));
            Ok(query.bind(Cell(held.attempt)).optional().await?)
        })
    }

    /// The swap that an attempt still looks after; `None` if it does no longer.
    pub fn swap_held(&mut self, held: SwapLease) -> StoreFuture<'_, Option<Swap>> {
        Box::pin(async move {
            let query = self.0.run(&HELD).bind(Cell(held.id)).bind(Cell(held.attempt));
            Ok(query.optional().await?)
        })
    }

    /// Begins another attempt, once the lease of the one before is over; `None` if somebody else
    /// was quicker. Commit it before the site is asked: whether an earlier attempt was let through
    /// is then as this returns it.
    pub fn take_swap<'c>(
        &'c mut self,
        id: SwapId,
        owner: &'c WorkerName,
        lease: Duration,
    ) -> StoreFuture<'c, Option<Swap>> {
        Box::pin(async move {
            let query = self.0.run(&TAKE).bind(owner.to_string()).bind(Cell(lease));
            Ok(query.bind(Cell(id)).optional().await?)
        })
    }

    /// Records what became of a swap, for ever; `None` if a later attempt has taken it over.
    pub fn end_swap(&mut self, held: SwapLease, state: SwapState) -> StoreFuture<'_, Option<Swap>> {
        Box::pin(async move {
            let query = self.0.run(&FINISH).bind(Cell(state)).bind(Cell(held.id));
            Ok(query.bind(Cell(held.attempt)).optional().await?)
        })
    }

    /// The swap of an account that is intended. Nobody ends it or takes it over until this transaction
    /// ends.
    pub fn open_swap_of(&mut self, subject: SubjectId) -> StoreFuture<'_, Option<Swap>> {
        Box::pin(
            async move { Ok(self.0.run(&OPEN_OF_ACCOUNT).bind(Cell(subject)).optional().await?) },
        )
    }

    /// The keys of all swaps that are intended.
    pub fn intended_swap_ids(&mut self) -> StoreFuture<'_, Vec<SwapId>> {
        Box::pin(async move {
            let ids = self.0.run(&INTENDED).all::<(Cell<SwapId>,)>().await?;
            Ok(ids.into_iter().map(|(Cell(id),)| id).collect())
        })
    }

    /// Some swaps behind one, in the order of their keys.
    pub fn swaps_after(&mut self, id: SwapId, limit: u64) -> StoreFuture<'_, Vec<Swap>> {
        Box::pin(
            async move { Ok(self.0.run(&IN_ORDER).bind(Cell(id)).bind(Cell(limit)).all().await?) },
        )
    }

    /// Swaps whose attempt has let its lease run out, the oldest first.
    pub fn swaps_left(&mut self, purpose: SwapPurpose, limit: u64) -> StoreFuture<'_, Vec<Swap>> {
        Box::pin(
            async move { Ok(self.0.run(&LEFT).bind(Cell(purpose)).bind(Cell(limit)).all().await?) },
        )
    }

    /// The swap of an account whose attempt has let its lease run out.
    pub fn swap_left_of(&mut self, subject: SubjectId) -> StoreFuture<'_, Option<Swap>> {
        Box::pin(
            async move { Ok(self.0.run(&LEFT_OF_ACCOUNT).bind(Cell(subject)).optional().await?) },
        )
    }

    /// The replacement that a line is about; `None` if none has ever made what it says.
    pub fn swap_of_line<'c>(
        &'c mut self,
        campaign: CampaignId,
        line: &'c ResetLine,
    ) -> StoreFuture<'c, Option<Swap>> {
        Box::pin(async move {
            let query = self.0.run(&OF_LINE).bind(Cell(line.subject)).bind(Cell(campaign));
            Ok(query.bind(Cell(line.sealed)).optional().await?)
        })
    }

    /// Whether a campaign has made the password that an account holds, or is about to replace it: of
    /// whom nothing else is kept, somebody has written to the store. Whose rows those are is not asked:
    /// somebody may have given them another number.
    pub fn is_found_elsewhere(&mut self, now: CredentialVersion) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let query = self.0.run(&DENIED).bind(Cell(now));
            Ok(query.one::<(bool,)>().await?.0)
        })
    }

    /// The last replacement with a link; `None` if nobody has chosen a password with it.
    pub fn swap_of_link(&mut self, link: LinkId) -> StoreFuture<'_, Option<Swap>> {
        Box::pin(async move { Ok(self.0.run(&OF_LINK).bind(Cell(link)).optional().await?) })
    }

    /// The campaigns of which an account is being sealed, or is left in between.
    pub fn sealing_campaigns(&mut self) -> StoreFuture<'_, Vec<CampaignId>> {
        Box::pin(async move {
            let sealing = self.0.run(&SEALING).all::<(Cell<CampaignId>,)>().await?;
            Ok(sealing.into_iter().map(|(Cell(campaign),)| campaign).collect())
        })
    }

    /// How many accounts of a campaign are in a state that only the site's row can tell.
    pub fn intended_swaps(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(Self::count(self.0.run(&COUNT_INTENDED).bind(Cell(campaign))).await?) },
        )
    }
}

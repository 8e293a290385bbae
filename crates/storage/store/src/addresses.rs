//! The addresses of a campaign: what workers take up, one by one and in their order.
//!
//! Their leases follow the rules of jobs: the database's clock, owners' names never used again,
//! and the attempt number as the fence.

use std::time::Duration;

use model::{CampaignId, Timestamp};

use crate::{StoreFuture, Tx, WorkerName, cell::Cell};

sql::queries! {
    ADD = ["INSERT INTO campaign_address (campaign, number, address_key, accounts) VALUES {rows}"];
    DROP = ["DELETE FROM campaign_address WHERE campaign = $1"];
    // Few addresses are in hand, and an index finds them.
    BEGUN = ["SELECT number FROM campaign_address
        WHERE campaign = $1 AND (CASE WHEN settled_at IS NULL THEN taken_at END) > 0
            AND done_at IS NULL AND lease_until <= " NOW "
            AND EXISTS (SELECT 1 FROM target WHERE target.campaign = campaign_address.campaign
                AND target.address = campaign_address.number AND target.state <> 'pending')
            AND NOT EXISTS (SELECT 1 FROM target WHERE target.campaign = campaign_address.campaign
                AND target.address = campaign_address.number AND target.state = 'sealing')
        ORDER BY number LIMIT $2"];
    UNBEGUN = ["SELECT number FROM campaign_address
        WHERE campaign = $1 AND done_at IS NULL AND number < $3 AND lease_until <= " NOW "
            AND NOT EXISTS (SELECT 1 FROM target WHERE target.campaign = campaign_address.campaign
                AND target.address = campaign_address.number AND target.state <> 'pending')
        ORDER BY number LIMIT $2"];
    TAKE = ["UPDATE campaign_address SET lease_owner = $1, lease_until = " NOW " + $2,
            attempts = attempts + 1, taken_at = COALESCE(taken_at, " NOW ")
        WHERE campaign = $3 AND number = $4 AND done_at IS NULL AND lease_until <= " NOW "
        RETURNING attempts"];
    RENEW = ["UPDATE campaign_address SET lease_until = " NOW " + $1
        WHERE campaign = $2 AND number = $3 AND lease_owner = $4 AND attempts = $5
            AND done_at IS NULL AND lease_until > " NOW];
    GIVE_BACK = ["UPDATE campaign_address SET lease_until = " NOW "
        WHERE campaign = $1 AND number = $2 AND lease_owner = $3 AND attempts = $4
            AND done_at IS NULL"];
    // Nobody is called so.
    PUT_OFF = ["UPDATE campaign_address SET lease_until = " NOW " + $5, lease_owner = ''
        WHERE campaign = $1 AND number = $2 AND lease_owner = $3 AND attempts = $4
            AND done_at IS NULL"];
    PUT_OFF_COUNT = ["SELECT COUNT(*) FROM campaign_address
        WHERE campaign = $1 AND done_at IS NULL AND lease_owner = '' AND lease_until > " NOW];
    FINISH = ["UPDATE campaign_address SET done_at = " NOW ",
            settled_at = CASE WHEN $1 THEN " NOW " END
        WHERE campaign = $2 AND number = $3 AND lease_owner = $4 AND attempts = $5
            AND done_at IS NULL"];
    SETTLE = ["UPDATE campaign_address SET settled_at = " NOW "
        WHERE campaign = $1 AND number = $2 AND settled_at IS NULL AND done_at IS NOT NULL"];
    TAKEN_SINCE = ["SELECT COUNT(*) FROM campaign_address WHERE campaign = $1 AND taken_at >= $2"];
    LAST_TAKEN = ["SELECT MAX(taken_at) FROM campaign_address WHERE campaign = $1"];
    // The addresses in hand come first, by the index for them, and not everybody who is sealed:
    // SQLite reads a CROSS JOIN from left to right.
    SEALED_UNTOLD = ["SELECT COUNT(*) FROM campaign_address CROSS JOIN target
        WHERE campaign_address.campaign = $1
            AND (CASE WHEN settled_at IS NULL THEN taken_at END) > 0
            AND target.campaign = campaign_address.campaign
            AND target.address = campaign_address.number
            AND (target.state IN ('sealing', 'sealed')
                OR target.state = 'pending' AND campaign_address.lease_until > " NOW "
                    AND campaign_address.lease_owner <> '')"];
    DONE = ["SELECT number FROM campaign_address WHERE campaign = $1 AND done_at IS NOT NULL
        ORDER BY number"];
    SETTLED = ["SELECT number FROM campaign_address WHERE campaign = $1 AND settled_at IS NOT NULL
        ORDER BY number"];
    SETTLED_COUNT = ["SELECT COUNT(settled_at) FROM campaign_address WHERE campaign = $1"];
    DONE_COUNT = ["SELECT COUNT(done_at) FROM campaign_address WHERE campaign = $1"];
    COUNTS = ["SELECT COUNT(*), COUNT(taken_at), COUNT(done_at)
        FROM campaign_address WHERE campaign = $1"];
    UNTOLD = ["SELECT COUNT(*) FROM campaign_address WHERE campaign = $1 AND done_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM notice WHERE notice.campaign = campaign_address.campaign
                AND notice.address = campaign_address.number)"];
}

/// One address of a frozen plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAddress {
    /// Its place in the order, from 0.
    pub number: u64,
    /// The keyed hash of the address.
    pub key: [u8; 32],
    /// How many accounts have it.
    pub accounts: u32,
}

/// An address that one worker holds for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressLease {
    /// Whose campaign.
    pub campaign: CampaignId,
    /// Which address.
    pub number: u64,
    /// Who holds it.
    pub owner: WorkerName,
    /// How many times it was taken, this one included. It is the fence.
    pub attempt: i64,
}

/// How far the addresses of a campaign are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AddressCounts {
    /// In the plan.
    pub all: u64,
    /// Begun.
    pub taken: u64,
    /// Of which every account is sealed or skipped.
    pub done: u64,
    /// Done, and nobody is to be told.
    pub untold: u64,
}

impl Tx {
    /// Fixes the order of a campaign's addresses. The schema refuses an address twice.
    pub fn add_addresses<'c>(
        &'c mut self,
        campaign: CampaignId,
        addresses: impl IntoIterator<Item = NewAddress, IntoIter: Send + 'c>,
    ) -> StoreFuture<'c, ()> {
        let written = self.0.insert_all(&ADD, addresses, move |query, address| {
            let query = query.bind(Cell(campaign)).bind(Cell(address.number));
            query.bind(Cell(address.key)).bind(Cell(address.accounts))
        });
        Box::pin(async move {
            written.await?;
            Ok(())
        })
    }

    /// Takes back the addresses of a campaign that is edited again.
    pub fn drop_addresses(&mut self, campaign: CampaignId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.run(&DROP).bind(Cell(campaign)).execute().await?;
            Ok(())
        })
    }

    /// Addresses that nobody holds and that are not done: first those of which an account was settled
    /// before, then others before `below`, each in their order. What becomes of an account whose swap
    /// is intended has to be found out first.
    pub fn addresses_to_take(
        &mut self,
        campaign: CampaignId,
        below: u64,
        limit: u64,
    ) -> StoreFuture<'_, Vec<u64>> {
        Box::pin(async move {
            let query = self.0.run(&BEGUN).bind(Cell(campaign)).bind(Cell(limit));
            let mut found = query.all::<(Cell<u64>,)>().await?;
            let query = self.0.run(&UNBEGUN).bind(Cell(campaign));
            let query = query.bind(Cell(limit - found.len() as u64)).bind(Cell(below));
            found.extend(query.all::<(Cell<u64>,)>().await?);
            Ok(found.into_iter().map(|(Cell(number),)| number).collect())
        })
    }

    /// Takes an address; `None` if somebody else was quicker.
    pub fn take_address<'c>(
        &'c mut self,
        campaign: CampaignId,
        number: u64,
        owner: &'c WorkerName,
        lease: Duration,
    ) -> StoreFuture<'c, Option<AddressLease>> {
        Box::pin(async move {
            let query = self.0.run(&TAKE).bind(owner.to_string()).bind(Cell(lease));
            let taken = query.bind(Cell(campaign)).bind(Cell(number)).optional::<(i64,)>().await?;
            let lease =
                |(attempt,)| AddressLease { campaign, number, owner: owner.clone(), attempt };
            Ok(taken.map(lease))
        })
    }

    /// Holds on to an address from now on, and keeps others from taking it until this transaction
    /// ends; `false` if it is lost, or its lease ran out: others may have acted since.
    pub fn renew_address<'c>(
        &'c mut self,
        held: &'c AddressLease,
        lease: Duration,
    ) -> StoreFuture<'c, bool> {
        Box::pin(async move {
            let query = self.0.run(&RENEW).bind(Cell(lease)).bind(Cell(held.campaign));
            let query =
                query.bind(Cell(held.number)).bind(held.owner.to_string()).bind(held.attempt);
            Ok(query.execute().await? == 1)
        })
    }

    /// Lets others take an address at once. Nothing happens to one that is lost.
    pub fn give_address_back<'c>(&'c mut self, held: &'c AddressLease) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&GIVE_BACK).bind(Cell(held.campaign)).bind(Cell(held.number));
            query.bind(held.owner.to_string()).bind(held.attempt).execute().await?;
            Ok(())
        })
    }

    /// Gives an address back that nobody is to take up for a while.
    pub fn put_address_off<'c>(
        &'c mut self,
        held: &'c AddressLease,
        wait: Duration,
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&PUT_OFF).bind(Cell(held.campaign)).bind(Cell(held.number));
            let query = query.bind(held.owner.to_string()).bind(held.attempt);
            query.bind(Cell(wait)).execute().await?;
            Ok(())
        })
    }

    /// Addresses that nobody is to take up for a while.
    pub fn addresses_put_off(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(Self::count(self.0.run(&PUT_OFF_COUNT).bind(Cell(campaign))).await?) },
        )
    }

    /// Ends the work on an address; `settled` if nobody there is to be told. `false` if it is lost.
    pub fn finish_address<'c>(
        &'c mut self,
        held: &'c AddressLease,
        settled: bool,
    ) -> StoreFuture<'c, bool> {
        Box::pin(async move {
            let query = self.0.run(&FINISH).bind(settled).bind(Cell(held.campaign));
            let query =
                query.bind(Cell(held.number)).bind(held.owner.to_string()).bind(held.attempt);
            Ok(query.execute().await? == 1)
        })
    }

    /// Says that an address's notice is final. Saying it again changes nothing.
    pub fn settle_address(&mut self, campaign: CampaignId, number: u64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            self.0.run(&SETTLE).bind(Cell(campaign)).bind(Cell(number)).execute().await?;
            Ok(())
        })
    }

    /// How many addresses were taken up for the first time since a moment.
    pub fn addresses_taken_since(
        &mut self,
        campaign: CampaignId,
        since: Timestamp,
    ) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let query = self.0.run(&TAKEN_SINCE).bind(Cell(campaign)).bind(Cell(since));
            Ok(Self::count(query).await?)
        })
    }

    /// When an address was last taken up for the first time.
    pub fn last_taken(&mut self, campaign: CampaignId) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(async move {
            let query = self.0.run(&LAST_TAKEN).bind(Cell(campaign));
            let (last,) = query.one::<(Option<Cell<Timestamp>>,)>().await?;
            Ok(last.map(|Cell(last)| last))
        })
    }

    /// How many accounts are sealed, or in the hands of a worker that is about to, while their
    /// notice is not final.
    pub fn sealed_untold(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(Self::count(self.0.run(&SEALED_UNTOLD).bind(Cell(campaign))).await?) },
        )
    }

    /// The numbers of all addresses that are done, in their order.
    pub fn addresses_done(&mut self, campaign: CampaignId) -> StoreFuture<'_, Vec<u64>> {
        Box::pin(async move {
            let done = self.0.run(&DONE).bind(Cell(campaign)).all::<(Cell<u64>,)>().await?;
            Ok(done.into_iter().map(|(Cell(number),)| number).collect())
        })
    }

    /// The numbers of all addresses that are settled, in their order.
    pub fn addresses_settled(&mut self, campaign: CampaignId) -> StoreFuture<'_, Vec<u64>> {
        Box::pin(async move {
            let settled = self.0.run(&SETTLED).bind(Cell(campaign)).all::<(Cell<u64>,)>().await?;
            Ok(settled.into_iter().map(|(Cell(number),)| number).collect())
        })
    }

    /// How many addresses are settled.
    pub fn addresses_settled_count(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(Self::count(self.0.run(&SETTLED_COUNT).bind(Cell(campaign))).await?) },
        )
    }

    /// How many addresses are done.
    pub fn addresses_done_count(&mut self, campaign: CampaignId) -> StoreFuture<'_, u64> {
        Box::pin(
            async move { Ok(Self::count(self.0.run(&DONE_COUNT).bind(Cell(campaign))).await?) },
        )
    }

    /// How far the addresses of a campaign are.
    pub fn address_counts(&mut self, campaign: CampaignId) -> StoreFuture<'_, AddressCounts> {
        Box::pin(async move {
            type Row = (Cell<u64>, Cell<u64>, Cell<u64>);
            let row = self.0.run(&COUNTS).bind(Cell(campaign)).one::<Row>().await?;
            let (Cell(all), Cell(taken), Cell(done)) = row;
            let untold = Self::count(self.0.run(&UNTOLD).bind(Cell(campaign))).await?;
            Ok(AddressCounts { all, taken, done, untold })
        })
    }
}

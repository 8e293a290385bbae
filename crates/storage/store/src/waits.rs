//! Waits that are longer than any of ours.

use crate::{
    StoreFuture, Tx,
    cell::Cell,
    limits::{LEASE_MAX, NOTICE_WAIT_MAX},
};

sql::queries! {
    ADDRESSES = ["UPDATE campaign_address SET lease_until = " NOW "
        WHERE done_at IS NULL AND lease_until > " NOW " + $1"];
    SWAPS = ["UPDATE swap SET lease_until = " NOW "
        WHERE state = 'intended' AND lease_until > " NOW " + $1"];
    JOBS = ["UPDATE job SET lease_until = " NOW "
        WHERE done_at IS NULL AND lease_until > " NOW " + $1"];
    RECONCILIATION = ["UPDATE reconciliation SET lease_until = " NOW "
        WHERE lease_until > " NOW " + $1"];
    IN_FLIGHT = ["UPDATE notice SET lease_until = " NOW "
        WHERE state = 'inflight' AND lease_until > " NOW " + $1"];
    PENDING = ["UPDATE notice SET not_before = " NOW "
        WHERE state = 'pending' AND not_before > " NOW " + $1"];
}

impl Tx {
    /// Ends every lease that lasts longer than any of ours, and every wait of a notice. Somebody else has
    /// written it, or the database's clock was set back: people would stay sealed and untold in silence.
    /// Returns in which tables there were any, and how many.
    pub fn end_overlong_waits(&mut self) -> StoreFuture<'_, Vec<(&'static str, u64)>> {
        Box::pin(async move {
            let mut ended = Vec::new();
            for (table, query, longest) in [
                ("campaign_address", &ADDRESSES, LEASE_MAX),
                ("swap", &SWAPS, LEASE_MAX),
                ("job", &JOBS, LEASE_MAX),
                ("reconciliation", &RECONCILIATION, LEASE_MAX),
                ("notice", &IN_FLIGHT, LEASE_MAX),
                ("notice", &PENDING, NOTICE_WAIT_MAX),
            ] {
                let rows = self.0.run(query).bind(Cell(longest)).execute().await?;
                if rows > 0 {
                    ended.push((table, rows));
                }
            }
            Ok(ended)
        })
    }
}

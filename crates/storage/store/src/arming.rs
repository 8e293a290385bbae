//! Permission to send: what two operators signed, and how long it still holds.

use std::time::Duration;

use model::Timestamp;

use crate::{StoreFuture, Tx, cell::Cell};

sql::queries! {
    PUT = ["INSERT INTO arming (only_row, document, armed_at, lease_until)
        VALUES (1, $1, " NOW ", " NOW " + $2)
        ON CONFLICT (only_row) DO UPDATE SET document = excluded.document,
            armed_at = excluded.armed_at, lease_until = excluded.lease_until"];
    RENEW = ["UPDATE arming SET lease_until = " NOW " + $1
        WHERE armed_at = $2 AND lease_until > " NOW];
    READ = ["SELECT document, armed_at, lease_until FROM arming"];
}

/// The latest permission, whether it still holds or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arming {
    /// What was signed.
    pub document: Vec<u8>,
    /// When it was put here.
    pub armed_at: Timestamp,
    /// Until when it holds, by the database's clock.
    pub lease_until: Timestamp,
}

record!(Arming { document, armed_at, lease_until });

impl Tx {
    /// Puts a permission in place of the one before; its lease begins now.
    pub fn put_arming<'c>(
        &'c mut self,
        document: &'c [u8],
        lease: Duration,
    ) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let query = self.0.run(&PUT).bind(document.to_owned()).bind(Cell(lease));
            Ok(query.exactly_one().await?)
        })
    }

    /// Lets the lease begin again now. One that is over, or of an arming since replaced, stays as
    /// it is: the answer is then `false`.
    pub fn renew_arming(&mut self, armed_at: Timestamp, lease: Duration) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let query = self.0.run(&RENEW).bind(Cell(lease)).bind(Cell(armed_at));
            Ok(query.execute().await? == 1)
        })
    }

    /// The latest permission; `None` if there never was one.
    pub fn arming(&mut self) -> StoreFuture<'_, Option<Arming>> {
        Box::pin(async move { Ok(self.0.run(&READ).optional().await?) })
    }
}

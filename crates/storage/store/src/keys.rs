//! Which instance key is in force, and what is kept of those before it.

use model::KeyId;

use crate::{KeyRotated, StoreError, StoreFuture, Tx, cell::Cell, only_row::row_at_most};

sql::queries! {
    IN_FORCE = ["SELECT id, key_check FROM key_in_force"];
    ID_IN_FORCE = ["SELECT id FROM key_in_force"];
    HOLD = ["SELECT id FROM key_in_force WHERE only_row = 1" FOR_SHARE];
    NAME_FIRST = ["INSERT INTO key_in_force (only_row, id, key_check) VALUES (1, $1, $2)
        ON CONFLICT (only_row) DO NOTHING"];
    PUT_INTO_FORCE = ["UPDATE key_in_force SET id = $1, key_check = $2 WHERE id = $3"];
    RETIRED = ["SELECT number, id, kept FROM retired_key ORDER BY number"];
    RETIRE = ["INSERT INTO retired_key (number, id, kept) VALUES ($1, $2, $3)
        ON CONFLICT (number) DO UPDATE SET kept = excluded.kept"];
}

/// The instance key in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInForce {
    /// Its id.
    pub id: KeyId,
    /// Tells whether a key is this one.
    pub key_check: Vec<u8>,
}

record!(KeyInForce { id, key_check });

/// What is kept of an instance key that is in force no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredKeyRow {
    /// Which one it was, from 1.
    pub number: u64,
    /// Its id.
    pub id: KeyId,
    /// What is needed of it, encrypted under the key in force.
    pub kept: Vec<u8>,
}

record!(RetiredKeyRow { number, id, kept });

impl Tx {
    /// The key in force; `None` before the store was first opened with its key.
    pub fn key_in_force(&mut self) -> StoreFuture<'_, Option<KeyInForce>> {
        Box::pin(row_at_most(self.0.run(&IN_FORCE), "key_in_force"))
    }

    /// Names the key in force, unless one is named.
    pub fn name_first_key(&mut self, key: KeyInForce) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&NAME_FIRST).bind(Cell(key.id)).bind(key.key_check);
            query.execute().await?;
            Ok(())
        })
    }

    /// Puts another key into force. From the commit of this transaction on, nobody commits anything
    /// who holds the key before.
    ///
    /// # Errors
    /// What the database reports, also when `before` is not in force.
    pub fn put_key_into_force(&mut self, before: KeyId, key: KeyInForce) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&PUT_INTO_FORCE).bind(Cell(key.id)).bind(key.key_check);
            query.bind(Cell(before)).exactly_one().await?;
            self.2 = Some(key.id);
            Ok(())
        })
    }

    /// The keys before the one in force, the first one first.
    pub fn retired_keys(&mut self) -> StoreFuture<'_, Vec<RetiredKeyRow>> {
        Box::pin(async move { Ok(self.0.run(&RETIRED).all().await?) })
    }

    /// Keeps what is needed of a retired key, in the place of what was kept of it before.
    pub fn keep_retired_key(&mut self, row: RetiredKeyRow) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let query = self.0.run(&RETIRE).bind(Cell(row.number)).bind(Cell(row.id));
            query.bind(row.kept).execute().await?;
            Ok(())
        })
    }

    /// Passes if the key is in force that this store was opened with.
    ///
    /// # Errors
    /// [`StoreError::KeyRotated`].
    pub fn check_key(&mut self) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.check_key_by(&ID_IN_FORCE).await })
    }

    /// The same; and no other key comes into force until this transaction has ended.
    pub(crate) async fn hold_key(&mut self) -> Result<(), StoreError> {
        self.check_key_by(&HOLD).await
    }

    async fn check_key_by(&mut self, query: &sql::QueryText) -> Result<(), StoreError> {
        let Some(held) = self.2 else { return Ok(()) };
        match row_at_most::<(Cell<KeyId>,)>(self.0.run(query), "key_in_force").await? {
            Some((Cell(in_force),)) if in_force != held => {
                Err(KeyRotated { in_force, held }.into())
            }
            _ => Ok(()),
        }
    }
}

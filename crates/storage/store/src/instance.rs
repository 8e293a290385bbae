use model::{InstanceKind, Timestamp};

use crate::{StoreFuture, Tx, cell::Cell, only_row::row_at_most};

sql::queries! {
    CREATE = ["INSERT INTO instance (only_row, id, kind, created_at, key_check)
        VALUES (1, $1, $2, $3, $4)"];
    READ = ["SELECT id, kind, created_at, key_check FROM instance"];
}

/// What the store says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRow {
    /// 32 hexadecimal digits, made once.
    pub id: String,
    /// What it is for.
    pub kind: InstanceKind,
    /// When it was made.
    pub created_at: Timestamp,
    /// Tells whether an instance key is the one that this store was made with.
    pub key_check: Vec<u8>,
}

record!(InstanceRow { id, kind, created_at, key_check });

impl Tx {
    /// Says once what the store is. The schema refuses a second row, and any change of the first.
    pub fn create_instance<'c>(&'c mut self, instance: &'c InstanceRow) -> StoreFuture<'c, ()> {
        Box::pin(async move {
            let InstanceRow { id, kind, created_at, key_check } = instance.clone();
            let query = self.0.run(&CREATE).bind(id).bind(Cell(kind));
            Ok(query.bind(Cell(created_at)).bind(key_check).exactly_one().await?)
        })
    }

    /// What the store is; `None` before it has been said.
    pub fn instance(&mut self) -> StoreFuture<'_, Option<InstanceRow>> {
        Box::pin(row_at_most(self.0.run(&READ), "instance"))
    }
}

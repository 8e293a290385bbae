use model::{Timestamp, text_enum};

use crate::{StoreError, Tx, cell::Cell};

sql::queries! {
    CREATE = ["INSERT INTO instance (only_row, id, kind, created_at, key_check)
        VALUES (1, $1, $2, $3, $4)"];
    READ = ["SELECT id, kind, created_at, key_check FROM instance"];
}

text_enum! {
    /// What a store is for. No statement changes it.
    pub enum InstanceKind {
        /// Real accounts and real people.
        Site = "site",
        /// Tests and demonstrations: mails only to loopback or a maildir, for ever.
        Rehearsal = "rehearsal",
    }
}

/// What the store says of itself.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct InstanceRow {
    /// 32 hexadecimal digits, made once.
    pub id: String,
    /// What it is for.
    #[sqlx(try_from = "Cell<InstanceKind>")]
    pub kind: InstanceKind,
    /// When it was made.
    #[sqlx(try_from = "Cell<Timestamp>")]
    pub created_at: Timestamp,
    /// Tells whether an instance key is the one that this store was made with.
    pub key_check: Vec<u8>,
}

impl Tx {
    /// Says once what the store is. The schema refuses a second row, and any change of the first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn create_instance(&mut self, instance: &InstanceRow) -> Result<(), StoreError> {
        let InstanceRow { id, kind, created_at, key_check } = instance.clone();
        let query = self.0.run(&CREATE).bind(id).bind(Cell(kind));
        Ok(query.bind(Cell(created_at)).bind(key_check).exactly_one().await?)
    }

    /// What the store is; `None` before it has been said.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn instance(&mut self) -> Result<Option<InstanceRow>, StoreError> {
        Ok(self.0.run(&READ).optional().await?)
    }
}

//! Putting another instance key into force, and wrapping every data key by it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use ledger::LogEvent;
use model::{KeyId, Timestamp};
use serde::Serialize;
use store::{DataKeyPlace, WrappedKey};

use crate::{
    DecryptError, Instance, InstanceFault, InstanceKey, KeyRing, LogError, Progress, Step,
    append::append_last, data_key::wrapped_prefix, limits::DATA_KEYS_PER_TRANSACTION, purpose,
};

/// How long to wait for rows that somebody else holds.
const HELD_WAIT: Duration = Duration::from_millis(100);

/// Puts another key into force. Nobody who holds the key before commits anything from then on: it
/// signs one last entry of the log, and what is still needed of it is kept under the new one. An
/// instance that was opened with the new key goes on ([`wrap_data_keys_anew`]).
///
/// # Errors
/// [`RotateError::Used`] if the store has had that key before.
pub fn rotate_key<'a>(
    instance: &'a Instance,
    next: &'a InstanceKey,
) -> BoxFuture<'a, Result<(), RotateError>> {
    Box::pin(async move {
        let (keys, id) = (instance.keys(), next.id());
        if keys.id() == id || keys.retired().iter().any(|key| key.id == id) {
            return Err(RotateError::Used { key: id });
        }
        let new = KeyRing::new(next.clone());
        let (last, first) = (instance.checkpoint_key(), new.checkpoint_key(instance.id()));
        let verifier = first.verifier().to_string();
        let mut tx = instance.store().begin().await?;
        let now = tx.now().await?;
        let event = LogEvent::KeyRotated { key: id, verifier };
        let size = append_last(&mut tx, (&last, &first), instance.clock().now(), event).await?;
        let randomness = instance.randomness();
        let kept = keys.handed_over(next, instance.id(), (size, now), randomness);
        for row in kept.map_err(RotateError::Kept)? {
            tx.keep_retired_key(row).await?;
        }
        tx.drop_fold_snapshots().await?;
        // Last of all: whoever commits meanwhile holds this row, and may wait for those before.
        tx.put_key_into_force(keys.id(), new.in_force(instance.id())).await?;
        Ok(tx.commit().await?)
    })
}

/// Wraps every data key by the key in force that another one wraps, and then destroys what has wrapped
/// them. Whoever works meanwhile reads both. It goes on where it was interrupted.
///
/// # Errors
/// [`RotateError::Row`] names the row that cannot be read.
pub fn wrap_data_keys_anew<'a>(
    instance: &'a Instance,
    progress: &'a dyn Progress,
) -> BoxFuture<'a, Result<u64, RotateError>> {
    Box::pin(async move {
        let mut wrapped = 0;
        progress.begin(Step::WrapKeys, data_keys_left(instance).await?);
        while data_keys_left(instance).await? > 0 {
            let before = wrapped;
            for place in DataKeyPlace::ALL {
                wrapped += wrap_place(instance, place, progress).await?;
            }
            if wrapped == before {
                tokio::time::sleep(HELD_WAIT).await;
            }
        }
        progress.end();
        destroy_wrapping_keys(instance).await?;
        Ok(wrapped)
    })
}

/// How many data keys are wrapped by another key than the one in force.
///
/// # Errors
/// [`InstanceFault`] if the store fails.
pub fn data_keys_left(instance: &Instance) -> BoxFuture<'_, Result<u64, InstanceFault>> {
    Box::pin(async move {
        let keys = instance.keys();
        let counts = instance.store().read().await?.count_data_keys().await?;
        let left = counts.into_iter().filter(|(key, _)| key.unwrap_or(keys.first()) != keys.id());
        Ok(left.map(|(_, count)| count).sum())
    })
}

async fn wrap_place(
    instance: &Instance,
    place: DataKeyPlace,
    progress: &dyn Progress,
) -> Result<u64, RotateError> {
    let (prefix, mut behind, mut wrapped) = (wrapped_prefix(instance.keys().id()), (0, 0), 0);
    loop {
        let mut tx = instance.store().begin().await?;
        let limit = DATA_KEYS_PER_TRANSACTION;
        let rows = tx.data_keys_wrapped_otherwise(place, &prefix, behind, limit).await?;
        let Some(last) = rows.last() else { return Ok(wrapped) };
        behind = (last.first, last.second);
        for row in &rows {
            let anew = wrap_row(instance, place, row)?;
            wrapped += u64::from(tx.wrap_data_key(place, row, anew).await?);
        }
        tx.commit().await?;
        failpoint::reach("data_keys_wrapped").await;
        progress.advance(rows.len() as u64);
    }
}

fn wrap_row(
    instance: &Instance,
    place: DataKeyPlace,
    row: &WrappedKey,
) -> Result<Vec<u8>, RotateError> {
    let purpose = purpose::of_row(place, row);
    let anew = instance.keys().wrap_anew(&purpose, &row.wrapped, instance.randomness());
    anew.map_err(|source| RotateError::Row {
        table: place.table(),
        row: if row.second == 0 {
            row.first.to_string()
        } else {
            format!("({}, {})", row.first, row.second)
        },
        source,
    })
}

/// Nothing is wrapped by them any more, and nobody can commit anything that would be.
async fn destroy_wrapping_keys(instance: &Instance) -> Result<(), RotateError> {
    let rows = instance.keys().without_wrapping(instance.randomness());
    let mut tx = instance.store().begin().await?;
    for row in rows.map_err(RotateError::Kept)? {
        tx.keep_retired_key(row).await?;
    }
    Ok(tx.commit().await?)
}

/// One of the keys that a store has had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedKey {
    /// Its id.
    pub key: KeyId,
    /// Whether it is in force.
    pub in_force: bool,
    /// The first size of the log that it has signed.
    pub signed_from: u64,
    /// The last one; `None` while it is in force.
    pub signed_to: Option<u64>,
    /// Since when it is in force no more.
    pub retired_at: Option<Timestamp>,
    /// Who checks what it has signed: a C2SP verifier key.
    pub verifier: String,
    /// Data keys that it wraps.
    pub data_keys: u64,
}

/// The keys that the store has had, the first one first.
///
/// # Errors
/// [`InstanceFault`] if the store fails.
pub fn list_keys(instance: &Instance) -> BoxFuture<'_, Result<Vec<ListedKey>, InstanceFault>> {
    Box::pin(async move {
        let keys = instance.keys();
        let counts = instance.store().read().await?.count_data_keys().await?;
        let data_keys = |id: KeyId| {
            let of = counts.iter().filter(|(key, _)| key.unwrap_or(keys.first()) == id);
            of.map(|(_, count)| count).sum()
        };
        let (mut listed, mut signed_from) = (Vec::new(), 1);
        for retired in keys.retired() {
            let (kept, key) = (&retired.kept, retired.id);
            listed.push(ListedKey {
                key,
                in_force: false,
                signed_from,
                signed_to: Some(kept.signed_to),
                retired_at: Some(kept.retired_at),
                verifier: kept.verifier().map_or_else(String::new, |key| key.to_string()),
                data_keys: data_keys(key),
            });
            signed_from = kept.signed_to;
        }
        listed.push(ListedKey {
            key: keys.id(),
            in_force: true,
            signed_from,
            signed_to: None,
            retired_at: None,
            verifier: instance.checkpoint_key().verifier().to_string(),
            data_keys: data_keys(keys.id()),
        });
        Ok(listed)
    })
}

/// Why a key was not rotated, or what it wraps not wrapped anew.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Whoever has stolen an old key would hold the new one.
    #[error(
        "the store has had key {key} already: make another one with `countersign key new FILE`"
    )]
    Used {
        /// Its id.
        key: KeyId,
    },
    /// A data key cannot be unwrapped.
    #[error(
        "row {row} of table {table} cannot be wrapped anew, and keeps the rotation from its end: {source}"
    )]
    Row {
        /// The table.
        table: &'static str,
        /// The numbers that tell the row from others.
        row: String,
        /// What is wrong with it.
        source: DecryptError,
    },
    /// What is needed of an old key cannot be kept.
    #[error("what is still needed of the old key cannot be kept: {0}")]
    Kept(serde_json::Error),
    /// The instance failed.
    #[error(transparent)]
    Fault(#[from] InstanceFault),
}

crate::from_through!(RotateError, Fault: crate::StoreError, LogError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        InstanceError, StoreError, Unit, keep_proved, purpose::SPOOL, testing::TestSite, verify_log,
    };
    use model::AccountId;

    struct NoProgress;

    impl Progress for NoProgress {
        fn begin(&self, step: Step, _: u64) {
            assert_eq!(step.unit(), Unit::DataKeys);
        }

        fn advance(&self, _: u64) {}

        fn note(&self, _: &str) {}

        fn end(&self) {}
    }

    fn key(seed: u8) -> InstanceKey {
        InstanceKey::parse(&format!("{seed:02x}").repeat(32)).unwrap()
    }

    async fn name(site: &Instance, ids: &[&str]) -> Result<Vec<i64>, StoreError> {
        let accounts: Vec<_> = ids.iter().map(|id| AccountId::new(*id).unwrap()).collect();
        let mut tx = site.store().begin().await?;
        let named = site.name_accounts(&mut tx, &accounts).await.unwrap();
        tx.commit().await?;
        Ok(accounts.iter().map(|account| named[account].0).collect())
    }

    async fn record(site: &Instance) -> Result<(), InstanceFault> {
        let mut tx = site.store().begin().await?;
        site.record(&mut tx, &[LogEvent::AccountsImported { accounts: 1 }]).await?;
        Ok(tx.commit().await?)
    }

    async fn rotated(site: &TestSite, next: u8) -> Instance {
        rotate_key(site, &key(next)).await.unwrap();
        site.opened_with(key(next)).await.unwrap()
    }

    fn is_rotated<T>(refused: &Result<T, InstanceFault>) -> bool {
        matches!(refused, Err(InstanceFault::Store(StoreError::KeyRotated(_))))
    }

    #[tokio::test]
    async fn whoever_holds_the_key_before_reads_and_writes_nothing_any_more() {
        let site = TestSite::new().await;
        name(&site, &["a"]).await.unwrap();
        let new = rotated(&site, 7).await;
        assert!(is_rotated(&record(&site).await));
        assert!(matches!(name(&site, &["b"]).await, Err(StoreError::KeyRotated(_))));
        let mut tx = site.store().begin().await.unwrap();
        assert!(is_rotated(&site.proved(&mut tx).await.map(drop)));
        drop(tx);
        assert!(matches!(site.check_key().await, Err(StoreError::KeyRotated(_))));
        let opened = site.opened_with(site.first_key()).await;
        assert!(matches!(opened, Err(InstanceError::KeyRotated(_))));
        let other = site.opened_with(key(9)).await;
        assert!(matches!(other, Err(InstanceError::OtherKey { .. })));
        // Nothing of what follows is refused to the new one, and nothing of it can be read by the old.
        assert_eq!(name(&new, &["a", "b"]).await.unwrap(), [1, 2]);
        let wrapped = new.keys().new_data_key(SPOOL, new.randomness()).1;
        assert!(site.keys().data_key(SPOOL, &wrapped).is_err());
        record(&new).await.unwrap();
        let report = verify_log(&new, None).await.unwrap();
        assert_eq!((report.entries, report.retired_verifiers[0].signed_to), (3, 2));
        assert!(report.history.faults.is_empty());
    }

    #[tokio::test]
    async fn whatever_else_is_kept_of_retired_keys_is_refused() {
        let meddled = [
            "DELETE FROM retired_key",
            "INSERT INTO retired_key (number, id, kept) VALUES (2, x'0101010101010101', x'00')",
            "INSERT OR REPLACE INTO retired_key (number, id, kept)
                SELECT number, id, x'00' FROM retired_key",
        ];
        for meddled in meddled {
            let site = TestSite::new().await;
            rotated(&site, 7).await;
            site.meddle(meddled).await;
            let refused = site.opened_with(key(7)).await.unwrap_err();
            let is_retired = matches!(refused, InstanceError::Retired(_));
            assert!(is_retired && refused.is_refusal(), "{meddled}: {refused}");
        }
    }

    #[tokio::test]
    async fn a_key_that_rows_bring_back_is_not_in_force() {
        let site = TestSite::new().await;
        site.meddle("CREATE TABLE kept AS SELECT * FROM key_in_force").await;
        rotated(&site, 7).await;
        site.meddle("DELETE FROM retired_key").await;
        site.meddle("DELETE FROM key_in_force").await;
        site.meddle("INSERT INTO key_in_force SELECT * FROM kept").await;
        let old = site.opened_with(site.first_key()).await;
        assert!(matches!(old, Err(InstanceError::Superseded { .. })));
        // A process that was opened before.
        let mut tx = site.store().read().await.unwrap();
        assert!(is_rotated(&site.proved(&mut tx).await.map(drop)));
    }

    #[tokio::test]
    async fn every_data_key_is_wrapped_anew_and_the_old_wrapping_key_destroyed() {
        let site = TestSite::new().await;
        name(&site, &["a", "b", "c"]).await.unwrap();
        let new = rotated(&site, 7).await;
        assert_eq!(data_keys_left(&new).await.unwrap(), 3);
        assert_eq!(wrap_data_keys_anew(&new, &NoProgress).await.unwrap(), 3);
        assert_eq!(wrap_data_keys_anew(&new, &NoProgress).await.unwrap(), 0);
        let new = site.opened_with(key(7)).await.unwrap();
        assert!(new.keys().retired()[0].kept.wrapping.is_none());
        assert_eq!(name(&new, &["b", "d"]).await.unwrap(), [2, 4]);
        let mut tx = new.store().read().await.unwrap();
        let subjects = [1, 2, 3].map(model::SubjectId);
        assert_eq!(new.accounts_of(&mut tx, subjects).await.unwrap().iter().count(), 3);
        let taken = site.accounts_of(&mut tx, subjects).await.unwrap_err().to_string();
        assert!(taken.contains("which this process does not hold"), "{taken}");
    }

    #[tokio::test]
    async fn a_store_that_was_kept_before_keys_had_ids_is_rotated_as_well() {
        let site = TestSite::new().await;
        name(&site, &["a", "b"]).await.unwrap();
        site.meddle("UPDATE subject SET subject_key = substr(subject_key, 10)").await;
        site.meddle("DELETE FROM key_in_force").await;
        let site_of_today = site.opened_with(site.first_key()).await.unwrap();
        assert_eq!(name(&site_of_today, &["b"]).await.unwrap(), [2]);
        assert_eq!(data_keys_left(&site_of_today).await.unwrap(), 0, "they are its own");
        let new = rotated(&site, 7).await;
        assert_eq!(wrap_data_keys_anew(&new, &NoProgress).await.unwrap(), 2);
        assert_eq!(name(&new, &["b", "a"]).await.unwrap(), [2, 1]);
    }

    #[tokio::test]
    async fn a_key_is_rotated_again_and_never_back() {
        let site = TestSite::new().await;
        name(&site, &["a"]).await.unwrap();
        let second = rotated(&site, 7).await;
        name(&second, &["b"]).await.unwrap();
        for used in [site.first_key(), key(7)] {
            assert!(matches!(rotate_key(&second, &used).await, Err(RotateError::Used { .. })));
        }
        rotate_key(&second, &key(8)).await.unwrap();
        let third = site.opened_with(key(8)).await.unwrap();
        assert_eq!(wrap_data_keys_anew(&third, &NoProgress).await.unwrap(), 2);
        let listed = list_keys(&third).await.unwrap();
        let listed: Vec<_> =
            listed.iter().map(|k| (k.signed_from, k.signed_to, k.data_keys)).collect();
        assert_eq!(listed, [(1, Some(2), 0), (2, Some(3), 0), (3, None, 2)]);
        assert_eq!(name(&third, &["b", "a"]).await.unwrap(), [2, 1]);
        verify_log(&third, None).await.unwrap();
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_is_named() {
        let site = TestSite::new().await;
        name(&site, &["a"]).await.unwrap();
        let new = rotated(&site, 7).await;
        site.meddle("UPDATE subject SET subject_key = X'00'").await;
        let error = wrap_data_keys_anew(&new, &NoProgress).await.unwrap_err().to_string();
        assert!(error.starts_with("row 1 of table subject cannot be wrapped anew"), "{error}");
    }

    #[tokio::test]
    async fn what_the_key_before_kept_of_the_log_is_believed_no_more() {
        let site = TestSite::new().await;
        assert!(!keep_proved(&site).await.unwrap());
        let new = rotated(&site, 7).await;
        let mut tx = new.store().begin().await.unwrap();
        assert_eq!(tx.fold_snapshot_size().await.unwrap(), 0);
        assert_eq!(new.proved(&mut tx).await.unwrap().size(), 2);
    }
}

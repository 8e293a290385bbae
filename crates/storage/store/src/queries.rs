//! Every statement of this crate, so that one test can hold all of them against both databases.

use crate::{
    Store, StoreFuture, accounts, addresses, arming, campaigns, candidates, copying, data_keys,
    findings, instance, jobs, keys, leaks, links, log, notice_texts, notices, reconciliation,
    requests, reset_lines, roster, screening, sending_pause, standing, statements, store, subjects,
    summary, swaps, targets, unsettled, unverified, waits,
};

impl Store {
    /// Prepares every statement of this crate without running any: the schema has what they name.
    ///
    /// # Errors
    /// What the database finds wrong with the first statement that does not fit.
    pub fn check_statements(&self) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            let mut tx = self.db.read().await?;
            let mut checked = 0;
            for (_, statement) in statements() {
                tx.describe(&statement.with_rows(2).with_list(0, 2)).await?;
                checked += 1;
            }
            Ok(checked)
        })
    }
}

/// Every statement of this crate, by name.
fn statements() -> impl Iterator<Item = &'static (&'static str, sql::QueryText)> {
    let files = [
        store::ALL,
        accounts::ALL,
        addresses::ALL,
        arming::ALL,
        campaigns::ALL,
        candidates::ALL,
        copying::ALL,
        data_keys::ALL,
        findings::ALL,
        instance::ALL,
        jobs::ALL,
        keys::ALL,
        leaks::ALL,
        links::ALL,
        log::ALL,
        notice_texts::ALL,
        notices::ALL,
        reconciliation::ALL,
        requests::ALL,
        reset_lines::ALL,
        roster::ALL,
        screening::ALL,
        sending_pause::ALL,
        standing::ALL,
        statements::ALL,
        subjects::ALL,
        summary::ALL,
        swaps::ALL,
        targets::ALL,
        unsettled::ALL,
        unverified::ALL,
        waits::ALL,
    ];
    files.into_iter().flatten()
}

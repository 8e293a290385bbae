//! How many accounts are exposed now: no keys, nothing stored.

mod error;
mod report;
mod scan;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use directory::Directory;
use futures_util::future::BoxFuture;
use model::AccountId;
use password::Verifier;
use tokio::task::spawn_blocking;

use instance::{Progress, Step};

use crate::{
    ProvedForms,
    accounts::index_accounts,
    limits::ACCOUNTS_PER_BATCH,
    verify_accounts::{AccountClaims, LeakClaim, count_secrets, verify_accounts},
};

pub use error::AssessError;
use report::LocatedRecord;
pub use report::{Assessment, LeakAssessment};
use scan::ScannedFile;

/// Reads the accounts and the leaks, tries every leaked password on its account's stored hash, and
/// counts. Each of `leaks` is a file, a folder, or `-` for standard input; `proved` is what an instance
/// keeps proof of, if there is one.
///
/// # Errors
/// [`AssessError`] if anything cannot be read, or a line is not accounted for.
pub fn assess<'a>(
    directory: &'a dyn Directory,
    leaks: &'a [PathBuf],
    verifier: Arc<Verifier>,
    proved: Option<&'a ProvedForms<'a>>,
    progress: Arc<dyn Progress>,
) -> BoxFuture<'a, Result<Assessment, AssessError>> {
    Box::pin(async move {
        let inputs = scan::open(leaks)?;
        let indexed = index_accounts(directory, progress.as_ref()).await?;
        let (index, screening) = (indexed.index, Arc::clone(&progress));
        let files =
            spawn_blocking(move || scan::scan(inputs, &index, screening.as_ref())).await??;

        let mut assessment = Assessment::begin(leaks);
        assessment.read = indexed.read;
        for file in &files {
            assessment.add_file(file.leak, &file.path, &file.tally, file.complete);
        }
        let claims = claims_by_account(files);
        verify_all(directory, claims, verifier, progress.as_ref(), &mut assessment).await?;
        assessment.judge(proved);
        Ok(assessment)
    })
}

async fn verify_all(
    directory: &dyn Directory,
    mut claims: Vec<AccountClaims<LocatedRecord>>,
    verifier: Arc<Verifier>,
    progress: &dyn Progress,
    assessment: &mut Assessment,
) -> Result<(), AssessError> {
    progress.begin(Step::Verify, claims.len() as u64);
    while !claims.is_empty() {
        let batch: Vec<_> = claims.drain(..claims.len().min(ACCOUNTS_PER_BATCH)).collect();
        let tried = batch.len() as u64;
        assessment.add_secrets(count_secrets(&batch));
        let ids: Vec<_> = batch.iter().map(|(id, _)| id.clone()).collect();
        let present = directory.by_ids(&ids).await?;
        let verifier = Arc::clone(&verifier);
        let verdicts = spawn_blocking(move || verify_accounts(&verifier, present, batch)).await?;
        for (id, verdict) in verdicts {
            assessment.add_account(id, verdict);
        }
        progress.advance(tried);
    }
    progress.end();
    Ok(())
}

/// All that the leaks say of each account, in the order of the leaks.
fn claims_by_account(files: Vec<ScannedFile>) -> Vec<AccountClaims<LocatedRecord>> {
    let mut claims: BTreeMap<AccountId, Vec<LeakClaim<LocatedRecord>>> = BTreeMap::new();
    for file in files {
        for (account, claim) in file.claims {
            claims.entry(account).or_default().push(claim);
        }
    }
    claims.into_iter().collect()
}

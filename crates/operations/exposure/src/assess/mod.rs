//! How many accounts are exposed now: no keys, nothing stored.

mod report;
mod scan;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use directory::{Directory, ReadError};
use leak::{CollectError, ScreenError, SourceError};
use model::AccountId;
use password::Verifier;
use tokio::task::{JoinError, spawn_blocking};

use instance::{Progress, Step};

use crate::{
    accounts::index_accounts,
    judge::{Claim, Claims, judge},
    limits::ACCOUNTS_PER_BATCH,
};

use report::Sighting;
pub use report::{Assessment, LeakAssessment};
use scan::ScannedFile;

/// Reads the accounts and the leaks, tries every leaked password on its account's stored hash, and
/// counts. Each of `leaks` is a file, a folder, or `-` for standard input.
///
/// # Errors
/// [`AssessError`] if anything cannot be read, or a line is not accounted for.
pub async fn assess(
    directory: &dyn Directory,
    leaks: &[PathBuf],
    verifier: Arc<Verifier>,
    progress: Arc<dyn Progress>,
) -> Result<Assessment, AssessError> {
    let inputs = scan::open(leaks)?;
    let indexed = index_accounts(directory, progress.as_ref()).await?;
    let (index, screening) = (indexed.index, Arc::clone(&progress));
    let files = spawn_blocking(move || scan::scan(inputs, &index, screening.as_ref())).await??;

    let mut assessment = Assessment::begin(leaks, indexed.accounts, indexed.without_password);
    for file in &files {
        assessment.add_file(file.leak, &file.path, &file.tally, file.complete);
    }
    let claims = claims_by_account(files);
    verify_all(directory, claims, verifier, progress.as_ref(), &mut assessment).await?;
    Ok(assessment)
}

async fn verify_all(
    directory: &dyn Directory,
    mut claims: Vec<Claims<Sighting>>,
    verifier: Arc<Verifier>,
    progress: &dyn Progress,
    assessment: &mut Assessment,
) -> Result<(), AssessError> {
    progress.begin(Step::Verify, claims.len() as u64);
    while !claims.is_empty() {
        let batch: Vec<_> = claims.drain(..claims.len().min(ACCOUNTS_PER_BATCH)).collect();
        let tried = batch.len() as u64;
        let ids: Vec<_> = batch.iter().map(|(id, _)| id.clone()).collect();
        let present = directory.by_ids(&ids).await?;
        let verifier = Arc::clone(&verifier);
        for (id, judgement) in spawn_blocking(move || judge(&verifier, present, batch)).await? {
            assessment.add_account(id, judgement);
        }
        progress.advance(tried);
    }
    progress.end();
    Ok(())
}

/// All that the leaks say of each account, in the order of the leaks.
fn claims_by_account(files: Vec<ScannedFile>) -> Vec<Claims<Sighting>> {
    let mut claims: BTreeMap<AccountId, Vec<Claim<Sighting>>> = BTreeMap::new();
    for file in files {
        for (account, claim) in file.claims {
            claims.entry(account).or_default().push(claim);
        }
    }
    claims.into_iter().collect()
}

/// Why an assessment could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// The leaks named are not there.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A file of a leak cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file of a leak cannot be read, or not every line is accounted for.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// The accounts cannot be read.
    #[error(transparent)]
    Directory(#[from] ReadError),
    /// A thread of ours died.
    #[error("a worker thread died: {0}")]
    Thread(#[from] JoinError),
}

use std::{slice, time::Duration};

use campaigns::WorkerContext;
use directory::{Ability, ReadError};
use futures_util::future::BoxFuture;
use instance::Instance;
use ledger::RecoveryEvent;
use model::{Account, NoticeKind, SubjectId, Timestamp};
use notice::Language;
use outbox::{Addressee, Words};
use recovery::{Allowance, RequestCounts};
use serde::Serialize;
use store::{MailRequest, StoreError, Tx};

use crate::{
    RequestError,
    answer::what_is_found,
    ask::Typed,
    letter::{LetterBody, NewLetter, post},
    limits::{REQUEST_AGE_MAX, TYPED_CHARS_MAX},
};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Looks whom the next request concerns, and writes their mails; `false` if there is none.
///
/// # Errors
/// [`RequestError`] if store or directory fail; the request is then tried again.
pub fn resolve_next<'a>(
    context: &'a WorkerContext<'a>,
) -> BoxFuture<'a, Result<bool, RequestError>> {
    Box::pin(async move {
        let mut tx = context.instance.store().read().await?;
        let request = match tx.next_mail_request().await {
            Err(error) if error.is_unreadable() => {
                drop(tx);
                drop_unreadable(context.instance).await?;
                return Ok(true);
            }
            request => request?,
        };
        let Some(request) = request else { return Ok(false) };
        let is_late = request.asked_at.after(REQUEST_AGE_MAX) < tx.now().await?;
        drop(tx);
        let meant = if is_late { None } else { meant_if_readable(context, &request).await? };
        let mut tx = context.instance.store().begin().await?;
        tx.hold_requests().await?;
        if tx.drop_mail_request(request.id).await? {
            if let Some(meant) = meant {
                answer_request(context, &mut tx, &request, &meant).await?;
            } else {
                tracing::warn!(is_late, "a request for a mail is dropped");
            }
            tx.commit().await?;
        }
        Ok(true)
    })
}

/// Requests for a mail that nobody has looked at yet.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct WaitingRequests {
    /// How many.
    pub waiting: u64,
    /// When the first of them was asked for.
    pub since: Option<Timestamp>,
    /// Whether that is longer ago than workers need.
    pub is_late: bool,
}

/// How many people wait for a mail that they asked for. Workers look at a request within seconds: after
/// `patience`, none of them does, or somebody has put other requests before theirs.
///
/// # Errors
/// [`StoreError`] if the store does not answer.
pub fn waiting_requests(
    instance: &Instance,
    patience: Duration,
) -> BoxFuture<'_, Result<WaitingRequests, StoreError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        let waiting = tx.mail_requests_waiting().await?;
        let since = tx.mail_requests_waiting_since().await?;
        let now = tx.now().await?;
        let is_late = since.is_some_and(|since| since.after(patience) < now);
        Ok(WaitingRequests { waiting, since, is_late })
    })
}

/// Whether anybody waits for a mail that could be written or sent now.
///
/// # Errors
/// [`StoreError`] if the store does not answer.
pub fn is_request_due(instance: &Instance) -> BoxFuture<'_, Result<bool, StoreError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        Ok(tx.mail_requests_waiting().await? > 0 || tx.requested_notices_due().await? > 0)
    })
}

/// Whether anybody waits for a mail, also one that is to be tried again later.
///
/// # Errors
/// [`StoreError`] if the store does not answer.
pub fn is_request_left(instance: &Instance) -> BoxFuture<'_, Result<bool, StoreError>> {
    Box::pin(async move {
        let mut tx = instance.store().read().await?;
        Ok(tx.mail_requests_waiting().await? > 0 || tx.is_requested_notice_open().await?)
    })
}

/// A row that somebody else has written keeps nobody waiting whose row comes after it.
async fn drop_unreadable(instance: &Instance) -> Result<(), StoreError> {
    let mut tx = instance.store().begin().await?;
    tx.hold_requests().await?;
    // Another worker may have been quicker: then the first one is somebody's.
    if let Err(error) = tx.next_mail_request().await
        && error.is_unreadable()
    {
        tracing::error!(%error, "a request for a mail cannot be read, and is dropped");
        tx.drop_first_mail_request().await?;
    }
    tx.commit().await
}

/// As [`meant`]; `None` where trying again would give the same error: nobody who asks
/// after them is to wait for a row that cannot be read.
async fn meant_if_readable(
    context: &WorkerContext<'_>,
    request: &MailRequest,
) -> Result<Option<Meant>, RequestError> {
    match meant(context, request).await {
        Ok(meant) => Ok(Some(meant)),
        Err(error @ RequestError::Read(ReadError::Database(_))) => Err(error),
        Err(error) => {
            tracing::error!(%error, "whom a request for a mail concerns cannot be read");
            Ok(None)
        }
    }
}

/// The accounts that somebody means by what they typed.
async fn meant(context: &WorkerContext<'_>, request: &MailRequest) -> Result<Meant, RequestError> {
    let typed = Typed::decrypt(context.instance, request)?;
    let text = typed.text.trim();
    let exact = model::address::exact(text);
    let accounts = if may_be_a_name(text) {
        context.means.directory.by_names(&names(text, exact.as_deref())).await?
    } else {
        Vec::new()
    };
    let is_meant = |account: &Account| {
        account.username.as_deref() == Some(text) || has_address(account, exact.as_deref())
    };
    let accounts = accounts.into_iter().filter(is_meant).collect();
    Ok(Meant { accounts, language: typed.language.clone() })
}

async fn answer_request(
    context: &WorkerContext<'_>,
    tx: &mut Tx,
    request: &MailRequest,
    meant: &Meant,
) -> Result<(), RequestError> {
    let mut events = Vec::new();
    for account in &meant.accounts {
        match answer_one(context, tx, request, meant, account).await {
            // No answer is better than a wrong one, and nobody else who asks is to wait.
            Err(error) if error.is_of_row() => {
                tracing::error!(%error, "what a person asks after cannot be answered");
            }
            event => events.extend(event?),
        }
    }
    let events: Vec<_> = events.into_iter().map(Into::into).collect();
    if !events.is_empty() {
        context.instance.record(tx, &events).await?;
    }
    Ok(())
}

/// Writes a mail about one account, unless nobody may have it or they have had enough.
async fn answer_one(
    context: &WorkerContext<'_>,
    tx: &mut Tx,
    request: &MailRequest,
    meant: &Meant,
    account: &Account,
) -> Result<Option<RecoveryEvent>, RequestError> {
    if account.is_deactivated() {
        return Ok(None);
    }
    let recorded = context.means.directory.capabilities().can(Ability::RecordVerified);
    let Some(addressee) = Addressee::of(context.instance, None, account, recorded) else {
        return Ok(None);
    };
    let accounts = slice::from_ref(&account.id);
    let named = context.instance.name_accounts(tx, accounts).await?;
    let Some(&subject) = named.get(&account.id) else { return Ok(None) };
    let counts = counts(context.instance, tx, subject, request.source).await?;
    if !Allowance::default().may_mail(&counts) {
        return Ok(None);
    }
    let (told, link) = match request.kind {
        NoticeKind::ResetLink
            if account.credential.is_some() && context.means.outbox.pages.is_some() =>
        {
            (LetterBody::Link, Some(tx.add_reset_link(subject).await?))
        }
        NoticeKind::ExposureAnswer => {
            let named = context.means.verifier.forms_id();
            let found = what_is_found(context.instance, tx, subject, account, named).await?;
            (LetterBody::Answer(found), None)
        }
        _ => return Ok(None),
    };
    let language = language_for(account, &meant.language, &context.means.outbox.words);
    let source = Some(request.source);
    let new = NewLetter { account, subject, addressee: &addressee, told, language, link, source };
    Ok(Some(post(context.instance, tx, new).await?))
}

/// Their own, else that of the page on which they asked.
fn language_for(account: &Account, page: &str, words: &Words) -> Language {
    let own = account.locale.as_deref().and_then(Language::of_locale);
    own.or_else(|| page.parse().ok()).unwrap_or_else(|| words.language_of(None))
}

/// Whom a request concerns.
struct Meant {
    accounts: Vec<Account>,
    language: String,
}

/// Nobody is called by what no keyboard writes, and some databases refuse to be asked for it: a NUL
/// would be tried again and again, and the others would wait.
fn may_be_a_name(text: &str) -> bool {
    let chars = text.chars().count();
    (1..=TYPED_CHARS_MAX).contains(&chars) && !text.chars().any(char::is_control)
}

/// As databases may hold what was typed.
fn names(text: &str, exact: Option<&str>) -> Vec<String> {
    let mut names = vec![text.to_owned(), text.to_lowercase()];
    names.extend(exact.map(str::to_owned));
    names.sort();
    names.dedup();
    names
}

fn has_address(account: &Account, exact: Option<&str>) -> bool {
    let own = account.email.as_deref().and_then(model::address::exact);
    exact.is_some() && own.as_deref() == exact
}

/// Those to a person by the audit log: whoever can write to the store can take rows away.
async fn counts(
    instance: &Instance,
    tx: &mut Tx,
    subject: SubjectId,
    source: [u8; 32],
) -> Result<RequestCounts, RequestError> {
    let hour_ago = tx.now().await?.before(HOUR);
    let source_hour = tx.requested_by_source(source, hour_ago).await?;
    // Entries have the time of the hosts.
    let (log, now) = (instance.proved(tx).await?, instance.clock().now());
    Ok(RequestCounts {
        account_hour: log.letters_since(subject, now.before(HOUR)),
        account_day: log.letters_since(subject, now.before(DAY)),
        source_hour,
    })
}

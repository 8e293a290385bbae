//! Pages that somebody answers who knows nothing of a site.

use std::sync::Arc;

use model::{NoticeKind, NoticeState, Timestamp};
use notice::{Language, ShownText};

use super::ask::{
    Asked, NoticeFound, PasswordOutcome, People, PeopleAnswer, PublicStatement, Question,
    Unanswered,
};
use crate::{
    look::{Look, LookOptions},
    state::AppState,
};

const AT: Timestamp = Timestamp::from_micros(1_352_332_800_000_000);

/// Confirms every notice, opens every link, and has said much in public. Only a password that holds
/// `fail` is too much for it.
struct Agreeable;

impl People for Agreeable {
    fn ask(&self, question: Question) -> Asked<'_> {
        let answer = match question {
            Question::CheckNotice(typed) if typed.code.is_empty() => Ok(PeopleAnswer::Notice(None)),
            Question::CheckNotice(_) => Ok(PeopleAnswer::Notice(Some(notice()))),
            Question::DisputeNotice(_) => Ok(PeopleAnswer::Disputed),
            Question::Statements => Ok(PeopleAnswer::Statements(statements())),
            Question::Mail(_) => Ok(PeopleAnswer::MailNoted),
            Question::Link(_) => Ok(PeopleAnswer::Link(true)),
            Question::NewPassword(wish) if wish.typed.contains("fail") => {
                Err(Unanswered::because("it was asked to fail"))
            }
            Question::NewPassword(_) => Ok(PeopleAnswer::NewPassword(PasswordOutcome::Done)),
        };
        Box::pin(std::future::ready(answer))
    }
}

fn notice() -> NoticeFound {
    NoticeFound {
        kind: NoticeKind::ResetRequired,
        shown: Some(ShownText {
            subject: "Your account".to_owned(),
            text: "Hello <you>,\n\nwe have switched off your password.".to_owned(),
        }),
        made_at: Some(AT),
        status: NoticeState::Sent,
        moved_at: Some(AT),
    }
}

/// One of which all can be said, and one of which nothing can.
fn statements() -> Vec<PublicStatement> {
    let statement = |count, began_at, updated_at, leaks| PublicStatement {
        said_at: AT,
        updated_at,
        began_at,
        leaks,
        is_over: count > 0,
        sealed: count,
        reset_since: count,
        perhaps_sealed: count,
        skipped: count,
        sent: count,
        refused: count,
        uncertain: count,
    };
    let leaks = ["Books", "Pots", "Pans"].map(|name| (name.to_owned(), "2012-03".to_owned()));
    let later = AT.after(std::time::Duration::from_hours(48));
    vec![statement(1204, Some(AT), later, leaks.into()), statement(0, None, AT, Vec::new())]
}

/// The look of a site that has said what it is called.
pub(super) fn look() -> LookOptions {
    LookOptions {
        name: Some("Example".parse().unwrap()),
        sender: None,
        reset_path: "Sign in > Forgot password".parse().unwrap(),
        language: Language::English,
        accent: None,
        logo: None,
    }
}

pub(super) fn state_of(look: LookOptions) -> AppState {
    AppState::new(Arc::new(Agreeable), Arc::new(Look::new(look)))
}

/// Pages on which people choose new passwords.
pub(super) fn state() -> AppState {
    state_of(look()).with_resets(8)
}

use axum::{extract::State, http::StatusCode, response::Response};
use notice::Language;
use serde::Serialize;

use super::{ask::PublicStatement, frame::PeopleFrame, refusal::PageRefusal};
use crate::{
    state::AppState,
    templates::{PageTemplate, page},
    visit::Visit,
    written::WrittenMoment,
};

#[derive(Serialize)]
struct NoticesPage<'a> {
    frame: PeopleFrame<'a>,
    statements: Vec<WrittenStatement>,
}

impl PageTemplate for NoticesPage<'_> {
    const TEMPLATE: &'static str = "people/notices.html";
}

/// How our mails look, what they never ask for, and what there is to say in public.
pub(super) async fn notices(State(state): State<AppState>, visit: Visit) -> Response {
    let statements = match state.people.statements().await {
        Ok(statements) => statements,
        Err(error) => {
            tracing::error!(%error, "what was said in public cannot be read");
            return state.refuse(visit, PageRefusal::Unwell);
        }
    };
    let written = |statement| WrittenStatement::new(visit.language, statement);
    let statements = statements.into_iter().map(written).collect();
    let frame = PeopleFrame::new(&state, visit, "/notices", &|words| words.notices);
    page(StatusCode::OK, &NoticesPage { frame, statements })
}

/// A statement in words.
#[derive(Serialize)]
struct WrittenStatement {
    said: WrittenMoment,
    /// When it was said again, if that was on another day.
    updated: Option<WrittenMoment>,
    began: Option<WrittenMoment>,
    leaks: Vec<WrittenLeak>,
    counts: WrittenCounts,
}

#[derive(Serialize)]
struct WrittenLeak {
    name: String,
    date: String,
}

#[derive(Serialize)]
struct WrittenCounts {
    is_over: bool,
    sealed: u64,
    reset_since: u64,
    perhaps_sealed: u64,
    skipped: u64,
    sent: u64,
    refused: u64,
    uncertain: u64,
}

impl WrittenStatement {
    fn new(language: Language, statement: PublicStatement) -> Self {
        let moment = |at| WrittenMoment::new(language, at);
        let (said, updated) = (moment(statement.said_at), moment(statement.updated_at));
        let leak =
            |(name, date): (String, String)| WrittenLeak { name, date: language.leak_date(&date) };
        Self {
            updated: (updated.day != said.day).then_some(updated),
            said,
            began: statement.began_at.map(moment),
            leaks: statement.leaks.into_iter().map(leak).collect(),
            counts: WrittenCounts {
                is_over: statement.is_over,
                sealed: statement.sealed,
                reset_since: statement.reset_since,
                perhaps_sealed: statement.perhaps_sealed,
                skipped: statement.skipped,
                sent: statement.sent,
                refused: statement.refused,
                uncertain: statement.uncertain,
            },
        }
    }
}

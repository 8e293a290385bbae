use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use campaigns::{Statement, StatementCounts, statements};
use model::Timestamp;
use notice::Language;

use super::{Frame, Refusal, page};
use crate::{
    Office,
    moment::{Moment, leak_date, moment},
    visit::Visit,
};

#[derive(Template)]
#[template(path = "notices.html")]
struct Notices<'a> {
    frame: Frame<'a>,
    statements: Vec<Told>,
}

/// How our mails look, what they never ask for, and what there is to say in public.
pub(crate) async fn notices(State(office): State<Office>, visit: Visit) -> Response {
    let statements = match statements(&office.site).await {
        Ok(statements) => statements,
        Err(error) => {
            tracing::error!(%error, "what was said in public cannot be read");
            return office.refuse(visit, Refusal::Unwell);
        }
    };
    let told = statements.into_iter().map(|statement| Told::new(visit.language, statement));
    let frame = Frame::new(&office, visit, "/notices", |words| words.notices);
    page(StatusCode::OK, &Notices { frame, statements: told.collect() })
}

/// A statement in words.
struct Told {
    said: Moment,
    /// When it was said again, if that was on another day.
    updated: Option<Moment>,
    began: Option<Moment>,
    leaks: Vec<Leak>,
    counts: StatementCounts,
}

struct Leak {
    name: String,
    date: String,
}

impl Told {
    fn new(language: Language, statement: Statement) -> Self {
        let Statement { said_at, updated_at, counts } = statement;
        let (said, updated) = (moment(language, said_at), moment(language, updated_at));
        let began = counts.began_at.map(Timestamp::from_micros);
        let leak = |(name, date): &(String, String)| Leak {
            name: name.clone(),
            date: leak_date(language, date),
        };
        Self {
            updated: (updated.day != said.day).then_some(updated),
            said,
            began: began.map(|began| moment(language, began)),
            leaks: counts.leaks.iter().map(leak).collect(),
            counts,
        }
    }
}

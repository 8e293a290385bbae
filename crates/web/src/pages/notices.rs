use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use model::Timestamp;

use super::{Frame, page};
use crate::{
    Office,
    moment::{Moment, moment},
    visit::Visit,
};

/// What the site says in public of something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// When it was made.
    pub made_at: Timestamp,
    /// What it is about, in a few words.
    pub title: String,
    /// What it says, paragraph by paragraph.
    pub paragraphs: Vec<String>,
}

#[derive(Template)]
#[template(path = "notices.html")]
struct Notices<'a> {
    frame: Frame<'a>,
    statements: Vec<(Moment, &'a Statement)>,
}

/// How our mails look, what they never ask for, and what there is to say in public.
pub(crate) async fn notices(State(office): State<Office>, visit: Visit) -> Response {
    let dated = |statement| (moment(visit.language, Statement::made_at(statement)), statement);
    let statements = office.statements.iter().map(dated).collect();
    let frame = Frame::new(&office, visit, "/notices", |words| words.notices);
    page(StatusCode::OK, &Notices { frame, statements })
}

impl Statement {
    const fn made_at(&self) -> Timestamp {
        self.made_at
    }
}

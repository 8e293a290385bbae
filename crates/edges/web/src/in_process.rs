//! The one file that knows the operations: it answers what the pages ask, in this process.

use std::{fmt, sync::Arc};

use campaigns::{CampaignError, ReportError, Statement, report_campaign, statements};
use instance::{Instance, is_store_there};
use outbox::{check_notice, dispute_notice};
use recoveries::{
    Choice, Chosen, MailAsked, Recovery, Wanted, ask_for_mail, choose_password, open_link,
};

use crate::people::ask::{
    Asked, MailKind, MailWish, NoticeFound, PasswordOutcome, PasswordWish, People, PeopleAnswer,
    PublicStatement, Question, TypedNotice, Unanswered,
};

pub(crate) use campaigns::{CampaignReport, CountedCampaign, ReconciliationView};

/// Answers people and operators with the keys and connections of this process.
#[derive(Clone)]
pub struct InProcess {
    instance: Arc<Instance>,
    recovery: Option<Arc<Recovery>>,
}

impl InProcess {
    /// Answers for one instance.
    #[must_use]
    pub fn new(instance: Arc<Instance>) -> Self {
        Self { instance, recovery: None }
    }

    /// Sets new passwords. Without the means for it, no link works.
    #[must_use]
    pub fn with_recovery(self, recovery: Arc<Recovery>) -> Self {
        Self { recovery: Some(recovery), ..self }
    }

    async fn answer(&self, question: Question) -> Result<PeopleAnswer, Unanswered> {
        match question {
            Question::CheckNotice(typed) => self.check(typed).await.map(PeopleAnswer::Notice),
            Question::DisputeNotice(typed) => self.dispute(typed).await,
            Question::Statements => self.statements().await.map(PeopleAnswer::Statements),
            Question::Mail(wish) => self.note_mail(wish).await,
            Question::Link(token) => {
                let works = open_link(&self.instance, &token).await;
                works.map(PeopleAnswer::Link).map_err(Unanswered::because)
            }
            Question::NewPassword(wish) => self.choose(wish).await.map(PeopleAnswer::NewPassword),
        }
    }

    async fn check(&self, typed: TypedNotice) -> Result<Option<NoticeFound>, Unanswered> {
        let found = check_notice(&self.instance, &typed.code, &typed.address).await;
        let found = found.map_err(Unanswered::because)?;
        Ok(found.map(|found| NoticeFound {
            kind: found.kind,
            shown: found.shown,
            made_at: found.made_at,
            status: found.status,
            moved_at: found.moved_at,
        }))
    }

    async fn dispute(&self, typed: TypedNotice) -> Result<PeopleAnswer, Unanswered> {
        let disputed = dispute_notice(&self.instance, &typed.code, &typed.address).await;
        disputed.map(|_| PeopleAnswer::Disputed).map_err(Unanswered::because)
    }

    async fn statements(&self) -> Result<Vec<PublicStatement>, Unanswered> {
        let found = statements(&self.instance).await.map_err(Unanswered::because)?;
        Ok(found.into_iter().map(public).collect())
    }

    async fn note_mail(&self, wish: MailWish) -> Result<PeopleAnswer, Unanswered> {
        let MailWish { kind, typed, language, source } = wish;
        let wanted = match kind {
            MailKind::Link => Wanted::Link,
            MailKind::Answer => Wanted::Answer,
        };
        let asked = MailAsked { wanted, typed: &typed, language, source: &source };
        let noted = ask_for_mail(&self.instance, &asked).await;
        noted.map(|()| PeopleAnswer::MailNoted).map_err(Unanswered::because)
    }

    /// Whoever closes the page has pressed the button all the same, so a task of its own ends what
    /// was begun.
    async fn choose(&self, wish: PasswordWish) -> Result<PasswordOutcome, Unanswered> {
        let Some(recovery) = self.recovery.clone() else { return Ok(PasswordOutcome::Dead) };
        let instance = Arc::clone(&self.instance);
        let setting = tokio::spawn(async move {
            let PasswordWish { token, typed, user_agent } = wish;
            let choice = Choice { token: &token, typed, user_agent: user_agent.as_deref() };
            choose_password(&instance, &recovery, choice).await
        });
        let chosen = setting.await.map_err(Unanswered::because)?;
        chosen.map(outcome).map_err(Unanswered::because)
    }

    /// Where every campaign stands by the audit log, the oldest first.
    pub(crate) async fn campaigns(&self) -> Result<Vec<CountedCampaign>, Unanswered> {
        campaigns::counted_campaigns(&self.instance).await.map_err(Unanswered::because)
    }

    /// Whether nobody is told for now.
    pub(crate) async fn is_sending_paused(&self) -> Result<bool, Unanswered> {
        let paused = outbox::paused_sending(&self.instance).await;
        paused.map(|paused| paused.is_some()).map_err(Unanswered::because)
    }

    /// When the site's table was last compared with what is kept, and what was found.
    pub(crate) async fn reconciliation(&self) -> Result<ReconciliationView, Unanswered> {
        campaigns::last_reconciliation(&self.instance).await.map_err(Unanswered::because)
    }

    /// What became of everybody in a campaign.
    pub(crate) async fn report(&self, name: &str) -> Result<CampaignReport, NoReport> {
        report_campaign(&self.instance, name).await.map_err(|error| match error {
            ReportError::Campaign(CampaignError::None { .. }) => NoReport::Unknown,
            error if error.is_refusal() => NoReport::Unsound(error.to_string()),
            error => NoReport::Failed(Unanswered::because(error)),
        })
    }

    /// Whether the store answers.
    pub(crate) async fn is_store_there(&self) -> Result<(), Unanswered> {
        is_store_there(&self.instance).await.map_err(Unanswered::because)
    }
}

impl People for InProcess {
    fn ask(&self, question: Question) -> Asked<'_> {
        Box::pin(self.answer(question))
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instance.fmt(f)
    }
}

/// Why a campaign's report cannot be shown.
#[derive(Debug)]
pub(crate) enum NoReport {
    /// There is no campaign of this name.
    Unknown,
    /// Its numbers do not add up, or its log cannot be read.
    Unsound(String),
    /// Something of ours failed.
    Failed(Unanswered),
}

fn public(statement: Statement) -> PublicStatement {
    let Statement { said_at, updated_at, counts } = statement;
    PublicStatement {
        said_at,
        updated_at,
        began_at: counts.began_at.map(model::Timestamp::from_micros),
        leaks: counts.leaks,
        is_over: counts.is_over,
        sealed: counts.sealed,
        reset_since: counts.reset_since,
        perhaps_sealed: counts.perhaps_sealed,
        skipped: counts.skipped,
        sent: counts.sent,
        refused: counts.refused,
        uncertain: counts.uncertain,
    }
}

const fn outcome(chosen: Chosen) -> PasswordOutcome {
    match chosen {
        Chosen::Done => PasswordOutcome::Done,
        Chosen::Dead => PasswordOutcome::Dead,
        Chosen::Busy => PasswordOutcome::Busy,
        Chosen::Unfit(error) => PasswordOutcome::Unfit(error),
        Chosen::Refused(objection) => PasswordOutcome::Refused(objection),
    }
}

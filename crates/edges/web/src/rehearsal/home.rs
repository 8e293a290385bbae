use std::sync::Arc;

use askama::Template;
use axum::{Extension, extract::State, http::StatusCode, response::Response};
use campaigns::{CampaignView, campaigns};

use super::{Desk, Frame, counted, page, reading, words};
use crate::{Office, pages::Refusal, visit::Visit};

#[derive(Template)]
#[template(path = "desk/home.html")]
struct Home<'a> {
    frame: Frame<'a>,
    mails: String,
    campaigns: Vec<Campaign>,
}

/// A campaign in a list.
struct Campaign {
    name: String,
    state: &'static str,
    /// In the plan, once there is one.
    accounts: Option<String>,
}

/// Where to begin.
pub(super) async fn home(
    State(office): State<Office>,
    Extension(desk): Extension<Arc<Desk>>,
    visit: Visit,
) -> Response {
    match look(&office, &desk).await {
        Ok((mails, campaigns)) => {
            let frame = Frame { office: &office, desk: &desk, title: "Rehearsal desk" };
            page(StatusCode::OK, &Home { frame, mails, campaigns })
        }
        Err(error) => {
            tracing::error!(%error, "the desk cannot be shown");
            office.refuse(visit, Refusal::Unwell)
        }
    }
}

/// How many mails there are, and every campaign.
async fn look(
    office: &Office,
    desk: &Desk,
) -> Result<(String, Vec<Campaign>), Box<dyn std::error::Error>> {
    let mailbox = desk.mailbox.clone();
    let mails = reading(move || mailbox.count()).await?;
    let campaigns = campaigns(&office.site).await?;
    let campaigns = campaigns.into_iter().map(Campaign::of).collect();
    Ok((counted(mails as u64, "mail", "mails"), campaigns))
}

impl Campaign {
    fn of(view: CampaignView) -> Self {
        let targets = view.plan.map(|plan| plan.targets);
        Self {
            name: view.name,
            state: words::state(view.state),
            accounts: targets.map(|targets| counted(targets, "account", "accounts")),
        }
    }
}

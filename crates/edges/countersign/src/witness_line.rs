//! The way to a witness: C2SP `tlog-witness` over HTTP.

use std::time::Duration;

use futures_util::future::BoxFuture;
use instance::{WitnessAnswer, WitnessAway, WitnessLine};
use tokio::task::spawn_blocking;
use ureq::Agent;

/// A witness writes to its disk, and does no more.
const TIME_MAX: Duration = Duration::from_secs(10);

/// More than any answer of the protocol has.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Asks witnesses over HTTP.
#[derive(Debug)]
pub(crate) struct HttpWitnesses(Agent);

impl HttpWitnesses {
    pub(crate) fn new() -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIME_MAX))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self(config.into())
    }

    fn post(agent: &Agent, address: &str, body: &str) -> Result<WitnessAnswer, ureq::Error> {
        let mut answer = agent.post(address).send(body)?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
        Ok(WitnessAnswer { status, body })
    }
}

impl WitnessLine for HttpWitnesses {
    fn ask<'a>(
        &'a self,
        url: &'a str,
        body: String,
    ) -> BoxFuture<'a, Result<WitnessAnswer, WitnessAway>> {
        let agent = self.0.clone();
        let address = format!("{}/add-checkpoint", url.trim_end_matches('/'));
        Box::pin(async move {
            let away = |reason: String| WitnessAway { reason };
            let asked = spawn_blocking(move || Self::post(&agent, &address, &body)).await;
            let asked = asked.map_err(|error| away(error.to_string()))?;
            asked.map_err(|error| away(error.to_string()))
        })
    }
}

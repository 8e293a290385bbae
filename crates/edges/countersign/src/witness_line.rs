//! The way to a witness: C2SP `tlog-witness` over HTTP.

use std::time::Duration;

use futures_util::future::BoxFuture;
use instance::{WitnessAnswer, WitnessAway, WitnessLine};
use tokio::task::spawn_blocking;
use ureq::Agent;
use url::Url;

/// A witness writes to its disk, and does no more.
const TIME_MAX: Duration = Duration::from_secs(10);

/// More than any answer of the protocol has.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// A witness at an address.
pub(crate) struct HttpWitness {
    agent: Agent,
    address: String,
}

impl HttpWitness {
    /// `prefix` is what comes before `/add-checkpoint`.
    pub(crate) fn new(prefix: &Url) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIME_MAX))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        let address = format!("{}/add-checkpoint", prefix.as_str().trim_end_matches('/'));
        Self { agent: config.into(), address }
    }

    fn post(agent: &Agent, address: &str, body: &str) -> Result<WitnessAnswer, ureq::Error> {
        let mut answer = agent.post(address).send(body)?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
        Ok(WitnessAnswer { status, body })
    }
}

impl WitnessLine for HttpWitness {
    fn ask(&self, body: String) -> BoxFuture<'_, Result<WitnessAnswer, WitnessAway>> {
        let (agent, address) = (self.agent.clone(), self.address.clone());
        Box::pin(async move {
            let away = |reason: String| WitnessAway { reason };
            let asked = spawn_blocking(move || Self::post(&agent, &address, &body)).await;
            let asked = asked.map_err(|error| away(error.to_string()))?;
            asked.map_err(|error| away(error.to_string()))
        })
    }
}

//! What is told of the work while it is done, on standard error.

use std::{
    env,
    io::{self, IsTerminal as _},
};

use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::cli::LogFormat;

/// Chooses how much is logged, part by part: `info,campaigns=debug`.
const VARIABLE: &str = "RUST_LOG";

/// The parts of this program: what -v is about. Of others, it says no more than usual.
const OURS: [&str; 14] = [
    "campaigns",
    "countersign",
    "demo",
    "directory",
    "exposure",
    "instance",
    "leak",
    "notice",
    "outbox",
    "recoveries",
    "sql",
    "store",
    "web",
    "worker",
];

/// Begins to log. What was typed wins over the environment, and the environment over what is usual.
pub(crate) fn to_stderr(usual: LevelFilter, verbosity: u8, format: Option<LogFormat>) {
    let (targets, misread) = match (verbosity, env::var(VARIABLE)) {
        (0, Ok(text)) => match text.parse() {
            Ok(targets) => (targets, None),
            Err(error) => (usually(usual), Some(error)),
        },
        (0, Err(_)) => (usually(usual), None),
        (verbosity, _) => (more(usual, verbosity), None),
    };
    let lines = fmt::layer().with_writer(io::stderr);
    let layer = match format.unwrap_or_else(usual_format) {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Text => lines.boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(targets)).init();
    if let Some(error) = misread {
        tracing::warn!(%error, "{VARIABLE} is not used: write it as in `info,campaigns=debug`");
    }
}

/// People read text, programs JSON.
fn usual_format() -> LogFormat {
    if io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json }
}

fn usually(level: LevelFilter) -> Targets {
    Targets::new().with_default(level)
}

fn more(usual: LevelFilter, verbosity: u8) -> Targets {
    let level = if verbosity == 1 { LevelFilter::DEBUG } else { LevelFilter::TRACE };
    usually(usual.max(LevelFilter::INFO)).with_targets(OURS.map(|target| (target, level)))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn verbosity_is_about_this_programs_own_parts() {
        let targets = more(LevelFilter::WARN, 1);
        assert!(targets.would_enable("campaigns::seal", &Level::DEBUG));
        assert!(!targets.would_enable("campaigns::seal", &Level::TRACE));
        assert!(!targets.would_enable("rustls::client", &Level::DEBUG));
        assert!(more(LevelFilter::INFO, 2).would_enable("countersign", &Level::TRACE));
    }

    #[test]
    fn the_variable_chooses_part_by_part() {
        let targets: Targets = "warn,store=trace".parse().unwrap();
        assert!(targets.would_enable("store::jobs", &Level::TRACE));
        assert!(!targets.would_enable("web", &Level::INFO));
    }
}

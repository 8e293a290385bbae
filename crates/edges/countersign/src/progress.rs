//! Progress on standard error: a bar with rate and time left on a terminal, nothing elsewhere.

use std::{fmt, sync::Mutex};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use instance::{Progress, Step, Unit};

/// Steps of unknown length count; the others draw a bar.
const BYTES: &str =
    "{msg:<22} {bar:30} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
const COUNT: &str = "{msg:<22} {bar:30} {percent:>3}% {human_pos}/{human_len} {rate}, {eta} left";
const BYTES_OPEN: &str = "{msg:<22} {spinner} {bytes} {bytes_per_sec}, {elapsed}";
const COUNT_OPEN: &str = "{msg:<22} {spinner} {human_pos} {rate}, {elapsed}";

/// Draws one bar at a time.
pub(crate) struct Bars {
    quiet: bool,
    bar: Mutex<ProgressBar>,
}

impl Bars {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, bar: Mutex::new(ProgressBar::hidden()) }
    }

    fn with_bar(&self, act: impl FnOnce(&mut ProgressBar)) {
        // A poisoned bar is still a bar: what panicked has said so itself.
        act(&mut self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Progress for Bars {
    fn begin(&self, step: Step, total: u64) {
        if self.quiet {
            return;
        }
        let bar =
            ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template(template(step.unit(), total));
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.with_key("rate", write_rate).progress_chars("=> "));
        bar.set_message(step.title());
        self.with_bar(|slot| *slot = bar);
    }

    fn advance(&self, amount: u64) {
        self.with_bar(|bar| bar.inc(amount));
    }

    fn note(&self, text: &str) {
        self.with_bar(|bar| bar.set_message(text.to_owned()));
    }

    fn end(&self) {
        self.with_bar(|bar| bar.finish_and_clear());
    }
}

/// Whole ones in a second: nobody reads on behind the point.
fn write_rate(state: &ProgressState, to: &mut dyn fmt::Write) {
    // What cannot be written is not shown.
    let _ = write!(to, "{:.0}/s", state.per_sec());
}

fn template(unit: Unit, total: u64) -> &'static str {
    match (unit, total) {
        (Unit::Bytes, 0) => BYTES_OPEN,
        (Unit::Bytes, _) => BYTES,
        (Unit::Accounts | Unit::Addresses | Unit::DataKeys, 0) => COUNT_OPEN,
        (Unit::Accounts | Unit::Addresses | Unit::DataKeys, _) => COUNT,
    }
}

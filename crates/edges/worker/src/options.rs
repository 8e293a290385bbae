use std::time::Duration;

/// How this process works.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Addresses and mails in hand at the same time.
    pub concurrency: usize,
    /// Whether to end once no campaign runs and nothing is left in between.
    pub until_done: bool,
    /// How often the site's table is compared with what is kept, by whichever host comes first.
    pub reconcile_every: Duration,
    /// How long nothing may be done for a campaign's people until it is said that it stands still.
    pub standstill_after: Duration,
}

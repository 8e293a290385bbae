//! What the fold costs at a claim, for `cargo xtask bench fold`: it writes numbers down, and judges
//! none.

mod history;
mod site;

use std::{
    env,
    fs::{self, File},
    io::Write,
    mem,
    time::Instant,
};

use instance::Instance;
use model::{CampaignId, NoticeId};

use self::{
    history::{Filler, address},
    site::MeasuredSite,
};
use crate::{WorkerContext, claim::claim_addresses, gate::tree, limits::ADDRESSES_PER_CLAIM};

/// Each claim takes up addresses of its own.
const CLAIMS: u64 = 300;
const TARGETS: u64 = CLAIMS * ADDRESSES_PER_CLAIM + 600;

/// How often a claim asks what the log says: for the kill switch and the campaign, for the roster and
/// the arming, and for the addresses.
const ASKED_PER_CLAIM: u32 = 3;

/// One line a measurement: `ENTRIES WHAT NUMBER`, in seconds or bytes.
#[tokio::test]
#[ignore = "a measurement: `cargo xtask bench fold`"]
async fn measure_the_fold() {
    let mut results = File::create(env::var("COUNTERSIGN_BENCH_RESULTS").unwrap()).unwrap();
    let sizes = env::var("COUNTERSIGN_BENCH_ENTRIES").unwrap();
    let mut lines = Vec::new();
    for size in sizes.split(' ') {
        lines.push(Line::filled(size.parse().unwrap(), &mut results).await);
    }
    let workers =
        lines.iter().map(|Line { site, .. }| WorkerContext::new(&site.instance, &site.means));
    let workers: Vec<_> = workers.collect();
    for claim in 0..CLAIMS {
        for (line, worker) in lines.iter().zip(&workers) {
            line.measure(worker, claim, &mut results).await;
        }
    }
}

/// A log of one size, and the campaign that claims beside it.
struct Line {
    entries: u64,
    site: MeasuredSite,
    campaign: CampaignId,
}

impl Line {
    /// With a process that has just begun: what filled the log knows it already.
    async fn filled(entries: u64, results: &mut File) -> Self {
        let mut site = MeasuredSite::new(TARGETS).await;
        // Nobody registers a campaign while the log tells of leaks that the store does not keep.
        let campaign = site.launch().await;
        let filled = Filler::new(&site.instance, entries).fill().await;
        let mut note = |what: &str, number: f64| {
            writeln!(results, "{entries} {what} {number}").unwrap();
        };
        note("people", filled.people);
        if let Some(took) = filled.kept {
            note("keep", took);
        }
        note("snapshot", snapshot_bytes(&site.instance).await);
        let begun = site.open().await;
        let (before, since) = (resident_bytes(), Instant::now());
        ask(&begun, 1).await;
        note("start", since.elapsed().as_secs_f64());
        note("memory", resident_bytes() - before);
        drop(mem::replace(&mut site.instance, begun));
        Self { entries, site, campaign }
    }

    /// A claim, and apart from it what it asks of the log; both after another address was finished.
    async fn measure(&self, worker: &WorkerContext<'_>, number: u64, results: &mut File) {
        self.finish_address(2 * number).await;
        tree(worker, self.campaign).await.unwrap();
        let since = Instant::now();
        let held = claim_addresses(worker, self.campaign).await.unwrap();
        let claim = since.elapsed().as_secs_f64();
        assert_eq!(held.len() as u64, ADDRESSES_PER_CLAIM);
        self.finish_address(2 * number + 1).await;
        let asked = ask(&self.site.instance, ASKED_PER_CLAIM).await;
        for (what, took) in [("claim", claim), ("asked", asked)] {
            writeln!(results, "{} {what} {took}", self.entries).unwrap();
        }
    }

    /// Another worker writes down what it has done at an address.
    async fn finish_address(&self, number: u64) {
        let notice = NoticeId(i64::try_from(number).unwrap());
        // Of one that no claim takes up.
        let events = address(self.campaign, number, TARGETS + number, notice);
        let mut tx = self.site.instance.store().begin().await.unwrap();
        self.site.instance.record(&mut tx, &events).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Seconds that it takes to ask so many times, in one transaction.
async fn ask(instance: &Instance, times: u32) -> f64 {
    let mut tx = instance.store().begin().await.unwrap();
    let since = Instant::now();
    for _ in 0..times {
        drop(instance.proved(&mut tx).await.unwrap());
    }
    since.elapsed().as_secs_f64()
}

async fn snapshot_bytes(instance: &Instance) -> f64 {
    let mut tx = instance.store().read().await.unwrap();
    let kept = tx.fold_snapshot(u64::MAX >> 1).await.unwrap();
    kept.map_or(0.0, |kept| number(kept.body.len() as u64))
}

/// What this process has in memory.
fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    number(line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn number(number: u64) -> f64 {
    number as f64
}

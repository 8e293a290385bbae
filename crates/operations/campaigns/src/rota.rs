//! Which of the sealed accounts a round of watching reads.

use std::time::Duration;

use model::Timestamp;
use store::Shares;

use crate::limits::{ACCOUNTS_PER_LOOK_UP, READ_ANYWAY_WITHIN, READ_WITHIN, WATCH_SHARES};

/// Whose turn it is to be read.
///
/// Accounts are dealt into shares by their place in the plan, and a round reads some shares. A
/// cursor over the sealed accounts would come round later whenever more are sealed behind it; an
/// account's share comes round on time however many others are sealed or reset meanwhile.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rota {
    next: u64,
    read_at: Option<Timestamp>,
}

/// What the directory has told of the accounts that changed since the round before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Nothing: it cannot, or not now.
    Nothing,
    /// Where to begin. Whoever changed before that is told by nobody.
    Beginning,
    /// Not all of them: there were too many.
    Some,
    /// All of them.
    All,
}

impl Rota {
    /// The shares that a round is to read: all of them in the first one, and otherwise so many that
    /// each has its turn in time. After rounds that were missed there are more.
    pub(crate) fn due(&self, now: Timestamp, sealed: u64, telling: Telling) -> Shares {
        let (within, accounts_min) = match telling {
            Telling::All => (READ_ANYWAY_WITHIN, 0),
            _ => (READ_WITHIN, ACCOUNTS_PER_LOOK_UP as u64),
        };
        let last = self.read_at.filter(|_| telling != Telling::Beginning);
        let by_time = last.map_or(WATCH_SHARES, |last| shares_in(between(last, now), within));
        let by_number = (WATCH_SHARES * accounts_min).div_ceil(sealed.max(1));
        let count = by_time.max(by_number).clamp(1, WATCH_SHARES);
        Shares { first: self.next, count, of: WATCH_SHARES }
    }

    /// Once a round that began at `now` has read these.
    pub(crate) const fn after(read: Shares, now: Timestamp) -> Self {
        Self { next: (read.first + read.count) % read.of, read_at: Some(now) }
    }
}

/// How many shares are due when so much time has passed since the round before, and is expected to
/// pass until the next one. That much is set aside twice: a share may come due just after a round,
/// and is read at the end of the next one.
fn shares_in(passed: Duration, within: Duration) -> u64 {
    let left = within.saturating_sub(passed.saturating_mul(2)).as_micros();
    let shares = u128::from(WATCH_SHARES) * passed.as_micros();
    shares
        .checked_div(left)
        .map_or(WATCH_SHARES, |_| u64::try_from(shares.div_ceil(left)).unwrap_or(WATCH_SHARES))
}

/// Nothing, if the clock was set back.
fn between(last: Timestamp, now: Timestamp) -> Duration {
    let micros = now.as_micros().saturating_sub(last.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;
    const MANY: u64 = 10_000_000;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(0).after(Duration::from_secs(seconds))
    }

    /// Rounds begin at these seconds and last as long as they can: for each share, the longest
    /// that it went unread, and the most shares of one round.
    fn run(rounds: &[u64], telling: Telling) -> (u64, u64) {
        let (mut rota, mut longest, mut most) = (Rota::default(), 0, 0);
        let mut read_at = vec![rounds[0]; usize::try_from(WATCH_SHARES).unwrap()];
        for window in rounds.windows(2) {
            let [now, next] = *window else { unreachable!() };
            let due = rota.due(at(now), MANY, telling);
            rota = Rota::after(due, at(now));
            if now != rounds[0] {
                most = most.max(due.count);
            }
            for share in due.first..due.first + due.count {
                let share = usize::try_from(share % WATCH_SHARES).unwrap();
                longest = longest.max(next - read_at[share]);
                read_at[share] = now;
            }
        }
        (longest, most)
    }

    fn every(seconds: u64) -> Vec<u64> {
        (0..500).map(|round| round * seconds).collect()
    }

    #[test]
    fn everybody_is_read_within_ten_minutes_however_far_apart_rounds_are() {
        for seconds in [1, 30, 59, 60, 61, 67, 75, 90, 119, 120, 150, 199, 240, 299] {
            let (longest, _) = run(&every(seconds), Telling::Nothing);
            assert!(longest <= READ_WITHIN.as_secs(), "{longest} with {seconds}");
            let (longest, _) = run(&every(seconds), Telling::All);
            assert!(longest <= READ_ANYWAY_WITHIN.as_secs(), "{longest} with {seconds}");
        }
    }

    #[test]
    fn a_round_reads_an_eighth_or_a_fiftieth() {
        assert_eq!(run(&every(MINUTE), Telling::Nothing).1, WATCH_SHARES / 8);
        assert!(run(&every(MINUTE), Telling::All).1 <= WATCH_SHARES / 50);
    }

    #[test]
    fn after_missed_rounds_more_are_read_and_after_long_ones_all() {
        let rota = Rota::after(Shares { first: 0, count: 60, of: WATCH_SHARES }, at(0));
        let due = |minutes| rota.due(at(minutes * MINUTE), MANY, Telling::Nothing);
        assert_eq!(due(2), Shares { first: 60, count: 160, of: WATCH_SHARES });
        assert_eq!([due(4).count, due(5).count, due(50).count], [WATCH_SHARES; 3]);
    }

    #[test]
    fn a_missed_round_is_made_up_for() {
        let rounds: Vec<_> = every(MINUTE).into_iter().filter(|at| at % 300 != 0).collect();
        assert!(run(&rounds, Telling::Nothing).0 <= READ_WITHIN.as_secs());
    }

    #[test]
    fn the_first_round_and_the_first_mark_read_all() {
        let rota = Rota::default();
        assert_eq!(rota.due(at(0), MANY, Telling::All).count, WATCH_SHARES);
        let rota = Rota::after(Shares { first: 0, count: 60, of: WATCH_SHARES }, at(0));
        assert_eq!(rota.due(at(1), MANY, Telling::Beginning).count, WATCH_SHARES);
    }

    #[test]
    fn few_are_read_in_every_round_unless_their_changes_are_told() {
        let rota = Rota::after(Shares { first: 0, count: 60, of: WATCH_SHARES }, at(0));
        let due = |sealed, telling| rota.due(at(MINUTE), sealed, telling).count;
        assert_eq!([due(0, Telling::Nothing), due(1000, Telling::Some)], [WATCH_SHARES; 2]);
        assert_eq!(due(2000, Telling::Nothing), WATCH_SHARES / 2);
        assert_eq!(due(10, Telling::All), 9);
    }

    #[test]
    fn a_clock_that_was_set_back_stops_nothing() {
        let rota = Rota::after(Shares { first: 470, count: 10, of: WATCH_SHARES }, at(3600));
        let due = rota.due(at(0), MANY, Telling::All);
        assert_eq!(due, Shares { first: 0, count: 1, of: WATCH_SHARES });
    }
}

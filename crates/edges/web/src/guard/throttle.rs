use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock,
};

use super::client::Household;
use crate::limits::{CLIENT_FORMS_PER_MINUTE, CLIENTS, FORMS_BURST, FORMS_PER_SECOND};

/// How many forms may come: from one client, and from all of them.
///
/// Clients share a fixed number of counters, by a hash that nobody outside knows. So no number of
/// addresses makes this grow, and whoever wants to share somebody's counter has to guess.
pub(crate) struct Throttle {
    clock: DefaultClock,
    hash: RandomState,
    clients: Vec<DefaultDirectRateLimiter>,
    everybody: DefaultDirectRateLimiter,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        let client = || RateLimiter::direct(Quota::per_minute(CLIENT_FORMS_PER_MINUTE));
        let everybody = Quota::per_second(FORMS_PER_SECOND).allow_burst(FORMS_BURST);
        Self {
            clock: DefaultClock::default(),
            hash: RandomState::new(),
            clients: std::iter::repeat_with(client).take(CLIENTS).collect(),
            everybody: RateLimiter::direct(everybody),
        }
    }

    /// Counts one form, or says how long to wait. Who has to wait takes nothing from the others.
    pub(crate) fn admit(&self, client: Household) -> Result<(), Duration> {
        let limiters = [self.limiter(client), &self.everybody];
        limiters.into_iter().try_for_each(|limiter| {
            limiter.check().map_err(|until| until.wait_time_from(self.clock.now()))
        })
    }

    fn limiter(&self, client: Household) -> &DefaultDirectRateLimiter {
        let counters = self.clients.len() as u64;
        let at = self.hash.hash_one(client) % counters;
        &self.clients[usize::try_from(at).unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn client(address: &str) -> Household {
        Household::of(address.parse().ok())
    }

    fn admitted(throttle: &Throttle, clients: &[&str]) -> usize {
        let clients = clients.iter().cycle().take(100);
        clients.filter(|address| throttle.admit(client(address)).is_ok()).count()
    }

    /// Somebody whose counter is another one.
    fn other_client(throttle: &Throttle, address: &str) -> String {
        let counter = |address: &str| std::ptr::from_ref(throttle.limiter(client(address)));
        let others = (1..250).map(|n| format!("198.51.100.{n}"));
        others.into_iter().find(|other| counter(other) != counter(address)).unwrap()
    }

    #[test]
    fn one_client_is_slowed_down_and_the_others_are_not() {
        let throttle = Throttle::new();
        let other = other_client(&throttle, "192.0.2.1");
        // One more, should the machine be slow.
        assert!((30..=31).contains(&admitted(&throttle, &["192.0.2.1"])));
        let wait = throttle.admit(client("192.0.2.1")).unwrap_err();
        assert!(wait <= Duration::from_secs(2), "{wait:?}");
        assert!((30..=31).contains(&admitted(&throttle, &[&other])));
    }

    #[test]
    fn a_household_of_version_6_is_one_client() {
        let throttle = Throttle::new();
        let household = ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"];
        assert!((30..=31).contains(&admitted(&throttle, &household)));
    }

    #[test]
    fn many_clients_together_are_slowed_down_and_take_no_more_room() {
        let throttle = Throttle::new();
        let addresses = (0..10_000u32).map(|n| IpAddr::from(n.to_be_bytes()));
        let clients = addresses.map(|address| Household::of(Some(address)));
        let admitted = clients.filter(|client| throttle.admit(*client).is_ok()).count();
        assert!((500..700).contains(&admitted), "{admitted}");
        assert_eq!(throttle.clients.len(), CLIENTS);
    }
}

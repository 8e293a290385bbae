use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::HeaderMap,
};

/// What proxies write down: everybody that they know of on the way, the nearest last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// What one subscriber has of addresses: one of version 4, a /64 of version 6. Nothing, where no
/// address is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Household(Option<[u8; 8]>);

impl Household {
    pub(super) fn of(client: Option<IpAddr>) -> Self {
        let bits = client.map(|client| match client {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
        });
        Self(bits.map(u64::to_be_bytes))
    }

    /// What tells it from others.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |bytes| bytes)
    }
}

/// Where a request comes from. Only the proxy that is named is believed, and of what it says only
/// the last entry, which it wrote itself; the others are the client's own.
pub(super) fn address(request: &Request, trusted_proxy: Option<IpAddr>) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let peer = peer.ip().to_canonical();
    if trusted_proxy.map(|proxy| proxy.to_canonical()) != Some(peer) {
        return Some(peer);
    }
    Some(last_forwarded(request.headers()).unwrap_or(peer))
}

fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back()?;
    let entry = last.to_str().ok()?.rsplit(',').next()?.trim();
    // Some write the port as well, and put version 6 in brackets.
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = entry.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    bare.or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], expected: &str) {
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        let mut request = Request::builder().extension(ConnectInfo(peer));
        for entry in forwarded {
            request = request.header(FORWARDED_FOR, *entry);
        }
        let request = request.body(Body::empty()).unwrap();
        let found = address(&request, Some("10.0.0.1".parse().unwrap()));
        assert_eq!(found, Some(expected.parse().unwrap()));
    }

    #[test]
    fn only_the_named_proxy_is_believed() {
        check("10.0.0.2", &["1.1.1.1"], "10.0.0.2");
        check("10.0.0.1", &["1.1.1.1"], "1.1.1.1");
        check("::ffff:10.0.0.1", &["1.1.1.1"], "1.1.1.1");
        check("10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn only_its_own_entry_is_believed() {
        check("10.0.0.1", &["9.9.9.9, 1.1.1.1"], "1.1.1.1");
        check("10.0.0.1", &["9.9.9.9", "8.8.8.8 , 2001:db8::1"], "2001:db8::1");
        check("10.0.0.1", &["9.9.9.9, unknown"], "10.0.0.1");
        check("10.0.0.1", &["1.1.1.1:443"], "1.1.1.1");
        check("10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1");
        check("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1");
    }
}

//! How we speak with a server of the test kit.

use std::{fs, time::Duration};

use notice::{Relay, RelayOptions, Roots, Security, TimeLimits};
use testkit::smtp::SmtpServer;

/// A relay in the clear.
pub(crate) fn relay(server: &SmtpServer) -> Relay {
    Relay::new(plain_options(server.port())).unwrap()
}

/// Options for a relay in the clear.
pub(crate) fn plain_options(port: u16) -> RelayOptions {
    RelayOptions {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Plain,
        loopback_only: true,
        credentials: None,
        hello: Some("client.test".to_owned()),
        roots: Roots::public(),
        limits: quick(),
    }
}

/// Options for a relay with TLS, whose certificate is trusted.
pub(crate) fn tls_options(server: &SmtpServer, security: Security) -> RelayOptions {
    let ca = fs::read(server.folder().join("ca.pem")).unwrap();
    RelayOptions {
        host: "localhost".to_owned(),
        security,
        roots: Roots::from_pem(&ca).unwrap(),
        ..plain_options(server.port())
    }
}

/// Short limits, but long enough for a busy machine.
fn quick() -> TimeLimits {
    let long = Duration::from_secs(20);
    let short = Duration::from_secs(2);
    TimeLimits {
        connect: long,
        tls: long,
        command: long,
        content: long,
        end_of_data: long,
        quit: short,
    }
}

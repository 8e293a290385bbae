//! Where `countersign serve` listens, and for whom.

use std::net::SocketAddr;

use web::{Listener, ServeOptions, TlsFiles};

use super::failure::ListeningError;
use crate::config::Config;

/// Every listener that is configured: always one for people.
pub(crate) fn listeners(config: &Config) -> Result<Vec<ServeOptions>, ListeningError> {
    let settings = &config.settings.serve;
    let mut listeners = vec![people(config)?];
    let others = [
        (Listener::Operators, &settings.operators.listen),
        (Listener::Metrics, &settings.metrics.listen),
    ];
    for (listener, listen) in others {
        if let Some(listen) = listen {
            let listen = address(listener, listen)?;
            listeners.push(ServeOptions { listener, listen, tls: None, trusted_proxy: None });
        }
    }
    Ok(listeners)
}

/// Checks whatever can be checked without listening.
pub(super) fn check(config: &Config) -> Result<(), ListeningError> {
    listeners(config).map(drop)
}

fn people(config: &Config) -> Result<ServeOptions, ListeningError> {
    let settings = &config.settings.serve.people;
    let proxy = settings.trusted_proxy.as_ref().map(|proxy| {
        proxy.parse().map_err(|source| ListeningError::Proxy { proxy: proxy.clone(), source })
    });
    Ok(ServeOptions {
        listener: Listener::People,
        listen: address(Listener::People, &settings.listen)?,
        tls: match (&settings.certificate_file, &settings.key_file) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(TlsFiles {
                certificate: config.resolve(certificate),
                key: config.resolve(key),
            }),
            _ => return Err(ListeningError::HalfCertificate),
        },
        trusted_proxy: proxy.transpose()?,
    })
}

fn address(listener: Listener, listen: &str) -> Result<SocketAddr, ListeningError> {
    let invalid = |source| ListeningError::Address { listener, listen: listen.to_owned(), source };
    listen.parse().map_err(invalid)
}

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio_rustls::TlsConnector;

use super::failure::{RelayError, RootsError};

/// Whose certificates a relay may show.
#[derive(Debug, Clone)]
pub struct Roots(RootCertStore);

impl Roots {
    /// The authorities that browsers trust.
    #[must_use]
    pub fn public() -> Self {
        let mut store = RootCertStore::empty();
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self(store)
    }

    /// Only the authorities in this PEM file: the site's own.
    ///
    /// # Errors
    /// [`RootsError`] if it holds none, or one that is broken.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| RootsError::Malformed)?;
            store.add(certificate).map_err(|_| RootsError::Malformed)?;
        }
        if store.is_empty() { Err(RootsError::Empty) } else { Ok(Self(store)) }
    }
}

/// Makes TLS connections that check the relay's certificate.
pub(super) fn connector(roots: &Roots) -> Result<TlsConnector, RootsError> {
    // A provider of our own, since the one of the process is global.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| RootsError::Library { reason: error.to_string() })?;
    let config = builder.with_root_certificates(roots.0.clone()).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The name that the certificate must hold.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, RelayError> {
    let name = ServerName::try_from(host.to_owned());
    name.map_err(|_| RelayError::Host { host: host.escape_debug().to_string() })
}

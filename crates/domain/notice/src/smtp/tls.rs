use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use tokio_rustls::TlsConnector;

use super::failure::{RelayError, RootsError};

/// Whose certificates a relay may show.
#[derive(Debug, Clone)]
pub struct Roots {
    store: RootCertStore,
    /// Those that may stand for themselves.
    named: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// The authorities that browsers trust.
    #[must_use]
    pub fn public() -> Self {
        let mut store = RootCertStore::empty();
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self { store, named: Vec::new() }
    }

    /// Only the authorities in this PEM file: the site's own. A relay may also show one of these
    /// very certificates as its own.
    ///
    /// # Errors
    /// [`RootsError`] if it holds none, or one that is broken.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        let (mut store, mut named) = (RootCertStore::empty(), Vec::new());
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| RootsError::Malformed)?;
            store.add(certificate.clone()).map_err(|_| RootsError::Malformed)?;
            named.push(certificate);
        }
        if store.is_empty() { Err(RootsError::Empty) } else { Ok(Self { store, named }) }
    }
}

/// Makes TLS connections that check the relay's certificate.
pub(super) fn connector(roots: &Roots) -> Result<TlsConnector, RootsError> {
    let library = |reason: String| RootsError::Library { reason };
    // A provider of our own, since the one of the process is global.
    let provider = Arc::new(ring::default_provider());
    let store = Arc::new(roots.store.clone());
    let webpki = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(&provider));
    let webpki = webpki.build().map_err(|error| library(error.to_string()))?;
    let verifier = NamedOrSigned { webpki, named: roots.named.clone() };
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| library(error.to_string()))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(TlsConnector::from(Arc::new(builder.with_no_client_auth())))
}

/// The name that the certificate must hold.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, RelayError> {
    let name = ServerName::try_from(host.to_owned());
    name.map_err(|_| RelayError::Host { host: host.escape_debug().to_string() })
}

/// Takes what webpki takes, and one thing that it refuses: a certificate of an authority
/// (`CA:TRUE`, as `openssl req -x509` makes them) that a server shows as its own, if the operator
/// has named this very certificate.
#[derive(Debug)]
struct NamedOrSigned {
    webpki: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for NamedOrSigned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged = self.webpki.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match judged {
            Err(error) if is_authority(&error) && self.named.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Whether all that is wrong is that the certificate is an authority's. webpki looks at the
/// validity period before that, and at the name after it.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

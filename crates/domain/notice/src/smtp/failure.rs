/// Why no relay can be had with these options.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Neither a name nor an address.
    #[error("`{host}` is neither a host name nor an IP address")]
    Host {
        /// What was given, escaped.
        host: String,
    },
    /// Could hold a command.
    #[error("`{hello}` is no host name to say in EHLO")]
    Hello {
        /// What was given, escaped.
        hello: String,
    },
    /// AUTH PLAIN separates with NUL.
    #[error("the relay's user name or password is empty or holds a NUL")]
    Credentials,
    /// Certificates that cannot be used.
    #[error(transparent)]
    Roots(#[from] RootsError),
}

/// Why no certificate can be checked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// Nobody would be trusted.
    #[error("there is no certificate in the PEM file of authorities")]
    Empty,
    /// Something else than a certificate.
    #[error("a certificate in the PEM file of authorities is malformed")]
    Malformed,
    /// The library has none of what it needs.
    #[error("TLS cannot be used: {reason}")]
    Library {
        /// As the library puts it.
        reason: String,
    },
}

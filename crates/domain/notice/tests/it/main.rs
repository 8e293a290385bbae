//! Notices as strangers' software sees them: aiosmtpd and Postfix take them, dkimpy and
//! `Mail::DKIM` verify them.
#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod facts;
mod greet;
mod hostile;
mod lint;
mod maildir;
mod relay;
mod replies;
mod server;
mod signature;
mod sink;
mod snapshot;
mod tls;

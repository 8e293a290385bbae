use std::fmt::{self, Write as _};

use model::{
    Document, Endorsed, InstanceId, Timestamp,
    canonical::{self, micros},
    checked_name, digest_type, format_version,
};
use serde::{Deserialize, Serialize};

use crate::{
    Roster, SignaturesError, Signed,
    limits::{ARMING_SIGNERS_MIN, ARMING_SIGNING_MAX, CLOCK_SKEW_MAX, DATABASE_IDENTITY_BYTES_MAX},
};

/// Permission to send, with the signatures collected so far.
pub type SignedArming = Signed<ArmingDocument>;

checked_name! {
    /// Which database this is: a copy of it has another identity.
    pub struct DatabaseIdentity;
    "a database's identity", DATABASE_IDENTITY_BYTES_MAX, is_ascii_printable,
    "printable ASCII"
}

fn is_ascii_printable(char: char) -> bool {
    matches!(char, ' '..='~')
}

digest_type! {
    /// SHA-256 over an arming document.
    ArmingDigest
}

digest_type! {
    /// SHA-256 of the secret that the sending hosts keep in a file, outside the database.
    SecretDigest
}

impl SecretDigest {
    /// What may be shown and stored of a secret.
    #[must_use]
    pub fn of(secret: &[u8; 32]) -> Self {
        Self(canonical::digest("countersign arming secret 1", secret))
    }
}

/// Whether something may be sent now, from this database and this host.
///
/// # Errors
/// [`Disarmed`] says what two operators must look into before they arm again.
pub fn may_send(armed: &Armed, facts: &ArmingFacts) -> Result<(), Disarmed> {
    let document = armed.document();
    if document.database != facts.database {
        let (armed, found) = (document.database.clone(), facts.database.clone());
        return Err(Disarmed::OtherDatabase { armed, found });
    }
    if document.secret != facts.secret {
        return Err(Disarmed::OtherSecret { armed: document.secret, found: facts.secret });
    }
    if facts.now >= facts.lease_until {
        return Err(Disarmed::LeaseOver { until: facts.lease_until, now: facts.now });
    }
    facts.log.continues(facts.mark)
}

/// What a decision to send is made from, all of it read in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmingFacts {
    /// What the database calls itself now.
    pub database: DatabaseIdentity,
    /// Of the secret in this host's file.
    pub secret: SecretDigest,
    /// Until when sending is armed.
    pub lease_until: Timestamp,
    /// By the clock that times the lease.
    pub now: Timestamp,
    /// What this host's file says of the log.
    pub mark: LogMark,
    /// What the log is.
    pub log: LogNow,
}

/// The size that the audit log has had, with its root: what a host remembers outside the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogMark {
    /// Entries.
    pub size: u64,
    /// The Merkle root over them.
    #[serde(with = "canonical::hex")]
    pub root: [u8; 32],
}

impl fmt::Display for LogMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, root } = self;
        write!(f, "{size} entries, root {}", canonical::hex_of(root))
    }
}

/// How far the audit log had come where an arming was proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmedLog {
    /// In the store.
    pub now: LogMark,
    /// As the host that proposed had seen it last; `None` if it has never sent.
    pub before: Option<LogMark>,
    /// Whether the one goes on where the other was.
    pub continues: bool,
}

impl ArmedLog {
    /// Whether operators have signed that what this host had seen is lost.
    #[must_use]
    pub fn gives_up(&self, seen: LogMark) -> bool {
        !self.continues && self.before.is_some_and(|before| before.size >= seen.size)
    }
}

/// The audit log as it is, seen from a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogNow {
    /// Entries.
    pub size: u64,
    /// The root over its first entries, as many as the mark counts; `None` if there are fewer.
    pub root_at_mark: Option<[u8; 32]>,
}

impl LogNow {
    /// Whether the log is the one that was marked, as long or longer.
    ///
    /// # Errors
    /// [`Disarmed::LogShorter`] or [`Disarmed::LogDiffers`].
    pub fn continues(&self, mark: LogMark) -> Result<(), Disarmed> {
        let (size, found) = (mark.size, self.size);
        match self.root_at_mark {
            _ if found < size => Err(Disarmed::LogShorter { mark: size, found }),
            Some(root) if root == mark.root => Ok(()),
            _ => Err(Disarmed::LogDiffers { mark: size }),
        }
    }
}

/// An arming that two operators have signed, verified by [`Signed::verify`].
pub type Armed = Endorsed<ArmingDocument>;

impl SignedArming {
    /// As [`Signed::verify`], when a lease is to begin: the document must be of today.
    ///
    /// # Errors
    /// [`ArmingError`] says what does not hold.
    pub fn accept(&self, roster: &Roster, now: Timestamp) -> Result<Armed, ArmingError> {
        let at = self.document().at;
        if now > at.after(ARMING_SIGNING_MAX) {
            return Err(ArmingError::Old { at, now });
        }
        if at > now.after(CLOCK_SKEW_MAX) {
            return Err(ArmingError::Early { at, now });
        }
        Ok(self.verify(roster)?)
    }
}

/// Names the one database, and the hosts that know a secret, from which something may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmingDocument {
    v: ArmingFormat,
    instance: InstanceId,
    database: DatabaseIdentity,
    secret: SecretDigest,
    #[serde(with = "micros")]
    at: Timestamp,
    /// Documents of version 0.1.0 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<ArmedLog>,
}

format_version! { ArmingFormat = "countersign arming 1" }

impl ArmingDocument {
    /// For two operators to sign.
    #[must_use]
    pub const fn new(
        instance: InstanceId,
        database: DatabaseIdentity,
        secret: SecretDigest,
        log: ArmedLog,
        now: Timestamp,
    ) -> Self {
        Self { v: ArmingFormat::V1, instance, database, secret, at: now, log: Some(log) }
    }

    /// SHA-256 over the document.
    #[must_use]
    pub fn digest(&self) -> ArmingDigest {
        ArmingDigest(self.sha256())
    }

    /// Which database may send.
    #[must_use]
    pub const fn database(&self) -> &DatabaseIdentity {
        &self.database
    }

    /// Which hosts: those whose sending file holds the secret of this digest.
    #[must_use]
    pub const fn secret(&self) -> SecretDigest {
        self.secret
    }

    /// How far the audit log had come.
    #[must_use]
    pub const fn log(&self) -> Option<&ArmedLog> {
        self.log.as_ref()
    }
}

/// Nothing in its text is foreign: every value has a narrow alphabet.
impl Document for ArmingDocument {
    const FORMAT: &'static str = ArmingFormat::FORMAT;
    const NOUN: &'static str = "arming";

    fn instance(&self) -> &InstanceId {
        &self.instance
    }

    fn signers_needed(&self) -> usize {
        ARMING_SIGNERS_MIN
    }

    fn write_terms(&self, to: &mut String) -> fmt::Result {
        let Self { v: ArmingFormat::V1, instance, database, secret, at, log } = self;
        writeln!(to, "instance: {instance}\ndatabase: {database}\nsecret: {secret}\nat: {at}")?;
        log.map_or(Ok(()), |log| write_log(to, &log))
    }
}

fn write_log(to: &mut String, ArmedLog { now, before, continues }: &ArmedLog) -> fmt::Result {
    writeln!(to, "log: {now}")?;
    match before {
        None => writeln!(to, "log before: this host has never sent"),
        Some(before) if *continues => writeln!(to, "log before: {before}"),
        Some(before) => writeln!(
            to,
            "log before: {before}\nWARNING: the log does not go on where this host has seen it \
             last. The store is a\nrestored backup, or another's: it does not know whom it has \
             told since. Sign only\nif you know what was sent."
        ),
    }
}

/// Why an arming document does not hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArmingError {
    /// Signed too slowly, or used a second time.
    #[error("the arming was proposed at {at}, it is {now}: propose another, and sign it at once")]
    Old {
        /// When it was proposed.
        at: Timestamp,
        /// By our clock.
        now: Timestamp,
    },
    /// A clock is wrong.
    #[error("the arming was proposed at {at}, but it is only {now}: set the clock")]
    Early {
        /// When it was proposed.
        at: Timestamp,
        /// By our clock.
        now: Timestamp,
    },
    /// Its signatures do not hold.
    #[error(transparent)]
    Signatures(#[from] SignaturesError),
}

/// Why nothing may be sent from here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disarmed {
    /// A staging copy, or a move.
    #[error(
        "sending was armed for database {armed}, this is database {found}: it was copied or moved; \
         if this one is to send, two operators must arm again"
    )]
    OtherDatabase {
        /// Signed.
        armed: DatabaseIdentity,
        /// Found.
        found: DatabaseIdentity,
    },
    /// A host that was not meant, or a proposal that was never signed.
    #[error(
        "sending was armed for a secret of SHA-256 {armed}, this host's file holds one of {found}: \
         copy the sending file of the armed host, or let two operators arm again"
    )]
    OtherSecret {
        /// Signed.
        armed: SecretDigest,
        /// Found.
        found: SecretDigest,
    },
    /// Nothing was sent for a day.
    #[error("sending was armed until {until}, it is {now}: two operators must arm again")]
    LeaseOver {
        /// The end of the lease.
        until: Timestamp,
        /// By the database's clock.
        now: Timestamp,
    },
    /// The store is older than this host's memory of it.
    #[error(
        "the log holds {found} entries, this host has seen {mark}: the store is a restored backup, \
         and somebody may already have been told what it does not know; find out what was sent \
         since, then let two operators arm again"
    )]
    LogShorter {
        /// Entries that this host has seen.
        mark: u64,
        /// Entries there are.
        found: u64,
    },
    /// The store went another way since.
    #[error(
        "the log's first {mark} entries are not those that this host has seen: the store is \
         another's, or a restored backup that was used; find out what was sent, then let two \
         operators arm again"
    )]
    LogDiffers {
        /// Entries that this host has seen.
        mark: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{founding, instance, key};

    const NOW: Timestamp = Timestamp::from_micros(1_352_332_800_000_000);
    const MARK: LogMark = LogMark { size: 7, root: [7; 32] };

    fn roster() -> Roster {
        let signed = founding(&["ana", "bob", "cleo"]);
        Roster::founding(&signed, signed.document().digest(), &instance()).unwrap()
    }

    fn database(name: &str) -> DatabaseIdentity {
        name.parse().unwrap()
    }

    fn document() -> ArmingDocument {
        let secret = SecretDigest::of(&[1; 32]);
        ArmingDocument::new(instance(), database("postgresql:1/2"), secret, log(true), NOW)
    }

    fn log(continues: bool) -> ArmedLog {
        let before = Some(LogMark { size: 7, root: [7; 32] });
        ArmedLog { now: LogMark { size: 9, root: [9; 32] }, before, continues }
    }

    fn signed(document: ArmingDocument, names: &[&str]) -> SignedArming {
        let sign = |signed: SignedArming, name: &&str| signed.signed_by(&key(name));
        names.iter().fold(SignedArming::new(document), sign)
    }

    fn facts() -> ArmingFacts {
        ArmingFacts {
            database: database("postgresql:1/2"),
            secret: SecretDigest::of(&[1; 32]),
            lease_until: NOW.after(crate::limits::ARMING_LEASE),
            now: NOW,
            mark: MARK,
            log: LogNow { size: 9, root_at_mark: Some([7; 32]) },
        }
    }

    fn decide(facts: &ArmingFacts) -> Result<(), Disarmed> {
        let armed = signed(document(), &["ana", "bob"]).verify(&roster()).unwrap();
        may_send(&armed, facts)
    }

    #[test]
    fn two_operators_of_the_roster_arm() {
        let verify = |names| signed(document(), names).verify(&roster());
        assert_eq!(verify(&["ana", "cleo"]).unwrap().signers().len(), 2);
        let few = "1 operators have signed, 2 are needed: missing are any of bob, cleo";
        assert_eq!(verify(&["ana"]).unwrap_err().to_string(), few);
        assert_eq!(verify(&["ana", "ana"]).unwrap_err().to_string(), few);
        let eve = "eve has signed and is not in the roster";
        assert_eq!(verify(&["ana", "eve"]).unwrap_err().to_string(), eve);
    }

    #[test]
    fn a_signature_is_for_one_document_of_one_instance() {
        let moved = signed(document(), &["ana", "bob"])
            .changed(|document| document.database = database("postgresql:1/3"));
        let error = moved.verify(&roster()).unwrap_err().to_string();
        assert_eq!(error, "the signature of ana is not over this document");
        let other = ArmingDocument { instance: "other".parse().unwrap(), ..document() };
        let error = signed(other, &["ana", "bob"]).verify(&roster()).unwrap_err();
        assert!(matches!(error, SignaturesError::OtherInstance { .. }));
    }

    #[test]
    fn an_old_file_starts_no_lease() {
        let signed = signed(document(), &["ana", "bob"]);
        let accept = |now| signed.accept(&roster(), now);
        assert!(accept(NOW.after(ARMING_SIGNING_MAX)).is_ok());
        let late = accept(NOW.after(ARMING_SIGNING_MAX).after(CLOCK_SKEW_MAX));
        assert!(matches!(late, Err(ArmingError::Old { .. })));
        let early = accept(Timestamp::from_micros(0));
        assert!(matches!(early, Err(ArmingError::Early { .. })));
    }

    #[test]
    fn what_was_armed_may_send() {
        assert_eq!(decide(&facts()), Ok(()));
        let at_the_mark = LogNow { size: 7, root_at_mark: Some([7; 32]) };
        assert_eq!(decide(&ArmingFacts { log: at_the_mark, ..facts() }), Ok(()));
    }

    #[test]
    fn a_copy_may_not_send() {
        let copied = ArmingFacts { database: database("postgresql:1/3"), ..facts() };
        assert!(matches!(decide(&copied), Err(Disarmed::OtherDatabase { .. })));
    }

    #[test]
    fn a_host_without_the_secret_may_not_send() {
        let other = ArmingFacts { secret: SecretDigest::of(&[2; 32]), ..facts() };
        assert!(matches!(decide(&other), Err(Disarmed::OtherSecret { .. })));
    }

    #[test]
    fn a_lease_ends() {
        let over = ArmingFacts { lease_until: NOW, ..facts() };
        assert_eq!(decide(&over), Err(Disarmed::LeaseOver { until: NOW, now: NOW }));
    }

    #[test]
    fn a_restored_backup_may_not_send() {
        for root_at_mark in [None, Some([7; 32])] {
            let shorter = ArmingFacts { log: LogNow { size: 6, root_at_mark }, ..facts() };
            assert_eq!(decide(&shorter), Err(Disarmed::LogShorter { mark: 7, found: 6 }));
        }
    }

    #[test]
    fn a_log_that_went_another_way_may_not_send() {
        for root_at_mark in [None, Some([8; 32])] {
            let differs = ArmingFacts { log: LogNow { size: 9, root_at_mark }, ..facts() };
            assert_eq!(decide(&differs), Err(Disarmed::LogDiffers { mark: 7 }));
        }
    }

    #[test]
    fn an_operator_reads_exactly_this() {
        let secret = SecretDigest::of(&[1; 32]);
        let digest = document().digest();
        let expected = format!(
            "countersign arming 1\ninstance: 0123456789abcdef\ndatabase: postgresql:1/2\n\
             secret: {secret}\nat: 2012-11-08T00:00:00Z\nlog: 9 entries, root {}\n\
             log before: 7 entries, root {}\ndigest: {digest}\n",
            "09".repeat(32),
            "07".repeat(32),
        );
        assert_eq!(document().signing_text(), expected);
    }

    #[test]
    fn an_operator_reads_that_the_store_is_a_restored_one() {
        let restored = ArmingDocument { log: Some(log(false)), ..document() };
        let text = restored.signing_text();
        assert!(text.contains("WARNING: the log does not go on"), "{text}");
        assert!(log(false).gives_up(MARK) && !log(true).gives_up(MARK));
        assert!(!log(false).gives_up(LogMark { size: 8, ..MARK }), "seen by another host");
        let first = ArmedLog { before: None, ..log(true) };
        let first = ArmingDocument { log: Some(first), ..document() };
        assert!(first.signing_text().contains("log before: this host has never sent"));
    }

    #[test]
    fn a_document_of_before_reads_as_it_was_signed() {
        let early = ArmingDocument { log: None, ..document() };
        let signed = signed(early.clone(), &["ana", "bob"]);
        assert!(!String::from_utf8(signed.to_bytes()).unwrap().contains("log"));
        assert!(!early.signing_text().contains("log"));
    }

    #[test]
    fn a_file_survives_the_journey() {
        let signed = signed(document(), &["ana", "bob"]);
        assert_eq!(SignedArming::parse(&signed.to_bytes()).unwrap(), signed);
    }
}

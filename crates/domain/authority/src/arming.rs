use std::fmt::{self, Write as _};

use model::{
    Document, Endorsed, InstanceId, Timestamp, canonical::micros, digest_type, format_version,
};
use serde::{Deserialize, Serialize};

use crate::{
    Roster, SignaturesError, Signed,
    arming_terms::{DatabaseIdentity, SecretDigest, WitnessTerms},
    limits::{ARMING_SIGNERS_MIN, ARMING_SIGNING_MAX, CLOCK_SKEW_MAX},
    log_mark::{ArmedLog, LogMark},
};

/// Permission to send, with the signatures collected so far.
pub type SignedArming = Signed<ArmingDocument>;

digest_type! {
    /// SHA-256 over an arming document.
    ArmingDigest
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
    if !document.is_for(facts.secret) {
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
        self.document().check_hosts()?;
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
    /// Of the other hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also: Vec<SecretDigest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    witnesses: Option<WitnessTerms>,
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
        Self {
            v: ArmingFormat::V1,
            instance,
            database,
            secret,
            at: now,
            log: Some(log),
            also: Vec::new(),
            witnesses: None,
        }
    }

    /// The same, for these hosts as well, each of which has proposed for itself. What any of them has
    /// seen of the log counts as seen.
    #[must_use]
    pub fn with_hosts(mut self, proposed: &[Self]) -> Self {
        for host in proposed {
            self.also
                .extend(host.secrets().filter(|secret| !self.is_for(*secret)).collect::<Vec<_>>());
            let log = self.log.into_iter().zip(host.log);
            self.log = log.map(|(ours, theirs)| ours.also_seen(&theirs)).next().or(self.log);
        }
        self
    }

    /// The same, sent only what these witnesses have signed for.
    #[must_use]
    pub fn with_witnesses(self, witnesses: WitnessTerms) -> Self {
        Self { witnesses: Some(witnesses), ..self }
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

    /// Which hosts: those whose sending file holds a secret of one of these digests.
    pub fn secrets(&self) -> impl Iterator<Item = SecretDigest> {
        std::iter::once(self.secret).chain(self.also.iter().copied())
    }

    /// Whether the host that holds this secret may send.
    #[must_use]
    pub fn is_for(&self, secret: SecretDigest) -> bool {
        self.secrets().any(|armed| armed == secret)
    }

    /// Which witnesses have to sign for the log, before anything is sealed or sent.
    #[must_use]
    pub const fn witnesses(&self) -> Option<&WitnessTerms> {
        self.witnesses.as_ref()
    }

    /// Passes one host, or several that a witness looks on at. Two hosts do not know of each other how far
    /// they have seen the log: a store that was put back to before one of them has sent would let the other
    /// send again.
    ///
    /// # Errors
    /// [`ArmingError::NoWitness`].
    pub fn check_hosts(&self) -> Result<(), ArmingError> {
        if self.also.is_empty() || self.witnesses.is_some() {
            return Ok(());
        }
        Err(ArmingError::NoWitness { hosts: self.secrets().count() })
    }

    /// Whether steps may be lost that the log had before: those who sign were warned of it.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        self.log.is_some_and(|log| !log.continues)
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
        let Self { v: ArmingFormat::V1, instance, database, secret, at, log, also, witnesses } =
            self;
        writeln!(to, "instance: {instance}\ndatabase: {database}\nsecret: {secret}\nat: {at}")?;
        log.map_or(Ok(()), |log| write_log(to, &log))?;
        for secret in also {
            writeln!(to, "another host's secret: {secret}")?;
        }
        match witnesses {
            Some(witnesses) => write_witnesses(to, witnesses),
            None if log.is_some() => writeln!(to, "{NO_WITNESS}"),
            None => Ok(()),
        }
    }
}

const NO_WITNESS: &str = "witnesses: none. If this host is put back as a whole, its disk with the \
                          store, nothing\nnotices it, and people could be told twice.";

/// No line of it can be taken for one of ours.
fn write_witnesses(to: &mut String, witnesses: &WitnessTerms) -> fmt::Result {
    writeln!(to, "witnesses, without whose signatures nothing is sealed or sent:")?;
    witnesses.as_str().lines().try_for_each(|line| writeln!(to, "  {line}"))
}

fn write_log(to: &mut String, ArmedLog { now, before, continues }: &ArmedLog) -> fmt::Result {
    writeln!(to, "log: {now}")?;
    match before {
        None => writeln!(to, "log before: this host has never sent")?,
        Some(before) => writeln!(to, "log before: {before}")?,
    }
    if *continues { Ok(()) } else { writeln!(to, "{WARNING}\n{CONSEQUENCE}") }
}

/// Why nobody can say that the store knows everything.
const WARNING: &str = "WARNING: the log does not go on where it was left, or nobody can tell: no witness \
                       says so,\nand this host's file is none, a copy, or not the only one. The store may be \
                       a restored\nbackup, which does not know whom it has told since.";

/// What becomes of campaigns that may have done more than the store knows.
const CONSEQUENCE: &str = "Campaigns that were frozen before seal nobody any more, and their\nmails \
                           that are not sent yet are never sent: each counts as uncertain.";

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
    /// Each host could be led to send what another has sent.
    #[error(
        "{hosts} hosts are to send, and no witness tells them how far the log has come: propose with \
         `--witnesses`, or let one host send alone"
    )]
    NoWitness {
        /// How many.
        hosts: usize,
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
        "sending was armed for database {armed}, this is database {found}: it was copied or moved, \
         or a standby has taken over; if this one is to send, two operators must arm again"
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
         let this host propose, and two operators arm it; where more than one host is to send, \
         `countersign sending propose --with` takes the others' proposals"
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

    fn of_host(secret: u8, seen: u64) -> ArmingDocument {
        let before = Some(LogMark { size: seen, root: [seen.to_le_bytes()[0]; 32] });
        let log = Some(ArmedLog { before, ..log(true) });
        ArmingDocument { secret: SecretDigest::of(&[secret; 32]), log, ..document() }
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
    fn several_hosts_send_only_where_a_witness_looks_on() {
        let hosts = document().with_hosts(&[of_host(2, 8), of_host(3, 5), of_host(1, 7)]);
        let accept = |document| signed(document, &["ana", "bob"]).accept(&roster(), NOW);
        assert_eq!(accept(hosts.clone()), Err(ArmingError::NoWitness { hosts: 3 }));
        let terms: WitnessTerms = "witness w1 key http://w1\nquorum w1\n".parse().unwrap();
        let hosts = hosts.with_witnesses(terms);
        let armed = accept(hosts.clone()).unwrap();
        for secret in 1..=3 {
            let secret = SecretDigest::of(&[secret; 32]);
            assert_eq!(may_send(&armed, &ArmingFacts { secret, ..facts() }), Ok(()));
        }
        let other = ArmingFacts { secret: SecretDigest::of(&[4; 32]), ..facts() };
        assert!(matches!(may_send(&armed, &other), Err(Disarmed::OtherSecret { .. })));
        assert_eq!(hosts.log().unwrap().before.unwrap().size, 8, "what any of them has seen");
        let text = hosts.signing_text();
        let shown = "nothing is sealed or sent:\n  witness w1 key http://w1\n  quorum w1\ndigest: ";
        assert!(text.contains(shown) && !text.contains(NO_WITNESS), "{text}");
        assert_eq!(text.matches("another host's secret: ").count(), 2, "{text}");
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
             log before: 7 entries, root {}\n{NO_WITNESS}\ndigest: {digest}\n",
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

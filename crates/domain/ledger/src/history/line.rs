//! An entry as it stands in the log, read without any type that wrote it.

use model::{CredentialVersion, NoticeState, SubjectId};
use serde::Deserialize as _;
use serde_json::{Map, Value};

/// The version of entries that is known.
const KNOWN_VERSION: u64 = 1;

/// An entry that tells all that its event needs.
#[derive(Debug)]
pub(super) struct HistoryLine {
    fields: Map<String, Value>,
    whom: Option<HistoryWhom>,
}

/// Whom an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum HistoryWhom {
    Subject(u64),
    /// Entries of version 0.1.0 name the account itself.
    Account(String),
}

/// What a field has to be.
#[derive(Debug, Clone, Copy)]
enum FieldKind {
    Number,
    Text,
    Object,
    Flag,
    Version,
    /// The word for a notice's state.
    Standing,
    /// In one of two fields: `subject` or `account`.
    Whom,
}

use FieldKind::{Flag, Number, Object, Standing, Text, Version, Whom};

/// What the events need of which something is to hold.
const NEEDS: &[(&str, &[(&str, FieldKind)])] = &[
    ("campaign_drafted", &[CAMPAIGN, ("name", Text), ("author", Text)]),
    (
        "campaign_frozen",
        &[
            CAMPAIGN,
            ("round", Number),
            ("targets", Number),
            ("addresses", Number),
            ("skipped", Object),
        ],
    ),
    ("campaign_handed_over", &[CAMPAIGN, ("author", Text)]),
    ("campaign_written", &[CAMPAIGN, ("round", Number), ("operator", Text)]),
    ("campaign_approved", &[CAMPAIGN, ("round", Number), ("operator", Text)]),
    ("campaign_moved", &[CAMPAIGN, ("round", Number), ("from", Text), ("to", Text)]),
    ("account_sealing", &[CAMPAIGN, WHOM, ("credential_version", Version)]),
    ("sealing_taken", &[CAMPAIGN, WHOM, ("swap", Number), ("attempt", Number)]),
    ("sealing_undone", &[CAMPAIGN, WHOM, ("swap", Number)]),
    ("account_overtaken", &[CAMPAIGN, WHOM, ("swap", Number)]),
    (
        "account_found_sealed",
        &[CAMPAIGN, WHOM, ("address", Number), ("swap", Number), ("reopened", Flag)],
    ),
    ("account_put_back", &[CAMPAIGN, WHOM, ("swap", Number)]),
    ("account_sealed", &[CAMPAIGN, WHOM, ("address", Number)]),
    ("account_skipped", &[CAMPAIGN, WHOM, ("reason", Text)]),
    ("account_reset", &[CAMPAIGN, WHOM, ("password", Text)]),
    ("address_done", &[CAMPAIGN, ("address", Number)]),
    ("statement_made", &[CAMPAIGN]),
    ("secrets_destroyed", &[CAMPAIGN]),
    ("kill_switch_moved", &[("position", Text)]),
    ("notice_begun", &[("notice", Number), ("attempt", Number)]),
    ("notice_ended", &[("notice", Number), ("attempt", Number), ("state", Standing)]),
    ("notice_disputed", &[("notice", Number)]),
    ("requested_notice_made", &[("notice", Number), WHOM]),
    ("choice_intended", &[WHOM, ("swap", Number)]),
    ("choice_taken", &[WHOM, ("swap", Number), ("attempt", Number)]),
    ("choice_ended", &[WHOM, ("swap", Number), ("end", Text)]),
    ("password_chosen", &[WHOM, ("link", Number)]),
    ("key_rotated", &[("key", Text), ("verifier", Text)]),
    ("store_restored", &[("entries", Number), ("root", Text), ("backup_at", Text)]),
    ("finding_made", &[("leak", Number), WHOM, ("credential_version", Version)]),
];

const CAMPAIGN: (&str, FieldKind) = ("campaign", Number);
const WHOM: (&str, FieldKind) = ("subject", Whom);

impl HistoryLine {
    /// Reads an entry. `subject` is whoever is known to have the account that an old one names.
    ///
    /// # Errors
    /// What is wrong with it, in plain English.
    pub(super) fn read(body: &[u8], subject: Option<SubjectId>) -> Result<Self, String> {
        let fields: Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| format!("it is no object: {error}"))?;
        let named = subject.and_then(|subject| u64::try_from(subject.0).ok());
        let whom = whom(&fields, named);
        let line = Self { fields, whom };
        line.check()?;
        Ok(line)
    }

    fn check(&self) -> Result<(), String> {
        if self.number("v") != Some(KNOWN_VERSION) || self.text("event").is_none() {
            return Err(format!("it is none of version {KNOWN_VERSION}"));
        }
        let event = self.event();
        let Some((_, needs)) = NEEDS.iter().find(|(known, _)| *known == event) else {
            return match self.number("campaign") {
                Some(_) => Err(format!("no campaign has an event `{event}`")),
                None => Ok(()),
            };
        };
        match needs.iter().find(|(field, kind)| !self.has(field, *kind)) {
            Some((field, _)) => Err(format!("`{event}` needs `{field}`")),
            None => Ok(()),
        }
    }

    fn has(&self, field: &str, kind: FieldKind) -> bool {
        match kind {
            Number => self.number(field).is_some(),
            Text => self.text(field).is_some(),
            Object => self.fields.get(field).is_some_and(Value::is_object),
            Flag => self.fields.get(field).is_some_and(Value::is_boolean),
            Version => self.version().is_some(),
            Standing => self.state().is_some(),
            Whom => self.whom.is_some(),
        }
    }

    pub(super) fn event(&self) -> &str {
        self.text("event").unwrap_or_default()
    }

    pub(super) const fn whom(&self) -> Option<&HistoryWhom> {
        self.whom.as_ref()
    }

    /// Whether it names an account of which nobody knows the subject.
    pub(super) const fn names_account(&self) -> bool {
        matches!(self.whom, Some(HistoryWhom::Account(_)))
    }

    pub(super) fn number(&self, field: &str) -> Option<u64> {
        self.fields.get(field)?.as_u64()
    }

    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        self.fields.get(field).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn version(&self) -> Option<CredentialVersion> {
        CredentialVersion::deserialize(self.fields.get("credential_version")?).ok()
    }

    pub(super) fn state(&self) -> Option<NoticeState> {
        self.text("state")?.parse().ok()
    }

    /// The counts of a field that has some, by name.
    pub(super) fn counts(&self, field: &str) -> impl Iterator<Item = (String, u64)> {
        let counts = self.fields.get(field).and_then(Value::as_object).into_iter().flatten();
        counts.map(|(name, count)| (name.clone(), count.as_u64().unwrap_or_default()))
    }
}

/// Once the entry says so itself, nothing else counts.
fn whom(fields: &Map<String, Value>, named: Option<u64>) -> Option<HistoryWhom> {
    if let Some(subject) = fields.get("subject").and_then(Value::as_u64) {
        return Some(HistoryWhom::Subject(subject));
    }
    let account = fields.get("account").and_then(Value::as_str)?;
    Some(match named {
        Some(subject) => HistoryWhom::Subject(subject),
        None => HistoryWhom::Account(account.to_owned()),
    })
}

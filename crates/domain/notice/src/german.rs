//! The German words that code, and not a template, needs. The spelling check leaves this file out.

/// The months, as dates have them.
pub(crate) const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// Asking for what we never ask for.
pub(crate) const CREDENTIAL_REQUESTS: &[&str] = &[
    "geben sie ihr passwort",
    "ihr altes passwort ein",
    "bestätigen sie ihr",
    "verifizieren",
    "schicken sie uns",
    "senden sie uns",
];

/// Pressure, which is what forgeries use.
pub(crate) const URGENCY: &[&str] =
    &["sofort", "dringend", "umgehend", "unverzüglich", "innerhalb von", "läuft ab"];

/// Speaking of the reader as if we did not know.
pub(crate) const HEDGES: &[&str] =
    &["möglicherweise", "eventuell", "vielleicht", "könnte betroffen", "unter umständen"];

/// What a site says of itself if it forgets who is speaking.
pub(crate) const THIRD_PERSON: &[&str] = &["hat", "glaubt", "vermutet", "fand", "setzte"];

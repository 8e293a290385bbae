//! What the pages say in German.

pub(crate) const CODE: &str = "Code der Nachricht";
pub(crate) const ADDRESS: &str = "E-Mail-Adresse";
pub(crate) const CHECK: &str = "Nachricht prüfen";
pub(crate) const DISPUTE: &str = "Das stimmt nicht";

/// Of the form, of the answer to a right pair, and of the answer to an objection.
pub(crate) const TITLES: [&str; 3] =
    ["Nachricht prüfen", "Diese Nachricht ist von uns", "Danke für Ihren Hinweis"];

//! What the pages say in German.

pub(crate) const TOO_CLOSE: &str = "Das ist dem Passwort zu ähnlich";
pub(crate) const CHOOSE: &str = "Wählen Sie ein neues Passwort – Example";
pub(crate) const LENGTH: &str = "Mindestens 8 Zeichen.";
pub(crate) const DEAD: &str = "Dieser Link funktioniert nicht – Example";
pub(crate) const CHANGED: &str = "Ihr Passwort ist geändert – Example";

/// The titles of a statement about one password, and of one about many.
pub(crate) const SWITCHED_OFF: [&str; 2] =
    ["Ein Passwort abgeschaltet", "1.204 Passwörter abgeschaltet"];

use crate::{
    Breached, Context, NewPassword,
    pattern::{is_repetition, is_sequence},
};

/// What a new password must not be.
#[derive(Debug)]
pub struct PasswordPolicy {
    breached: Box<dyn Breached>,
}

impl PasswordPolicy {
    /// With the passwords that attackers know.
    #[must_use]
    pub fn new(breached: Box<dyn Breached>) -> Self {
        Self { breached }
    }

    /// Looks for a reason against a password. What is cheap to say comes first, what needs the
    /// old hash is not asked here: see [`against_old`](crate::against_old).
    ///
    /// # Errors
    /// [`Objection`] is the first reason found.
    pub fn judge(&self, password: &NewPassword, context: &Context) -> Result<(), Objection> {
        let text = password.expose();
        let objections = [
            (Objection::Identifier, context.is_identifier(text)),
            (Objection::SiteName, context.is_site_name(text)),
            (Objection::Repetition, is_repetition(text)),
            (Objection::Sequence, is_sequence(text)),
            (Objection::Breached, self.breached.is_breached(text.as_bytes())),
        ];
        match objections.into_iter().find(|(_, holds)| *holds) {
            Some((objection, _)) => Err(objection),
            None => Ok(()),
        }
    }
}

model::text_enum! {
    /// Why a password is not taken. The words for people stand in the pages, found by this one.
    pub enum Objection {
        /// It is the person's own username or address, with trivial additions.
        Identifier = "identifier",
        /// It is the site's name, with trivial additions.
        SiteName = "site_name",
        /// It is one short piece again and again.
        Repetition = "repetition",
        /// It consists of runs: 12345678.
        Sequence = "sequence",
        /// Attackers know it (NIST 3.1.1.2, ASVS 6.2.12).
        Breached = "breached",
        /// It is the password that was taken out of use.
        OldPassword = "old_password",
        /// It is hardly more than that one.
        LikeOldPassword = "like_old_password",
    }
}

impl std::error::Error for Objection {}

#[cfg(test)]
mod tests {
    use model::Secret;
    use zeroize::Zeroizing;

    use super::*;
    use crate::{BreachedList, LengthRules};

    #[track_caller]
    fn check(password: &str, expected: Result<(), Objection>) {
        let known =
            ["password1", "trustno1!", "iloveyou"].map(|text| Secret::from(text.as_bytes()));
        let policy = PasswordPolicy::new(Box::new(BreachedList::from_iter(known)));
        let context = Context::new(&["janedoe", "jane@example.net"], "Example");
        let typed = Zeroizing::new(password.to_owned());
        let password = NewPassword::parse(typed, &LengthRules::default()).unwrap();
        assert_eq!(policy.judge(&password, &context), expected);
    }

    #[test]
    fn each_reason_has_its_word() {
        check("JaneDoe-1", Err(Objection::Identifier));
        check("example2026", Err(Objection::SiteName));
        check("abababab", Err(Objection::Repetition));
        check("12345678", Err(Objection::Sequence));
        check("trustno1!", Err(Objection::Breached));
        assert_eq!(Objection::LikeOldPassword.as_str(), "like_old_password");
    }

    #[test]
    fn nothing_is_asked_of_its_composition() {
        check("trustno1", Ok(()));
        check("Trustno1!", Ok(()));
        check("only lower case", Ok(()));
        check("74018263", Ok(()));
        check("jane likes an example", Ok(()));
    }
}

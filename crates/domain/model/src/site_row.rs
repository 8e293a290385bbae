use crate::CredentialVersion;

/// What the site holds for an account at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialNow {
    /// There is no such account any more.
    Gone,
    /// The account has no password.
    Empty,
    /// A password, by its version.
    Present(CredentialVersion),
}

/// What the site's row holds, seen from a replacement of `old` by `new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteRow {
    /// The old one: the replacement has not happened.
    Old,
    /// The new one: it has.
    Ours,
    /// Neither: somebody else was here, and their change stands.
    Other,
    /// No password any more.
    Empty,
    /// No such account any more.
    Gone,
}

impl SiteRow {
    /// The one judgement of a site's row. Sealing, looking again, resetting and watching all act
    /// on its answer.
    #[must_use]
    pub fn classify(now: CredentialNow, old: CredentialVersion, new: CredentialVersion) -> Self {
        match now {
            CredentialNow::Gone => Self::Gone,
            CredentialNow::Empty => Self::Empty,
            CredentialNow::Present(version) if version == new => Self::Ours,
            CredentialNow::Present(version) if version == old => Self::Old,
            CredentialNow::Present(_) => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(now: CredentialNow, expected: SiteRow) {
        let [old, new] = [1, 2].map(|byte| CredentialVersion::from_bytes([byte; 32]));
        assert_eq!(SiteRow::classify(now, old, new), expected);
    }

    #[test]
    fn a_row_is_old_ours_or_its_owners() {
        let present = |byte| CredentialNow::Present(CredentialVersion::from_bytes([byte; 32]));
        check(present(1), SiteRow::Old);
        check(present(2), SiteRow::Ours);
        check(present(3), SiteRow::Other);
        check(CredentialNow::Empty, SiteRow::Empty);
        check(CredentialNow::Gone, SiteRow::Gone);
    }
}

use std::{collections::BTreeMap, fmt};

use model::SkipReason;

/// Why a campaign has no target: every exposed account by the reason that it is left alone for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct NobodyLeft {
    /// Exposed accounts, by why they are left alone.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Accounts of which nobody knows whether they are exposed.
    pub not_checked: u64,
}

impl fmt::Display for NobodyLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exposed: u64 = self.skipped.values().sum();
        f.write_str("the campaign has no target: ")?;
        if exposed == 0 {
            f.write_str("nobody is exposed by its leaks")?;
        } else {
            write!(f, "all {exposed} exposed accounts are left alone")?;
        }
        for (reason, count) in &self.skipped {
            write!(f, "\n  {count} {reason}{}", remedy(*reason))?;
        }
        if self.not_checked > 0 {
            let how = "their stored hash could not be tried (docs/hashes.md)";
            write!(f, "\n  {} could not be checked: {how}", self.not_checked)?;
        }
        Ok(())
    }
}

/// What to do where something can be done.
const fn remedy(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Unreachable => {
            ": no verified address; map `directory.columns.email_verified`, or import such a column"
        }
        SkipReason::InOtherCampaign => ": close the other campaign first",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told() {
        let skipped = [(SkipReason::Unreachable, 4), (SkipReason::Gone, 1)].into();
        let text = NobodyLeft { skipped, not_checked: 2 }.to_string();
        for part in ["all 5 exposed", "4 unreachable: no verified", "1 gone", "2 could not be"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let nobody = NobodyLeft { skipped: BTreeMap::new(), not_checked: 0 }.to_string();
        assert!(nobody.ends_with("nobody is exposed by its leaks"), "{nobody}");
    }
}

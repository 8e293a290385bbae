use model::SkipReason;

/// Where a campaign stands, in plain words.
pub(super) fn state(word: &'static str) -> &'static str {
    match word {
        "draft" => "Being put together: nobody is touched yet.",
        "frozen" => "Frozen: its plan waits for signatures.",
        "signed" => "Signed: it waits for its start.",
        "canary" => "Running: a few people first.",
        "soak" => "Waiting: whether the people written to so far are well.",
        "ramp" => "Running: more people at each step.",
        "done" => "Done: nobody is left to be touched.",
        "halted" => "Halted: it goes on once a new plan is signed.",
        "closed" => "Closed: it does not go on.",
        other => other,
    }
}

/// Why an exposed account is left alone, in plain words.
pub(super) const fn reason(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Unreachable => "No verified address: nobody could be told",
        SkipReason::AddressChanged => "Their address is another one since the plan was frozen",
        SkipReason::Changed => "They had changed the password themselves",
        SkipReason::NoPassword => "No password: they sign in through another service",
        SkipReason::Gone => "The account is gone",
        SkipReason::Inactive => "The site no longer lets the account in",
        SkipReason::Unwritable => "Their row cannot be written: the site's database refuses it",
        SkipReason::Unverified => "Their stored hash could not be tried",
        SkipReason::AlreadyReset => "Another campaign has reset this password",
        SkipReason::InOtherCampaign => "Another open campaign has the account",
        SkipReason::Restored => "Our store was put back: their address may have been told already",
        SkipReason::Unrecorded => {
            "Sealed by us before our store was put back, and perhaps never told: tell them by hand"
        }
        SkipReason::Dismissed => "An operator dismissed the finding",
        SkipReason::Contradicted => "The leaked password is not theirs after all: our fault",
    }
}

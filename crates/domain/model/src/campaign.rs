//! How far a campaign is with an account or a notice: the words that its decisions, its store and
//! its log share.

use crate::{row_id::row_id, text_enum::text_enum};

row_id! {
    /// The store's key of a campaign.
    CampaignId
}
row_id! {
    /// The store's key of a notice. Its code is derived from it.
    NoticeId
}

text_enum! {
    /// How far a campaign is.
    pub enum CampaignState {
        /// Being put together.
        Draft = "draft",
        /// Fixed, and waiting for signatures.
        Frozen = "frozen",
        /// Signed, and waiting for its start.
        Signed = "signed",
        /// The first few addresses are taken up.
        Canary = "canary",
        /// Everybody taken up is settled; their complaints are waited for.
        Soak = "soak",
        /// A step of the ramp is taken up.
        Ramp = "ramp",
        /// Everybody is settled.
        Done = "done",
        /// Stopped; it can go on where it was.
        Halted = "halted",
        /// Over, for good.
        Closed = "closed",
    }
}

impl CampaignState {
    /// Those in which accounts are sealed and people told.
    pub const RUNNING: &'static [Self] = &[Self::Canary, Self::Soak, Self::Ramp];

    /// Those that time or work can end.
    pub const MOVING: &'static [Self] =
        &[Self::Frozen, Self::Signed, Self::Canary, Self::Soak, Self::Ramp];

    /// Those that come after the start: in the others nobody is sealed.
    pub const STARTED: &'static [Self] =
        &[Self::Canary, Self::Soak, Self::Ramp, Self::Done, Self::Halted, Self::Closed];
}

text_enum! {
    /// How far a campaign is with one account.
    pub enum TargetState {
        /// Not touched.
        Pending = "pending",
        /// The intent is committed; whether the site's row was written is not known here.
        Sealing = "sealing",
        /// The old password no longer works.
        Sealed = "sealed",
        /// Left alone, for a reason that is recorded.
        Skipped = "skipped",
        /// The person has chosen a new password.
        Reset = "reset",
        /// The old password was put back.
        Reinstated = "reinstated",
        /// Somebody else's password stands in the site's row; whether ours stood there before
        /// cannot be known.
        Overtaken = "overtaken",
        /// The site holds the old password again, though nobody here has put it back: it works.
        PutBack = "put_back",
        /// Kept as it is until operators have decided.
        Held = "held",
        /// Its owner was told, and has time to change the password before it is taken out of use.
        Grace = "grace",
    }
}

impl TargetState {
    /// Whether sealing has come to its end, one way or the other.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Pending | Self::Sealing | Self::Held | Self::Grace)
    }

    /// Whether the account was sealed, whatever became of it later.
    #[must_use]
    pub const fn was_sealed(self) -> bool {
        matches!(self, Self::Sealed | Self::Reset | Self::Reinstated | Self::PutBack)
    }
}

text_enum! {
    /// Why an exposed account is left alone.
    pub enum SkipReason {
        /// No verified address: nobody could be told.
        Unreachable = "unreachable",
        /// The address is another one now than when the campaign was frozen.
        AddressChanged = "address_changed",
        /// The person has changed the password meanwhile.
        Changed = "changed",
        /// The account has no password (single sign-on).
        NoPassword = "no_password",
        /// The directory no longer has the account.
        Gone = "gone",
        /// The site no longer lets the account in: deactivated, banned, or deleted in its row.
        Inactive = "inactive",
        /// The site's database does not let this one row be written.
        Unwritable = "unwritable",
        /// The stored hash could not be tried.
        Unverified = "unverified",
        /// Another campaign has reset this very password.
        AlreadyReset = "already_reset_elsewhere",
        /// The account is in another open campaign.
        InOtherCampaign = "in_other_campaign",
        /// Our store was put back: whether their address was told already is not known.
        Restored = "restored",
        /// A value of ours stands there that nothing tells of: our store was put back, and whether
        /// the person was told is not known.
        Unrecorded = "unrecorded",
        /// An operator dismissed the finding.
        Dismissed = "dismissed",
        /// The password is as it was found, and yet the leaked one is not it: our fault.
        Contradicted = "contradicted",
    }
}

text_enum! {
    /// How far a notice is. `sent`, `refused` and `uncertain` are final: it is never sent again.
    pub enum NoticeState {
        /// To be sent.
        Pending = "pending",
        /// Committed before the first byte goes to the mail server.
        Inflight = "inflight",
        /// The mail server said that it has it.
        Sent = "sent",
        /// The mail server said that it will not have it, or could not for too long.
        Refused = "refused",
        /// The mail server may have it, and nobody knows.
        Uncertain = "uncertain",
    }
}

impl NoticeState {
    /// Whether nothing more is done about it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Sent | Self::Refused | Self::Uncertain)
    }
}

text_enum! {
    /// What a notice says.
    pub enum NoticeKind {
        /// That passwords were taken out of use, and why.
        ResetRequired = "reset_required",
        /// The link to a new password that somebody asked for.
        ResetLink = "reset_link",
        /// That a new password was chosen.
        ResetDone = "reset_done",
        /// Whether a password stands in stolen data, which somebody asked.
        ExposureAnswer = "exposure_answer",
    }
}

text_enum! {
    /// The one row that stops everything at once.
    pub enum KillSwitch {
        /// Work may go on.
        Released = "released",
        /// Nothing begins, in no campaign.
        Pulled = "pulled",
    }
}

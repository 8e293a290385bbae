model::text_enum! {
    /// Why a campaign stopped before its end.
    pub enum HaltReason {
        /// An operator said so.
        Operator = "operator",
        /// The policy wants the next step signed for.
        ReapprovalDue = "reapproval_due",
        /// Too many notices without an answer.
        Uncertain = "uncertain",
        /// Too many notices refused.
        Refused = "refused",
        /// A target's evidence turned out to be none.
        Contradicted = "contradicted",
        /// The site's table is not as the campaign has left it.
        Unreconciled = "unreconciled",
        /// The store was put back: steps of the campaign may be lost.
        Restored = "restored",
    }
}

use crate::text_enum::text_enum;

text_enum! {
    /// What a store is for. No statement changes it.
    pub enum InstanceKind {
        /// Real accounts and real people.
        Site = "site",
        /// Tests and demonstrations: mails only to loopback or a maildir, for ever.
        Rehearsal = "rehearsal",
    }
}

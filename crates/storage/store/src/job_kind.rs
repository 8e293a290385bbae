use model::text_enum;

text_enum! {
    /// What is to be done.
    pub enum JobKind {
        /// Compare a range of bytes of a leak's file with the accounts.
        Screen = "screen",
        /// Try the candidates of a range of accounts on their stored hashes.
        Verify = "verify",
    }
}

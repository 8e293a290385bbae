/// Whom to tell of an account, as the directory has it now.
pub(crate) struct PersonToTell {
    pub(crate) address: String,
    pub(crate) username: Option<String>,
    pub(crate) locale: Option<String>,
}

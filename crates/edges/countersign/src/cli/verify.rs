use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum VerifyCommand {
    /// List the forms of stored hashes that are known: their names, and what each is.
    ///
    /// Most hashes say themselves what they are. Those that do not are named in
    /// `directory.hash.forms`, which also takes a description of your own.
    Forms,
    /// Say what one stored hash is, and whether a password is the one that it was made of.
    ///
    /// Hash and password are asked for on the terminal: neither is shown, kept or logged. Use an account
    /// that you have made for this. The forms are those of the configuration, if there is one here.
    ///
    /// Exit codes: 0 it is the password, 3 it is not, 4 it could not be tried.
    Hash,
    /// Show what each form that a stored hash may have makes of an invented password, step by step.
    ///
    /// The hash is asked for on the terminal. The last step shows what would be compared.
    Explain,
}

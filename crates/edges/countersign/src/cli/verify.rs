use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum VerifyCommand {
    /// List the forms of stored hashes that are known: their names, and what each is.
    ///
    /// Most hashes say themselves what they are. Those that do not are named in
    /// `directory.hash.forms`, which also takes a description of your own.
    Forms,
    /// Say what one stored hash is, how strong, and whether a password is the one that it was made of.
    ///
    /// Hash and password are asked for on the terminal: neither is shown, kept or logged. Use an account
    /// that you have made for this. The forms are those of the configuration, if there is one here.
    ///
    /// Exit codes: 0 it is the password, 3 it is not, 4 it could not be tried.
    Hash,
    /// Find out and prove in which form your site keeps its passwords, on an account whose password you know.
    ///
    /// Account and password are asked for on the terminal. Make a test account on your site for this, as
    /// anybody would; its password is neither shown, kept nor logged. Choose a password with letters
    /// beyond ASCII and with & and ': sites that change such characters are told apart by them.
    ///
    /// A form that the configuration does not have yet is written to it. Until a form is proved, `assess`
    /// and `leak verify` say so beside "not exposed"; whatever is found exposed proves its own form, too.
    ///
    /// Exit codes: 0 it is proved, 3 the password is not the account's in any form that is known or in
    /// several, 4 it could not be tried.
    Calibrate,
    /// Show what each form that a stored hash may have makes of an invented password, step by step.
    ///
    /// The hash is asked for on the terminal. Each step shows what it gives; functions that compare by
    /// themselves, such as bcrypt and argon2, are named and not computed. The site's own secret is
    /// shown nowhere: an invented one, `[key]`, takes its place.
    Explain,
}

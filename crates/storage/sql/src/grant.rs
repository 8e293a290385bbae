//! The grant that MySQL or MariaDB misses, from what it says.

/// The statement that an administrator gives it by; the name of the user is theirs to fill in, since
/// the message names the host that we come from and not the account that it leads to.
pub(crate) fn grant_for(message: &str) -> String {
    // MySQL's words for `SELECT .. FOR UPDATE`, which is let through to whoever may change the row.
    let message = &message.replace("SELECT with locking clause", "UPDATE");
    let deed = message.split_once(" command denied").map(|(deed, _)| deed);
    let Some(deed) = deed else {
        return "`GRANT SELECT ON .. TO ..`, and `UPDATE` for whoever seals".to_owned();
    };
    let table = after(message, "table ").map_or_else(|| "..".to_owned(), plain);
    let column =
        after(message, "column ").map_or_else(String::new, |name| format!(" ({})", plain(name)));
    format!("`GRANT {deed}{column} ON {table} TO ..`")
}

/// The quoted word that follows another one.
fn after<'m>(message: &'m str, word: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(&format!(" {word}"))?;
    rest.split(' ').next()
}

/// MariaDB quotes with backticks, MySQL with apostrophes.
fn plain(name: &str) -> String {
    name.replace(['`', '\''], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grant_is_named_as_either_server_says_it() {
        for (message, grant) in [
            (
                "UPDATE command denied to user 'app'@'localhost' for table `site`.`users`",
                "`GRANT UPDATE ON site.users TO ..`",
            ),
            (
                "SELECT command denied to user 'app'@'10.0.0.1' for table 'users'",
                "`GRANT SELECT ON users TO ..`",
            ),
            (
                "SELECT with locking clause command denied to user 'app'@'%' for table 'users'",
                "`GRANT UPDATE ON users TO ..`",
            ),
            (
                "SELECT command denied to user 'app'@'%' for column 'hash' in table 'users'",
                "`GRANT SELECT (hash) ON users TO ..`",
            ),
        ] {
            assert_eq!(grant_for(message), grant);
        }
        let database = "Access denied for user 'app'@'localhost' to database 'site'";
        assert!(grant_for(database).starts_with("`GRANT SELECT ON .."));
    }
}

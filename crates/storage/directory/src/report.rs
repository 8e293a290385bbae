use model::Account;
use serde::Serialize;

use crate::row::shown_id;

/// What `countersign doctor` tells about a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DirectoryReport {
    /// Name and version of the database.
    pub database: String,
    /// What its rows are.
    pub accounts: AccountCounts,
    /// Accounts whose id an earlier one has. More than none makes the directory unusable.
    pub repeated_ids: u64,
    /// The mapped columns: the field's name and the site's.
    pub columns: Vec<(&'static str, String)>,
    /// The type of the id column, in the database's words; `null` where SQLite cannot tell.
    pub id_type: String,
    /// Whether hashes can be replaced and sessions ended.
    pub write: WriteGrant,
}

/// What the rows of a directory are, as far as that matters to whoever looks for them in leaks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AccountCounts {
    /// All accounts.
    pub all: u64,
    /// Those among them that are `no_password`.
    pub without_password: u64,
    /// Rows of which something cannot be read.
    pub unreadable: u64,
    /// What cannot be read, of the first of them.
    pub unreadable_first: Option<String>,
    /// Accounts with something else than one address for an address: no leak names them by it.
    pub odd_addresses: u64,
    /// The first of them.
    pub odd_address_first: Option<String>,
    /// Accounts that no leak can name: they have neither an address nor a username.
    pub nameless: u64,
}

impl AccountCounts {
    /// Counts an account.
    pub fn add(&mut self, account: &Account) {
        self.all += 1;
        self.without_password += u64::from(account.credential.is_none());
        let is_odd = account.email.as_deref().is_some_and(|email| !is_one_address(email));
        if is_odd {
            self.odd_addresses += 1;
            self.odd_address_first.get_or_insert_with(|| shown_id(&account.id));
        }
        let has_address = account.email.is_some() && !is_odd || !account.other_emails.is_empty();
        self.nameless += u64::from(!has_address && account.username.is_none());
        if let Some(field) = account.unreadable {
            self.add_unreadable(format!("{field} of account {}", shown_id(&account.id)));
        }
    }

    /// Counts a row that is no account, and says why not.
    pub fn add_no_account(&mut self, why: String) {
        self.all += 1;
        self.add_unreadable(why);
    }

    fn add_unreadable(&mut self, what: String) {
        self.unreadable += 1;
        self.unreadable_first.get_or_insert(what);
    }
}

/// Lists, names and links hold addresses, and are none.
fn is_one_address(text: &str) -> bool {
    let is_part = |c: char| c.is_whitespace() || "<>;,:[]{}\"".contains(c);
    model::address::exact(text).is_some() && !text.trim().contains(is_part)
}

/// Whether hashes can be replaced and sessions ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum WriteGrant {
    /// `directory.write_url` is not set: everything up to the plan works.
    NotConfigured,
    /// The accounts are a copy: what happens to them happens to nobody.
    Copy,
    /// The accounts are a rehearsal's own.
    Rehearsed,
    /// The database let it through.
    Granted,
    /// The database, or the mapping, does not allow it, for this reason.
    Refused(String),
}

/// Whether the connection that writes leads to the database that is read. In a copy nobody is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kinship {
    /// It does, or there is none.
    One,
    /// Nobody can tell, for this reason.
    Untold(String),
    /// It leads to another one. This is how that is known, and what to do.
    Two(String),
}

impl WriteGrant {
    /// Passes if sealing is let through.
    ///
    /// # Errors
    /// What keeps it from that, and what to do.
    pub fn granted(self) -> Result<(), String> {
        match self {
            Self::Granted | Self::Rehearsed => Ok(()),
            Self::NotConfigured => Err("`directory.write_url` is not set, so accounts can only be \
                                        read: set it to a role that may replace hashes"
                .to_owned()),
            Self::Copy => Err("the accounts are a copy: passwords that are switched off there still \
                               open the site. They can be searched and planned for; to seal them, let \
                               `directory.preset`, `directory.url` and `directory.write_url` lead to \
                               the site's own table"
                .to_owned()),
            Self::Refused(reason) => Err(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_addresses_and_is_none_is_odd() {
        for address in ["jane@example.org", " j.d+x@sub.example.org ", "müller@exämple.org"] {
            assert!(is_one_address(address), "{address}");
        }
        for odd in
            ["a@x.org;b@x.org", "J <j@x.org>", "mailto:j@x.org", "{a@x.org}", "jane", "[\"a@x\"]"]
        {
            assert!(!is_one_address(odd), "{odd}");
        }
    }
}

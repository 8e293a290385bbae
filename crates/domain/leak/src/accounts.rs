use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry as Slot};
use model::{AccountId, Tier};

use crate::{
    forms::Forms,
    index::{FoundAccount, IdentifierIndex},
    probe::Probe,
    roles::Roles,
};

/// The identifiers of all accounts, to look up those that a leak names.
///
/// About 80 bytes an account with an address and a username, and the texts. Identifiers are
/// compared byte by byte, so a collision of hashes costs time only, and the hash is seeded anew at
/// each start, so that nobody can write a leak full of collisions.
#[derive(Default)]
pub struct AccountIndex {
    /// Account ids, in the order in which they were added.
    ids: Texts,
    /// Distinct identifiers, in all of their forms.
    keys: Texts,
    /// For each key, the first of its entries.
    heads: Vec<u32>,
    entries: Vec<KeyedAccount>,
    /// Finds the number of a key by its text.
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    filter: Filter,
}

impl AccountIndex {
    /// How many accounts were added, those without any identifier included.
    #[must_use]
    pub fn accounts(&self) -> u64 {
        self.ids.ends.len() as u64
    }

    /// The accounts that an identifier leads to, each with its best tier, in the order in which
    /// they were added.
    #[must_use]
    pub fn lookup(&self, identifier: &str) -> Vec<(&str, Tier)> {
        let mut probe = Probe::default();
        let found = probe.find(self, identifier.as_bytes()).iter();
        found.map(|found| (self.id(found.account), found.tier)).collect()
    }

    fn id(&self, account: u32) -> &str {
        str::from_utf8(self.ids.get(account)).expect("only account ids are added")
    }
}

impl IdentifierIndex for AccountIndex {
    fn hash(&self, form: &[u8]) -> u64 {
        self.hasher.hash_one(form)
    }

    fn may_hold(&self, hash: u64) -> bool {
        self.filter.may_hold(hash)
    }

    fn probe(&self, form: &[u8], asked: Roles, found: &mut Vec<FoundAccount>) {
        let hash = self.hash(form);
        let Some(&key) = self.table.find(hash, |&at| self.keys.get(at) == form) else {
            return;
        };
        let mut at = self.heads[key as usize];
        while let Some(entry) = self.entries.get(at as usize) {
            let shared = entry.roles.shared(asked).tier();
            found.extend(shared.map(|tier| FoundAccount { account: entry.account, tier }));
            at = entry.next;
        }
    }

    fn account_id(&self, account: u32) -> AccountId {
        AccountId::new(self.id(account)).expect("only account ids are added")
    }
}

/// Collects accounts for an [`AccountIndex`].
#[derive(Default)]
pub struct IndexBuilder {
    index: AccountIndex,
    forms: Forms,
}

impl IndexBuilder {
    /// Adds one account, with each of its addresses. Several may share an address or a username: a record
    /// leads to all.
    ///
    /// An account is added once: added twice, it would be two.
    ///
    /// # Panics
    /// Beyond 2^32 - 1 accounts or identifiers.
    pub fn add<'a>(
        &mut self,
        id: &AccountId,
        emails: impl IntoIterator<Item = &'a str>,
        username: Option<&str>,
    ) {
        let Self { index, forms } = self;
        let account = index.ids.push(id.as_str().as_bytes());
        for email in emails {
            let Some(forms) = forms.make(email.as_bytes()) else { continue };
            // What is no address is still what the site knows the person by.
            let own = if forms.is_address() { Roles::ADDRESS } else { Roles::USERNAME };
            forms.each(|key, roles| index.link(key, account, roles.shared(own)));
        }
        if let Some(forms) = username.and_then(|name| forms.make(name.as_bytes())) {
            index.link(forms.name(), account, Roles::USERNAME);
        }
    }

    /// The finished index.
    #[must_use]
    pub fn build(self) -> AccountIndex {
        let mut index = self.index;
        index.ids.shrink();
        index.keys.shrink();
        index.heads.shrink_to_fit();
        index.entries.shrink_to_fit();
        index.filter = Filter::with_room(index.heads.len());
        for key in 0..number(index.heads.len()) {
            let hash = index.hash(index.keys.get(key));
            index.filter.add(hash);
        }
        index
    }
}

impl AccountIndex {
    fn link(&mut self, key: &[u8], account: u32, role: Roles) {
        if key.is_empty() || role == Roles::NONE {
            return;
        }
        let key = self.key(key) as usize;
        let head = self.heads[key];
        // What was linked last is at the head: one account's forms share an entry.
        match self.entries.get_mut(head as usize) {
            Some(entry) if entry.account == account => entry.roles = entry.roles.with(role),
            _ => {
                self.heads[key] = number(self.entries.len());
                self.entries.push(KeyedAccount { account, next: head, roles: role });
            }
        }
    }

    fn key(&mut self, text: &[u8]) -> u32 {
        let Self { keys, table, hasher, heads, .. } = self;
        let hash = hasher.hash_one(text);
        let slot =
            table.entry(hash, |&at| keys.get(at) == text, |&at| hasher.hash_one(keys.get(at)));
        match slot {
            Slot::Occupied(slot) => *slot.get(),
            Slot::Vacant(slot) => {
                let key = keys.push(text);
                heads.push(NO_ENTRY);
                slot.insert(key);
                key
            }
        }
    }
}

/// A Bloom filter of two bytes a key, all bits of a key in one word: what is not in it is not in the
/// index, and one look at the memory tells.
#[derive(Default)]
struct Filter(Vec<u64>);

impl Filter {
    fn with_room(keys: usize) -> Self {
        Self(vec![0; keys.div_ceil(KEYS_PER_WORD).next_power_of_two()])
    }

    fn add(&mut self, hash: u64) {
        let at = self.word(hash);
        self.0[at] |= bits(hash);
    }

    fn may_hold(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.0.get(self.word(hash)).is_some_and(|word| word & bits == bits)
    }

    /// The upper half of the hash chooses the word, the lower one the bits: were they the same
    /// bits, most of the filter's worth would be lost.
    fn word(&self, hash: u64) -> usize {
        (hash >> u32::BITS) as usize & self.0.len().saturating_sub(1)
    }
}

const KEYS_PER_WORD: usize = 4;

const fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

/// One account under one key.
struct KeyedAccount {
    account: u32,
    /// The next entry of the same key, or [`NO_ENTRY`].
    next: u32,
    roles: Roles,
}

const NO_ENTRY: u32 = u32::MAX;

/// Many texts in one allocation, each found by its number.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &[u8]) -> u32 {
        let at = number(self.ends.len());
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        at
    }

    fn get(&self, at: u32) -> &[u8] {
        let at = at as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

fn number(length: usize) -> u32 {
    let number = u32::try_from(length).ok().filter(|&at| at != NO_ENTRY);
    number.expect("fewer than 2^32 - 1 accounts and identifiers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(accounts: &[(&str, Option<&str>, Option<&str>)]) -> AccountIndex {
        let mut builder = IndexBuilder::default();
        for (id, email, username) in accounts {
            builder.add(&AccountId::new(*id).unwrap(), *email, *username);
        }
        builder.build()
    }

    fn sample() -> AccountIndex {
        index(&[
            ("1", Some("anna@gmail.com"), Some("Anna")),
            ("2", Some("an.na@gmail.com"), None),
            ("3", Some("ANNA@gmail.com"), Some("anna@gmail.com")),
            ("4", Some("info@müller.de"), Some("\"q\"")),
            ("5", None, None),
            ("6", Some("no address"), Some("")),
        ])
    }

    #[track_caller]
    fn check(identifier: &str, expected: &[(&str, Tier)]) {
        assert_eq!(sample().lookup(identifier), expected, "{identifier:?}");
    }

    #[test]
    fn all_accounts_of_an_identifier_are_found_each_by_its_best_tier() {
        use Tier::{Exact, Lead, Username};
        check("Anna@Gmail.com", &[("1", Exact), ("2", Lead), ("3", Exact)]);
        check("an.na@gmail.com", &[("1", Lead), ("2", Exact), ("3", Lead)]);
        check("anna+x@googlemail.com", &[("1", Lead), ("2", Lead), ("3", Lead)]);
        check(" ANNA ", &[("1", Username)]);
        check("\"anna\"", &[("1", Username)]);
        check("info@xn--mller-kva.de", &[("4", Exact)]);
        check("\"q\"", &[("4", Username)]);
        check("No Address", &[("6", Username)]);
    }

    #[test]
    fn an_account_is_found_by_each_of_its_addresses() {
        let mut builder = IndexBuilder::default();
        let both = ["anna@gmail.com", "an.na@gmail.com", "anna@x.org"];
        builder.add(&AccountId::new("1").unwrap(), both, Some("anna"));
        builder.add(&AccountId::new("2").unwrap(), ["bo@x.org"], None);
        let index = builder.build();
        for address in both {
            assert_eq!(index.lookup(address), [("1", Tier::Exact)], "{address}");
        }
        assert_eq!(index.lookup("anna+y@gmail.com"), [("1", Tier::Lead)]);
        assert_eq!(index.lookup("bo@x.org"), [("2", Tier::Exact)]);
    }

    #[test]
    fn nobody_else_is_found() {
        for stranger in ["", "\"", "joanna@gmail.com", "anna@gmail.com.evil", "gmail.com", "q"] {
            check(stranger, &[]);
        }
        assert_eq!(sample().accounts(), 6);
    }

    #[test]
    fn an_empty_index_finds_nobody() {
        assert!(AccountIndex::default().lookup("anna@gmail.com").is_empty());
    }

    #[test]
    fn a_crowd_behind_one_address_is_found() {
        let ids: Vec<String> = (0..50_000).map(|id| id.to_string()).collect();
        let accounts: Vec<_> = ids.iter().map(|id| (id.as_str(), Some("a@x.com"), None)).collect();
        assert_eq!(index(&accounts).lookup("a@x.com").len(), ids.len());
    }

    #[test]
    fn the_filter_passes_every_key_and_hardly_anything_else() {
        let ids: Vec<String> = (0..10_000).map(|id| format!("{id}@x.com")).collect();
        let accounts: Vec<_> =
            ids.iter().map(|id| (id.as_str(), Some(id.as_str()), None)).collect();
        let index = index(&accounts);
        let passes = |text: &str| index.may_hold(index.hash(text.as_bytes()));
        assert!(ids.iter().all(|id| passes(id)));
        assert!(ids.iter().filter(|id| passes(&format!("{id}.evil"))).count() < 300);
    }

    #[test]
    fn workers_share_an_index() {
        fn shared<T: Send + Sync>() {}
        shared::<AccountIndex>();
    }
}

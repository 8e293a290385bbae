//! What the leaks say of the site's people, and of strangers.

use std::collections::HashMap;

use crate::{
    address::doubles,
    limits::{COMMON_PASSWORDS_PER_CENT, OTHER_CASE_PER_CENT},
    names::{DOMAINS, GIVEN_NAMES, SURNAMES, UMLAUT_NAMES},
    password::{self, Password, Phrases},
    people::{Person, Standing},
    random::Random,
    sketch::SKETCHES,
    spelling::Spelling,
    truth::TrueTier,
};

/// One readable line: whom it names, and the password that it claims.
#[derive(Clone)]
pub(crate) struct InventedRecord {
    pub(crate) identifier: String,
    pub(crate) secret: Password,
    /// Whom of the site's people it leads to, by their place among them. Nobody for a stranger.
    pub(crate) people: Vec<usize>,
    /// By which of their identifiers.
    pub(crate) tier: TrueTier,
}

/// The records of each leak, in no order.
pub(crate) fn records(
    people: &[Person],
    random: &mut Random,
    phrases: &mut Phrases,
) -> Vec<Vec<InventedRecord>> {
    let mut leaking = Leaking::new(people, random, phrases);
    (0..people.len()).for_each(|at| leaking.tell(at));
    for (leak, sketch) in SKETCHES.iter().enumerate() {
        (0..people.len() * sketch.strangers_per_account).for_each(|_| leaking.add_stranger(leak));
    }
    let mut records = leaking.records;
    for records in &mut records {
        random.shuffle(records);
    }
    records
}

struct Leaking<'a> {
    people: &'a [Person],
    /// Who lives at an address.
    residents: HashMap<String, Vec<usize>>,
    common: Vec<Password>,
    random: &'a mut Random,
    phrases: &'a mut Phrases,
    records: Vec<Vec<InventedRecord>>,
}

/// Taken in turn.
const SPELLINGS: &[Spelling] = &[
    Spelling::AsStored,
    Spelling::Folded,
    Spelling::Username,
    Spelling::AsStored,
    Spelling::Tagged,
    Spelling::Capitals,
    Spelling::Quoted,
];

/// Turns of how often somebody is named. They have no divisor in common with the spellings, nor
/// either with the kinds of addresses, so that each comes together with each.
const TURNS: usize = 8;

/// One of so many unleaked people has doubles.
const DOUBLES_EVERY: usize = 20;

/// The leak that names them: one that can write every letter.
const DOUBLES_LEAK: usize = 0;

impl<'a> Leaking<'a> {
    fn new(people: &'a [Person], random: &'a mut Random, phrases: &'a mut Phrases) -> Self {
        let mut residents: HashMap<_, Vec<_>> = HashMap::new();
        for (at, person) in people.iter().enumerate() {
            if let Some(address) = person.address() {
                residents.entry(address).or_default().push(at);
            }
        }
        let records = vec![Vec::new(); SKETCHES.len()];
        Self { people, residents, common: password::common(), random, phrases, records }
    }

    /// Tells what there is to tell of a person.
    fn tell(&mut self, at: usize) {
        let Person { role, password, .. } = &self.people[at];
        match (role.standing, password) {
            (Standing::Exposed, Some(password)) => self.expose(at, password),
            (Standing::Outdated, _) => self.tell_old(at),
            (Standing::SingleSignOn, _) if role.place.is_multiple_of(2) => self.tell_old(at),
            (Standing::Unleaked, Some(password)) if role.place.is_multiple_of(DOUBLES_EVERY) => {
                self.add_doubles(at, password);
            }
            _ => {}
        }
    }

    /// Gives away a password once, twice, among others, or in two leaks.
    fn expose(&mut self, at: usize, password: &Password) {
        let (leak, spelling) = (self.some_leak(), self.spelling(at));
        self.add(leak, at, spelling, password.clone());
        match self.people[at].role.place % TURNS {
            1 => self.add(leak, at, spelling, password.clone()),
            3 => self.add(other(leak), at, Spelling::AsStored, password.clone()),
            5 => {
                let (one, two) = (self.other_password(at), self.other_password(at));
                self.add(leak, at, Spelling::AsStored, one);
                self.add(leak, at, spelling, two);
            }
            _ => {}
        }
    }

    /// Gives away passwords that are none of today.
    fn tell_old(&mut self, at: usize) {
        let (leak, spelling) = (self.some_leak(), self.spelling(at));
        let old = self.other_password(at);
        self.add(leak, at, spelling, old);
        if self.people[at].role.place % TURNS == 3 {
            let older = self.other_password(at);
            self.add(other(leak), at, Spelling::AsStored, older);
        }
    }

    fn add(&mut self, leak: usize, at: usize, spelling: Spelling, secret: Password) {
        let (identifier, tier) = spelling.of(&self.people[at]);
        let people = match (tier, self.people[at].address()) {
            (TrueTier::Exact | TrueTier::Lead, Some(address)) => self.residents[&address].clone(),
            _ => vec![at],
        };
        self.records[leak].push(InventedRecord { identifier, secret, people, tier });
    }

    fn add_doubles(&mut self, at: usize, password: &Password) {
        let Some(email) = &self.people[at].email else { return };
        for identifier in doubles(email) {
            self.add_nobodys(DOUBLES_LEAK, identifier, password.clone());
        }
    }

    /// A stranger, now and then twice, or with several passwords.
    fn add_stranger(&mut self, leak: usize) {
        let (identifier, secret) = (self.stranger(), self.strangers_password());
        match self.random.below(40) {
            0 => self.add_nobodys(leak, identifier.clone(), secret.clone()),
            1 => {
                let another = self.strangers_password();
                self.add_nobodys(leak, identifier.clone(), another);
            }
            _ => {}
        }
        self.add_nobodys(leak, identifier, secret);
    }

    fn add_nobodys(&mut self, leak: usize, identifier: String, secret: Password) {
        let (people, tier) = (Vec::new(), TrueTier::Exact);
        self.records[leak].push(InventedRecord { identifier, secret, people, tier });
    }

    /// Nobody at the site has a `_` in an address or a username.
    fn stranger(&mut self) -> String {
        let (given, surname) = (self.random.pick(GIVEN_NAMES), self.random.pick(SURNAMES));
        let (number, domain) = (self.random.below(1_000_000), self.random.pick(DOMAINS));
        match self.random.below(100) {
            0 => format!("{}_{number}", self.random.pick(UMLAUT_NAMES)),
            1..=9 => format!("{surname}_{number}"),
            10..=14 => format!("{given}_{number}+{surname}@{domain}"),
            15..=19 => format!("{given}_{surname}_{number}@{domain}").to_ascii_uppercase(),
            _ => format!("{given}_{surname}_{number}@{domain}"),
        }
    }

    fn strangers_password(&mut self) -> Password {
        if self.random.per_cent(COMMON_PASSWORDS_PER_CENT) {
            let at = self.random.below(self.common.len());
            return self.common[at].clone();
        }
        self.phrases.next(self.random)
    }

    /// An old one; or theirs as somebody types it who does not see the shift key.
    fn other_password(&mut self, at: usize) -> Password {
        match &self.people[at].password {
            Some(password) if self.random.per_cent(OTHER_CASE_PER_CENT) => password.in_other_case(),
            _ => self.phrases.next(self.random),
        }
    }

    fn spelling(&self, at: usize) -> Spelling {
        SPELLINGS[self.people[at].role.place % SPELLINGS.len()]
    }

    fn some_leak(&mut self) -> usize {
        self.random.below(SKETCHES.len())
    }
}

const fn other(leak: usize) -> usize {
    (leak + 1) % SKETCHES.len()
}

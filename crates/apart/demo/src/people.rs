use std::iter;

use crate::{
    address::Kind,
    hash::Format,
    limits::{
        COMMON_PASSWORDS_PER_MILLE, EXPOSED_PER_MILLE, FAMILIES_PER_MILLE, GERMAN_PER_CENT,
        NEVER_SIGNED_IN_PER_CENT, OUTDATED_PER_MILLE, SECOND_FACTOR_PER_CENT,
        SINGLE_SIGN_ON_PER_MILLE, UNVERIFIED_PER_CENT,
    },
    names::{GIVEN_NAMES, SURNAMES},
    password::{self, Password, Phrases},
    random::Random,
};

/// An invented person's account.
#[derive(Debug, Clone)]
pub struct Person {
    /// The site's key of the account.
    pub id: String,
    /// The address that the site has stored.
    pub email: Option<String>,
    /// Whether the person has proved to own it.
    pub email_verified: bool,
    /// The name that the person signs in with.
    pub username: String,
    /// `None` for those who sign in elsewhere.
    pub password: Option<Password>,
    /// How the site stores it.
    pub format: Format,
    /// Their language: `en` or `de`.
    pub locale: &'static str,
    /// When they last signed in, in ISO 8601; `None` for never.
    pub last_login_at: Option<String>,
    /// Whether the site asks for a second factor.
    pub second_factor: bool,
    pub(crate) role: Role,
}

impl Person {
    /// The address by which accounts belong together.
    pub(crate) fn address(&self) -> Option<String> {
        self.email.as_deref().map(str::to_ascii_lowercase)
    }

    /// Whether a notice can reach the person.
    pub(crate) const fn is_reachable(&self) -> bool {
        self.email.is_some() && self.email_verified
    }
}

/// What the leaks know of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The password of today.
    Exposed,
    /// An earlier one.
    Outdated,
    /// Something, but there is no password that it could be.
    SingleSignOn,
    /// Nothing.
    Unleaked,
}

/// A person's part, and their place among those who have the same, by which details are chosen: in
/// turn, so that even a small site has some of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Role {
    pub(crate) standing: Standing,
    pub(crate) place: usize,
}

pub(crate) fn invent(count: usize, random: &mut Random, phrases: &mut Phrases) -> Vec<Person> {
    let roles = roles(count, random);
    let people = (1..).zip(roles).map(|(number, role)| person(number, role, random, phrases));
    let mut people: Vec<_> = people.collect();
    share_addresses(&mut people, random);
    share_passwords(&mut people, random);
    people
}

fn roles(count: usize, random: &mut Random) -> Vec<Role> {
    let part = |standing, size| (0..size).map(move |place| Role { standing, place });
    let size = |per_mille| count * per_mille / 1000;
    let mut roles: Vec<_> = part(Standing::Exposed, size(EXPOSED_PER_MILLE))
        .chain(part(Standing::Outdated, size(OUTDATED_PER_MILLE)))
        .chain(part(Standing::SingleSignOn, size(SINGLE_SIGN_ON_PER_MILLE)))
        .chain(part(Standing::Unleaked, count))
        .take(count)
        .collect();
    random.shuffle(&mut roles);
    roles
}

fn person(number: usize, role: Role, random: &mut Random, phrases: &mut Phrases) -> Person {
    let (given, surname) = (random.pick(GIVEN_NAMES), random.pick(SURNAMES));
    let has_password = role.standing != Standing::SingleSignOn;
    Person {
        id: number.to_string(),
        email: kind(role).invent((given, surname), number, random),
        email_verified: !random.per_cent(UNVERIFIED_PER_CENT),
        username: format!("{given}{}{number}", &surname[..1]),
        password: has_password.then(|| phrases.next(random)),
        format: random.pick(Format::ALL),
        locale: if random.per_cent(GERMAN_PER_CENT) { "de" } else { "en" },
        last_login_at: (!random.per_cent(NEVER_SIGNED_IN_PER_CENT)).then(|| moment(random)),
        second_factor: random.per_cent(SECOND_FACTOR_PER_CENT),
        role,
    }
}

/// Turns of kinds of addresses.
const KINDS: usize = 25;

fn kind(role: Role) -> Kind {
    let is_in_leaks = matches!(role.standing, Standing::Exposed | Standing::Outdated);
    match role.place % KINDS {
        1 => Kind::Capitals,
        4 if is_in_leaks => Kind::Tagged,
        2 if is_in_leaks => Kind::Gmail,
        6 if is_in_leaks => Kind::ALabel,
        9 if is_in_leaks => Kind::Absent,
        _ => Kind::Plain,
    }
}

/// Every month has 28 days.
fn moment(random: &mut Random) -> String {
    let (year, month, day) = (2015 + random.below(11), 1 + random.below(12), 1 + random.below(28));
    let (hour, minute) = (random.below(24), random.below(60));
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z")
}

/// Families, by how many they are, and how many of them are exposed, at least.
const FAMILIES: &[(usize, usize)] = &[(2, 2), (3, 1), (2, 0)];

/// Gives some people the address of another.
fn share_addresses(people: &mut [Person], random: &mut Random) {
    let mut plain: Vec<_> =
        (0..people.len()).filter(|at| kind(people[*at].role) == Kind::Plain).collect();
    random.shuffle(&mut plain);
    let is_exposed = |at: &usize| people[*at].role.standing == Standing::Exposed;
    let (exposed, others): (Vec<_>, Vec<_>) = plain.into_iter().partition(is_exposed);
    let (mut exposed, mut others) = (exposed.into_iter(), others.into_iter());
    let families = FAMILIES.iter().cycle().take(share(people.len(), FAMILIES_PER_MILLE));
    for (size, of_exposed) in families {
        let members = exposed.by_ref().take(*of_exposed);
        let members = members.chain(others.by_ref().take(size - of_exposed)).collect::<Vec<_>>();
        live_together(people, &members);
    }
}

fn live_together(people: &mut [Person], members: &[usize]) {
    let address = members.first().and_then(|first| people[*first].email.clone());
    for member in members {
        people[*member].email.clone_from(&address);
    }
}

/// How many choose the same.
const SHARERS: usize = 4;

/// Enough, of addresses and of passwords, that a small site has some of each kind.
const SHARED_MIN: usize = 4;

/// Gives some people a password that is not theirs alone.
fn share_passwords(people: &mut [Person], random: &mut Random) {
    let mut owners: Vec<_> = people.iter_mut().filter(|p| p.password.is_some()).collect();
    random.shuffle(&mut owners);
    let common = password::common();
    let common = common.iter().flat_map(|password| iter::repeat_n(password, SHARERS)).cycle();
    let sharers = share(owners.len(), COMMON_PASSWORDS_PER_MILLE);
    for (person, password) in owners.into_iter().zip(common).take(sharers) {
        person.password = Some(password.clone());
    }
}

fn share(of: usize, per_mille: usize) -> usize {
    (of * per_mille / 1000).max(SHARED_MIN)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn people(count: usize) -> Vec<Person> {
        invent(count, &mut Random::new(1), &mut Phrases::default())
    }

    fn count(people: &[Person], of: impl Fn(&Person) -> bool) -> usize {
        people.iter().filter(|person| of(person)).count()
    }

    #[test]
    fn even_a_small_site_has_people_of_every_kind() {
        let people = people(200);
        let kinds: [&dyn Fn(&Person) -> bool; 9] = [
            &|p| p.role.standing == Standing::Exposed,
            &|p| p.role.standing == Standing::Outdated,
            &|p| p.password.is_none(),
            &|p| p.email.is_none(),
            &|p| !p.email_verified,
            &|p| p.second_factor,
            &|p| p.locale == "de",
            &|p| p.last_login_at.is_none(),
            &|p| p.email.as_ref().is_some_and(|email| email.contains('+')),
        ];
        for (number, kind) in kinds.iter().enumerate() {
            assert!(count(&people, kind) > 0, "kind {number}");
        }
        for format in Format::ALL {
            assert!(count(&people, |person| person.format == *format) > 0, "{format:?}");
        }
    }

    #[test]
    fn shares_are_as_promised() {
        let people = people(2000);
        assert_eq!(count(&people, |p| p.role.standing == Standing::Exposed), 300);
        assert_eq!(count(&people, |p| p.password.is_none()), 80);
        let addresses: HashSet<_> = people.iter().filter_map(Person::address).collect();
        let with_address = count(&people, |person| person.email.is_some());
        assert_eq!(with_address - addresses.len(), 40, "30 families");
        let common = password::common();
        let has_common = |p: &Person| p.password.as_ref().is_some_and(|own| common.contains(own));
        assert_eq!(count(&people, has_common), 11);
    }

    #[test]
    fn nobody_has_an_address_that_somebody_could_own() {
        for person in people(2000) {
            let Some(address) = person.address() else { continue };
            let (local, domain) = crate::address::parts(&address);
            let is_example = ["example.com", "example.org", "example.net"]
                .iter()
                .any(|example| domain == *example || domain.ends_with(&format!(".{example}")));
            let letters = local.replace('.', "").len();
            assert!(is_example || (domain == "gmail.com" && letters > 30), "{address}");
        }
    }
}

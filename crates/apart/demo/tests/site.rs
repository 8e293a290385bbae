//! What is made is held against the truth by another reader, which is slow and simple.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use demo::{
    DemoLeak, DemoOptions, DemoSite, Match, Person, Reject, TrueTally, TrueTier, limits, make,
};
use serde_json::{Value, json};
use tempfile::TempDir;

fn made(accounts: u32, seed: u64) -> (TempDir, DemoSite) {
    let folder = tempfile::tempdir().unwrap();
    let site = make(folder.path(), DemoOptions { accounts, seed }).unwrap();
    (folder, site)
}

#[test]
fn equal_options_give_equal_bytes_and_no_others_do() {
    let contents = |accounts, seed| {
        let (folder, site) = made(accounts, seed);
        let own = [site.accounts_file, folder.path().join("truth.json")];
        let files = own.into_iter().chain(site.leaks.into_iter().flat_map(|leak| leak.files));
        files.map(|file| fs::read(file).unwrap()).collect::<Vec<_>>()
    };
    let first = contents(100, 1);
    assert_eq!(first.len(), 6);
    assert!(first == contents(100, 1));
    for (accounts, seed) in [(100, 2), (101, 1)] {
        let other = contents(accounts, seed);
        assert!(first.iter().zip(&other).all(|(one, other)| one != other), "{accounts}, {seed}");
    }
}

#[test]
fn the_truth_is_what_another_reader_finds() {
    for (accounts, seed) in [(50, 1), (200, 2), (333, 3), (600, 4)] {
        let (folder, site) = made(accounts, seed);
        for leak in &site.leaks {
            let mut reader = Reader::new(&site);
            reader.read(leak, folder.path());
            let truth = &site.truth.leaks[leak.name];
            assert_eq!(reader.tally, truth.tally, "{}", leak.name);
            assert_eq!(reader.matches, sorted(&truth.matches), "{}", leak.name);
        }
        let mut reader = Reader::new(&site);
        site.leaks.iter().for_each(|leak| reader.read(leak, folder.path()));
        let truth = &site.truth.all;
        assert_eq!(reader.tally, truth.tally);
        let exposed: BTreeSet<_> =
            reader.matches.iter().map(|found| found.account.clone()).collect();
        assert_eq!(exposed, truth.exposed);
        let named = [&truth.exposed, &truth.not_exposed, &truth.no_password];
        assert_eq!(reader.named, named.into_iter().flatten().cloned().collect());
        assert_eq!(reader.named.len(), named.map(BTreeSet::len).iter().sum::<usize>());
    }
}

fn sorted(matches: &[Match]) -> Vec<Match> {
    let mut matches = matches.to_vec();
    matches.sort();
    matches
}

#[test]
fn every_promise_of_the_options_is_kept() {
    let (_folder, site) = made(2000, 1);
    let all = &site.truth.all;
    assert_eq!(site.truth.accounts, 2000);
    assert!((20_000..30_000).contains(&all.tally.records), "{}", all.tally.records);
    assert!((290..=310).contains(&all.exposed.len()), "{}", all.exposed.len());
    assert!(all.not_exposed.len() > 100 && !all.no_password.is_empty());
    let of_leaks: usize = site.truth.leaks.values().map(|leak| leak.exposed.len()).sum();
    assert!(of_leaks > all.exposed.len(), "somebody is exposed in two leaks");
    assert_eq!(all.tally.rejects_by_reason.len(), 6, "every reason");
    assert_eq!(all.exposed_by_format.len(), 7, "every format");
    let tiers: BTreeSet<_> = all.matches.iter().map(|found| found.tier).collect();
    assert_eq!(tiers.len(), 3, "every tier");
}

#[test]
fn those_who_can_be_told_have_a_verified_address() {
    let (_folder, site) = made(2000, 1);
    let truth = &site.truth;
    let told = site.people.iter().filter(|person| truth.all.exposed.contains(&person.id));
    let told: Vec<_> = told.filter(|p| p.email_verified && p.email.is_some()).collect();
    assert_eq!(
        told.iter().map(|person| person.id.clone()).collect::<BTreeSet<_>>(),
        truth.reachable
    );
    let addresses: BTreeSet<_> = told.iter().flat_map(|person| &person.email).collect();
    assert_eq!(addresses.len() as u64, truth.addresses);
    assert!(truth.addresses < truth.reachable.len() as u64, "some live together");
    assert!(truth.reachable.len() < truth.all.exposed.len(), "some cannot be told");
}

#[test]
fn the_file_of_the_truth_says_the_same_and_no_password() {
    let (folder, site) = made(200, 1);
    let text = fs::read_to_string(folder.path().join("truth.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json, serde_json::to_value(&site.truth).unwrap());
    assert_eq!(json["all"]["exposed"], json!(site.truth.all.exposed));
    assert_eq!(json["all"]["records"], json!(site.truth.all.tally.records));
    assert_says_no_password(&text, &site);
}

#[test]
fn the_accounts_are_those_of_the_people_and_say_no_password() {
    let (_folder, site) = made(200, 1);
    let text = fs::read_to_string(&site.accounts_file).unwrap();
    let rows: Vec<BTreeMap<String, String>> =
        csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), site.people.len());
    for (row, person) in rows.iter().zip(&site.people) {
        assert_eq!(row["id"], person.id);
        assert_eq!(row["email"], person.email.as_deref().unwrap_or_default());
        assert_eq!(row["username"], person.username);
        assert_eq!(row["email_verified"], person.email_verified.to_string());
        assert_eq!(row["second_factor"], person.second_factor.to_string());
        assert_eq!((&*row["locale"], row.len()), (person.locale, 8));
        let without = row["hash"].is_empty() || row["hash"].starts_with('!');
        assert_eq!(without, person.password.is_none(), "{}", person.id);
    }
    let crypt = rows.iter().zip(&site.people).filter(|(row, _)| row["hash"].starts_with("$2b$"));
    let verified = crypt.map(|(row, person)| {
        let password = person.password.as_ref().unwrap().expose();
        assert!(bcrypt::verify(password, &row["hash"]).unwrap(), "{}", person.id);
    });
    assert!(verified.count() > 10);
    assert_says_no_password(&text, &site);
}

#[track_caller]
fn assert_says_no_password(text: &str, site: &DemoSite) {
    let passwords = site.people.iter().filter_map(|person| person.password.as_ref());
    for password in passwords {
        assert!(!text.contains(password.expose()));
    }
}

#[test]
fn nothing_is_written_over() {
    let (folder, site) = made(50, 1);
    let before = fs::read(&site.accounts_file).unwrap();
    let error = make(folder.path(), DemoOptions { accounts: 50, seed: 2 }).unwrap_err();
    assert!(error.to_string().contains("accounts.csv"), "{error}");
    assert_eq!(fs::read(&site.accounts_file).unwrap(), before);
}

#[test]
fn too_few_and_too_many_accounts_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for accounts in [0, limits::ACCOUNTS_MIN - 1, limits::ACCOUNTS_MAX + 1] {
        let error = make(folder.path(), DemoOptions { accounts, seed: 1 }).unwrap_err();
        let expected = format!("{accounts} accounts cannot be made: ask for 50 to 100000");
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Reads leaks line by line and looks every identifier up in three tables.
struct Reader<'a> {
    people: HashMap<(TrueTier, String), Vec<&'a Person>>,
    tally: TrueTally,
    matches: Vec<Match>,
    named: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(site: &'a DemoSite) -> Self {
        let mut people: HashMap<_, Vec<_>> = HashMap::new();
        for person in &site.people {
            let username = (TrueTier::Username, person.username.to_ascii_lowercase());
            let email = person.email.iter().flat_map(|email| [exact(email), lead(email)]);
            email.chain([username]).for_each(|key| people.entry(key).or_default().push(person));
        }
        Self { people, tally: TrueTally::default(), matches: Vec::new(), named: BTreeSet::new() }
    }

    fn read(&mut self, leak: &DemoLeak, folder: &Path) {
        for path in &leak.files {
            let text = unpacked(path);
            let file = path.strip_prefix(folder).unwrap().to_str().unwrap();
            let mut offset = 0;
            let lines = text.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n');
            for (number, line) in (1..).zip(lines) {
                let bare = line.strip_suffix(b"\r").unwrap_or(line);
                self.line(bare, file, (number, offset));
                offset += line.len() as u64 + 1;
            }
        }
        self.matches.sort();
    }

    fn line(&mut self, line: &[u8], file: &str, place: (u64, u64)) {
        self.tally.lines += 1;
        if line.trim_ascii().is_empty() {
            self.tally.blank += 1;
            return;
        }
        self.tally.records += 1;
        match record(line) {
            Err(reason) => *self.tally.rejects_by_reason.entry(reason).or_default() += 1,
            Ok((identifier, secret)) => self.record(identifier, secret, file, place),
        }
    }

    fn record(&mut self, identifier: &str, secret: &[u8], file: &str, (line, offset): (u64, u64)) {
        let people = self.led_to(identifier);
        let count = if people.is_empty() { &mut self.tally.misses } else { &mut self.tally.hits };
        *count += 1;
        for (tier, person) in people {
            self.named.insert(person.id.clone());
            let is_password = |text: &[u8]| {
                person.password.as_ref().is_some_and(|own| own.expose().as_bytes() == text)
            };
            if readings(secret).iter().any(|reading| is_password(reading)) {
                let (account, file) = (person.id.clone(), file.to_owned());
                self.matches.push(Match { account, tier, file, line, offset });
            }
        }
    }

    fn led_to(&self, identifier: &str) -> Vec<(TrueTier, &'a Person)> {
        let username = (TrueTier::Username, identifier.to_ascii_lowercase());
        let mut found: Vec<(TrueTier, &Person)> = Vec::new();
        for key in [exact(identifier), username, lead(identifier)] {
            for person in self.people.get(&key).into_iter().flatten() {
                if found.iter().all(|(_, known)| known.id != person.id) {
                    found.push((key.0, person));
                }
            }
        }
        found
    }
}

fn unpacked(path: &PathBuf) -> Vec<u8> {
    let raw = fs::read(path).unwrap();
    let mut text = Vec::new();
    match raw {
        _ if raw.starts_with(b"\x1f\x8b") => {
            flate2::read::MultiGzDecoder::new(&*raw).read_to_end(&mut text).unwrap();
        }
        _ if raw.starts_with(b"\x28\xb5\x2f\xfd") => text = zstd::decode_all(&*raw).unwrap(),
        _ => text = raw,
    }
    text
}

/// Identifier and rest of a line, split at its first delimiter.
fn record(line: &[u8]) -> Result<(&str, &[u8]), Reject> {
    if line.contains(&0) {
        return Err(Reject::Nul);
    }
    if line.len() > 65_536 {
        return Err(Reject::Overlong);
    }
    let without = if line.contains(&b'@') { Reject::NoSecret } else { Reject::NoDelimiter };
    let end = line.iter().position(|byte| b":;,|\t".contains(byte)).ok_or(without)?;
    let identifier = str::from_utf8(&line[..end]).map_err(|_| Reject::Encoding)?;
    match (identifier.trim_matches('"'), &line[end + 1..]) {
        ("", _) => Err(Reject::NoIdentifier),
        (name, _) if name.contains('\u{fffd}') => Err(Reject::Encoding),
        (_, b"") => Err(Reject::NoSecret),
        (_, secret) => Ok((identifier, secret)),
    }
}

/// What the rest of a line may mean: all of it, its first column, in hex, in Latin-1.
fn readings(rest: &[u8]) -> Vec<Vec<u8>> {
    let column = rest.strip_suffix(b";member").unwrap_or(rest);
    let bare = column.strip_prefix(b"\"").and_then(|quoted| quoted.strip_suffix(b"\""));
    let hex = rest.strip_prefix(b"$HEX[").and_then(|hex| hex.strip_suffix(b"]"));
    let hex = hex.and_then(|hex| data_encoding::HEXLOWER.decode(hex).ok());
    let plain = bare.unwrap_or(column);
    let latin1: String = plain.iter().copied().map(char::from).collect();
    [rest.to_vec(), plain.to_vec(), latin1.into_bytes()].into_iter().chain(hex).collect()
}

fn exact(address: &str) -> (TrueTier, String) {
    let bare = address.trim_matches('"').to_ascii_lowercase();
    (TrueTier::Exact, bare.replace("@bücher.", "@xn--bcher-kva."))
}

fn lead(address: &str) -> (TrueTier, String) {
    let (_, exact) = exact(address);
    let Some((local, domain)) = exact.split_once('@') else { return (TrueTier::Lead, exact) };
    let mut name = local.split('+').next().unwrap_or_default().to_owned();
    name.retain(|letter| letter != '.' || domain != "gmail.com");
    (TrueTier::Lead, format!("{name}@{domain}"))
}

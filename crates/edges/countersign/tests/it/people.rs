//! What the site's people do, and what Django says of them.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::json;
use testkit::site::{DjangoSite, SitePerson};

/// Three accounts of one address, as a family has them.
const FAMILY: [(&str, &str, &str); 3] = [
    ("family_one", "the.family@example.org", "first of the family"),
    ("family_two", "The.Family@example.org", "second of the family"),
    ("family_three", "the.family@EXAMPLE.org", "third of the family"),
];

const JOIN: &str = "
import json
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
answer = []
for name, address, password in json.loads(arguments[0]):
    hash = make_password(password, hasher='md5')
    answer.append(str(User.objects.create(username=name, email=address, password=hash).pk))
";

const ADDRESSES: &str = "
from django.contrib.auth.models import User
def arrival(address):
    local, _, domain = address.rpartition('@')
    return f'{local}@{domain.lower().encode(\"idna\").decode()}'.lower()
people = User.objects.exclude(email='').values_list('pk', 'email')
answer = {str(key): arrival(address) for key, address in people}
";

/// The hashers themselves: signing in would put a new hash in the place of an old one.
const OPENS: &str = "
import json
from django.contrib.auth.hashers import identify_hasher, is_password_usable
from django.contrib.auth.models import User
hashes = {str(key): hash for key, hash in User.objects.values_list('pk', 'password')}
def opens(key, password):
    hash = hashes.get(key, '!')
    return is_password_usable(hash) and identify_hasher(hash).verify(password, hash)
answer = [opens(*pair) for pair in json.loads(arguments[0])]
";

const CHANGE_PASSWORDS: &str = "
import json
from django.contrib.auth.models import User
for key, password in json.loads(arguments[0]):
    user = User.objects.get(pk=key)
    user.set_password(password)
    user.save()
";

/// People with hashes that cost next to nothing.
pub(crate) const PUT: &str = "
import json
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
people = [User(username=name, email=address, password=make_password(password, hasher='md5'))
          for name, address, password in json.loads(arguments[0])]
User.objects.bulk_create(people)
";

const HASH_SLOWLY: &str = "
import json
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
hasher = PBKDF2PasswordHasher()
for key, password in json.loads(arguments[0]):
    hash = hasher.encode(password, f'salt{key}', int(arguments[1]))
    User.objects.filter(pk=key).update(password=hash)
";

const HASHED_ANEW: &str = "
import json
from django.contrib.auth.hashers import make_password
answer = [make_password(password, hasher='md5') for _, password in json.loads(arguments[0])]
";

const CHANGE_ADDRESS: &str = "
from django.contrib.auth.models import User
user = User.objects.get(pk=arguments[0])
user.email = arguments[1]
user.save()
";

const LEAVE: &str = "
from django.contrib.auth.models import User
User.objects.get(pk=arguments[0]).delete()
";

const FORGO_PASSWORD: &str = "
from django.contrib.auth.models import User
user = User.objects.get(pk=arguments[0])
user.set_unusable_password()
user.save()
";

const DEACTIVATE: &str = "
from django.contrib.auth.models import User
User.objects.filter(pk=arguments[0]).update(is_active=False)
";

/// A family signs up.
pub(crate) fn join(site: &DjangoSite) -> Vec<SitePerson> {
    let made = site.django(JOIN, &[&json!(FAMILY).to_string()]);
    let made = made.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
    let member = |(id, (username, email, password)): (String, (&str, &str, &str))| SitePerson {
        id,
        username: username.to_owned(),
        email: email.to_owned(),
        password: Some(password.to_owned()),
        kind: "family".to_owned(),
    };
    made.zip(FAMILY).map(member).collect()
}

/// The lines of a leak with the passwords of these people.
pub(crate) fn leaked(people: &[SitePerson]) -> String {
    people.iter().fold(String::new(), |mut text, person| {
        let _ = writeln!(text, "{}:{}", person.email, person.password.as_deref().unwrap());
        text
    })
}

/// Where mail for each account arrives.
pub(crate) fn addresses(site: &DjangoSite) -> BTreeMap<String, String> {
    serde_json::from_value(site.django(ADDRESSES, &[])).unwrap()
}

/// Whether each account's hash is of this password, as Django's hashers see it.
pub(crate) fn opens(site: &DjangoSite, pairs: &[(&str, &str)]) -> Vec<bool> {
    serde_json::from_value(site.django(OPENS, &[&json!(pairs).to_string()])).unwrap()
}

/// These accounts' owners choose these passwords.
pub(crate) fn change_passwords(site: &DjangoSite, pairs: &[(&str, &str)]) {
    let _ = site.django(CHANGE_PASSWORDS, &[&json!(pairs).to_string()]);
}

/// The site keeps these accounts' passwords with so many iterations of PBKDF2.
pub(crate) fn hash_slowly(site: &DjangoSite, pairs: &[(&str, &str)], iterations: u32) {
    let _ = site.django(HASH_SLOWLY, &[&json!(pairs).to_string(), &iterations.to_string()]);
}

/// Another hash of each password, as a site makes one at sign-in. Nothing is written.
pub(crate) fn hashed_anew(site: &DjangoSite, pairs: &[(&str, &str)]) -> Vec<String> {
    serde_json::from_value(site.django(HASHED_ANEW, &[&json!(pairs).to_string()])).unwrap()
}

const KEEP_HASH: &str = "
from django.contrib.auth.models import User
User.objects.filter(pk=arguments[0]).update(password=arguments[1])
";

/// The site keeps this as the hash of an account's password.
pub(crate) fn keep_hash(site: &DjangoSite, account: &str, hash: &str) {
    let _ = site.django(KEEP_HASH, &[account, hash]);
}

pub(crate) fn change_address(site: &DjangoSite, account: &str, address: &str) {
    let _ = site.django(CHANGE_ADDRESS, &[account, address]);
}

pub(crate) fn leave(site: &DjangoSite, account: &str) {
    let _ = site.django(LEAVE, &[account]);
}

/// An administrator of the site takes the tick from `Active`.
pub(crate) fn deactivate(site: &DjangoSite, account: &str) {
    let _ = site.django(DEACTIVATE, &[account]);
}

pub(crate) fn forgo_password(site: &DjangoSite, account: &str) {
    let _ = site.django(FORGO_PASSWORD, &[account]);
}

use std::{fmt, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use ledger::{CheckpointKey, CheckpointVerifiers};
use model::{
    AccountId, CampaignId, CredentialVersion, KeyId, Randomness, Secret, Timestamp, VersionKey,
    canonical::hex_of,
};
use region::LockGuard;
use sha2::Sha256;
use store::{KeyInForce, RetiredKeyRow};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    DataKey, DecryptError, InstanceKey,
    data_key::WrappedUnder,
    kept_key::{KeptKey, LastingKeys, LookupKeys, RetiredKey},
    secret_bytes::SecretBytes,
};

/// No stored hash begins so: what is derived by these from the key of credential versions is no version.
const FORM_CLAIM: &[u8] = b"\0countersign/v1/form-claim";
const FORM_PROOF: &[u8] = b"\0countersign/v1/form-proof";

/// No campaign has this number: both databases count from 1.
const NO_CAMPAIGN: i64 = 0;

/// What can be done with the instance key: one derived key a purpose, so that none serves twice. It
/// holds what is kept of the keys before it, too.
pub struct KeyRing {
    keys: Box<Keys>,
    retired: Box<[RetiredKey]>,
    /// Keep the keys out of the swap file; none where this process may lock no memory.
    _locked: Vec<LockGuard>,
}

/// The keys that are kept: they lie together, in memory that does not move.
struct Keys {
    id: KeyId,
    instance: InstanceKey,
    lookup: LookupKeys,
    lasting: LastingKeys,
    wrapping: DataKey,
}

impl KeyRing {
    /// Derives the keys of a store's first key, and locks them in memory where that is permitted.
    #[must_use]
    pub fn new(key: InstanceKey) -> Self {
        let lookup = LookupKeys::of(&key);
        Self::with(key, lookup, Vec::new())
    }

    /// The same, with what the store keeps of the keys before it.
    ///
    /// # Errors
    /// [`DecryptError`] if it is kept under another key, or a row is missing.
    pub(crate) fn open(key: InstanceKey, rows: &[RetiredKeyRow]) -> Result<Self, DecryptError> {
        let mut retired = Vec::with_capacity(rows.len());
        for (number, row) in (1..).zip(rows) {
            if row.number != number {
                return Err(DecryptError::new(&format!("instance key {number}")));
            }
            retired.push(RetiredKey::read(row, &key)?);
        }
        let lookup = match retired.first() {
            None => LookupKeys::of(&key),
            Some(first) => {
                let lookup = first.kept.lookup.clone();
                lookup.ok_or_else(|| DecryptError::new("instance key 1"))?
            }
        };
        Ok(Self::with(key, lookup, retired))
    }

    fn with(key: InstanceKey, lookup: LookupKeys, retired: Vec<RetiredKey>) -> Self {
        let keys = Box::new(Keys {
            id: key.id(),
            lookup,
            lasting: LastingKeys::of(&key),
            wrapping: DataKey::new(key.derive("countersign/v1/wrapping")),
            instance: key,
        });
        let retired = retired.into_boxed_slice();
        let mut locked = vec![region::lock(&raw const *keys, size_of::<Keys>())];
        if !retired.is_empty() {
            locked.push(region::lock(retired.as_ptr(), size_of_val(&*retired)));
        }
        if let Some(error) = locked.iter().find_map(|locked| locked.as_ref().err()) {
            tracing::debug!(%error, "the instance's keys may be written to the swap file");
        }
        Self { keys, retired, _locked: locked.into_iter().flatten().collect() }
    }

    /// The id of the key that this process takes for the one in force.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.keys.id
    }

    /// What the store keeps to recognise this key by.
    #[must_use]
    pub fn key_check(&self, instance: &str) -> Vec<u8> {
        let check = self.keys.instance.derive("countersign/v1/key-check");
        keyed_hash(&check, &[instance.as_bytes()]).to_vec()
    }

    /// What the store keeps of it while it is in force.
    pub(crate) fn in_force(&self, instance: &str) -> KeyInForce {
        KeyInForce { id: self.keys.id, key_check: self.key_check(instance) }
    }

    /// Whether this is the key that such a check was made with.
    #[must_use]
    pub fn is_key_of(&self, instance: &str, key_check: &[u8]) -> bool {
        self.key_check(instance).ct_eq(key_check).into()
    }

    /// The key that signs the audit log's checkpoints.
    #[must_use]
    pub fn checkpoint_key(&self, instance: &str) -> CheckpointKey {
        let seed = self.keys.instance.derive("countersign/v1/audit-checkpoint");
        CheckpointKey::new(&format!("countersign/{instance}/audit"), seed.expose())
    }

    /// Who checks the audit log's checkpoints, those of retired keys included.
    #[must_use]
    pub fn checkpoint_verifiers(&self, instance: &str) -> CheckpointVerifiers {
        let retired = self.retired.iter();
        let retired = retired.filter_map(|key| Some((key.kept.verifier()?, key.kept.signed_to)));
        CheckpointVerifiers::new(self.checkpoint_key(instance).verifier(), retired.collect())
    }

    /// A keyed hash of an address, another one in each campaign, and one more for what people ask
    /// for themselves.
    #[must_use]
    pub fn address_key(&self, campaign: Option<CampaignId>, exact_address: &str) -> [u8; 32] {
        let campaign = campaign.map_or(NO_CAMPAIGN, |campaign| campaign.0);
        let parts = [&campaign.to_be_bytes(), exact_address.as_bytes()];
        keyed_hash(&self.keys.lookup.address, &parts)
    }

    /// The secret that takes a password's place, as text, since bcrypt refuses a NUL. It depends on
    /// nothing but the key in force, the account and the password that was stored, so that a value of
    /// ours is known again even if everything else about it was lost.
    #[must_use]
    pub fn sealed_secret(&self, account: &AccountId, replaced: CredentialVersion) -> Secret {
        sealed_secret(&self.keys.lasting, account, replaced)
    }

    /// The same by each key that the store has had, the newest first: by which a value of ours is
    /// recognised, whenever it was made.
    pub fn sealed_secrets<'a>(
        &'a self,
        account: &'a AccountId,
        replaced: CredentialVersion,
    ) -> impl Iterator<Item = Secret> + 'a {
        self.each_lasting().map(move |(_, keys)| sealed_secret(keys, account, replaced))
    }

    /// A keyed hash of an account's id, by which its subject is found.
    #[must_use]
    pub fn account_hash(&self, account: &AccountId) -> [u8; 32] {
        keyed_hash(&self.keys.lookup.subject, &[account.as_str().as_bytes()])
    }

    /// A keyed hash of the claim that hashes of this shape are computed in this form.
    #[must_use]
    pub fn form_claim(&self, shape: &str, form: &[u8; 32]) -> [u8; 32] {
        keyed_hash(&self.form_key(FORM_CLAIM), &[form, shape.as_bytes()])
    }

    /// By which it is known that a claim was proved: whoever can write to the store, and reads the claim
    /// there, makes none.
    #[must_use]
    pub fn form_proof(&self, claim: &[u8; 32]) -> [u8; 32] {
        keyed_hash(&self.form_key(FORM_PROOF), &[claim])
    }

    fn form_key(&self, label: &[u8]) -> SecretBytes {
        SecretBytes::new(keyed_hash(&self.keys.lookup.version, &[label]))
    }

    /// What is left of somebody who was told that this password is out of use, once they are
    /// forgotten.
    #[must_use]
    pub fn fingerprint(&self, account: &AccountId, version: CredentialVersion) -> [u8; 32] {
        let parts = [version.as_bytes().as_slice(), account.as_str().as_bytes()];
        keyed_hash(&self.keys.lookup.tombstone, &parts)
    }

    /// By which a snapshot of what the log says is known to be ours: of so many entries with this
    /// root.
    #[must_use]
    pub(crate) fn snapshot_mac(&self, size: u64, root: &[u8; 32], body: &[u8]) -> [u8; 32] {
        let key = self.keys.instance.derive("countersign/v1/fold-snapshot");
        keyed_hash(&key, &[&size.to_be_bytes(), root, body])
    }

    /// What backups are encrypted under.
    #[must_use]
    pub(crate) fn backup_key(&self) -> DataKey {
        DataKey::new(self.keys.instance.derive("countersign/v1/backup"))
    }

    /// A keyed hash of where a request came from.
    #[must_use]
    pub fn source_key(&self, source: &[u8]) -> [u8; 32] {
        keyed_hash(&self.keys.lookup.source, &[source])
    }

    /// What reset links are made with: by the key in force.
    #[must_use]
    pub fn link_key(&self) -> Zeroizing<[u8; 32]> {
        exposed(&self.keys.lasting.link)
    }

    /// What links are checked with that may still work: by the key in force, and by those that were
    /// retired less than `lifetime` before `now`.
    pub fn live_link_keys(
        &self,
        now: Timestamp,
        lifetime: Duration,
    ) -> Vec<(KeyId, Zeroizing<[u8; 32]>)> {
        let live = self.retired.iter().filter(|key| now < key.kept.retired_at.after(lifetime));
        let live = live.map(|key| (key.id, exposed(&key.kept.lasting.link)));
        [(self.keys.id, self.link_key())].into_iter().chain(live).collect()
    }

    /// What a notice's code and token are derived from, by the key that its row names; `None` is the
    /// store's first.
    ///
    /// # Errors
    /// [`DecryptError`] if the store has no such key.
    pub fn notice_key(&self, key: Option<KeyId>) -> Result<Zeroizing<[u8; 32]>, DecryptError> {
        let id = key.unwrap_or_else(|| self.first());
        let keys = self.each_lasting().find(|(of, _)| *of == id);
        let unknown = || DecryptError::UnknownKey { context: "notice code".to_owned(), key: id };
        keys.map(|(_, keys)| exposed(&keys.notice)).ok_or_else(unknown)
    }

    /// The same of every key that the store has had: nobody says of which one a typed code is.
    pub fn notice_keys(&self) -> impl Iterator<Item = Zeroizing<[u8; 32]>> {
        self.each_lasting().map(|(_, keys)| exposed(&keys.notice))
    }

    /// The id of the store's first key.
    #[must_use]
    pub fn first(&self) -> KeyId {
        self.retired.first().map_or(self.keys.id, |key| key.id)
    }

    /// Makes a data key and its wrapped form. Without the wrapped form the data is gone.
    #[must_use]
    pub fn new_data_key(&self, purpose: &str, randomness: &dyn Randomness) -> (DataKey, Vec<u8>) {
        let key = DataKey::new(SecretBytes::new(randomness.array()));
        let wrapped = key.wrapped_under(self.wrapping(), purpose, randomness);
        (key, wrapped)
    }

    /// Unwraps a data key.
    ///
    /// # Errors
    /// [`DecryptError`] if it was wrapped by another instance, for another purpose, or changed.
    pub fn data_key(&self, purpose: &str, wrapped: &[u8]) -> Result<DataKey, DecryptError> {
        let WrappedUnder { key, rest } =
            WrappedUnder::read(wrapped).ok_or_else(|| DecryptError::new(purpose))?;
        let id = key.unwrap_or_else(|| self.first());
        if id == self.keys.id {
            return self.keys.wrapping.unwrap(purpose, rest);
        }
        let wrapping = self.retired.iter().find(|retired| retired.id == id);
        let wrapping = wrapping.and_then(|retired| retired.kept.wrapping.as_ref());
        let unknown = || DecryptError::UnknownKey { context: purpose.to_owned(), key: id };
        wrapping.ok_or_else(unknown)?.unwrap(purpose, rest)
    }

    /// Wraps a data key by the key in force that another one wraps.
    ///
    /// # Errors
    /// As [`KeyRing::data_key`].
    pub(crate) fn wrap_anew(
        &self,
        purpose: &str,
        wrapped: &[u8],
        randomness: &dyn Randomness,
    ) -> Result<Vec<u8>, DecryptError> {
        let key = self.data_key(purpose, wrapped)?;
        Ok(key.wrapped_under(self.wrapping(), purpose, randomness))
    }

    /// The keys before the one in force, the first one first.
    pub(crate) const fn retired(&self) -> &[RetiredKey] {
        &self.retired
    }

    /// What is to be kept, under the key that comes next, of all keys up to this one, which signs its
    /// last checkpoint now.
    pub(crate) fn handed_over(
        &self,
        next: &InstanceKey,
        instance: &str,
        last: (u64, Timestamp),
        randomness: &dyn Randomness,
    ) -> Result<Vec<RetiredKeyRow>, serde_json::Error> {
        let Keys { id, lookup, lasting, wrapping, .. } = &*self.keys;
        let lookup = self.retired.is_empty().then(|| lookup.clone());
        let verifier = self.checkpoint_key(instance).verifier();
        let kept = KeptKey::new(lookup, lasting.clone(), wrapping.clone(), &verifier, last);
        let leaving = RetiredKey { number: self.retired.len() as u64 + 1, id: *id, kept };
        let all = self.retired.iter().chain([&leaving]);
        all.map(|key| key.to_row(next, randomness)).collect()
    }

    /// What is to be kept of them once they wrap nothing any more.
    pub(crate) fn without_wrapping(
        &self,
        randomness: &dyn Randomness,
    ) -> Result<Vec<RetiredKeyRow>, serde_json::Error> {
        let still = self.retired.iter().filter(|key| key.kept.wrapping.is_some());
        let rows = still.map(|key| {
            let kept = key.kept.without_wrapping();
            RetiredKey { kept, number: key.number, id: key.id }
                .to_row(&self.keys.instance, randomness)
        });
        rows.collect()
    }

    fn wrapping(&self) -> (KeyId, &DataKey) {
        (self.keys.id, &self.keys.wrapping)
    }

    /// The newest first.
    fn each_lasting(&self) -> impl Iterator<Item = (KeyId, &LastingKeys)> {
        let retired = self.retired.iter().rev().map(|key| (key.id, &key.kept.lasting));
        [(self.keys.id, &self.keys.lasting)].into_iter().chain(retired)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({})", self.keys.id)
    }
}

impl VersionKey for KeyRing {
    fn version_of(&self, credential: &[u8]) -> CredentialVersion {
        CredentialVersion::from_bytes(keyed_hash(&self.keys.lookup.version, &[credential]))
    }
}

fn sealed_secret(keys: &LastingKeys, account: &AccountId, replaced: CredentialVersion) -> Secret {
    let parts = [account.as_str().as_bytes(), replaced.as_bytes()];
    Secret::new(hex_of(&keyed_hash(&keys.sealed_secret, &parts)).into_bytes())
}

fn exposed(key: &SecretBytes) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(*key.expose())
}

fn keyed_hash(key: &SecretBytes, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose())
        .expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use model::{Credential, StoredHash};

    use super::*;
    use crate::testing::Counter;

    fn key(seed: u8) -> InstanceKey {
        InstanceKey::parse(&hex_of(&[seed; 32])).unwrap()
    }

    fn keys(seed: u8) -> KeyRing {
        KeyRing::new(key(seed))
    }

    /// The ring of a key that has come into force after the others.
    fn rotated(ring: &KeyRing, next: u8) -> KeyRing {
        let last = (7, Timestamp::from_micros(1000));
        let rows = ring.handed_over(&key(next), "instance", last, &Counter::default()).unwrap();
        KeyRing::open(key(next), &rows).unwrap()
    }

    fn hash(text: &str) -> Credential {
        Credential::from(StoredHash::from_column(Some(text.to_owned())).unwrap())
    }

    #[test]
    fn a_store_knows_its_key() {
        let check = keys(1).key_check("instance");
        assert!(keys(1).is_key_of("instance", &check));
        assert!(!keys(2).is_key_of("instance", &check));
        assert!(!keys(1).is_key_of("other", &check));
    }

    #[test]
    fn secrets_come_back_only_with_their_key_and_context() {
        let randomness = Counter::default();
        let (key, wrapped) = keys(1).new_data_key("spool", &randomness);
        let secrets = vec![Secret::from(&b"pa:ss"[..]), Secret::from(&b""[..])];
        let encrypted = key.encrypt_secrets("account 7", &secrets, &randomness);

        let unwrapped = keys(1).data_key("spool", &wrapped).unwrap();
        assert_eq!(unwrapped.decrypt_secrets("account 7", &encrypted).unwrap(), secrets);
        assert!(unwrapped.decrypt_secrets("account 8", &encrypted).is_err());
        assert!(keys(1).data_key("finding", &wrapped).is_err());
        let unknown = keys(2).data_key("spool", &wrapped).unwrap_err();
        assert_eq!(
            unknown,
            DecryptError::UnknownKey { context: "spool".to_owned(), key: keys(1).id() }
        );
    }

    #[test]
    fn a_credential_version_changes_with_the_hash_and_with_the_key() {
        let version = |key: u8, text: &str| hash(text).version(&keys(key));
        assert_eq!(version(1, "$2b$10$a"), version(1, "$2b$10$a"));
        assert_ne!(version(1, "$2b$10$a"), version(1, "$2b$10$b"));
        assert_ne!(version(1, "$2b$10$a"), version(2, "$2b$10$a"));
    }

    #[test]
    fn what_rows_are_found_by_outlives_every_key() {
        let (first, third) = (keys(1), rotated(&rotated(&keys(1), 2), 3));
        let account = AccountId::new("12").unwrap();
        let found_by = |keys: &KeyRing| {
            let version = hash("$2b$10$a").version(keys);
            let address = keys.address_key(None, "a@b.example");
            let account_hash = keys.account_hash(&account);
            let left = keys.fingerprint(&account, version);
            (version, address, account_hash, left, keys.source_key(b"::1"))
        };
        assert_eq!(found_by(&first), found_by(&third));
        assert_ne!(found_by(&first), found_by(&keys(3)));
        assert_eq!(third.first(), first.id());
    }

    #[test]
    fn what_was_wrapped_by_any_key_is_wrapped_by_the_one_in_force() {
        let randomness = Counter::default();
        let (first, second) = (keys(1), rotated(&keys(1), 2));
        let third = rotated(&second, 3);
        let of_first = first.new_data_key("spool", &randomness).1;
        let before_ids = of_first[9..].to_vec();
        for wrapped in [of_first, before_ids, second.new_data_key("spool", &randomness).1] {
            let plain = |keys: &KeyRing, wrapped: &[u8]| {
                keys.data_key("spool", wrapped).map(|key| key.encrypt("", b"", &Counter::default()))
            };
            let anew = third.wrap_anew("spool", &wrapped, &randomness).unwrap();
            assert_eq!(plain(&third, &wrapped), plain(&third, &anew));
            assert!(plain(&second, &anew).is_err() && plain(&first, &anew).is_err());
        }
    }

    #[test]
    fn what_wrapped_data_keys_is_destroyed_once_it_wraps_none() {
        let randomness = Counter::default();
        let wrapped = keys(1).new_data_key("spool", &randomness).1;
        let second = rotated(&keys(1), 2);
        let rows = second.without_wrapping(&randomness).unwrap();
        let done = KeyRing::open(key(2), &rows).unwrap();
        assert!(done.data_key("spool", &wrapped).is_err());
        assert!(done.without_wrapping(&randomness).unwrap().is_empty());
        assert_eq!(done.notice_key(None), second.notice_key(None));
    }

    #[test]
    fn what_is_kept_of_a_key_is_read_by_the_one_in_force_alone() {
        let last = (7, Timestamp::from_micros(1000));
        let rows = keys(1).handed_over(&key(2), "instance", last, &Counter::default()).unwrap();
        assert!(KeyRing::open(key(1), &rows).is_err() && KeyRing::open(key(3), &rows).is_err());
        let moved = RetiredKeyRow { id: keys(5).id(), ..rows[0].clone() };
        assert!(KeyRing::open(key(2), &[moved]).is_err());
        let second = KeyRing::open(key(2), &rows).unwrap();
        let rows = second.handed_over(&key(3), "instance", last, &Counter::default()).unwrap();
        assert!(KeyRing::open(key(3), &rows[1..]).is_err(), "the first one is missing");
    }

    #[test]
    fn codes_and_seals_are_of_the_key_of_their_time() {
        let (first, second) = (keys(1), rotated(&keys(1), 2));
        assert_eq!(second.notice_key(None), first.notice_key(Some(first.id())));
        assert_ne!(second.notice_key(None), second.notice_key(Some(second.id())));
        assert!(second.notice_key(Some(keys(3).id())).is_err());
        assert_eq!(second.notice_keys().count(), 2);
        let (account, version) = (AccountId::new("12").unwrap(), hash("$2b$10$a").version(&first));
        let secrets: Vec<_> = second.sealed_secrets(&account, version).collect();
        let own = |keys: &KeyRing| keys.sealed_secret(&account, version);
        assert_eq!(secrets, [own(&second), own(&first)]);
    }

    #[test]
    fn the_links_of_a_key_end_soon_after_it() {
        let (second, lifetime) = (rotated(&keys(1), 2), Duration::from_mins(30));
        let live = |micros: i64| {
            let keys = second.live_link_keys(Timestamp::from_micros(micros), lifetime);
            keys.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(live(1_800_000_999), [second.id(), keys(1).id()]);
        assert_eq!(live(1_800_001_000), [second.id()]);
    }

    #[test]
    fn a_retired_key_has_signed_the_log_up_to_its_end() {
        let second = rotated(&keys(1), 2);
        let verifiers = second.checkpoint_verifiers("instance");
        let sign =
            |keys: &KeyRing, size| keys.checkpoint_key("instance").sign(size, [0; 32]).unwrap();
        assert!(verifiers.read(&sign(&keys(1), 7)).is_ok());
        assert!(verifiers.read(&sign(&keys(1), 8)).is_err());
        assert!(verifiers.read(&sign(&second, 8)).is_ok());
    }
}

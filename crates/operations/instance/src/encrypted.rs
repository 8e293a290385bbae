use model::Randomness;
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{DataKey, DecryptError, Instance};

/// The form of what is encrypted as JSON: the first byte of the plain text. A worker of another
/// version refuses what it does not know, rather than misread it.
const FORM: u8 = 1;

/// A value encrypted as JSON, under a data key of its own. To destroy it is to delete the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The data key, wrapped by the instance key.
    pub wrapped_key: Vec<u8>,
    /// Nonce and ciphertext.
    pub body: Vec<u8>,
}

impl Instance {
    /// Encrypts a value. `purpose` is what its data key serves, `context` names what is encrypted
    /// and for whom: both must be named again to read it.
    ///
    /// # Errors
    /// [`serde_json::Error`] if the value cannot be written as JSON.
    pub fn encrypt<T: Serialize>(
        &self,
        purpose: &str,
        context: &str,
        value: &T,
    ) -> Result<Encrypted, serde_json::Error> {
        let (key, wrapped_key) = self.keys().new_data_key(purpose, self.randomness());
        Ok(Encrypted { wrapped_key, body: key.encrypt_json(context, value, self.randomness())? })
    }

    /// The reverse of [`Instance::encrypt`].
    ///
    /// # Errors
    /// [`DecryptError`] if key, purpose or context are others, a bit has changed, or another
    /// version of Countersign wrote it.
    pub fn decrypt<T: DeserializeOwned>(
        &self,
        purpose: &str,
        context: &str,
        wrapped_key: &[u8],
        body: &[u8],
    ) -> Result<T, DecryptError> {
        self.keys().data_key(purpose, wrapped_key)?.decrypt_json(context, body)
    }
}

impl DataKey {
    /// A value as JSON, behind its form.
    pub(crate) fn encrypt_json<T: Serialize>(
        &self,
        context: &str,
        value: &T,
        randomness: &dyn Randomness,
    ) -> Result<Vec<u8>, serde_json::Error> {
        let mut plain = Zeroizing::new(vec![FORM]);
        serde_json::to_writer(&mut *plain, value)?;
        Ok(self.encrypt(context, &plain, randomness))
    }

    /// The reverse of [`DataKey::encrypt_json`].
    pub(crate) fn decrypt_json<T: DeserializeOwned>(
        &self,
        context: &str,
        encrypted: &[u8],
    ) -> Result<T, DecryptError> {
        let plain = self.decrypt(context, encrypted)?;
        match plain.split_first() {
            Some((&FORM, json)) => {
                serde_json::from_slice(json).map_err(|_| DecryptError::new(context))
            }
            found => Err(DecryptError::of_form(context, found.map(|(form, _)| *form))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSite;

    #[tokio::test]
    async fn a_value_comes_back_only_where_it_was_put() {
        let site = TestSite::new().await;
        let Encrypted { wrapped_key, body } = site.encrypt("notes", "note 1", &"hello").unwrap();
        let read = |context: &str| site.decrypt::<String>("notes", context, &wrapped_key, &body);
        assert_eq!(read("note 1").unwrap(), "hello");
        assert!(read("note 2").is_err());
    }

    #[tokio::test]
    async fn a_form_of_another_version_is_refused_by_name() {
        let site = TestSite::new().await;
        let (key, wrapped) = site.keys().new_data_key("notes", site.randomness());
        let body = key.encrypt("note 1", b"\x02{}", site.randomness());
        let error = site.decrypt::<String>("notes", "note 1", &wrapped, &body).unwrap_err();
        assert_eq!(
            error.to_string(),
            "what is encrypted as `note 1` has form 2, this version of Countersign reads form 1: \
             run one version on all hosts"
        );
    }
}

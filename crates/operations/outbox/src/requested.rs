use model::canonical::hex_of;
use sha2::{Digest as _, Sha256};
use store::RequestedNotice;

use crate::parts::put;

/// What the log calls a notice that no campaign sends: SHA-256, in hexadecimal, of all that its row
/// says of what is told to whom. A letter that stands in another row than its own has another one. The
/// wrapped key does not count: it is another one once the instance key was rotated, and opens no other
/// letter.
#[must_use]
pub fn requested_digest(row: &RequestedNotice) -> String {
    let RequestedNotice { kind, subject, link, language, address_key, wrapped_key: _, kept } = row;
    let numbers = [subject.0, link.map_or(0, |link| link.0)].map(i64::to_be_bytes);
    let mut hash = Sha256::new();
    for part in [
        kind.as_str().as_bytes(),
        numbers.as_flattened(),
        language.as_bytes(),
        address_key,
        kept.as_deref().unwrap_or_default(),
    ] {
        put(&mut hash, part);
    }
    hex_of(&hash.finalize())
}

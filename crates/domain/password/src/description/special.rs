//! Functions that one program uses each, and nobody else.

use aes::{
    Aes256,
    cipher::{BlockCipherEncrypt as _, KeyInit as _},
};
use curve25519_dalek::EdwardsPoint;
use md5::{Digest as _, Md5};
use sha2::Sha512;
use zeroize::Zeroizing;

/// `OLD_PASSWORD()` of MySQL: two numbers of 31 bits. Blanks and tabs are skipped.
pub(super) fn mysql323(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let (mut one, mut two, mut add) = (1_345_345_333_u64, 0x1234_5671_u64, 7_u64);
    for byte in secret.iter().filter(|byte| !matches!(byte, b' ' | b'\t')) {
        let byte = u64::from(*byte);
        one ^= ((one & 63) + add).wrapping_mul(byte).wrapping_add(one << 8);
        two = two.wrapping_add((two << 8) ^ one);
        add = add.wrapping_add(byte);
    }
    let halves = [one, two].map(|half| u32::try_from(half & 0x7fff_ffff).unwrap_or_default());
    Zeroizing::new(halves.map(u32::to_be_bytes).concat())
}

/// What Dovecot keeps for CRAM-MD5: the digest's states after the outer and the inner pad.
pub(super) fn cram_md5(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new([0; MD5_BLOCK_BYTES]);
    if secret.len() > MD5_BLOCK_BYTES {
        key[..16].copy_from_slice(&Md5::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let states = [0x5c, 0x36].map(|pad| md5_state(&key.map(|byte| byte ^ pad)));
    Zeroizing::new(states.concat())
}

const MD5_BLOCK_BYTES: usize = 64;

/// The state after one block, as four numbers with their lowest byte first.
fn md5_state(block: &[u8; MD5_BLOCK_BYTES]) -> [u8; 16] {
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    md5::block_api::compress(&mut state, &[*block]);
    let mut bytes = [0; 16];
    for (bytes, word) in bytes.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&u32::to_le_bytes(word));
    }
    bytes
}

/// MariaDB's: the public key that belongs to a password.
pub(super) fn ed25519(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let digest = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(secret)));
    let mut scalar = Zeroizing::new([0; 32]);
    scalar.copy_from_slice(&digest[..32]);
    Zeroizing::new(EdwardsPoint::mul_base_clamped(*scalar).compress().as_bytes().to_vec())
}

/// AES-256 in counter mode from 0, as Firebase uses it: on its own signer key.
pub(super) fn aes256_ctr(key: &[u8], message: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = Aes256::new_from_slice(key).ok()?;
    let mut out = Zeroizing::new(message.to_owned());
    for (counter, chunk) in (0_u128..).zip(out.chunks_mut(16)) {
        let mut block = counter.to_be_bytes().into();
        cipher.encrypt_block(&mut block);
        chunk.iter_mut().zip(block).for_each(|(byte, pad)| *byte ^= pad);
    }
    Some(out)
}

/// Whether the password goes into a template.
pub(super) fn has_place(template: &[u8]) -> bool {
    template.windows(PLACE.len()).any(|window| window == PLACE)
}

const PLACE: &[u8] = b"{PASSWORD}";

/// What a template gives, as Kratos has them.
pub(super) fn filled(template: &[u8], salt: &[u8], secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(template.len() + salt.len() + secret.len()));
    let mut rest = template;
    while let Some(first) = rest.first() {
        let holes = [(&b"{SALT}"[..], salt), (PLACE, secret)];
        let hole = holes.into_iter().find(|(name, _)| rest.starts_with(name));
        let (taken, words) =
            hole.map_or((1, std::slice::from_ref(first)), |(name, words)| (name.len(), words));
        out.extend_from_slice(words);
        rest = &rest[taken..];
    }
    out
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn templates_are_filled() {
        let given = filled(b"{SALT}-{PASSWORD}{SALT}{", b"s{PASSWORD}", b"p");
        assert_eq!(given.as_slice(), b"s{PASSWORD}-ps{PASSWORD}{");
    }

    #[test]
    fn old_passwords_of_mysql_skip_blanks() {
        let digits = |secret: &[u8]| HEXLOWER.encode(&mysql323(secret));
        assert_eq!(digits(b"Wachs-Kerze 42"), "47d3d2dc4cf9f5b8");
        assert_eq!(digits(b"Wachs-Kerze42"), "47d3d2dc4cf9f5b8");
    }
}

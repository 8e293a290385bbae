//! An encrypted copy of standard input, kept until the leak that came that way is verified.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write as _},
    path::Path,
};

use instance::{DataKey, FrameReader, FrameWriter};
use model::Randomness;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::contexts::SPOOL;

/// Bytes read at once.
const READ_BYTES: usize = 128 * 1024;

/// What was copied.
#[derive(Debug)]
pub(crate) struct KeptInput {
    pub(crate) sha256: [u8; 32],
    pub(crate) bytes: u64,
}

/// Copies a stream into a new file, encrypted, and makes it durable.
pub(crate) fn keep(
    mut input: impl Read,
    path: &Path,
    key: &DataKey,
    randomness: &dyn Randomness,
    copied: impl Fn(u64),
) -> io::Result<KeptInput> {
    let output = BufWriter::new(File::create_new(path)?);
    let mut frames = FrameWriter::new(output, key, SPOOL, randomness);
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    let mut plain = Zeroizing::new(vec![0; READ_BYTES]);
    loop {
        let length = match input.read(&mut plain) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if length == 0 {
            break;
        }
        digest.update(&plain[..length]);
        frames.write_all(&plain[..length])?;
        bytes += length as u64;
        copied(length as u64);
    }
    frames.finish()?.into_inner()?.sync_all()?;
    Ok(KeptInput { sha256: digest.finalize().into(), bytes })
}

/// Reads a copy as the stream that it was.
pub(crate) fn open(path: &Path, key: DataKey) -> io::Result<impl Read + use<>> {
    Ok(FrameReader::new(BufReader::new(File::open(path)?), key, SPOOL))
}

/// Removes a copy; one that is gone already is as good.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use instance::{FRAME_BYTES, InstanceKey, KeyRing, testing::Counter};

    use super::*;

    fn key() -> DataKey {
        let key = InstanceKey::parse(&"5a".repeat(32)).unwrap();
        KeyRing::new(key).new_data_key("spool", &Counter::default()).0
    }

    fn round_trip(input: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let kept = keep(input, &path, &key(), &Counter::default(), |_| {}).unwrap();
        assert_eq!(kept.bytes, input.len() as u64);
        let mut read = Vec::new();
        open(&path, key()).unwrap().read_to_end(&mut read).unwrap();
        (read, fs::read(&path).unwrap())
    }

    #[test]
    fn a_copy_reads_as_the_stream_that_it_was_and_shows_none_of_it() {
        for length in [0, 1, FRAME_BYTES, 2 * FRAME_BYTES + 1] {
            let input = b"anna@example.org:secret\n".repeat(length / 24 + 1);
            let (read, stored) = round_trip(&input[..length]);
            assert!(read == input[..length], "{length} bytes");
            assert!(!stored.windows(6).any(|window| window == b"secret"));
        }
    }

    #[test]
    fn a_shortened_copy_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let input = vec![b'x'; FRAME_BYTES + 5];
        keep(&input[..], &path, &key(), &Counter::default(), |_| {}).unwrap();
        let stored = fs::read(&path).unwrap();
        fs::write(&path, &stored[..FRAME_BYTES + 45]).unwrap();
        let mut read = Vec::new();
        assert!(open(&path, key()).unwrap().read_to_end(&mut read).is_err());
    }
}

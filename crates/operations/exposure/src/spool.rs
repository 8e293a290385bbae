//! An encrypted copy of standard input, kept until the leak that came that way is verified.
//!
//! The copy is a row of frames: one byte that says whether it is the last one, four of length, and
//! that many of ciphertext. A frame is bound to its place, so that none can be moved or cut off.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};

use model::Randomness;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use instance::DataKey;

/// Plain bytes in a frame.
const FRAME_BYTES: usize = 1024 * 1024;

/// No frame is longer: nonce and authentication tag come on top of the plain bytes.
const SEALED_BYTES_MAX: usize = FRAME_BYTES + 64;

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
    let mut output = BufWriter::new(File::create_new(path)?);
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    let mut plain = Zeroizing::new(vec![0; FRAME_BYTES]);
    for frame in 0.. {
        let length = fill(&mut input, &mut plain)?;
        let last = length < FRAME_BYTES;
        digest.update(&plain[..length]);
        write_frame(
            &mut output,
            last,
            &key.encrypt(&place(frame, last), &plain[..length], randomness),
        )?;
        bytes += length as u64;
        copied(length as u64);
        if last {
            break;
        }
    }
    output.into_inner()?.sync_all()?;
    Ok(KeptInput { sha256: digest.finalize().into(), bytes })
}

/// Reads a copy as the stream that it was.
pub(crate) fn open(path: &Path, key: DataKey) -> io::Result<impl Read + use<>> {
    let file = BufReader::new(File::open(path)?);
    Ok(KeptReader { file, key, frame: 0, ended: false, plain: Zeroizing::default(), read: 0 })
}

/// Removes a copy; one that is gone already is as good.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn place(frame: u64, last: bool) -> String {
    format!("spool frame {frame}{}", if last { ", the last" } else { "" })
}

fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn write_frame(output: &mut impl Write, last: bool, sealed: &[u8]) -> io::Result<()> {
    let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
    output.write_all(&[u8::from(last)])?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(sealed)
}

struct KeptReader {
    file: BufReader<File>,
    key: DataKey,
    frame: u64,
    ended: bool,
    plain: Zeroizing<Vec<u8>>,
    read: usize,
}

impl KeptReader {
    fn next_frame(&mut self) -> io::Result<()> {
        let mut head = [0; 5];
        self.file.read_exact(&mut head)?;
        let [last, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        if length > SEALED_BYTES_MAX {
            return Err(io::Error::other("the kept copy is damaged"));
        }
        let mut sealed = vec![0; length];
        self.file.read_exact(&mut sealed)?;
        self.ended = last != 0;
        let place = place(self.frame, self.ended);
        self.plain = self.key.decrypt(&place, &sealed).map_err(io::Error::other)?;
        (self.frame, self.read) = (self.frame + 1, 0);
        Ok(())
    }
}

impl Read for KeptReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.plain.len() && !self.ended {
            self.next_frame()?;
        }
        let rest = &self.plain[self.read..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use instance::{InstanceKey, KeyRing, testing::Counter};

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
        for length in [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES] {
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

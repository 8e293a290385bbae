//! A stream as a row of encrypted frames: one byte that says whether it is the last one, four of
//! length, and that many of ciphertext. A frame is bound to its stream and to its place there, so
//! that none can be changed, moved or cut off.

use std::io::{self, Read, Write};

use model::Randomness;
use zeroize::Zeroizing;

use crate::DataKey;

/// Plain bytes in a frame.
pub const FRAME_BYTES: usize = 1024 * 1024;

/// No frame is longer: nonce and authentication tag come on top of the plain bytes.
const ENCRYPTED_BYTES_MAX: usize = FRAME_BYTES + 64;

/// Encrypts what is written to it. Without [`FrameWriter::finish`] the stream is cut off.
pub struct FrameWriter<'a, W> {
    to: W,
    key: &'a DataKey,
    stream: String,
    randomness: &'a dyn Randomness,
    frame: u64,
    plain: Zeroizing<Vec<u8>>,
}

impl<'a, W: Write> FrameWriter<'a, W> {
    /// Begins a stream. Its name must be given again to read it.
    pub fn new(
        to: W,
        key: &'a DataKey,
        stream: impl Into<String>,
        randomness: &'a dyn Randomness,
    ) -> Self {
        // A buffer that has to grow leaves copies of secrets behind.
        let plain = Zeroizing::new(Vec::with_capacity(FRAME_BYTES));
        Self { to, key, stream: stream.into(), randomness, frame: 0, plain }
    }

    /// Writes the last frame, and hands back what the frames were written to.
    ///
    /// # Errors
    /// What the system reports.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_frame(true)?;
        Ok(self.to)
    }

    fn write_frame(&mut self, is_last: bool) -> io::Result<()> {
        let place = place(&self.stream, self.frame, is_last);
        let encrypted = self.key.encrypt(&place, &self.plain, self.randomness);
        let length = u32::try_from(encrypted.len()).map_err(io::Error::other)?;
        self.to.write_all(&[u8::from(is_last)])?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(&encrypted)?;
        self.plain.clear();
        self.frame += 1;
        Ok(())
    }
}

impl<W: Write> Write for FrameWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(FRAME_BYTES - self.plain.len());
        self.plain.extend_from_slice(&bytes[..taken]);
        if self.plain.len() == FRAME_BYTES {
            self.write_frame(false)?;
        }
        Ok(taken)
    }

    /// Does nothing: a frame is written when it is full.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what a [`FrameWriter`] has written, as the stream that it was.
pub struct FrameReader<R> {
    from: R,
    key: DataKey,
    stream: String,
    frame: u64,
    is_ended: bool,
    plain: Zeroizing<Vec<u8>>,
    read: usize,
}

impl<R: Read> FrameReader<R> {
    /// Begins before the first frame. Errors of reading say what is wrong with which frame: see
    /// [`FrameError`].
    pub fn new(from: R, key: DataKey, stream: impl Into<String>) -> Self {
        let (stream, plain) = (stream.into(), Zeroizing::default());
        Self { from, key, stream, frame: 0, is_ended: false, plain, read: 0 }
    }

    fn next_frame(&mut self) -> io::Result<()> {
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [last, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        let damaged = FrameError::Damaged { frame: self.frame };
        if last > 1 || length > ENCRYPTED_BYTES_MAX {
            return Err(io::Error::other(damaged));
        }
        let mut encrypted = vec![0; length];
        self.fill(&mut encrypted)?;
        self.is_ended = last == 1;
        let place = place(&self.stream, self.frame, self.is_ended);
        let plain = self.key.decrypt(&place, &encrypted);
        self.plain = plain.map_err(|_| io::Error::other(damaged))?;
        (self.frame, self.read) = (self.frame + 1, 0);
        if self.is_ended { self.require_end() } else { Ok(()) }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.from.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other(FrameError::Cut { frame: self.frame }),
            _ => error,
        })
    }

    fn require_end(&mut self) -> io::Result<()> {
        match self.from.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(io::Error::other(FrameError::Trailing { frame: self.frame })),
        }
    }
}

impl<R: Read> Read for FrameReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.plain.len() && !self.is_ended {
            self.next_frame()?;
        }
        let rest = &self.plain[self.read..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        Ok(length)
    }
}

fn place(stream: &str, frame: u64, is_last: bool) -> String {
    format!("{stream} frame {frame}{}", if is_last { ", the last" } else { "" })
}

/// A frame that is not as it was written. Frames count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A bit has changed, or it stood elsewhere.
    #[error("frame {frame} is damaged, or is not the one that belongs there")]
    Damaged {
        /// Which frame.
        frame: u64,
    },
    /// The end is missing.
    #[error("it is cut off in frame {frame}")]
    Cut {
        /// The frame in which it ends.
        frame: u64,
    },
    /// Something was written behind the end.
    #[error("something follows its last frame, of {frame}")]
    Trailing {
        /// How many frames there are.
        frame: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InstanceKey, KeyRing, testing::Counter};

    fn key() -> DataKey {
        let key = InstanceKey::parse(&"5a".repeat(32)).unwrap();
        KeyRing::new(key).new_data_key("stream", &Counter::default()).0
    }

    fn written(plain: &[u8]) -> Vec<u8> {
        let (key, randomness) = (key(), Counter::default());
        let mut frames = FrameWriter::new(Vec::new(), &key, "stream", &randomness);
        frames.write_all(plain).unwrap();
        frames.finish().unwrap()
    }

    fn read(encrypted: &[u8], stream: &str) -> Result<Vec<u8>, FrameError> {
        let mut plain = Vec::new();
        let mut frames = FrameReader::new(encrypted, key(), stream);
        match frames.read_to_end(&mut plain) {
            Ok(_) => Ok(plain),
            Err(error) => Err(*error.into_inner().unwrap().downcast().unwrap()),
        }
    }

    /// Three frames, of which two are full.
    fn three() -> (Vec<u8>, usize) {
        let encrypted = written(&b"anna@example.org:secret\n".repeat(2 * FRAME_BYTES / 24 + 9));
        let frame = u32::from_le_bytes(encrypted[1..5].try_into().unwrap()) as usize + 5;
        (encrypted, frame)
    }

    #[test]
    fn a_stream_reads_as_it_was_written_and_shows_none_of_it() {
        for length in [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES] {
            let plain = &b"anna@example.org:secret\n".repeat(length / 24 + 1)[..length];
            let encrypted = written(plain);
            assert!(read(&encrypted, "stream").unwrap() == plain, "{length} bytes");
            assert!(!encrypted.windows(6).any(|window| window == b"secret"));
            assert_eq!(read(&encrypted, "other"), Err(FrameError::Damaged { frame: 0 }));
        }
    }

    #[test]
    fn a_changed_bit_is_found_in_its_frame() {
        let (encrypted, frame) = three();
        for (at, damaged) in [(5, 0), (frame - 1, 0), (frame + 9, 1), (encrypted.len() - 1, 2)] {
            let mut changed = encrypted.clone();
            changed[at] ^= 1;
            assert_eq!(read(&changed, "stream"), Err(FrameError::Damaged { frame: damaged }));
        }
        // That it is the last one, of a frame that is not.
        let mut changed = encrypted;
        changed[0] ^= 1;
        assert_eq!(read(&changed, "stream"), Err(FrameError::Damaged { frame: 0 }));
    }

    #[test]
    fn a_stream_that_is_cut_or_put_together_anew_is_refused() {
        let (encrypted, frame) = three();
        for (length, cut) in [(0, 0), (3, 0), (frame, 1), (2 * frame, 2), (encrypted.len() - 1, 2)]
        {
            assert_eq!(read(&encrypted[..length], "stream"), Err(FrameError::Cut { frame: cut }));
        }
        let (first, second) = (&encrypted[..frame], &encrypted[frame..2 * frame]);
        let exchanged = [second, first, &encrypted[2 * frame..]].concat();
        assert_eq!(read(&exchanged, "stream"), Err(FrameError::Damaged { frame: 0 }));
        let without = [first, &encrypted[2 * frame..]].concat();
        assert_eq!(read(&without, "stream"), Err(FrameError::Damaged { frame: 1 }));
        let longer = [&encrypted[..], b"x"].concat();
        assert_eq!(read(&longer, "stream"), Err(FrameError::Trailing { frame: 3 }));
    }
}

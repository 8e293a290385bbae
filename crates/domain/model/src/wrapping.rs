//! What holds a file's text, by its first bytes: what it is called does not matter.

/// What has to be taken off before there are lines to read, or what cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878): a frame, or a skippable frame as `pzstd` puts first.
    Zstd,
    /// UTF-16 that says so.
    Utf16,
    /// zip, and what office programs write.
    Zip,
    /// xz.
    Xz,
    /// bzip2.
    Bzip2,
    /// 7z.
    SevenZip,
    /// RAR.
    Rar,
    /// tar, uncompressed.
    Tar,
}

impl Wrapping {
    /// What begins so; `None` for text, and for what is not known. Four bytes are enough for what is read.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        let begun = BEGINNINGS.iter().find(|(begin, _)| head.starts_with(begin));
        begun.map(|(_, wrapping)| *wrapping).or_else(|| match head {
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] if rest.starts_with(b"1AY&SY") => {
                Some(Self::Bzip2)
            }
            _ => head.get(TAR_MARK_AT..)?.starts_with(b"ustar").then_some(Self::Tar),
        })
    }

    /// What it is called, if its text is not read.
    #[must_use]
    pub const fn unread(self) -> Option<&'static str> {
        Some(match self {
            Self::Gzip | Self::Zstd | Self::Utf16 => return None,
            Self::Zip => "a zip archive",
            Self::Xz => "compressed by xz",
            Self::Bzip2 => "compressed by bzip2",
            Self::SevenZip => "a 7z archive",
            Self::Rar => "a RAR archive",
            Self::Tar => "a tar archive",
        })
    }
}

const BEGINNINGS: &[(&[u8], Wrapping)] = &[
    (&[0x1f, 0x8b, 8], Wrapping::Gzip),
    (&[0x28, 0xb5, 0x2f, 0xfd], Wrapping::Zstd),
    (&[0xff, 0xfe], Wrapping::Utf16),
    (&[0xfe, 0xff], Wrapping::Utf16),
    (b"PK\x03\x04", Wrapping::Zip),
    (b"\xfd7zXZ\0", Wrapping::Xz),
    (b"7z\xbc\xaf\x27\x1c", Wrapping::SevenZip),
    (b"Rar!\x1a\x07", Wrapping::Rar),
];

const TAR_MARK_AT: usize = 257;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_how_it_begins() {
        let tar = [&[b'x'; TAR_MARK_AT][..], b"ustar\0"].concat();
        let known: [(&[u8], Wrapping); 11] = [
            (b"\x1f\x8b\x08\0", Wrapping::Gzip),
            (b"\x28\xb5\x2f\xfd", Wrapping::Zstd),
            (b"\x50\x2a\x4d\x18", Wrapping::Zstd),
            (b"\xff\xfea\0", Wrapping::Utf16),
            (b"\xfe\xff\0a", Wrapping::Utf16),
            (b"PK\x03\x04\n", Wrapping::Zip),
            (b"\xfd7zXZ\0\n", Wrapping::Xz),
            (b"BZh91AY&SY\n", Wrapping::Bzip2),
            (b"7z\xbc\xaf\x27\x1c", Wrapping::SevenZip),
            (b"Rar!\x1a\x07\0", Wrapping::Rar),
            (&tar, Wrapping::Tar),
        ];
        for (head, expected) in known {
            assert_eq!(Wrapping::of(head), Some(expected));
            let is_read = matches!(expected, Wrapping::Gzip | Wrapping::Zstd | Wrapping::Utf16);
            assert_eq!(expected.unread().is_none(), is_read);
        }
        for text in [&b""[..], b"a@x.com:pw", b"BZh@x.com:p", b"PK:p", b"\xef\xbb\xbfa@x"] {
            assert_eq!(Wrapping::of(text), None);
        }
    }
}

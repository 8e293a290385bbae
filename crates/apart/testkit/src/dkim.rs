//! The verdicts of dkimpy and of `Mail::DKIM` on signed mail, without DNS.

use std::fs;

use serde::Deserialize;
use tempfile::TempDir;

use crate::{
    python,
    tools::{debian, run, unpacked, workspace},
};

/// A fresh key to sign with, and what DNS would say of it.
#[derive(Debug)]
pub struct Key {
    /// The private half, PKCS #8 in PEM.
    pub private_pem: Vec<u8>,
    /// The TXT record of the selector.
    pub record: String,
    folder: TempDir,
}

impl Key {
    /// Makes an RSA key of 2048 bits, as a site would.
    ///
    /// # Panics
    /// If Python fails.
    #[must_use]
    pub fn make() -> Self {
        Self::of_bits(2048)
    }

    /// Makes an RSA key of so many bits.
    ///
    /// # Panics
    /// If Python fails.
    #[must_use]
    pub fn of_bits(bits: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        run(python("dkim_judge.py").arg("keys").arg(folder.path()).arg(bits.to_string()));
        let made = |name: &str| fs::read(folder.path().join(name)).expect("the judge writes keys");
        let record = String::from_utf8(made("public.txt")).expect("a record is text");
        Self { private_pem: made("private.pem"), record, folder }
    }

    /// The private half once more, PKCS #1 in PEM.
    ///
    /// # Panics
    /// Never, as long as there is the folder with the keys.
    #[must_use]
    pub fn pkcs1_pem(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("pkcs1.pem")).expect("the judge writes keys")
    }

    /// The verdict on each of these mails, whatever name they say that the key has, in one run of
    /// Python.
    ///
    /// # Panics
    /// If Python fails, or a mail has no end to its headers.
    #[must_use]
    pub fn verify<M: AsRef<[u8]>>(&self, mails: impl IntoIterator<Item = M>) -> Vec<DkimVerdict> {
        let mails = written(mails);
        let mut judge = python("dkim_judge.py");
        let said = run(judge.arg("verify").arg(self.folder.path()).arg(mails.path())).stdout;
        serde_json::from_slice(&said).expect("the judge speaks JSON")
    }

    /// What `Mail::DKIM` says of each of these mails: `pass`, or why not.
    ///
    /// # Panics
    /// If Perl fails, or `Mail::DKIM` is not there.
    #[must_use]
    pub fn second_opinion<M: AsRef<[u8]>>(
        &self,
        mails: impl IntoIterator<Item = M>,
    ) -> Vec<String> {
        let mails = written(mails);
        let mut judge = unpacked("usr/bin/perl");
        judge.arg(workspace().join("crates/apart/testkit/perl/dkim_judge.pl")).arg(debian());
        let said = run(judge.arg(self.folder.path().join("public.txt")).arg(mails.path())).stdout;
        let said = String::from_utf8(said).expect("the judge speaks ASCII");
        said.lines().map(str::to_owned).collect()
    }
}

/// The mails as files, whose names have their order.
fn written<M: AsRef<[u8]>>(mails: impl IntoIterator<Item = M>) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for (at, mail) in mails.into_iter().enumerate() {
        let path = folder.path().join(format!("{at:09}"));
        fs::write(path, mail).expect("a temporary folder can be written to");
    }
    folder
}

/// What dkimpy says of one mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DkimVerdict {
    /// Whether its signature holds.
    pub valid: bool,
    /// Whether it does not hold once a byte of the body is changed.
    pub notices_body: bool,
    /// Whether it does not hold once the header `Auto-Submitted` is changed.
    pub notices_header: bool,
    /// The headers that it covers, in lower case.
    pub covers: Vec<String>,
    /// The names in DNS at which the key was looked for.
    pub names: Vec<String>,
}

impl DkimVerdict {
    /// Whether the signature holds, and would not if the mail were another.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.valid && self.notices_body && self.notices_header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_signed_is_not_valid() {
        let key = Key::make();
        assert!(key.private_pem.starts_with(b"-----BEGIN PRIVATE KEY-----"));
        assert!(key.record.starts_with("v=DKIM1; k=rsa; p="));
        let forged = "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=x; h=From; bh=eA==; b=eA==\r\n\
                      From: a@a.test\r\n\r\nx\r\n";
        let verdicts = key.verify(["From: a@a.test\r\n\r\nx\r\n", forged, "X: y\r\n\r\n"]);
        let valid: Vec<_> = verdicts.iter().map(|verdict| verdict.valid).collect();
        assert_eq!(valid, [false; 3]);
        assert_eq!(verdicts[1].covers, ["from"]);
        assert!(key.verify(Vec::<Vec<u8>>::new()).is_empty());
        let opinions = key.second_opinion(["From: a@a.test\r\n\r\nx\r\n", forged]);
        assert!(opinions[0] == "none" && opinions[1].starts_with("fail"), "{opinions:?}");
    }
}

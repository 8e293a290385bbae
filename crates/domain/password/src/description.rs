//! The language in which forms of stored hashes are described: what stands in the site's column, and
//! what the site does with a password before it compares the two.
//!
//! ```text
//! pbkdf2_sha256$<n:int>$<salt>$<hash:b64> := pbkdf2-sha256(salt,n,hashlen)
//! ```
//!
//! docs/hashes.md explains all of it.

mod blob;
mod column_text;
mod described;
mod description_error;
mod digest;
mod expense;
mod fields;
mod layout;
mod not_read;
mod operand_encoding;
mod parse;
mod part;
mod reading;
mod run;
mod special;
mod step;
mod text_step;

use std::{collections::BTreeMap, fmt};

use model::StoredHash;

pub(crate) use described::Description;
pub use description_error::DescriptionError;
pub(crate) use not_read::NotRead;
pub(crate) use reading::{AskedFunctions, FormCandidate, ReadForms, ReadingContext, read_as};
pub(crate) use run::StepValue;
pub(crate) use step::Native;

use step::{End, HashStep, Operand, names_in};

impl Description {
    pub(crate) fn parse(text: &str) -> Result<Self, DescriptionError> {
        let description = parse::parse(text)?;
        if !parse::has_hash(&description.layout) {
            return Err(DescriptionError::new(text, "its layout has no field `hash`"));
        }
        if !part::has_part(&description.steps) {
            // Its steps may hold the site's secret: they are not shown.
            let layout = text.split(":=").next().unwrap_or_default().trim();
            let reason = "the password has no part in it: name it as `_` or `pw`";
            return Err(DescriptionError::new(layout, reason));
        }
        Ok(description)
    }

    /// Whether the site's own secret goes into it.
    pub(crate) fn needs_key(&self) -> bool {
        let steps = self.steps.iter().chain(self.others.iter().flat_map(|(_, steps)| steps));
        matches!(self.end, End::Native(Native::Argon2Keyed, _))
            || steps.flat_map(HashStep::operands).any(Operand::needs_key)
    }

    /// The steps as they were written, and how what they give is compared.
    pub(crate) fn steps_text(&self) -> Vec<&str> {
        let run = self.text.split_once(":=").map_or("", |(_, run)| run);
        let run = run.split("; ").next().unwrap_or_default();
        parse::split_outside(run, '|')
    }

    /// What is kept of the text that a function writes.
    fn without_begin<'t>(&self, text: &'t str) -> &'t str {
        match &self.end {
            End::Native(_, begin) => text.strip_prefix(begin.as_str()).unwrap_or(text),
            End::Compared | End::Stored => text,
        }
    }

    fn takes_apart(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| name == column)
    }

    fn reads_all_of(&self, columns: &[&str]) -> bool {
        columns.iter().all(|column| self.takes_apart(column))
    }

    /// Whether a part of the hash's own text has this name.
    fn has_field(&self, name: &str) -> bool {
        parse::has_field(&self.layout, name)
    }

    /// Whether what this column holds, beside the hash, goes into it.
    pub(crate) fn reads(&self, column: &str) -> bool {
        let is_named = self.names().any(|name| name == column);
        self.takes_apart(column) || is_named && !self.has_field(column)
    }

    /// The first of what it needs that stands neither in the hash nor in one of these columns beside it.
    pub(crate) fn missing_in(&self, columns: &BTreeMap<String, String>) -> Option<&str> {
        let layouts = self.columns.iter().map(|(_, layout)| layout).chain([&self.layout]);
        let layouts: Vec<_> = layouts.collect();
        let is_in_text = |name: &str| layouts.iter().any(|layout| parse::has_field(layout, name));
        let others = self.others.iter().flat_map(|(_, steps)| steps).flat_map(names_in);
        let named = self.names().chain(others).filter(|name| !is_in_text(name));
        let apart = self.columns.iter().map(|(name, _)| name.as_str());
        apart.chain(named).find(|name| !columns.contains_key(*name))
    }

    /// The hash without the blanks that fill up the columns beside it which it reads, if there are any:
    /// nobody knows whether the site takes them for a part of what stands there.
    fn without_blanks(&self, hash: &StoredHash) -> Option<StoredHash> {
        let padded = hash.columns().filter(|(name, text)| text.ends_with(' ') && self.reads(name));
        let bare = padded.map(|(name, text)| (name, text.trim_end_matches(' ')));
        bare.fold(None, |bare: Option<StoredHash>, (name, text)| {
            Some(bare.as_ref().unwrap_or(hash).with_column(name, text))
        })
    }

    /// Whether a column beside the hash that it reads holds bytes, or a text that looks so.
    fn reads_bytes(&self, hash: &StoredHash) -> bool {
        let mut columns = hash.columns().filter(|(name, _)| self.reads(name));
        columns.any(|(name, text)| !self.takes_apart(name) && column_text::bytes_of(text).is_some())
    }

    /// The fields and columns that its steps name.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(names_in)
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_shown() {
        let wrong = |text: &str| Description::parse(text).unwrap_err().to_string();
        assert_eq!(wrong("<hash>"), "at `<hash>`: `:=` is missing");
        assert_eq!(wrong("<salt> := md5"), "at `<salt> := md5`: its layout has no field `hash`");
        assert_eq!(wrong("<hash:hxe> := md5"), "at `hash:hxe`: it is no coding of bytes");
        assert_eq!(wrong("<hash:hex> := md6"), "at `md6`: no step is called so");
        assert_eq!(wrong("<hash:hex> := bcrypt|md5"), "at `bcrypt`: it needs more arguments");
        assert_eq!(wrong("<hash:hex> := first(x)"), "at `x`: it is no number");
        let deep = format!("<hash:hex> := concat({}pw{})", "(".repeat(400), ")".repeat(400));
        assert!(wrong(&deep).ends_with("its parentheses stand too deep within each other"));
        assert_eq!(wrong("<hash:hex> := hmac-md5"), "at `hmac-md5`: it needs more arguments");
        assert_eq!(
            wrong("<hash:hex><salt> := md5"),
            "at `<salt>`: nothing says where the field before it ends"
        );
    }

    /// It may be a site's secret, whatever is wrong with what stands around it.
    #[test]
    fn no_literal_is_shown() {
        let texts = [
            "concat(_,\"s3cret\",no such)|bcrypt",
            "concat(_,\"s3cret\"|bcrypt",
            "concat(_,\"s3cret|bcrypt",
            "concat(_,s3cret!)|bcrypt",
            "concat(_,\"s3cret\"x)|bcrypt",
            "concat(_,0x733363726574g)|bcrypt",
            "concat(_,\"s3cret\")|becrypt(\"s3cret\")",
            "hmac-sha257(\"s3cret\")|bcrypt",
            "concat(_,(\"s3cret\"|hxe))|bcrypt",
        ];
        for steps in texts {
            let error = Description::parse(&format!("<hash> := {steps}")).unwrap_err().to_string();
            assert!(!error.contains("s3cret") && !error.contains("733363726574"), "{error}");
        }
    }

    #[test]
    fn steps_are_told_apart() {
        let text = "<hash:hex> := trim|times(2,(concat(salt,_)|sha1|hex))|unhex; x := md5";
        let description = Description::parse(text).unwrap();
        let steps = ["trim", "times(2,(concat(salt,_)|sha1|hex))", "unhex"];
        assert_eq!(description.steps_text(), steps);
        assert_eq!(description.names().collect::<Vec<_>>(), ["salt"]);
    }

    #[test]
    fn a_key_is_noticed_wherever_it_stands() {
        let needs_key = |text: &str| Description::parse(text).unwrap().needs_key();
        assert!(needs_key("<hash> := concat(_,key)|bcrypt"));
        assert!(needs_key("<hash:hex> := md5|times(2,(concat((salt|hmac-md5(key)),_)|md5))"));
        assert!(needs_key("<hash> := argon2(key)"));
        assert!(!needs_key("<hash> := bcrypt"));
    }
}

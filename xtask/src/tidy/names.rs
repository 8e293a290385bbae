//! A type's name tells which one is meant.

use std::collections::BTreeMap;

/// A sentence for each name that several types have, from the types with their files.
pub(crate) fn broken_rules(types: &[(String, String)]) -> Vec<String> {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, name) in types {
        files.entry(name).or_default().push(file);
    }
    files.retain(|_, files| files.len() > 1);
    let sentences = files
        .iter()
        .map(|(name, files)| format!("{name} is the name of several types: {}", files.join(", ")));
    sentences.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_types() {
        let types = [("a.rs", "A"), ("b.rs", "B"), ("c.rs", "A")];
        let types = types.map(|(file, name)| (file.to_owned(), name.to_owned()));
        assert_eq!(broken_rules(&types), ["A is the name of several types: a.rs, c.rs"]);
        assert!(broken_rules(&types[..2]).is_empty());
    }
}

//! How a stored hash stands in a row: in one column, or in several of which salt and costs are others,
//! or inside JSON documents.

use std::collections::BTreeMap;

use model::StoredHash;

use crate::{
    document::{text_at, with_text_at},
    hash_form::plain_hash,
    mapping::Columns,
};

/// Which columns a stored hash stands in, and what of each.
#[derive(Debug, Clone)]
pub(crate) struct HashLayout {
    /// Each column once, the hash's first.
    columns: Vec<String>,
    hash: HashPlace,
    /// By the names that the form of the hash has for them.
    beside: Vec<(String, HashPlace)>,
    /// What stands there besides for no password.
    no_password: Vec<String>,
}

/// A column, by its place among those of the shape, or a text in the document that it holds.
#[derive(Debug, Clone)]
struct HashPlace {
    column: usize,
    path: Vec<String>,
}

impl HashLayout {
    /// A hash in one column.
    pub(crate) fn plain(name: &str) -> Self {
        let hash = HashPlace { column: 0, path: Vec::new() };
        Self { columns: vec![name.to_owned()], hash, beside: Vec::new(), no_password: Vec::new() }
    }

    /// As it is mapped: what is the name of no column leads into the document of one.
    pub(crate) fn of(
        mapped: &Columns,
        no_password: &[String],
        is_column: impl Fn(&str) -> bool,
    ) -> Self {
        let mut columns = Vec::new();
        let mut place = |name: &str| {
            let (column, path) = match name.split_once('.').filter(|_| !is_column(name)) {
                Some((column, path)) => (column, path.split('.').map(str::to_owned).collect()),
                None => (name, Vec::new()),
            };
            let known = columns.iter().position(|known| known == column);
            let column = known.unwrap_or_else(|| {
                columns.push(column.to_owned());
                columns.len() - 1
            });
            HashPlace { column, path }
        };
        let hash = place(&mapped.hash);
        let beside = mapped.beside.iter().map(|(operand, name)| (operand.clone(), place(name)));
        let beside = beside.collect();
        Self { hash, beside, no_password: no_password.to_vec(), columns }
    }

    /// The names of the columns, the hash's first.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The name that the form of the hash has for a column beside it; `None` for the hash's own.
    pub(crate) fn operand_of(&self, column: usize) -> Option<&str> {
        let named = self.beside.iter().find(|(_, place)| place.column == column);
        let (operand, _) = named.filter(|_| column != self.hash.column)?;
        Some(operand)
    }

    /// Whether all that a column holds belongs to the hash and stands beside it: it is kept as it was read,
    /// and digits that stand for bytes are not taken for a text.
    pub(crate) fn is_beside(&self, column: usize) -> bool {
        self.operand_of(column).is_some() && !self.is_document(column)
    }

    /// Whether a column holds a document, of which the hash is a part.
    pub(crate) fn is_document(&self, column: usize) -> bool {
        let mut places = [&self.hash].into_iter().chain(self.beside.iter().map(|(_, place)| place));
        places.any(|place| place.column == column && !place.path.is_empty())
    }

    /// The hash that these columns hold.
    pub(crate) fn read(&self, columns: &[Option<String>]) -> Option<StoredHash> {
        let is_password = |text: &String| !self.no_password.contains(text);
        let text = self.hash.text(columns).map(plain_hash).filter(is_password)?;
        let beside: Vec<_> = self
            .beside
            .iter()
            .filter_map(|(operand, place)| Some((operand.as_str(), place.text(columns)?)))
            .collect();
        let beside: Vec<_> = beside.iter().map(|(operand, text)| (*operand, &**text)).collect();
        StoredHash::from_columns(Some(text), &beside)
    }

    /// What some of the columns, by their places, hold once another hash is there: the hash's own, and
    /// those that differ. `None` if one of them cannot hold it.
    pub(crate) fn changes(
        &self,
        columns: &[Option<String>],
        new: &StoredHash,
    ) -> Option<BTreeMap<usize, String>> {
        let mut changes = BTreeMap::new();
        self.hash.put(new.text(), columns, &mut changes)?;
        for (operand, place) in &self.beside {
            let text = new
                .column(operand)
                .filter(|text| place.text(columns).is_none_or(|held| held != *text));
            if let Some(text) = text {
                place.put(text, columns, &mut changes)?;
            }
        }
        Some(changes)
    }
}

impl HashPlace {
    /// What looks like bytes may be a text, which those who verify a hash try as both.
    fn text(&self, columns: &[Option<String>]) -> Option<String> {
        let text = columns.get(self.column)?.clone()?;
        if self.path.is_empty() { Some(text) } else { text_at(&plain_hash(text), &self.path) }
    }

    /// Several texts of one document are put there one after the other.
    fn put(
        &self,
        text: &str,
        columns: &[Option<String>],
        changes: &mut BTreeMap<usize, String>,
    ) -> Option<()> {
        let text = if self.path.is_empty() {
            text.to_owned()
        } else {
            let held = || columns.get(self.column).cloned().flatten().map(plain_hash);
            let document = changes.get(&self.column).cloned().or_else(held)?;
            with_text_at(&document, &self.path, text)?
        };
        changes.insert(self.column, text);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Mapping;

    fn shape(hash: &str, beside: &[(&str, &str)]) -> HashLayout {
        let own = |(operand, name): &(&str, &str)| ((*operand).to_owned(), (*name).to_owned());
        let columns = Columns {
            hash: hash.to_owned(),
            beside: beside.iter().map(own).collect(),
            ..Mapping::generic().columns
        };
        HashLayout::of(&columns, &["none".to_owned()], |name| name == "dotted.salt")
    }

    fn texts(columns: &[&str]) -> Vec<Option<String>> {
        columns.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn a_hash_is_read_with_what_stands_beside_it() {
        let shape = shape("hash", &[("n", "hash.n"), ("salt", "dotted.salt"), ("user", "name")]);
        assert_eq!(shape.columns(), ["hash", "dotted.salt", "name"]);
        let hash = shape.read(&[Some("{\"n\":3}".into()), Some("\\x6162".into()), None]).unwrap();
        assert_eq!(hash.columns().collect::<Vec<_>>(), [("n", "3"), ("salt", "\\x6162")]);
        assert!(shape.read(&texts(&["none", "salt", "name"])).is_none());
        assert!(shape.read(&[None, Some("salt".into()), None]).is_none());
    }

    #[test]
    fn only_what_differs_is_written_besides_the_hash() {
        let shape = shape("doc.hash", &[("n", "doc.n"), ("salt", "doc.salt"), ("user", "name")]);
        let columns = texts(&[r#"{"hash":"old","n":3,"salt":"s"}"#, "otto"]);
        let now = shape.read(&columns).unwrap();
        let new = now.with_text("new").with_column("salt", "t");
        let changes = shape.changes(&columns, &new).unwrap();
        let expected = r#"{"hash":"new","n":3,"salt":"t"}"#.to_owned();
        assert_eq!(changes, BTreeMap::from([(0, expected)]));
        assert!(shape.changes(&texts(&["{}", "otto"]), &new).is_none());
    }
}

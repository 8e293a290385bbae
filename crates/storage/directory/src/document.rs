//! Texts inside JSON documents, where a site keeps its hashes so.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text or number at a path; `None` if nothing stands there.
///
/// A value that is no document, or in which the path leads into something else than an object, stands for
/// itself: nobody may take it for no password.
pub(crate) fn text_at(document: &str, path: &[String]) -> Option<String> {
    let found = match value_at(document, path) {
        AtPath::Value(found) => found,
        AtPath::Nothing => return None,
        AtPath::NoDocument => return Some(document.to_owned()),
    };
    let text = serde_json::from_str::<Cow<'_, str>>(found);
    Some(text.map_or_else(|_| found.to_owned(), Cow::into_owned))
}

/// The document with another text at a path, and otherwise as it was, to the byte; `None` if no text stands
/// there.
pub(crate) fn with_text_at(document: &str, path: &[String], text: &str) -> Option<String> {
    let AtPath::Value(old) = value_at(document, path) else { return None };
    if !old.starts_with('"') {
        return None;
    }
    // It is a part of the document.
    let begin = old.as_ptr().addr() - document.as_ptr().addr();
    let (before, after) = (document.get(..begin)?, document.get(begin + old.len()..)?);
    Some(format!("{before}{}{after}", serde_json::to_string(text).ok()?))
}

/// What a path leads to.
enum AtPath<'d> {
    /// This part of the document.
    Value(&'d str),
    Nothing,
    NoDocument,
}

fn value_at<'d>(document: &'d str, path: &[String]) -> AtPath<'d> {
    let Ok(whole) = serde_json::from_str::<&RawValue>(document) else { return AtPath::NoDocument };
    let mut value = whole.get();
    for name in path {
        if value == "null" {
            return AtPath::Nothing;
        }
        value = match member_of(value, name) {
            Ok(Some(member)) => member,
            Ok(None) => return AtPath::Nothing,
            Err(_) => return AtPath::NoDocument,
        };
    }
    if value == "null" { AtPath::Nothing } else { AtPath::Value(value) }
}

/// The member of that name, as it is written; of several the last, as everybody reads it.
fn member_of<'d>(object: &'d str, name: &str) -> serde_json::Result<Option<&'d str>> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    MemberCalled(name).deserialize(&mut deserializer)
}

struct MemberCalled<'n>(&'n str);

impl<'d> DeserializeSeed<'d> for MemberCalled<'_> {
    type Value = Option<&'d str>;

    fn deserialize<D: Deserializer<'d>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'d> Visitor<'d> for MemberCalled<'_> {
    type Value = Option<&'d str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<Cow<'d, str>>()? {
            if name == self.0 {
                found = Some(map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"a":{"hash":"$2b$","n":7},"b":null}"#;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_text_is_found_by_its_path() {
        let found = |at: &str| text_at(DOCUMENT, &path(at));
        assert_eq!(found("a.hash").as_deref(), Some("$2b$"));
        assert_eq!(found("a.n").as_deref(), Some("7"));
        assert_eq!((found("b"), found("b.x"), found("c"), found("a.x")), (None, None, None, None));
        assert_eq!(text_at("$2b$", &path("a")).as_deref(), Some("$2b$"));
        let escaped = r#"{ "a\u002eb" : "gr\u00fcn" }"#;
        assert_eq!(text_at(escaped, &["a.b".to_owned()]).as_deref(), Some("grün"));
    }

    #[test]
    fn what_a_path_does_not_lead_into_is_no_missing_password() {
        for document in [r#""{\"a\":{}}""#, r#"["$2b$"]"#, r#"{"a":"$2b$"}"#, r#"{"a":["$2b$"]}"#] {
            assert_eq!(text_at(document, &path("a.hash")).as_deref(), Some(document));
        }
    }

    #[test]
    fn another_text_leaves_the_rest_as_it_is() {
        let with = |at: &str| with_text_at(DOCUMENT, &path(at), "new");
        let expected = r#"{"a":{"hash":"new","n":7},"b":null}"#;
        assert_eq!(with("a.hash").as_deref(), Some(expected));
        assert_eq!((with("a.n"), with("b"), with("c")), (None, None, None));
        let odd = "{ \"n\": 18446744073709551617, \"m\":1.50,\n \"h\" : \"o\\u006cd\", \"m\":2 }";
        let kept = with_text_at(odd, &path("h"), "n\"ew").unwrap();
        assert_eq!(kept, odd.replace("\"o\\u006cd\"", r#""n\"ew""#));
        let twice = r#"{"h":"first","h":"last"}"#;
        assert_eq!(text_at(twice, &path("h")).as_deref(), Some("last"));
        let expected = r#"{"h":"first","h":"new"}"#;
        assert_eq!(with_text_at(twice, &path("h"), "new").as_deref(), Some(expected));
    }
}

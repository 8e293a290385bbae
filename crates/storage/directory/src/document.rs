//! Texts inside JSON documents, where a site keeps its hashes so.

use serde_json::Value;

/// The text or number at a path; `None` if nothing stands there.
///
/// A value that is no document stands for itself: nobody may take it for no password.
pub(crate) fn text_at(document: &str, path: &[String]) -> Option<String> {
    let Ok(json) = serde_json::from_str::<Value>(document) else {
        return Some(document.to_owned());
    };
    match path.iter().try_fold(&json, |json, name| json.get(name))? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The document with another text at a path; `None` if no text stands there.
pub(crate) fn with_text_at(document: &str, path: &[String], text: &str) -> Option<String> {
    let mut json = serde_json::from_str::<Value>(document).ok()?;
    let place = path.iter().try_fold(&mut json, |json, name| json.get_mut(name))?;
    match place {
        Value::String(old) => text.clone_into(old),
        _ => return None,
    }
    Some(json.to_string())
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
        assert_eq!((found("b"), found("c"), found("a.hash.x")), (None, None, None));
        assert_eq!(text_at("$2b$", &path("a")).as_deref(), Some("$2b$"));
    }

    #[test]
    fn another_text_leaves_the_rest_as_it_is() {
        let with = |at: &str| with_text_at(DOCUMENT, &path(at), "new");
        let expected = r#"{"a":{"hash":"new","n":7},"b":null}"#;
        assert_eq!(with("a.hash").as_deref(), Some(expected));
        assert_eq!((with("a.n"), with("b"), with("c")), (None, None, None));
    }
}

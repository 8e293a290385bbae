//! Records written as JSON: one object, wherever it stands in a line.

use std::fmt;

use model::Secret;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use super::labels::{LabelRole, role_of};

/// The values beside an identifier in the innermost object that holds it: those that are named as passwords,
/// or else all others.
pub(super) fn beside(line: &[u8], identifier: &[u8]) -> Vec<Secret> {
    let begin = line.iter().position(|byte| matches!(byte, b'{' | b'[')).unwrap_or(line.len());
    let documents = serde_json::Deserializer::from_slice(&line[begin..]);
    match documents.into_iter::<JsonNode>().next() {
        Some(Ok(node)) => node.beside(identifier).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// As much of a document as may be a record. What it holds is wiped when it is dropped.
enum JsonNode {
    Text(Secret),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
    Other,
}

impl JsonNode {
    fn beside(&self, identifier: &[u8]) -> Option<Vec<Secret>> {
        match self {
            Self::List(nodes) => nodes.iter().find_map(|node| node.beside(identifier)),
            Self::Object(fields) => in_object(fields, identifier),
            Self::Text(_) | Self::Other => None,
        }
    }

    /// A text, or those of a list.
    fn texts(&self) -> Vec<&Secret> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(nodes) => nodes.iter().flat_map(Self::texts).collect(),
            Self::Object(_) | Self::Other => Vec::new(),
        }
    }
}

fn in_object(fields: &[(String, JsonNode)], identifier: &[u8]) -> Option<Vec<Secret>> {
    let inner = fields.iter().find_map(|(_, node)| match node {
        JsonNode::Object(_) | JsonNode::List(_) => node.beside(identifier),
        _ => None,
    });
    if inner.is_some() {
        return inner;
    }
    let is_it = |text: &&Secret| text.expose().eq_ignore_ascii_case(identifier);
    let holds = |node: &JsonNode| node.texts().iter().any(is_it);
    fields.iter().any(|(_, node)| holds(node)).then(|| named_first(fields, identifier))
}

fn named_first(fields: &[(String, JsonNode)], identifier: &[u8]) -> Vec<Secret> {
    let is_named = |name: &str| role_of(name.as_bytes()) == Some(LabelRole::Password);
    let (named, others): (Vec<_>, Vec<_>) = fields.iter().partition(|(name, _)| is_named(name));
    let texts = named.into_iter().chain(others).flat_map(|(_, node)| node.texts());
    let is_other = |text: &&Secret| !text.expose().eq_ignore_ascii_case(identifier);
    texts.filter(is_other).cloned().collect()
}

impl<'de> Deserialize<'de> for JsonNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = JsonNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<JsonNode, E> {
        Ok(JsonNode::Text(text.as_bytes().into()))
    }

    /// A number may be somebody's password.
    fn visit_u64<E>(self, number: u64) -> Result<JsonNode, E> {
        Ok(JsonNode::Text(number.to_string().into_bytes().as_slice().into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<JsonNode, E> {
        Ok(JsonNode::Text(number.to_string().into_bytes().as_slice().into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<JsonNode, E> {
        Ok(JsonNode::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<JsonNode, E> {
        Ok(JsonNode::Other)
    }

    fn visit_unit<E>(self) -> Result<JsonNode, E> {
        Ok(JsonNode::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut nodes: A) -> Result<JsonNode, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = nodes.next_element()? {
            list.push(node);
        }
        Ok(JsonNode::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<JsonNode, A::Error> {
        let mut object = Vec::new();
        while let Some(field) = fields.next_entry()? {
            object.push(field);
        }
        Ok(JsonNode::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::check_beside;

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        check_beside(beside, line, expected);
    }

    #[test]
    fn the_passwords_of_the_innermost_object_come_first() {
        check(r#"{"email":"A@example.org","password":"p\"w"}"#, &["p\"w"]);
        check(r#"{"email":"a\u0040example.org","name":"ann","pass":"p\/w"},"#, &["p/w", "ann"]);
        check(r#"{"email":["a@example.org"],"password":["one","two"]}"#, &["one", "two"]);
        check(r#"[{"email":"b@x.org","pw":"x"},{"email":"a@example.org","pw":1234}]"#, &["1234"]);
        check(r#"{"_id":{"$oid":"5f"},"_source":{"mail":"a@example.org","x":"y"}}"#, &["y"]);
        check(r#"{"email":"b@example.org","password":"pw"}"#, &[]);
        check(r#"{"email":"a@example.org","password":"#, &[]);
        check("a@example.org:pw", &[]);
    }
}

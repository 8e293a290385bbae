//! Records as PHP serialises them: `s:5:"email";s:13:"a@example.org";s:4:"pass";s:2:"pw";`.

use model::Secret;

use super::labels::{LabelRole, role_of};

/// The texts beside an identifier: what follows a name for passwords first.
pub(super) fn beside(line: &[u8], identifier: &[u8]) -> Vec<Secret> {
    let texts = texts(line);
    if !texts.iter().any(|text| text.eq_ignore_ascii_case(identifier)) {
        return Vec::new();
    }
    let is_named = |two: &&[&[u8]]| role_of(two[0]) == Some(LabelRole::Password);
    let named = texts.windows(2).filter(is_named).map(|two| two[1]);
    named.map(Secret::from).collect()
}

/// Each text, of as many bytes as stand before it: quotes within are data. In a dump of SQL they are escaped.
fn texts(line: &[u8]) -> Vec<&[u8]> {
    let (mut texts, mut rest) = (Vec::new(), line);
    while let Some(at) = rest.windows(2).position(|two| two == b"s:") {
        rest = &rest[at + 2..];
        if let Some(text) = text_at(rest) {
            texts.push(text);
            rest = &rest[text.len()..];
        }
    }
    texts
}

fn text_at(rest: &[u8]) -> Option<&[u8]> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length: usize = str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    let text = rest[digits..].strip_prefix(b":")?;
    let text = text.strip_prefix(b"\"").or_else(|| text.strip_prefix(b"\\\""))?;
    let behind = text.get(length..)?;
    let is_closed = behind.starts_with(b"\"") || behind.starts_with(b"\\\"");
    is_closed.then(|| &text[..length])
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
    fn a_text_has_as_many_bytes_as_it_says() {
        check(
            r#"a:2:{s:5:"email";s:13:"a@example.org";s:4:"pass";s:7:"p";"1";";}"#,
            &["p\";\"1\";"],
        );
        check(r#"s:13:\"a@example.org\";s:8:\"password\";s:2:\"pw\";"#, &["pw"]);
        check(r#"s:13:"a@example.org";s:4:"name";s:3:"ann";"#, &[]);
        check(r#"s:13:"b@example.org";s:4:"pass";s:2:"pw";"#, &[]);
        check(r#"s:99:"a@example.org";s:4:"pass";s:2:"pw";"#, &[]);
    }
}

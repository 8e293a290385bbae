//! Rust text as words and signs, without what is in comments and literals.

/// As much of a piece of code as tells who names whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword, a name or a number.
    Word(&'a str),
    /// The `::` of a path.
    Colons,
    /// Any other sign.
    Sign(char),
}

/// A file's tokens. A literal that is a path is read as one: `#[serde(with = "crate::hex")]`.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = blank(rest, first).unwrap_or_else(|| token(rest, first, &mut tokens));
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens
}

/// The length of white space, a comment, a lifetime or a character, if one starts here.
fn blank(rest: &str, first: char) -> Option<usize> {
    if first.is_whitespace() {
        return Some(first.len_utf8());
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |at| at + 2));
    }
    let quoted = rest.strip_prefix('\'')?;
    if quoted.starts_with('\\') {
        let escaped = quoted.get(2..)?;
        return Some(escaped.find('\'')? + 4);
    }
    let inner = quoted.chars().next()?;
    let after = &quoted[inner.len_utf8()..];
    let character = after.starts_with('\'').then_some(inner.len_utf8() + 2);
    Some(character.unwrap_or_else(|| 1 + word_length(quoted)))
}

/// Reads one token or string, and tells its length.
fn token<'a>(rest: &'a str, first: char, tokens: &mut Vec<Token<'a>>) -> usize {
    if let Some((content, length)) = string(rest) {
        let is_path = content.contains("::") && content.chars().all(|c| is_word(c) || c == ':');
        if is_path {
            tokens.extend(self::tokens(content));
        }
        return length;
    }
    if is_word(first) {
        let length = word_length(rest);
        tokens.push(Token::Word(&rest[..length]));
        return length;
    }
    if rest.starts_with("::") {
        tokens.push(Token::Colons);
        return 2;
    }
    tokens.push(Token::Sign(first));
    first.len_utf8()
}

/// The content and the whole length of the string that starts here, if one does.
fn string(rest: &str) -> Option<(&str, usize)> {
    let prefixed = rest.strip_prefix(['b', 'c']).unwrap_or(rest);
    if let Some(raw) = prefixed.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let content = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let length = content.find(&end).unwrap_or(content.len());
        let before = rest.len() - content.len();
        return Some((&content[..length], before + length + end.len()));
    }
    let content = prefixed.strip_prefix('"')?;
    let length = unescaped_quote(content).unwrap_or(content.len());
    Some((&content[..length], rest.len() - content.len() + length + 1))
}

fn unescaped_quote(content: &str) -> Option<usize> {
    let mut escaped = false;
    content.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })
}

fn word_length(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let words = tokens(text).into_iter().map(|token| match token {
            Token::Word(word) => word.to_owned(),
            Token::Colons => "::".to_owned(),
            Token::Sign(sign) => sign.to_string(),
        });
        assert_eq!(words.collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn code_is_words_and_signs() {
        check("use a::{b, c};", "use a :: { b , c } ;");
    }

    #[test]
    fn comments_are_left_out() {
        check("a // b { \n/* c } */ d", "a d");
    }

    #[test]
    fn literals_are_left_out() {
        check(r##"a "{ \" }" b"\\" r#" " "# c"##, "a c");
        check(r"a '{' '\'' '\u{7d}' b'}' c", "a b c");
        check("fn a<'a>(b: &'static str)", "fn a < > ( b : & str )");
    }

    #[test]
    fn a_path_in_an_attribute_is_a_path() {
        check(r#"with = "crate::hex""#, "with = crate :: hex");
    }
}

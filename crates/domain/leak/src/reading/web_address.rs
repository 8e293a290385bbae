//! Web addresses in a line: each is one column, whatever delimiters it holds.

use memchr::memchr_iter;

/// Whether a whole field is one.
pub(super) fn is_web_address(field: &[u8]) -> bool {
    !field.is_empty() && length_at_start(field, 0) == field.len()
}

/// Bytes of the web address at the start of a text, up to the delimiter behind it; 0 if there is none.
///
/// `https://h.example:8443/p:u:pw` has a port, and ends before `:u`. White space ends it in any case.
pub(super) fn length_at_start(text: &[u8], delimiter: u8) -> usize {
    let ends = |byte: &u8| {
        *byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | b'\'') || *byte == delimiter
    };
    let scheme = scheme_length(text);
    let host = host_length(&text[scheme..], &ends);
    if scheme == 0 && !is_bare_host(&text[..host], text.get(host)) {
        return 0;
    }
    let host = scheme + host;
    let path = text[host..].iter().position(ends).unwrap_or(text.len() - host);
    host + path
}

/// Without a scheme, only what begins with `www.` is surely no user name, or what has a path.
fn is_bare_host(host: &[u8], next: Option<&u8>) -> bool {
    let is_marked = host.starts_with(b"www.") || next == Some(&b'/');
    is_marked && host.contains(&b'.') && !host.contains(&b'@')
}

/// `https://`, `android://`.
fn scheme_length(text: &[u8]) -> usize {
    let name = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte));
    let name = name.count();
    let is_scheme = name > 1 && text[name..].starts_with(b"://");
    if is_scheme { name + b"://".len() } else { 0 }
}

/// The host, with what stands before its `@` and with its port. A colon is a port's if digits and the end
/// of the host follow.
fn host_length(text: &[u8], ends: &impl Fn(&u8) -> bool) -> usize {
    let is_path = |byte: &u8| matches!(byte, b'/' | b'?' | b'#');
    let whole = text.iter().position(is_path).unwrap_or(text.len());
    // `k==@pkg.app` of an app: what stands before the `@` holds no colon.
    let name = text.iter().position(|byte| is_path(byte) || *byte == b':' || ends(byte));
    let name = name.unwrap_or(text.len());
    let port = text[name..]
        .strip_prefix(b":")
        .map_or(0, |rest| rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let behind = name + 1 + port;
    let next = text.get(behind);
    // `https://h:8443:user:password`, and not `https://h:user:password` of a user who is a number.
    let has_two_more = || memchr_iter(b':', &text[behind..]).nth(1).is_some();
    let is_end = behind == whole || next.is_none_or(|byte| ends(byte) && *byte != b':');
    let is_port = (1..=5).contains(&port) && (is_end || next == Some(&b':') && has_two_more());
    if is_port { behind } else { name }
}

/// What stands before the `@` of a web address: `https://user:password@host/`.
pub(super) fn user_and_password(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme = scheme_length(text);
    let host = text[scheme..].split(|byte| matches!(byte, b'/' | b'?' | b'#')).next()?;
    let at = host.iter().rposition(|byte| *byte == b'@')?;
    let colon = host[..at].iter().position(|byte| *byte == b':')?;
    (scheme > 0).then(|| (&host[..colon], &host[colon + 1..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_address_ends_where_the_next_column_begins() {
        for (text, expected) in [
            ("https://h.example:8443/p:u1:p:w", "https://h.example:8443/p"),
            ("https://h.example/:u:pw", "https://h.example/"),
            ("https://h.example:8443:u:pw", "https://h.example:8443"),
            ("https://h.example:u:pw", "https://h.example"),
            ("https://h.example:123:pw", "https://h.example"),
            ("android://k==@pkg.app/:u:pw", "android://k==@pkg.app/"),
            ("h.example/x:u:pw", "h.example/x"),
            ("www.h.example:u:pw", "www.h.example"),
            ("https://h.example/a b:c", "https://h.example/a"),
            ("joe:pw", ""),
            ("and/or:x", ""),
            ("a@h.example/x:pw", ""),
        ] {
            let length = length_at_start(text.as_bytes(), b':');
            assert_eq!(&text[..length], expected, "{text}");
        }
    }

    #[test]
    fn whom_a_web_address_signs_in_is_read() {
        let read = |text: &'static str| user_and_password(text.as_bytes());
        assert_eq!(
            read("https://a%40example.org:p:w@h/"),
            Some((&b"a%40example.org"[..], &b"p:w"[..]))
        );
        assert_eq!(read("https://h.example:8443/a@b"), None);
        assert_eq!(read("joe:pw@h"), None);
    }
}

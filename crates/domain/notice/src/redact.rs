use crate::Address;

/// What stands in the place of an address.
const REDACTED: &str = "<address>";

/// Takes every address out of what a relay said, and the recipient's name where it stands alone:
/// relays repeat whom they were asked to deliver to, and what they say is kept and shown.
pub(crate) fn redacted(text: &str, recipient: &Address) -> String {
    without(text, |word| is_personal(word, recipient))
}

/// Takes out what is an address, and nothing that could only be somebody's name: the words that
/// are left tell what is meant.
pub(crate) fn without_addresses(text: &str) -> String {
    without(text, |word| word.contains('@'))
}

fn without(text: &str, is_hidden: impl Fn(&str) -> bool) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c| !is_boundary(c)) {
        let (between, word) = rest.split_at(start);
        let (word, after) = word.split_at(word.find(is_boundary).unwrap_or(word.len()));
        redacted.push_str(between);
        redacted.push_str(if is_hidden(word) { REDACTED } else { word });
        rest = after;
    }
    redacted.push_str(rest);
    redacted.replace("<<address>>", REDACTED)
}

const fn is_boundary(c: char) -> bool {
    matches!(c, ' ' | '\t' | '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '"' | '\'')
}

/// Some relays write `jane.doe...` of somebody whom they do not know, or `jane%example.org`.
fn is_personal(word: &str, recipient: &Address) -> bool {
    let whole = recipient.as_str().to_lowercase();
    let local = whole.rsplit_once('@').map_or(&*whole, |(local, _)| local);
    let plain = local.split('+').next().unwrap_or(local);
    let word = word.to_lowercase();
    let bare = word.trim_matches(|c: char| matches!(c, '.' | '!' | '?' | '`' | '='));
    let named = bare.split(['%', '=', '/', '!']).any(|part| part == local || part == plain);
    word.contains('@') || named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_stands_in_what_a_relay_said() {
        let jane = "Jane.Doe+x@example.org".parse().unwrap();
        for (said, kept) in [
            ("5.1.1 <jane.doe+x@example.org>: unknown", "5.1.1 <address>: unknown"),
            ("JANE.DOE+X@EXAMPLE.ORG unknown", "<address> unknown"),
            ("forwarded to jd@inside.example:25", "forwarded to <address>:25"),
            ("jane.doe+x... User unknown", "<address> User unknown"),
            ("no mailbox \"jane.doe\" here", "no mailbox \"<address>\" here"),
            ("jane.doe%example.org refused", "<address> refused"),
            ("RCPT TO:<jane.doe+x@example.org>", "RCPT TO:<address>"),
            ("5.7.1 [192.0.2.1] relaying denied", "5.7.1 [192.0.2.1] relaying denied"),
            ("", ""),
        ] {
            assert_eq!(redacted(said, &jane), kept);
        }
    }
}

//! The relaxed form of RFC 6376, 3.4: what servers on the way may change in a message is the same
//! in it before and after.

/// A message cut into its header fields, relaxed, and its body.
pub(crate) struct RelaxedMessage<'a> {
    fields: Vec<Vec<u8>>,
    body: &'a [u8],
}

impl<'a> RelaxedMessage<'a> {
    /// Cuts a message at its line ends, CRLF.
    ///
    /// # Errors
    /// [`MalformedMessage`] if not everybody would cut it there.
    pub(crate) fn parse(message: &'a [u8]) -> Result<Self, MalformedMessage> {
        check_line_ends(message)?;
        let (mut fields, mut rest) = (Vec::new(), message);
        while let Some(end) = field_end(rest) {
            let (field, after) = rest.split_at(end);
            fields.push(relaxed_field(field)?);
            rest = after;
        }
        Ok(Self { fields, body: rest.strip_prefix(b"\r\n").unwrap_or(rest) })
    }

    /// The fields of this name in the order of the message, without line ends.
    pub(crate) fn fields(&self, name: &str) -> Vec<&[u8]> {
        let start = format!("{}:", name.to_ascii_lowercase());
        let fields = self.fields.iter().map(Vec::as_slice);
        fields.filter(|field| field.starts_with(start.as_bytes())).collect()
    }

    /// The body, relaxed: white space shortened, and neither it nor empty lines at an end.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.body.len());
        let mut empty_lines = 0;
        for line in self.body.split(|byte| *byte == b'\n') {
            let line = relaxed(line.strip_suffix(b"\r").unwrap_or(line));
            if line.is_empty() {
                empty_lines += 1;
                continue;
            }
            body.extend(b"\r\n".repeat(empty_lines));
            body.extend([&line[..], b"\r\n"].concat());
            empty_lines = 0;
        }
        body
    }
}

/// One header field, without a line end.
///
/// # Errors
/// [`MalformedMessage`] if it has no name.
pub(crate) fn relaxed_field(field: &[u8]) -> Result<Vec<u8>, MalformedMessage> {
    let (name, value) = halves(field).ok_or(MalformedMessage::NoField)?;
    let value: Vec<_> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let value = relaxed(&value);
    let value = value.strip_prefix(b" ").unwrap_or(&value);
    Ok([&name.to_ascii_lowercase(), &b":"[..], value].concat())
}

/// Why software of different makers would read a message in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedMessage {
    /// Some take it for the end of a line.
    #[error("a CR or LF in it stands alone")]
    LoneEnd,
    /// A line without a name and a colon among the headers.
    #[error("a line among its headers is none")]
    NoField,
}

fn check_line_ends(message: &[u8]) -> Result<(), MalformedMessage> {
    let mut before = 0;
    for byte in message.iter().copied().chain([0]) {
        if (before == b'\r') != (byte == b'\n') {
            return Err(MalformedMessage::LoneEnd);
        }
        before = byte;
    }
    Ok(())
}

/// Where the first field ends: at a line end that no white space follows. `None` where the headers
/// have ended.
fn field_end(rest: &[u8]) -> Option<usize> {
    if rest.is_empty() || rest.starts_with(b"\r\n") {
        return None;
    }
    let is_end = |(at, byte): (usize, &u8)| {
        let folded = rest.get(at + 1).is_some_and(|next| is_white(*next));
        (*byte == b'\n' && !folded).then_some(at + 1)
    };
    Some(rest.iter().enumerate().find_map(is_end).unwrap_or(rest.len()))
}

/// What stands before the colon and what behind it.
fn halves(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    let (name, value) = (field[..colon].trim_ascii_end(), &field[colon + 1..]);
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_name.then_some((name, value))
}

/// Each run of white space as one space, but none at the end.
fn relaxed(line: &[u8]) -> Vec<u8> {
    let mut relaxed = Vec::with_capacity(line.len());
    for byte in line {
        match (is_white(*byte), relaxed.last()) {
            (true, Some(b' ')) => {}
            (true, _) => relaxed.push(b' '),
            (false, _) => relaxed.push(*byte),
        }
    }
    relaxed.pop_if(|last| *last == b' ');
    relaxed
}

/// White space is what RFC 6376 counts as such: a form feed is not.
const fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_body(body: &str, expected: &str) {
        let message = format!("A: b\r\n\r\n{body}");
        let relaxed = RelaxedMessage::parse(message.as_bytes()).unwrap().body();
        assert_eq!(String::from_utf8(relaxed).unwrap(), expected);
    }

    /// RFC 6376, 3.4.5.
    #[test]
    fn the_standards_example_comes_out_as_it_says() {
        let message = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let message = RelaxedMessage::parse(message).unwrap();
        assert_eq!(message.fields("a"), [b"a:X"]);
        assert_eq!(message.fields("B"), [b"b:Y Z"]);
        assert_eq!(message.body(), b" C\r\nD E\r\n");
    }

    #[test]
    fn what_is_empty_at_the_end_does_not_count() {
        for nothing in ["", "\r\n", "\r\n\r\n", " \t\r\n  \r\n", "  "] {
            check_body(nothing, "");
            check_body(&format!("x\r\n{nothing}"), "x\r\n");
        }
        check_body("\r\n \r\nx", "\r\n\r\nx\r\n");
        check_body("\u{c}\r\n", "\u{c}\r\n");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let error = |message: &[u8]| RelaxedMessage::parse(message).err();
        for lone in
            [&b"A: b\n\r\n"[..], b"A: b\rC: d\r\n", b"A: b\r\n\r\nx\r", b"\n", b"A: b\r\r\n"]
        {
            assert_eq!(error(lone), Some(MalformedMessage::LoneEnd), "{lone:?}");
        }
        for none in [&b"A b\r\n\r\n"[..], b" A: b\r\n", b": b\r\n", b"A b: c\r\n"] {
            assert_eq!(error(none), Some(MalformedMessage::NoField), "{none:?}");
        }
        assert_eq!(error(b""), None);
        assert_eq!(error(b"A: b"), None);
    }
}

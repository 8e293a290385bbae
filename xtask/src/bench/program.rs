use crate::shell::{ChoreResult, command, root, run};

/// The release build of the program, made now.
pub(super) fn countersign() -> ChoreResult<String> {
    run(&mut command("cargo build --quiet --release --package countersign"))?;
    let program = root().join("target/release/countersign");
    Ok(program.to_string_lossy().into_owned())
}

/// A number of a JSON object; enough of JSON for the answers that are asked for here.
pub(super) fn number(json: &str, key: &str) -> ChoreResult<u64> {
    let value = json.split_once(&format!("\"{key}\":")).map(|(_, rest)| rest.trim_start());
    let digits = value.and_then(|value| value.split(|c: char| !c.is_ascii_digit()).next());
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| format!("the answer holds no number `{key}`: {json}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_or_missed() {
        assert_eq!(number(r#"{"a": 12, "ab":3}"#, "a").unwrap(), 12);
        assert_eq!(number(r#"{"a": 12, "ab":3}"#, "ab").unwrap(), 3);
        assert!(number(r#"{"a": "x"}"#, "a").is_err());
        assert!(number("{}", "a").is_err());
    }
}

//! What `SECURITY.md` claims is held by a test that it names.

/// The columns of the table: who, what they try, what stops them, which tests hold that, and whether
/// all of it is in this version.
const COLUMNS: [&str; 5] = ["who", "what they try", "what stops them", "held by", "now"];

/// A sentence for each row that claims more than its tests hold. `holds` says whether a file whose
/// path ends so has a test of this name, or any.
pub(crate) fn broken_rules(text: &str, holds: impl Fn(&str, Option<&str>) -> bool) -> Vec<String> {
    let mut rows = text.lines().filter(|line| line.starts_with('|')).map(cells);
    if rows.next().as_deref() != Some(&COLUMNS.map(str::to_owned)) {
        return vec![format!("SECURITY.md: the table's columns are not {}", COLUMNS.join(", "))];
    }
    rows.skip(1).flat_map(|row| broken_in_row(&row, &holds)).collect()
}

fn broken_in_row(row: &[String], holds: &impl Fn(&str, Option<&str>) -> bool) -> Vec<String> {
    let [who, _, _, held_by, now] = row else {
        return vec![format!("SECURITY.md: a row of the table has {} cells", row.len())];
    };
    let tests: Vec<_> = held_by.split('`').skip(1).step_by(2).collect();
    let mut broken = Vec::new();
    if now != "yes" && !now.starts_with("partly: ") && !now.starts_with("no: ") {
        broken.push(format!(
            "SECURITY.md: {who}: neither `yes`, nor `partly: ` or `no: ` and what is missing"
        ));
    }
    if tests.is_empty() && !now.starts_with("no: ") {
        broken.push(format!("SECURITY.md: {who}: no test is named that holds it"));
    }
    let missing = tests.into_iter().filter(|named| {
        let (file, test) = named.split_once("::").map_or((*named, None), |(f, t)| (f, Some(t)));
        !holds(file, test)
    });
    broken.extend(missing.map(|named| format!("SECURITY.md: {who}: there is no test {named}")));
    broken
}

/// Whether a file's text has a test of this name, or any.
pub(crate) fn has_test(text: &str, name: Option<&str>) -> bool {
    let lines = text.lines().map(str::trim_start);
    let is_test = |(attribute, function): (&str, &str)| {
        let function = function.strip_prefix("async ").unwrap_or(function);
        let named = function.strip_prefix("fn ").and_then(|rest| rest.split_once('('));
        attribute.starts_with("#[")
            && attribute.contains("test")
            && named.is_some_and(|(found, _)| name.is_none_or(|name| name == found))
    };
    lines.clone().zip(lines.skip(1)).any(is_test)
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').trim_end_matches('|');
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "| who | what they try | what stops them | held by | now |\n|---|---|---|---|---|\n";

    fn broken(rows: &str) -> Vec<String> {
        let holds =
            |file: &str, test: Option<&str>| file == "a/it.rs" && test.is_none_or(|t| t == "ok");
        broken_rules(&format!("# Security\n\n{HEAD}{rows}"), holds)
    }

    #[test]
    fn what_is_claimed_is_held_by_a_test_that_there_is() {
        assert!(
            broken("| a thief | steals | a lock | `a/it.rs::ok`, `a/it.rs` | yes |").is_empty()
        );
        assert!(broken("| a thief | steals | a lock | `a/it.rs` | partly: at night |").is_empty());
        assert!(broken("| a thief | steals | a lock | | no: not begun |").is_empty());
        for (row, sentence) in [
            ("| a thief | steals | a lock | `a/it.rs::no` | yes |", "no test a/it.rs::no"),
            ("| a thief | steals | a lock | `b.rs` | yes |", "no test b.rs"),
            ("| a thief | steals | a lock | somebody | yes |", "no test is named"),
            ("| a thief | steals | a lock | `a/it.rs` | partly |", "what is missing"),
            ("| a thief | steals | `a/it.rs` | yes |", "4 cells"),
        ] {
            let broken = broken(row).join("\n");
            assert!(broken.contains(sentence), "{row}: {broken}");
        }
        assert_eq!(broken_rules("nothing", |_, _| true).len(), 1);
    }

    #[test]
    fn a_test_is_a_function_that_is_marked_as_one() {
        let text = "#[tokio::test]\n    async fn locks() {}\nfn opens() {}";
        assert!(has_test(text, Some("locks")) && has_test(text, None));
        assert!(!has_test(text, Some("opens")) && !has_test("fn opens() {}", None));
    }
}

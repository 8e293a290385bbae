//! Every campaign of these tests is judged by what its log tells, by two programs that share nothing:
//! `countersign log verify`, and its twin in Python.

use serde_json::{Value, json};

use crate::{
    harness::{TestInstance, run_with_input},
    office::wait_until,
};

/// Asserts that both find every entry where it can stand, and that they count the same.
pub(crate) fn assert_history(instance: &TestInstance) {
    let verified = instance.run(&["log", "verify"]);
    let verdict: Value = serde_json::from_str(&verified.stdout).unwrap_or_default();
    assert_eq!(verified.code, 0, "{:#}\n{}", verdict["faults"], verified.stderr);
    assert_eq!(verdict["faults"], json!([]));
    let twin = twin(instance, verdict["entries"].as_u64().unwrap());
    assert_eq!((&twin["faults"], &twin["campaigns"]), (&json!([]), &verdict["campaigns"]));
}

/// Asserts that the campaigns' reports say what the entries do.
pub(crate) fn assert_reports(instance: &TestInstance) {
    // Somebody may be at work: then a report is of later entries.
    wait_until(|| {
        let verdict = instance.run(&["log", "verify"]).json();
        let campaigns = verdict["campaigns"].as_array().unwrap();
        campaigns.iter().all(|counts| report_agrees(instance, counts))
    });
}

/// What the twin says of the first entries of the log.
fn twin(instance: &TestInstance, entries: u64) -> Value {
    let shown = instance.run(&["log", "show"]).stdout;
    let entries = usize::try_from(entries).unwrap();
    let lines: String = shown.split_inclusive('\n').take(entries).collect();
    run_with_input(testkit::python("history_judge.py"), lines.as_bytes()).json()
}

/// `false` if the log has grown meanwhile.
fn report_agrees(instance: &TestInstance, counts: &Value) -> bool {
    let run = instance.run(&["campaign", "report", counts["name"].as_str().unwrap()]);
    assert!(matches!(run.code, 0 | 4), "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    if report["log_entries"] != counts["log_entries"] {
        return false;
    }
    let counted = counts.as_object().unwrap().iter();
    for (name, count) in counted.filter(|(name, _)| *name != "campaign") {
        assert_eq!(without_zeros(&report[name]), *count, "{name}: {report:#}\n{counts:#}");
    }
    true
}

fn without_zeros(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(counts) = value.as_object_mut() {
        counts.retain(|_, count| *count != 0);
    }
    value
}

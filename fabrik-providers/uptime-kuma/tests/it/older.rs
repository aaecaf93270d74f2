//! The conformance suite against release 1.23.17: the cases in which releases differ.

use fabrik_fakes::kuma::Release;
use fabrik_testkit::Ended;

fn conforms(cases: &[&str], at_least: usize) {
    let mut wrong = Vec::new();
    let mut passed = 0;
    for (name, ended) in crate::support::suite(Release::V1).outcomes(cases) {
        match ended {
            Ended::Passed => passed += 1,
            Ended::Failed(text) => wrong.push(format!("{name}: {text}")),
            Ended::Skipped(_) | Ended::Waived(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(passed >= at_least, "{passed}");
}

#[test]
fn release_1_connects_and_creates() {
    conforms(&["C1", "L1"], 7);
}

#[test]
fn release_1_reads_what_was_set() {
    conforms(&["L2"], 6);
}

#[test]
fn release_1_plans_nothing_after_an_apply() {
    conforms(&["L4"], 6);
}

#[test]
fn release_1_updates_and_deletes() {
    conforms(&["L5", "L6", "L9", "L13"], 18);
}

#[test]
fn release_1_imports_and_lists() {
    conforms(&["I1", "I4"], 12);
}

#[test]
fn release_1_shows_drift() {
    conforms(&["D1", "D2", "D3"], 18);
}

#[test]
fn release_1_makes_no_second_object_after_a_failure() {
    conforms(&["R4"], 6);
}

//! The suite where it is not a fake of its own: recordings, and a service others use.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "acme/mod.rs"]
mod service;

use fabrik_testkit::{Ended, Mode, Target as _};

fn failed(ended: &[(String, Ended)]) -> Vec<String> {
    let failed = ended.iter().filter_map(|(name, ended)| match ended {
        Ended::Failed(why) => Some(format!("{name}: {why}")),
        _ => None,
    });
    failed.collect()
}

#[test]
fn recorded_cases_run_without_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = service::suite("")
        .mode(Mode::Record, folder.path())
        .outcomes(&[]);
    assert_eq!(failed(&recorded), [] as [&str; 0]);
    let cassettes = folder.path().join("tests/cassettes");
    let mut count = 0;
    for file in std::fs::read_dir(cassettes).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for secret in ["acme-token-51f0c2", "open-sesame-77"] {
            assert!(!text.contains(secret));
        }
        count += 1;
    }
    assert!(count > 100, "{count} cassettes");
    let replayed = service::suite("")
        .mode(Mode::Replay, folder.path())
        .outcomes(&[]);
    assert_eq!(failed(&replayed), [] as [&str; 0]);
    let passed = replayed.iter().filter(|(_, ended)| *ended == Ended::Passed);
    assert!(passed.count() > 120);
}

#[test]
fn a_service_others_use_is_left_as_it_was() {
    let others = service::Acme::start();
    others.add_folder(serde_json::json!({"name": "theirs"}));
    let before = others.dump();
    let folder = tempfile::tempdir().unwrap();
    let ended = service::suite("")
        .mode(Mode::Live, folder.path())
        .live(others.config(others.address()))
        .outcomes(&[]);
    assert_eq!(failed(&ended), [] as [&str; 0]);
    let passed = ended.iter().filter(|(_, ended)| *ended == Ended::Passed);
    assert!(passed.count() > 50);
    assert_eq!(others.dump(), before);
}

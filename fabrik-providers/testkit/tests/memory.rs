//! The suite against the memory provider, whose cloud is served over TCP.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::ExitCode;

use serde_json::json;
use support::{MemoryTarget, provider, reads};

fn main() -> ExitCode {
    fabrik_testkit::suite("memory", provider)
        .target(MemoryTarget::start)
        .document("tests/support/CONFORMANCE-memory.md")
        .reads(reads)
        .refusal(
            400,
            "application/json",
            r#"{"failed":{"kind":"invalid","effect":"none","message":"refused"}}"#,
        )
        .wrong_token(json!({"token": "wrong-token-2b7e"}), "token")
        .waive(
            "X2",
            "its errors are the cloud's own words; only the engine cleans them",
        )
        .waive("C4", "tokens of the cloud have no permissions")
        .waive("R12", "the cloud refuses nothing that the schema allows")
        .resource("memory.note", |r| {
            r.minimal(json!({"title": "{fbt} least"}))
                .maximal(json!({
                    "folder": "home", "title": "{fbt} note", "body": "text",
                    "tags": ["a", "b"], "secret": "note-secret-91c2",
                }))
                .update(json!({"title": "renamed", "tags": ["b", "c"]}))
                .replace("folder", json!("work"))
                .invalid("title", json!(""), "is empty")
                .drift("title", |t, id| t.set(id, "title", json!("by hand")))
                .gone(MemoryTarget::remove)
                .unmanaged(|t, id| t.set(id, "colour", json!("red")))
                .opaque_ids()
                .many(
                    30,
                    |n| json!({"folder": "many", "title": format!("note {n}")}),
                )
                .waive("L6", "the cloud replaces a thing as a whole")
        })
        .resource("memory.name", |r| {
            r.minimal(json!({"name": "{fbt}-least"}))
                .maximal(json!({"name": "{fbt}-name", "value": "one"}))
                .update(json!({"value": "two"}))
                .replace("name", json!("{fbt}-other"))
                .invalid("name", json!(""), "is empty")
                .drift("value", |t, id| t.set(id, "value", json!("by hand")))
                .gone(MemoryTarget::remove)
                .foreign(|t| {
                    t.cloud.plant(
                        "memory.name",
                        json!({"name": "fbt-name", "value": "theirs"}),
                    )
                })
                .unmanaged(|t, id| t.set(id, "colour", json!("red")))
                .opaque_ids()
                .many(12, |n| json!({"name": format!("fbt-{n}")}))
                .waive("L6", "the cloud replaces a thing as a whole")
        })
        .resource("memory.record", |r| {
            r.minimal(json!({"zone": "{fbt}.test", "name": "least", "value": "1"}))
                .maximal(json!({"zone": "{fbt}.test", "name": "www", "value": "192.0.2.1"}))
                .update(json!({"value": "192.0.2.2"}))
                .replace("zone", json!("{fbt}-other.test"))
                .invalid("name", json!(""), "is empty")
                .drift("value", |t, id| t.set(id, "value", json!("192.0.2.9")))
                .gone(MemoryTarget::remove)
                .unmanaged(|t, id| t.set(id, "colour", json!("red")))
                .opaque_ids()
                .many(40, |n| {
                    json!({"zone": "{fbt}.test", "name": format!("r{n}"), "value": n.to_string()})
                })
                .waive("L6", "the cloud replaces a thing as a whole")
        })
        .resource("memory.blob", |r| {
            r.minimal(json!({"name": "{fbt}-least"}))
                .maximal(json!({"name": "{fbt}-blob", "parts": 2}))
                .update(json!({"name": "{fbt}-renamed"}))
                .replace("parts", json!(4))
                .invalid("parts", json!(0), "at least 1")
                .drift("name", |t, id| t.set(id, "name", json!("by hand")))
                .gone(MemoryTarget::remove)
                .unmanaged(|t, id| t.set(id, "colour", json!("red")))
                .opaque_ids()
                .many(12, |n| json!({"name": format!("blob {n}")}))
                .waive("L6", "the cloud replaces a thing as a whole")
        })
        .resource("memory.child", |r| {
            r.also("note", "memory.note", json!({"title": "above"}))
                .minimal(json!({"note": "${resources.note.id}", "text": "least"}))
                .maximal(json!({
                    "note": "${resources.note.id}", "within": "resources.note", "text": "{fbt}",
                }))
                .update(json!({"text": "other"}))
                .replace("note", json!("note-elsewhere"))
                .invalid("note", json!(""), "is empty")
                .drift("text", |t, id| t.set(id, "text", json!("by hand")))
                .gone(MemoryTarget::remove)
                .unmanaged(|t, id| t.set(id, "colour", json!("red")))
                .opaque_ids()
                .many(
                    12,
                    |n| json!({"note": "${resources.note.id}", "text": n.to_string()}),
                )
                .waive("L6", "the cloud replaces a thing as a whole")
        })
        .lookup("memory.latest", |l| {
            l.also(
                "note",
                "memory.note",
                json!({"folder": "{fbt}", "title": "newest"}),
            )
            .inputs(json!({"folder": "${resources.note.folder}"}))
            .not_found(json!({"folder": "{fbt}-empty"}))
        })
        .action("memory.flush", |a| a.inputs(json!({"cache": "{fbt}"})))
        .untested("memory.keyed", "repeats by key: as a note otherwise")
        .untested("memory.page", "as a record, with references within a call")
        .untested("memory.batch", "as a note, written in batches")
        .untested("memory.null", "nothing at all")
        .untested("memory.app", "as a name")
        .untested("memory.dns", "as a name")
        .run()
}

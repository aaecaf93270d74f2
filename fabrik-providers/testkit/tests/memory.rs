//! The suite against the memory provider, whose cloud is served over TCP.

mod support;

use std::process::ExitCode;

use serde_json::json;
use support::{MemoryTarget, provider, reads};

fn main() -> ExitCode {
    fabrik_testkit::suite("memory", provider)
        .target(MemoryTarget::start)
        .reads(reads)
        .resource("memory.note", |r| {
            r.minimal(json!({"title": "{fbt} least"}))
                .maximal(json!({
                    "folder": "home", "title": "{fbt} note", "body": "text",
                    "tags": ["a", "b"], "secret": "note-secret-91c2",
                }))
                .update(json!({"title": "renamed", "tags": ["b", "c"]}))
                .replace("folder", json!("work"))
                .invalid("title", json!(""), "at least 1")
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
                .invalid("name", json!(""), "at least 1")
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
        .run()
}

//! The conformance suite against the fake; `cargo test` runs it. A case alone:
//! `cargo test --test conformance -- R4`.

mod fake;

use std::process::ExitCode;

use fake::Fake;
use serde_json::json;

fn main() -> ExitCode {
    fabrik_testkit::suite("acme", fabrik_provider_acme::provider)
        .target(Fake::start)
        .wrong_token(json!({"token": "somebody-elses-token"}), "token")
        .lacking(|fake| fake.drop_scope("notes:write"), "notes:write")
        .resource("acme.note", |r| {
            r.minimal(json!({"folder": "home", "title": "{fbt} least"}))
                .maximal(json!({
                    "folder": "home",
                    "title": "{fbt} note",
                    "text": "bread, milk",
                    "tags": ["food", "today"],
                    "password": "note-password-91c2",
                }))
                .update(json!({"title": "{fbt} renamed", "tags": ["today", "later"]}))
                .replace("folder", json!("work"))
                .invalid("title", json!(""), "is empty")
                .refused("tags", json!(["two words"]), "has no spaces")
                .drift("text", |fake, id| fake.edit(id, "text", json!("by hand")))
                .gone(Fake::remove)
                .foreign(|fake| fake.add("home", "fbt note"))
                .unmanaged(|fake, id| fake.edit(id, "colour", json!("red")))
                .opaque_ids()
                .many(
                    12,
                    |n| json!({"folder": "many", "title": format!("{{fbt}} {n}")}),
                )
        })
        .run()
}

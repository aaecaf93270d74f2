//! A small service, a provider for it, and their suite.

mod broken;
mod client;
mod fake;
mod provider;

use fabrik_testkit::Suite;
use serde_json::{Value as Json, json};

pub(crate) use fake::Acme;
pub(crate) use provider::provider;

/// Whether a bug is among these, which are written `one|other`.
pub(crate) fn has(bugs: &str, bug: &str) -> bool {
    bugs.split('|').any(|one| one == bug)
}

fn note(title: &str) -> Json {
    json!({"folder": "${resources.folder.name}", "title": title})
}

/// The suite for the provider with bugs; none for an empty text.
pub(crate) fn suite(bug: &'static str) -> Suite<Acme> {
    notes(bug).resource("acme.folder", |r| {
        r.minimal(json!({"name": "{fbt}-least"}))
            .maximal(json!({"name": "{fbt}-full", "purpose": "all"}))
            .update(json!({"purpose": "other"}))
            .replace("name", json!("{fbt}-else"))
            .invalid("name", json!(""), "empty")
            .drift("purpose", |t, id| t.edit(id, "purpose", json!("by hand")))
            .gone(Acme::remove)
            .foreign(|t| t.add_folder(json!({"name": "fbt-full", "purpose": "theirs"})))
            .unmanaged(|t, id| t.edit(id, "stars", json!(5)))
            .opaque_ids()
            .many(10, |n| json!({"name": format!("fbt-{n}")}))
            .waive("R12", "Acme refuses no folder that the schema allows")
    })
}

/// The suite without folders as a subject.
pub(crate) fn notes(bug: &'static str) -> Suite<Acme> {
    fabrik_testkit::suite("acme", move || provider(bug))
        .target(Acme::start)
        .untested("acme.folder", "not the subject here")
        .wrong_token(json!({"token": "wrong-token-2b7e"}), "token")
        .lacking(Acme::make_read_only, "notes:write")
        .resource("acme.note", |r| {
            r.also("folder", "acme.folder", json!({"name": "{fbt}-folder"}))
                .minimal(note("least"))
                .maximal(json!({
                    "folder": "${resources.folder.name}", "title": "note", "body": "text",
                    "shade": "red", "tags": ["a", "b"], "password": "open-sesame-77",
                }))
                .update(json!({"title": "renamed", "tags": ["c"]}))
                .replace("folder", json!("elsewhere"))
                .invalid("title", json!(""), "empty")
                .refused("title", json!("banned"), "is banned here")
                .same("shade", json!("RED"))
                .drift("title", |t, id| t.edit(id, "title", json!("by hand")))
                .gone(Acme::remove)
                .unmanaged(|t, id| t.edit(id, "stars", json!(5)))
                .bad_id("seventeen", "n-17")
                .many(25, |n| note(&format!("note {n}")))
                .reads_at_most(5)
                .slow(Acme::make_slow)
                .older(1, |mut stored| {
                    let title = stored["inputs"]["title"].take();
                    stored["inputs"].as_object_mut().unwrap().remove("title");
                    stored["inputs"]["name"] = title;
                    stored
                })
        })
        .lookup("acme.find", |l| {
            l.also("folder", "acme.folder", json!({"name": "{fbt}-folder"}))
                .also("note", "acme.note", note("found"))
                .inputs(json!({"id": "${resources.note.id}"}))
                .not_found(json!({"id": "n-404"}))
        })
        .action("acme.purge", |a| a.inputs(json!({"what": "cache"})))
}

//! Many operations on records in one transaction.

use fabrik_testkit::serve::Reply;
use serde_json::{Value as Json, json};

use super::envelope::{Refusal, ok};
use super::records;
use super::state::State;

/// Deletes, then patches, then puts, then posts: all, or none and the first error only.
pub(super) fn run(state: &mut State, zone: &str, body: &Json) -> Result<Reply, Refusal> {
    let list = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    let (deletes, patches, puts, posts) = (
        list("deletes"),
        list("patches"),
        list("puts"),
        list("posts"),
    );
    let count = deletes.len() + patches.len() + puts.len() + posts.len();
    let most = state.zones[zone].plan.batch();
    if count == 0 {
        return Err(Refusal::validation(
            9207,
            "A batch needs at least one operation.",
        ));
    }
    if count > most {
        let text = format!("A batch holds at most {most} operations, not {count}.");
        return Err(Refusal::validation(9208, text));
    }
    let before = state.zones[zone].clone();
    let id = |operation: &Json| operation["id"].as_str().unwrap_or_default().to_owned();
    let mut run = || -> Result<Json, Refusal> {
        let mut done = json!({"deletes": [], "patches": [], "puts": [], "posts": []});
        let mut push = |name: &str, record: Json| {
            if let Some(list) = done[name].as_array_mut() {
                list.push(record);
            }
        };
        for operation in &deletes {
            push("deletes", records::remove(state, zone, &id(operation))?);
        }
        for operation in &patches {
            let changed = records::change(state, zone, &id(operation), &plain(operation), false)?;
            push("patches", changed);
        }
        for operation in &puts {
            let changed = records::change(state, zone, &id(operation), &plain(operation), true)?;
            push("puts", changed);
        }
        for operation in &posts {
            push("posts", records::add(state, zone, operation)?);
        }
        Ok(done)
    };
    match run() {
        Ok(done) => Ok(ok(&done)),
        Err(refusal) => {
            state.zones.insert(zone.to_owned(), before);
            Err(refusal)
        }
    }
}

fn plain(operation: &Json) -> Json {
    let mut fields = operation.clone();
    if let Some(map) = fields.as_object_mut() {
        map.remove("id");
    }
    fields
}

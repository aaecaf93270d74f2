//! The stacks that are applied, and foreign objects that look just like what they make.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::stack::{Declared, Options, Stack};
use fabrik_core::value::{Path, Value, from_json};
use fabrik_provider_memory::{Cloud, Thing};
use serde_json::{Value as Json, json};

/// What the cloud refuses to make: the version that fails holds it.
pub(crate) const REFUSED: &str = "refused";

/// Versions of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Version {
    /// The first.
    One,
    /// Others: updates, replacements in both orders, deletes, creates.
    Two,
    /// As the second with a resource in the middle that is refused.
    Failing,
    /// Nothing.
    Empty,
}

impl Version {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Version::One => "one",
            Version::Two => "two",
            Version::Failing => "failing",
            Version::Empty => "empty",
        }
    }

    pub(crate) fn parse(word: &str) -> Version {
        [Version::One, Version::Two, Version::Failing]
            .into_iter()
            .find(|version| version.word() == word)
            .unwrap_or(Version::Empty)
    }

    fn is_first(self) -> bool {
        self == Version::One
    }
}

/// A block holds resources of every type, in layers.
const BLOCK: usize = 20;

/// The stack with this many resources (a multiple of twenty).
pub(crate) fn stack(version: Version, size: usize) -> Arc<Stack> {
    let mut stack = Stack::new("crash");
    if version != Version::Empty {
        for block in 0..size / BLOCK {
            for declared in declare_block(version, block) {
                stack.declare(declared).unwrap();
            }
        }
        if version == Version::Failing {
            // After the blob and the keyed thing of the middle block.
            let middle = size / BLOCK / 2;
            let refused = thing("refused", "note", &json!({"title": REFUSED}));
            let refused = with(refused, "body", output(&format!("k{middle}b"), "url"));
            let refused = with(refused, "folder", output(&format!("b{middle}"), "url"));
            stack.declare(refused).unwrap();
        }
    }
    Arc::new(stack)
}

fn declare_block(version: Version, block: usize) -> Vec<Declared> {
    let first = version.is_first();
    let text = if first { "1" } else { "2" };
    // Some change, some stay, some are replaced, some leave and others come.
    let (changes, replaced, moves) = (block % 2 == 0, block % 3 == 0, block % 4 == 0);
    let value = if changes { text } else { "same" };
    let id = |name: &str| format!("{name}{block}");
    let mut all = vec![
        thing(
            &id("n"),
            "note",
            &json!({
                "title": id("n"),
                "folder": if replaced { text } else { "same" },
                "body": value,
                "tags": [value, "t"],
            }),
        ),
        thing(
            &id("m"),
            "name",
            &json!({"name": if replaced && !first { format!("m{block}x") } else { id("m") }, "value": value}),
        ),
        thing(&id("k"), "keyed", &json!({"name": id("k"), "value": value})),
        thing(
            &id("b"),
            "blob",
            &json!({"name": id("b"), "parts": if replaced && !first { 4 } else { 3 }}),
        ),
        thing(
            &id("d"),
            "dns",
            &json!({"name": format!("d{block}.test"), "target": format!("to-{value}")}),
        ),
        thing(&id("a"), "app", &json!({"name": id("a"), "run": value})),
        thing(
            &id("f"),
            "flush",
            &json!({"cache": format!("{block} {value}")}),
        ),
    ];
    for (record, at) in [("ra", 0), ("rb", 1), ("rc", 2)] {
        // A zone is shared by two blocks.
        let zone = if moves && at == 2 && !first {
            "other".to_owned()
        } else {
            format!("zone{}", block / 2)
        };
        let name = format!("{record}{block}");
        let record = thing(
            &name,
            "record",
            &json!({"zone": zone, "name": name, "value": value}),
        );
        all.push(if at == 1 {
            with(record, "value", output(&id("n"), "url"))
        } else {
            record
        });
    }
    let site = format!("site{}", block / 2);
    let page = |page: &str| {
        let title = format!("{page}{block}");
        thing(
            &title,
            "page",
            &json!({"site": site, "title": title, "body": value}),
        )
    };
    all.push(page("pa"));
    all.push(with(page("pb"), "parent", output(&id("pa"), "id")));
    all.push(with(page("pc"), "body", output(&id("pb"), "url")));
    for batch in ["xa", "xb"] {
        let name = format!("{batch}{block}");
        all.push(thing(
            &name,
            "batch",
            &json!({"name": name, "value": value}),
        ));
    }
    let mut child = thing(
        &id("c"),
        "child",
        &json!({"within": format!("resources.n{block}"), "text": value}),
    );
    child = with(child, "note", output(&id("n"), "id"));
    all.push(child);
    let keyed = thing(&format!("k{block}b"), "keyed", &json!({"name": "twice"}));
    all.push(with(keyed, "value", output(&id("b"), "url")));
    let note = thing(&format!("n{block}b"), "note", &json!({"title": "twice"}));
    let note = with(note, "body", output(&id("k"), "id"));
    all.push(if replaced {
        created_first(note, output(&id("n"), "id"))
    } else {
        note
    });
    // What leaves and what comes.
    let last = if first || !moves { "old" } else { "new" };
    let title = format!("{last}{block}");
    let note = thing(&title, "note", &json!({"title": title}));
    all.push(with(note, "body", output(&format!("k{block}b"), "url")));
    let title = format!("{last}{block}p");
    all.push(thing(&title, "batch", &json!({"name": title})));
    assert_eq!(all.len(), BLOCK);
    all
}

/// A note replaced when the other is, made anew before the old one goes.
fn created_first(note: Declared, folder: Value) -> Declared {
    let mut note = with(note, "folder", folder);
    note.options = Arc::new(Options {
        create_before_delete: Some(true),
        ..Options::default()
    });
    note
}

pub(crate) fn address(id: &str) -> Address {
    Address::resource(id).unwrap()
}

fn thing(id: &str, kind: &str, inputs: &Json) -> Declared {
    Declared::new(address(id), format!("memory.{kind}"), from_json(inputs))
}

fn output(id: &str, path: &str) -> Value {
    Value::from(Expr::from(Reference::output(
        address(id),
        Path::parse(path),
    )))
}

fn with(mut declared: Declared, field: &str, value: Value) -> Declared {
    declared.inputs = declared.inputs.with(&Path::parse(field), value);
    declared
}

/// Plants somebody else's things: of the same names, in the same folders, zones and sites, wherever
/// the cloud allows names to repeat.
pub(crate) fn plant(cloud: &Cloud, size: usize) -> Vec<Thing> {
    let mut planted = Vec::new();
    for version in [Version::One, Version::Two] {
        for declared in stack(version, size).resources.values() {
            let kind = &*declared.type_name;
            let inputs = match kind {
                "memory.name" | "memory.app" | "memory.dns" | "memory.flush" | "memory.child" => {
                    continue;
                }
                _ => foreign(&declared.inputs),
            };
            planted.push(cloud.plant(kind, inputs));
        }
    }
    planted.sort_by(|a, b| a.id.cmp(&b.id));
    planted
}

/// The inputs without references.
fn foreign(inputs: &Value) -> Json {
    let mut plain = serde_json::Map::new();
    for field in [
        "title", "name", "folder", "zone", "site", "value", "body", "parts",
    ] {
        match inputs.get(field) {
            Some(value) if value.as_str().is_some() => {
                plain.insert(field.to_owned(), json!(value.as_str()));
            }
            Some(_) if field == "parts" => {
                plain.insert(field.to_owned(), json!(3));
            }
            _ => {}
        }
    }
    Json::Object(plain)
}

//! The model as text: always the same for the same model, keys in a fixed order, short forms where
//! they say the same.

use fabrik_core::value::{Value, from_json};
use fabrik_core::yaml;
use serde_json::{Map, Value as Json};

use crate::model::File;
use crate::shape::{Block, FILE, Kind, MOUNT, PORT};
use crate::short;

/// A Compose file as text.
pub fn write(file: &File) -> String {
    let json = serde_json::to_value(file).unwrap_or_default();
    let mut out = String::new();
    if let Some(tree) = block(json, &FILE) {
        tree.print(0, &mut out);
    }
    out
}

/// What is printed, in the order in which it is printed.
enum Tree {
    Leaf(Json),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    fn is_empty(&self) -> bool {
        match self {
            Tree::Leaf(json) => json.is_null(),
            Tree::List(items) => items.is_empty(),
            Tree::Map(entries) => entries.is_empty(),
        }
    }

    fn print(&self, depth: usize, out: &mut String) {
        match self {
            Tree::Map(entries) => {
                for (key, tree) in entries {
                    match tree {
                        Tree::Map(entries) if !entries.is_empty() => {
                            lines(&head(key), depth, out);
                            tree.print(depth + 1, out);
                        }
                        Tree::List(items) if !items.is_empty() => {
                            lines(&head(key), depth, out);
                            tree.print(depth + 1, out);
                        }
                        other => {
                            let value = Value::map([(key.as_str(), other.value())]);
                            lines(&yaml::to_text(&value), depth, out);
                        }
                    }
                }
            }
            Tree::List(items) => {
                for item in items {
                    match item {
                        Tree::Map(entries) if !entries.is_empty() => {
                            let mut inner = String::new();
                            item.print(depth + 1, &mut inner);
                            out.push_str(&"  ".repeat(depth));
                            out.push_str("- ");
                            out.push_str(inner.trim_start());
                        }
                        other => lines(&yaml::to_text(&Value::list([other.value()])), depth, out),
                    }
                }
            }
            Tree::Leaf(_) => lines(&yaml::to_text(&self.value()), depth, out),
        }
    }

    fn value(&self) -> Value {
        match self {
            Tree::Leaf(json) => from_json(json),
            Tree::List(items) => Value::list(items.iter().map(Tree::value)),
            Tree::Map(entries) => Value::map(
                entries
                    .iter()
                    .map(|(key, tree)| (key.as_str(), tree.value())),
            ),
        }
    }
}

/// A key alone, quoted where that is needed.
fn head(key: &str) -> String {
    let text = yaml::to_text(&Value::map([(key, Value::Null)]));
    text.trim_end().trim_end_matches(" ~").to_owned()
}

fn lines(text: &str, depth: usize, out: &mut String) {
    for line in text.lines() {
        if !line.is_empty() {
            out.push_str(&"  ".repeat(depth));
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// A block's keys in their order; `None` for what is no map.
fn block(json: Json, block: &Block) -> Option<Tree> {
    let Json::Object(mut map) = json else {
        return None;
    };
    let mut other = match map.remove("other") {
        Some(Json::Object(other)) => other,
        _ => Map::new(),
    };
    let mut entries = Vec::new();
    for row in block.rows {
        let Some(value) = map.remove(row.key).or_else(|| other.remove(row.key)) else {
            continue;
        };
        // An empty command is said, too: it clears the image's own.
        let says_nothing = value.is_null()
            || (!matches!(row.kind, Kind::Command) && value.as_array().is_some_and(Vec::is_empty))
            || value.as_object().is_some_and(Map::is_empty);
        if says_nothing {
            continue;
        }
        let tree = tree(value, &row.kind);
        let keeps = matches!(row.kind, Kind::Command) || row.key == "services";
        if keeps || !tree.is_empty() {
            entries.push((row.key.to_owned(), tree));
        }
    }
    entries.extend(other.into_iter().map(|(key, value)| (key, raw(value))));
    Some(Tree::Map(entries))
}

fn tree(json: Json, kind: &Kind) -> Tree {
    match (kind, json) {
        (Kind::Block(of), json) => block(json, of).unwrap_or(Tree::Leaf(Json::Null)),
        (Kind::Map(of), Json::Object(map)) => Tree::Map(
            map.into_iter()
                .map(|(key, value)| (key, tree(value, of)))
                .collect(),
        ),
        (Kind::Short(key, of), json) => match block(json, of) {
            Some(Tree::Map(mut entries)) if entries.len() == 1 && entries[0].0 == *key => {
                entries.remove(0).1
            }
            Some(tree) => tree,
            None => Tree::Leaf(Json::Null),
        },
        (Kind::Some(of) | Kind::List(of), Json::Array(items)) => {
            Tree::List(items.into_iter().map(|item| tree(item, of)).collect())
        }
        (Kind::Named(of), Json::Object(map)) => named(map, of),
        (Kind::Ports, Json::Array(items)) => Tree::List(
            items
                .into_iter()
                .filter_map(|item| {
                    let port = serde_json::from_value(item.clone()).ok();
                    match port.as_ref().and_then(short::port_text) {
                        Some(text) => Some(Tree::Leaf(Json::from(text))),
                        None => block(item, &PORT),
                    }
                })
                .collect(),
        ),
        (Kind::Mounts, Json::Array(items)) => Tree::List(
            items
                .into_iter()
                .filter_map(|mut item| {
                    let mount = serde_json::from_value(item.clone()).ok();
                    if let Some(text) = mount.as_ref().and_then(short::mount_text) {
                        return Some(Tree::Leaf(Json::from(text)));
                    }
                    if let Some(map) = item.as_object_mut() {
                        map.remove("flags");
                    }
                    block(item, &MOUNT)
                })
                .collect(),
        ),
        (Kind::Ulimit, Json::Object(map)) if map.get("soft") == map.get("hard") => {
            Tree::Leaf(map.get("soft").cloned().unwrap_or_default())
        }
        (_, json) => raw(json),
    }
}

/// Names alone where nothing is said of them.
fn named(map: Map<String, Json>, of: &Block) -> Tree {
    let blocks: Vec<(String, Tree)> = map
        .into_iter()
        .filter_map(|(name, value)| Some((name, block(value, of)?)))
        .collect();
    if blocks.iter().all(|(_, tree)| tree.is_empty()) {
        let names = blocks.into_iter();
        return Tree::List(
            names
                .map(|(name, _)| Tree::Leaf(Json::from(name)))
                .collect(),
        );
    }
    let needs_condition = of.row("condition").is_some();
    let entries = blocks.into_iter().map(|(name, tree)| match tree {
        Tree::Map(mut entries) => {
            if needs_condition && !entries.iter().any(|(key, _)| key == "condition") {
                let usual = Tree::Leaf(Json::from("service_started"));
                entries.insert(0, ("condition".to_owned(), usual));
            }
            (name, Tree::Map(entries))
        }
        other => (name, other),
    });
    Tree::Map(entries.collect())
}

/// As it stands.
fn raw(json: Json) -> Tree {
    match json {
        Json::Object(map) => Tree::Map(
            map.into_iter()
                .map(|(key, value)| (key, raw(value)))
                .collect(),
        ),
        Json::Array(items) => Tree::List(items.into_iter().map(raw).collect()),
        leaf => Tree::Leaf(leaf),
    }
}

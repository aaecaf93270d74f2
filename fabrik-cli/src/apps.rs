//! Apps as they are now: what their references stand for, from state.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::engine::Engine;
use fabrik_core::expr::{self, Reference, Target};
use fabrik_core::stack::Stack;
use fabrik_core::state::{Row, RowStatus, Snapshot};
use fabrik_core::value::{Path, Value};

/// Current objects by address.
pub(crate) struct Current<'a>(HashMap<&'a Address, &'a Row>);

impl<'a> Current<'a> {
    /// Those of a snapshot.
    pub(crate) fn of(snapshot: &'a Snapshot) -> Current<'a> {
        Current(
            snapshot
                .rows
                .iter()
                .filter(|row| row.status == RowStatus::Current)
                .map(|row| (&row.address, row))
                .collect(),
        )
    }

    /// The object of an address.
    pub(crate) fn get(&self, address: &Address) -> Option<&'a Row> {
        self.0.get(address).copied()
    }

    /// A value with its references to resources filled in, as far as state knows them.
    pub(crate) fn resolve(&self, value: &Value) -> Value {
        let scope = |reference: &Reference| {
            let Target::Resource(address) = &reference.target else {
                return Ok(None);
            };
            Ok(self
                .get(address)
                .and_then(|row| output(row, &reference.path)))
        };
        expr::resolve(value, &scope).unwrap_or_else(|_| value.clone())
    }
}

/// What a reference into an object finds: its id, an output, or an input.
fn output(row: &Row, path: &Path) -> Option<Value> {
    if path.to_string() == "id" {
        return Some(Value::from(row.object.id.as_str()));
    }
    row.object
        .outputs
        .at(path)
        .or_else(|| row.object.inputs.at(path))
}

/// Text that is known and no secret.
pub(crate) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.to_string()),
        Value::Num(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Pages of platforms for what an engine's state holds: the address, and its output `page`.
pub(crate) async fn pages(
    engine: &Engine,
    among: &dyn Fn(&Address) -> bool,
) -> Vec<(String, String)> {
    let Ok(snapshot) = engine.store().load().await else {
        return Vec::new();
    };
    let rows = snapshot.rows.iter();
    rows.filter(|row| row.status == RowStatus::Current && among(&row.address))
        .filter_map(|row| {
            let page = plain(row.object.outputs.get("page")?)?;
            let is_url = page.starts_with("https://") || page.starts_with("http://");
            is_url.then(|| (row.address.to_string(), page))
        })
        .collect()
}

/// The URL of a stack: the output `url`, else that of its only app, else of its first.
pub(crate) async fn url(
    engine: &Engine,
    stack: &Stack,
    outputs: &BTreeMap<Arc<str>, Value>,
) -> Option<String> {
    if let Some(url) = outputs.get("url").and_then(plain) {
        return Some(url);
    }
    let snapshot = engine.store().load().await.ok()?;
    let current = Current::of(&snapshot);
    stack
        .apps
        .iter()
        .find_map(|app| plain(&current.resolve(&app.url)))
}

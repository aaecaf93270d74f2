//! Objects that are values of the site: options, values inside of options, meta of a page.
//!
//! They are there before Fabrik, so taking one out of the stack makes it what it was.

use fabrik_core::provider::Verb;
use serde_json::{Value as Json, json};

use super::{Sent, Write};

/// One value and where it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The field of the spec.
    pub(crate) field: String,
    /// The option, or the key of the meta.
    pub(crate) name: String,
    /// Where in the option.
    pub(crate) path: Vec<String>,
    /// Stored with entities.
    pub(crate) html: bool,
    /// The value says whether this is a member of a list.
    pub(crate) member: Option<&'static str>,
    /// What is wanted.
    pub(crate) value: Option<Json>,
}

impl Entry {
    /// A whole option for a field.
    pub(crate) fn option(field: &str, name: &str, value: Option<Json>) -> Entry {
        Entry {
            field: field.to_owned(),
            name: name.to_owned(),
            path: Vec::new(),
            html: false,
            member: None,
            value,
        }
    }

    /// A value inside of an option.
    pub(crate) fn inside(field: &str, name: &str, key: &str, value: Option<Json>) -> Entry {
        Entry {
            path: vec![key.to_owned()],
            ..Entry::option(field, name, value)
        }
    }

    /// Whether something is a member of an option that is a list.
    pub(crate) fn member(field: &str, name: &str, of: &'static str, value: Option<bool>) -> Entry {
        Entry {
            member: Some(of),
            ..Entry::option(field, name, value.map(Json::from))
        }
    }

    /// The same, stored with entities.
    pub(crate) fn html(self) -> Entry {
        Entry { html: true, ..self }
    }

    fn place(&self) -> Json {
        let mut place = json!({"field": self.field, "name": self.name});
        if !self.path.is_empty() {
            place["path"] = json!(self.path);
        }
        if let Some(member) = self.member {
            place["member"] = json!(member);
        }
        if self.html {
            place["html"] = json!(true);
        }
        place
    }
}

/// The operation that reads options.
pub(crate) fn read(id: &str, entries: &[Entry]) -> Json {
    let places: Vec<Json> = entries.iter().map(Entry::place).collect();
    json!({"kind": "options", "do": "read", "id": id, "entries": places})
}

/// The operation that writes options. What is no longer set becomes what it was before, where it is
/// still what was sent.
pub(crate) fn write<S>(
    write: &Write<'_, S>,
    id: &str,
    entries: &dyn Fn(Option<&S>) -> Vec<Entry>,
) -> Json {
    let before = entries(write.prior);
    let mut all = entries(write.spec);
    // A spec may name other options than before.
    for former in &before {
        if !all.iter().any(|entry| entry.field == former.field) {
            all.push(Entry {
                value: None,
                ..former.clone()
            });
        }
    }
    let entries: Vec<Json> = all
        .iter()
        .map(|entry| {
            let mut place = entry.place();
            let sent = before
                .iter()
                .find(|former| former.field == entry.field)
                .and_then(|former| former.value.as_ref());
            merge(
                &mut place,
                &change(write, &entry.field, entry.value.as_ref(), sent),
            );
            place
        })
        .collect();
    let word = match write.verb {
        Verb::Delete => "delete",
        _ => "update",
    };
    json!({"kind": "options", "do": word, "id": id, "entries": entries})
}

/// The operation that reads meta of a page.
pub(crate) fn read_meta(id: &str, post: &str, entries: &[Entry]) -> Json {
    json!({"kind": "meta", "do": "read", "id": id, "post": post, "keys": names(entries)})
}

/// The operation that writes meta of a page, as [`write`] does options.
pub(crate) fn write_meta<S>(
    write: &Write<'_, S>,
    id: &str,
    post: &str,
    entries: &dyn Fn(Option<&S>) -> Vec<Entry>,
) -> Json {
    let before = entries(write.prior);
    let all = entries(write.spec);
    let set: Vec<Json> = all
        .iter()
        .zip(&before)
        .map(|(entry, former)| {
            let change = change(
                write,
                &entry.name,
                entry.value.as_ref(),
                former.value.as_ref(),
            );
            if change.as_object().is_some_and(serde_json::Map::is_empty) {
                Json::Null
            } else {
                change
            }
        })
        .collect();
    json!({
        "kind": "meta", "do": write.word(), "id": id, "post": post,
        "keys": names(&all), "set": set,
    })
}

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.name.as_str()).collect()
}

/// What is done to one value: nothing, set, or put back.
fn change<S>(write: &Write<'_, S>, name: &str, wanted: Option<&Json>, sent: Option<&Json>) -> Json {
    match (wanted, sent) {
        (Some(value), _) => json!({"value": value}),
        (None, None) => json!({}),
        (None, Some(sent)) => match write.kept.first.get(name) {
            Some(first) if !first.is_null() => json!({"value": first["value"], "if": sent}),
            Some(_) => json!({"unset": true, "if": sent}),
            // Taken over as it was: there is nothing before it.
            None => json!({}),
        },
    }
}

fn merge(into: &mut Json, from: &Json) {
    for (key, value) in from.as_object().into_iter().flatten() {
        into[key] = value.clone();
    }
}

/// What an operation does to each value.
pub(crate) fn sent(op: &Json) -> Vec<Sent> {
    let of = |name: String, change: &Json| {
        if change.get("if").is_some() {
            Sent::PutBack(name)
        } else if change.get("value").is_some() {
            Sent::Set(name)
        } else {
            Sent::Not
        }
    };
    let list = |key: &str| op[key].as_array().map(Vec::as_slice).unwrap_or_default();
    if op["kind"] == "meta" {
        let keys = list("keys")
            .iter()
            .map(|key| key.as_str().unwrap_or_default());
        return keys
            .zip(list("set"))
            .map(|(key, change)| of(key.to_owned(), change))
            .collect();
    }
    let entries = list("entries").iter();
    entries
        .map(|entry| {
            of(
                entry["field"].as_str().unwrap_or_default().to_owned(),
                entry,
            )
        })
        .collect()
}

/// The values of a row, in the order in which they were asked for.
pub(crate) struct Values<'a>(pub(crate) &'a [Json]);

impl<'a> Values<'a> {
    pub(crate) fn of(raw: &'a Json) -> Values<'a> {
        Values(
            raw["values"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default(),
        )
    }

    /// The value at a position; `None` where it is not set.
    pub(crate) fn at(&self, at: usize) -> Option<&'a Json> {
        self.0.get(at).and_then(|found| found.get("value"))
    }
}

/// A value as text: WordPress stores numbers and flags as texts.
pub(crate) fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(true) => Some("1".to_owned()),
        Json::Bool(false) => Some(String::new()),
        _ => None,
    }
}

/// Whether a value is as it was sent, although WordPress stores it in another form.
pub(crate) fn same(sent: &Json, found: &Json) -> bool {
    match (sent, found) {
        (Json::Array(sent), Json::Array(found)) => {
            sent.len() == found.len() && sent.iter().zip(found).all(|(a, b)| same(a, b))
        }
        (Json::Object(sent), Json::Object(found)) => {
            sent.len() == found.len()
                && sent
                    .iter()
                    .all(|(key, a)| found.get(key).is_some_and(|b| same(a, b)))
        }
        // PHP has one kind for both.
        (Json::Object(map), Json::Array(list)) | (Json::Array(list), Json::Object(map)) => {
            map.is_empty() && list.is_empty()
        }
        _ => sent == found || (text(sent).is_some() && text(sent) == text(found)),
    }
}

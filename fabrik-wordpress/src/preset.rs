//! Presets: what a site begins with, and how the spec overrides it.
//!
//! A preset is a block like any other (`presets/NAME.yaml`). Maps of the spec are laid over those
//! of the preset; pages are matched by `id`, plugins and categories by `slug`, menus by location;
//! sections of a page are replaced when the spec lists any, or changed one by one with
//! `overrides`; every other list replaces the preset's.

use std::sync::Arc;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::spec::parse::parse;
use fabrik_core::value::{Map, Value};

use crate::normalise;

/// The text of a preset; `None` for `none` and what is not known.
pub fn text(name: &str) -> Option<&'static str> {
    Some(match name {
        "company" => include_str!("presets/company.yaml"),
        "landing" => include_str!("presets/landing.yaml"),
        "saas" => include_str!("presets/saas.yaml"),
        "ecommerce" => include_str!("presets/ecommerce.yaml"),
        "content" => include_str!("presets/content.yaml"),
        _ => return None,
    })
}

/// A preset in long form, with the site's own names in its texts.
fn read(name: &str, spec: &Value) -> Result<Value> {
    let Some(text) = text(name) else {
        return Ok(Value::map::<&str>([]));
    };
    let mut found = Vec::new();
    let node = parse(text, 0, &mut found)
        .filter(|_| found.is_empty())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Unexpected,
                format!("the preset `{name}` is damaged"),
            )
        })?;
    Ok(normalise::block(fill(&node.plain_value(), spec)))
}

/// Fills `{title}`, `{tagline}`, `{company}`, `{email}` and `{phone}` into texts.
fn fill(preset: &Value, spec: &Value) -> Value {
    let at = |path: &str| {
        let value = spec.at(&fabrik_core::value::Path::parse(path));
        value.and_then(|value| value.as_str().map(str::to_owned))
    };
    let title = at("title").unwrap_or_default();
    let names = [
        ("{tagline}", at("tagline").unwrap_or_else(|| title.clone())),
        (
            "{company}",
            at("contact.company").unwrap_or_else(|| title.clone()),
        ),
        ("{email}", at("contact.email").unwrap_or_default()),
        ("{phone}", at("contact.phone").unwrap_or_default()),
        ("{title}", title),
    ];
    let done: Result<Value> = preset.rewrite(&mut |node| {
        Ok(match &node {
            Value::Str(text) if text.contains('{') => {
                let mut text = text.to_string();
                for (name, with) in &names {
                    text = text.replace(name, with);
                }
                Value::from(text)
            }
            _ => node,
        })
    });
    done.unwrap_or_default()
}

/// A block with its preset, and where its lists came from.
#[derive(Debug)]
pub(crate) struct Merged {
    /// The block.
    pub(crate) block: Value,
    /// For each page, its place in the spec's own list.
    pub(crate) pages: Vec<Option<usize>>,
    /// For each menu, likewise.
    pub(crate) menus: Vec<Option<usize>>,
}

/// Lays a spec over its preset.
///
/// # Errors
/// [`ErrorKind::Unexpected`] for a damaged preset.
pub(crate) fn merge(spec: &Value) -> Result<Merged> {
    let name = spec.get("preset").and_then(Value::as_str).unwrap_or("none");
    let preset = read(name, spec)?;
    let mut block = preset.as_map().cloned().unwrap_or_default();
    let mut pages = origins(&list(&preset, "pages"), &[]);
    let mut menus = origins(&list(&preset, "menus"), &[]);
    for (key, value) in spec.as_map().into_iter().flatten() {
        let under = block.get(key).cloned();
        let merged = match (&**key, under) {
            ("pages", under) => {
                let (list, from) = by_name(&items(under.as_ref()), &items(Some(value)), "id");
                pages = from;
                Value::list(list)
            }
            ("plugins" | "categories", Some(under)) => {
                let (list, _) = by_name(&items(Some(&under)), &items(Some(value)), "slug");
                Value::list(list)
            }
            ("menus", under) => {
                let (list, from) = by_location(&items(under.as_ref()), &items(Some(value)));
                menus = from;
                Value::list(list)
            }
            ("theme", _) => value.clone(),
            (_, Some(under)) => lay(&under, value),
            (_, None) => value.clone(),
        };
        block.insert(key.clone(), merged);
    }
    Ok(Merged {
        block: Value::Map(Arc::new(block)),
        pages,
        menus,
    })
}

fn items(value: Option<&Value>) -> Vec<Value> {
    let list = value.and_then(Value::as_list);
    list.unwrap_or_default().to_vec()
}

fn list(block: &Value, field: &str) -> Vec<Value> {
    items(block.get(field))
}

fn origins(preset: &[Value], own: &[Value]) -> Vec<Option<usize>> {
    std::iter::repeat_n(None, preset.len())
        .chain((0..own.len()).map(Some))
        .collect()
}

/// Maps deep, everything else replaced; null takes out.
pub(crate) fn lay(under: &Value, over: &Value) -> Value {
    let (Value::Map(below), Value::Map(above)) = (under, over) else {
        return over.clone();
    };
    let mut map: Map = below.as_ref().clone();
    for (key, value) in above.iter() {
        if value.is_null() {
            map.remove(key);
            continue;
        }
        let merged = match map.get(key) {
            Some(below) => lay(below, value),
            None => value.clone(),
        };
        map.insert(key.clone(), merged);
    }
    Value::Map(Arc::new(map))
}

fn name_of<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str)
}

/// Items of the same name are laid over each other; others follow. What says `remove` is left out.
fn by_name(under: &[Value], over: &[Value], field: &str) -> (Vec<Value>, Vec<Option<usize>>) {
    let mut all: Vec<(Value, Option<usize>)> =
        under.iter().map(|value| (value.clone(), None)).collect();
    for (at, value) in over.iter().enumerate() {
        let name = name_of(value, field);
        let old = all.iter_mut().find(|(known, from)| {
            from.is_none() && name.is_some() && name_of(known, field) == name
        });
        match old {
            Some(old) => *old = (lay(&old.0, value), Some(at)),
            None => all.push((value.clone(), Some(at))),
        }
    }
    all.retain(|(value, _)| value.get("remove").and_then(Value::as_bool) != Some(true));
    all.into_iter().unzip()
}

/// The locations a menu is shown at.
pub(crate) fn locations(menu: &Value) -> Vec<Arc<str>> {
    items(menu.get("locations"))
        .iter()
        .filter_map(|location| match location {
            Value::Str(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}

/// A menu of the spec takes the place of those of the preset at its locations.
fn by_location(under: &[Value], over: &[Value]) -> (Vec<Value>, Vec<Option<usize>>) {
    let taken: Vec<Arc<str>> = over.iter().flat_map(locations).collect();
    let kept = under
        .iter()
        .filter(|menu| !locations(menu).iter().any(|place| taken.contains(place)));
    let mut all: Vec<(Value, Option<usize>)> = kept.map(|menu| (menu.clone(), None)).collect();
    all.extend(
        over.iter()
            .enumerate()
            .map(|(at, menu)| (menu.clone(), Some(at))),
    );
    all.into_iter().unzip()
}

#[cfg(test)]
mod tests {
    use fabrik_core::value::{from_json, to_wire};
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_matched_by_name() {
        let under = [
            from_json(&json!({"id": "a", "title": "A", "seo": {"title": "x"}})),
            from_json(&json!({"id": "b"})),
        ];
        let over = [
            from_json(&json!({"id": "c"})),
            from_json(&json!({"id": "a", "seo": {"description": "y"}})),
            from_json(&json!({"id": "b", "remove": true})),
        ];
        let (list, from) = by_name(&under, &over, "id");
        assert_eq!(
            to_wire(&Value::list(list)).unwrap(),
            json!([{"id": "a", "title": "A", "seo": {"title": "x", "description": "y"}}, {"id": "c"}])
        );
        assert_eq!(from, [Some(1), Some(0)]);
    }

    #[test]
    fn menus_are_matched_by_location() {
        let under = [
            from_json(&json!({"locations": ["primary"], "items": []})),
            from_json(&json!({"locations": ["footer"], "items": []})),
        ];
        let over = [from_json(&json!({"locations": ["primary"], "items": [1]}))];
        let (list, from) = by_location(&under, &over);
        assert_eq!(list.len(), 2);
        assert_eq!(from, [None, Some(0)]);
    }
}

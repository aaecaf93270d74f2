//! From short forms to the long form. What is not understood stays as it is, for validation to
//! point at.

use std::sync::Arc;

use crate::value::{Map, Value};

/// A field, and what turns its short forms into the long one.
type Rule<'a> = (&'a str, fn(Value) -> Value);

/// Applies short forms to the fields of a block. Fields that are null are left out: `~` unsets.
pub(super) fn block(block: Value, fields: &[Rule<'_>]) -> Value {
    let Value::Map(map) = &block else {
        return block;
    };
    let mut map: Map = map
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    merge_domain(&mut map);
    for (name, change) in fields {
        if let Some(value) = map.get_mut(name) {
            *value = change(std::mem::take(value));
        }
    }
    Value::Map(Arc::new(map))
}

/// `domain` is short for `domains`, and comes first.
fn merge_domain(map: &mut Map) {
    let Some(first) = map.remove("domain") else {
        return;
    };
    let mut all = items(first);
    all.extend(map.remove("domains").map(items).unwrap_or_default());
    map.insert("domains".into(), Value::list(all));
}

/// The items of a list, or the one value.
fn items(value: Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.as_ref().clone(),
        other => vec![other],
    }
}

/// Whether the value is a scalar that stands for a longer form; expressions are.
fn is_short(value: &Value) -> bool {
    matches!(
        value,
        Value::Str(_) | Value::Num(_) | Value::Bool(_) | Value::Expr(_)
    )
}

/// A scalar becomes a map with this one field.
fn wrap(value: Value, field: &str) -> Value {
    if is_short(&value) {
        Value::map([(field, value)])
    } else {
        value
    }
}

fn within(value: Value, fields: &[Rule<'_>]) -> Value {
    match &value {
        Value::Map(map) => {
            let mut map: Map = map
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            for (name, change) in fields {
                if let Some(value) = map.get_mut(name) {
                    *value = change(std::mem::take(value));
                }
            }
            Value::Map(Arc::new(map))
        }
        _ => value,
    }
}

fn each(value: Value, change: fn(Value) -> Value) -> Value {
    match value {
        Value::List(items) => Value::list(items.iter().cloned().map(change)),
        other => other,
    }
}

fn seconds(value: Value) -> Value {
    match &value {
        Value::Num(number) => Value::from(format!("{number}s")),
        _ => value,
    }
}

pub(super) fn number_text(value: Value) -> Value {
    match &value {
        Value::Num(number) => Value::from(number.as_str()),
        Value::Bool(flag) => Value::from(flag.to_string()),
        _ => value,
    }
}

fn texts(value: Value) -> Value {
    match value {
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(key, value)| (key.clone(), number_text(value.clone()))),
        ),
        other => other,
    }
}

pub(super) fn source(value: Value) -> Value {
    let Value::Str(text) = &value else {
        return value;
    };
    let field = if is_repository(text) { "repo" } else { "path" };
    Value::map([(field, value)])
}

/// `owner/name` or the URL of a repository; everything else is a folder.
fn is_repository(text: &str) -> bool {
    let is_url = text.contains("://")
        || text.starts_with("git@")
        || std::path::Path::new(text)
            .extension()
            .is_some_and(|end| end == "git");
    let is_name = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let parts: Vec<&str> = text.split('/').collect();
    is_url || (parts.len() == 2 && parts.iter().all(|part| is_name(part)))
}

pub(super) fn build(value: Value) -> Value {
    within(
        wrap(value, "command"),
        &[("args", texts), ("secrets", secrets)],
    )
}

pub(super) fn domains(value: Value) -> Value {
    match value {
        Value::Map(_) => value,
        other => Value::list(items(other).into_iter().map(domain)),
    }
}

fn domain(value: Value) -> Value {
    if let Value::Str(text) = &value
        && let Some((name, path)) = text.split_once('/')
        && !name.ends_with(':')
    {
        return match path {
            "" => Value::map([("name", Value::from(name))]),
            path => Value::map([
                ("name", Value::from(name)),
                ("path", Value::from(format!("/{path}"))),
            ]),
        };
    }
    wrap(value, "name")
}

pub(super) fn redirects(value: Value) -> Value {
    match value {
        Value::Map(map) => Value::list(
            map.iter()
                .map(|(from, to)| Value::map([("from", Value::from(&**from)), ("to", to.clone())])),
        ),
        other => other,
    }
}

pub(super) fn enabled(value: Value) -> Value {
    match value {
        // "As usual, and I mean it."
        Value::Bool(true) => Value::map::<&str>([]),
        other => wrap(other, "enabled"),
    }
}

pub(super) fn tls(value: Value) -> Value {
    within(wrap(value, "enabled"), &[("min_version", number_text)])
}

pub(super) fn env(value: Value) -> Value {
    texts(value)
}

pub(super) fn secrets(value: Value) -> Value {
    each(value, |item| wrap(item, "name"))
}

pub(super) fn health(value: Value) -> Value {
    let long = match value {
        Value::Bool(_) => enabled(value),
        other => wrap(other, "path"),
    };
    within(
        long,
        &[
            ("status", |status| match status {
                Value::Num(_) => Value::list([status]),
                other => other,
            }),
            ("interval", seconds),
            ("timeout", seconds),
            ("start_period", seconds),
        ],
    )
}

pub(super) fn health_by_command(value: Value) -> Value {
    let long = match value {
        Value::Bool(_) => enabled(value),
        other => wrap(other, "command"),
    };
    within(
        long,
        &[
            ("interval", seconds),
            ("timeout", seconds),
            ("start_period", seconds),
        ],
    )
}

/// Other names of database engines.
pub(super) fn engine(value: Value) -> Value {
    let usual = value.as_str().and_then(|text| {
        let mut engines = super::fields::ENGINES.iter();
        engines.find(|(_, also)| also.contains(&text))
    });
    usual.map_or(value, |(name, _)| Value::from(*name))
}

pub(super) fn limits(value: Value) -> Value {
    within(value, &[("memory", number_text), ("disk", number_text)])
}

pub(super) fn volumes(value: Value) -> Value {
    each(value, volume)
}

fn volume(value: Value) -> Value {
    let Value::Str(text) = &value else {
        return within(value, &[("size", number_text)]);
    };
    let (rest, read_only) = match text.strip_suffix(":ro") {
        Some(rest) => (rest, true),
        None => (text.strip_suffix(":rw").unwrap_or(text), false),
    };
    let mut fields = match rest.split_once(':') {
        Some((from, path)) => {
            let field = if from.starts_with(['/', '.', '~']) {
                "source"
            } else {
                "name"
            };
            vec![(field, Value::from(from)), ("path", Value::from(path))]
        }
        None => vec![("path", Value::from(rest))],
    };
    if read_only {
        fields.push(("read_only", Value::Bool(true)));
    }
    Value::map(fields)
}

pub(super) fn files(value: Value) -> Value {
    match value {
        Value::Map(map) => Value::list(map.iter().map(|(path, content)| {
            Value::map([("path", Value::from(&**path)), ("content", content.clone())])
        })),
        other => each(other, |file| within(file, &[("mode", number_text)])),
    }
}

pub(super) fn strategy(value: Value) -> Value {
    wrap(value, "type")
}

pub(super) fn stop(value: Value) -> Value {
    within(
        wrap(value, "grace"),
        &[("grace", seconds), ("drain", seconds)],
    )
}

pub(super) fn monitor(value: Value) -> Value {
    within(enabled(value), &[("interval", seconds)])
}

/// Headers without a path are those of all paths.
pub(super) fn headers(value: Value) -> Value {
    let Value::Map(map) = &value else {
        return value;
    };
    let mut out = Map::new();
    let mut everywhere = Map::new();
    for (key, value) in map.iter() {
        if is_short(value) && !key.starts_with('/') {
            everywhere.insert(key.clone(), number_text(value.clone()));
        } else {
            out.insert(key.clone(), texts(value.clone()));
        }
    }
    if !everywhere.is_empty() {
        let all = out.get_or_insert_with("/*".into(), Value::default);
        if let Value::Map(own) = all {
            for (key, value) in own.iter() {
                everywhere.insert(key.clone(), value.clone());
            }
        }
        *all = Value::Map(Arc::new(everywhere));
    }
    Value::Map(Arc::new(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{from_json, to_wire};
    use serde_json::{Value as Json, json};

    fn run(change: fn(Value) -> Value, json: &Json) -> Json {
        to_wire(&change(from_json(json))).unwrap()
    }

    #[test]
    fn sources() {
        for (text, field) in [
            ("acme/api", "repo"),
            ("https://example.com/x", "repo"),
            ("git@github.com:acme/api.git", "repo"),
            ("./acme/api", "path"),
            ("../api", "path"),
            ("api", "path"),
            ("/srv/api", "path"),
            (".", "path"),
            ("a/b/c", "path"),
        ] {
            assert_eq!(run(source, &json!(text)), json!({field: text}));
        }
        assert_eq!(run(source, &json!({"path": "x"})), json!({"path": "x"}));
    }

    #[test]
    fn health_forms() {
        assert_eq!(run(health, &json!("/up")), json!({"path": "/up"}));
        assert_eq!(run(health, &json!(false)), json!({"enabled": false}));
        assert_eq!(
            run(
                health,
                &json!({"status": 204, "interval": 5, "timeout": "2s"})
            ),
            json!({"status": [204], "interval": "5s", "timeout": "2s"})
        );
    }

    #[test]
    fn volumes_forms() {
        assert_eq!(
            run(
                volumes,
                &json!(["data:/var/data", "./conf:/etc/app:ro", "/tmp/x", {"path": "/y", "size": 5}])
            ),
            json!([
                {"name": "data", "path": "/var/data"},
                {"source": "./conf", "path": "/etc/app", "read_only": true},
                {"path": "/tmp/x"},
                {"path": "/y", "size": "5"},
            ])
        );
    }

    #[test]
    fn headers_forms() {
        assert_eq!(
            run(
                headers,
                &json!({"X-A": 1, "/*": {"X-B": "b"}, "/img/*": {"X-C": "c"}})
            ),
            json!({"/*": {"X-A": "1", "X-B": "b"}, "/img/*": {"X-C": "c"}})
        );
    }

    #[test]
    fn domain_comes_first_and_null_unsets() {
        let short =
            json!({"domain": "a.b/shop", "domains": ["c.d", {"name": "e.f"}], "port": null});
        assert_eq!(
            run(|value| block(value, &[("domains", domains)]), &short),
            json!({"domains": [{"name": "a.b", "path": "/shop"}, {"name": "c.d"}, {"name": "e.f"}]})
        );
    }
}

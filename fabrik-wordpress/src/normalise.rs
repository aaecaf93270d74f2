//! From short forms to the long form. What is not understood stays, for validation to point at.

use std::sync::Arc;

use fabrik_core::kinds;
use fabrik_core::value::{Map, Value};

/// A field, and what turns its short forms into the long one.
type Rule<'a> = (&'a str, fn(Value) -> Value);

/// The whole block.
pub(crate) fn block(block: Value) -> Value {
    within(
        kinds::normalise_web(block),
        &[
            ("contact", |value| {
                within(value, &[("address", |value| wrap(value, "street"))])
            }),
            ("brand", |value| {
                within(
                    value,
                    &[
                        ("colors", |value| wrap(value, "primary")),
                        ("fonts", |value| wrap(value, "body")),
                    ],
                )
            }),
            ("theme", |value| wrap(value, "slug")),
            ("pages", |value| each(value, page)),
            ("posts", posts),
            ("categories", |value| each(value, |item| wrap(item, "slug"))),
            ("menus", |value| each(value, menu)),
            ("media", |value| entries(value, |item| wrap(item, "source"))),
            ("plugins", |value| each(value, |item| wrap(item, "slug"))),
            ("legal", legal),
            ("site", site),
            ("database", |value| wrap(value, "engine")),
        ],
    )
}

/// A scalar becomes a map with this one field.
fn wrap(value: Value, field: &str) -> Value {
    match value {
        Value::Str(_) | Value::Num(_) | Value::Bool(_) => Value::map([(field, value)]),
        other => other,
    }
}

fn within(value: Value, fields: &[Rule<'_>]) -> Value {
    let Value::Map(map) = &value else {
        return value;
    };
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

fn each(value: Value, change: fn(Value) -> Value) -> Value {
    match value {
        Value::List(items) => Value::list(items.iter().cloned().map(change)),
        other => other,
    }
}

fn entries(value: Value, change: fn(Value) -> Value) -> Value {
    match value {
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(key, item)| (key.clone(), change(item.clone()))),
        ),
        other => other,
    }
}

fn page(value: Value) -> Value {
    within(value, &[("sections", |value| each(value, section))])
}

/// `hero`, `{hero: {…}}` and `{type: hero, …}` are one.
pub(crate) fn section(value: Value) -> Value {
    match &value {
        Value::Str(kind) => Value::map([(kind.clone(), Value::map::<&str>([]))]),
        Value::Map(map) => {
            if let Some(kind) = map.get("type").and_then(Value::as_str) {
                let rest = map.iter().filter(|(key, _)| key.as_ref() != "type");
                let rest = rest.map(|(key, item)| (key.clone(), item.clone()));
                return Value::map([(Arc::<str>::from(kind), Value::map(rest))]);
            }
            // `- posts:` alone is a section without fields.
            entries(value, |item| {
                if item.is_null() {
                    Value::map::<&str>([])
                } else {
                    item
                }
            })
        }
        _ => value,
    }
}

fn posts(value: Value) -> Value {
    match value {
        Value::Str(_) => Value::map([("folder", value)]),
        Value::List(_) => Value::map([("items", value)]),
        other => other,
    }
}

fn menu(value: Value) -> Value {
    let value = within(value, &[("items", |value| each(value, menu_item))]);
    let Value::Map(map) = &value else {
        return value;
    };
    let Some(location) = map.get("location").cloned() else {
        return value;
    };
    let mut map = map.as_ref().clone();
    map.remove("location");
    map.get_or_insert_with("locations".into(), || Value::list([location]));
    Value::Map(Arc::new(map))
}

/// A text is a page's id or an address.
fn menu_item(value: Value) -> Value {
    match &value {
        Value::Str(text) if is_address(text) => Value::map([("url", value)]),
        Value::Str(_) => Value::map([("page", value)]),
        _ => within(value, &[("items", |value| each(value, menu_item))]),
    }
}

/// Whether a text is an address and no id.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with(['/', '#']) || text.contains(':')
}

fn legal(value: Value) -> Value {
    let switch = |value| wrap(value, "enabled");
    within(
        value,
        &[
            ("privacy", switch),
            ("terms", switch),
            ("cookies", switch),
            ("imprint", switch),
        ],
    )
}

fn site(value: Value) -> Value {
    within(
        wrap(value, "path"),
        &[
            ("ssh", ssh),
            ("container", |value| wrap(value, "name")),
            ("wp", |value| match value {
                Value::Str(_) => Value::list([value]),
                other => other,
            }),
        ],
    )
}

/// `user@host:port`.
fn ssh(value: Value) -> Value {
    let Value::Str(text) = &value else {
        return value;
    };
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, &**text),
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<i64>().ok()),
        None => (rest, None),
    };
    let mut map = Map::from([("host".into(), Value::from(host))]);
    if let Some(user) = user {
        map.insert("user".into(), Value::from(user));
    }
    if let Some(port) = port {
        map.insert("port".into(), Value::from(port));
    }
    Value::Map(Arc::new(map))
}

#[cfg(test)]
mod tests {
    use fabrik_core::value::{from_json, to_wire};
    use serde_json::json;

    use super::*;

    #[test]
    fn short_forms() {
        let short = json!({
            "domain": "example.com",
            "brand": {"colors": "#123456", "fonts": "Inter"},
            "theme": "astra",
            "pages": [{"id": "home", "sections": ["posts", {"hero": {"title": "x"}}, {"type": "cta", "title": "y"}]}],
            "menus": [{"location": "primary", "items": ["about", "/x", {"title": "More", "items": ["team"]}]}],
            "posts": "posts",
            "plugins": ["contact-form-7"],
            "legal": {"imprint": true},
            "site": {"ssh": "deploy@example.com:2222", "path": "/srv/www"},
            "database": "mariadb",
            "tagline": null,
        });
        assert_eq!(
            to_wire(&block(from_json(&short))).unwrap(),
            json!({
                "domains": [{"name": "example.com"}],
                "brand": {"colors": {"primary": "#123456"}, "fonts": {"body": "Inter"}},
                "theme": {"slug": "astra"},
                "pages": [{"id": "home", "sections": [{"posts": {}}, {"hero": {"title": "x"}}, {"cta": {"title": "y"}}]}],
                "menus": [{"locations": ["primary"], "items": [
                    {"page": "about"}, {"url": "/x"}, {"title": "More", "items": [{"page": "team"}]},
                ]}],
                "posts": {"folder": "posts"},
                "plugins": [{"slug": "contact-form-7"}],
                "legal": {"imprint": {"enabled": true}},
                "site": {"ssh": {"host": "example.com", "user": "deploy", "port": 2222}, "path": "/srv/www"},
                "database": {"engine": "mariadb"},
            })
        );
    }
}

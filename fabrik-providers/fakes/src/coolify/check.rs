//! What Coolify does to every request body, and how it says no.

use fabrik_testkit::serve::Reply;
use serde_json::{Map, Value as Json, json};

use super::world::{Version, World};

/// A refusal is a reply.
pub(super) type Answer = Result<Reply, Reply>;

pub(super) fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({"message": text}))
}

pub(super) fn invalid(field: &str, text: &str) -> Reply {
    Reply::json(
        422,
        &json!({"message": "Validation failed.", "errors": {field: [text]}}),
    )
}

/// A field that is not accepted, and since when it is.
pub(super) type Field = (&'static str, Version);

/// Strings are trimmed and empty ones become null, before any controller sees them.
pub(super) fn trimmed(json: Json) -> Json {
    match json {
        Json::String(text) => {
            let text = text.trim();
            if text.is_empty() {
                Json::Null
            } else {
                Json::String(text.to_owned())
            }
        }
        Json::Array(items) => items.into_iter().map(trimmed).collect(),
        Json::Object(map) => map
            .into_iter()
            .map(|(key, item)| {
                let exempt = matches!(
                    key.as_str(),
                    "current_password" | "password" | "password_confirmation"
                );
                let item = if exempt { item } else { trimmed(item) };
                (key, item)
            })
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

/// Refuses what the version does not know.
pub(super) fn only(
    world: &World,
    body: &Map<String, Json>,
    allowed: &[&[Field]],
) -> Result<(), Reply> {
    let unknown: Vec<&String> = body
        .keys()
        .filter(|key| {
            !allowed
                .iter()
                .flat_map(|list| list.iter())
                .any(|(name, since)| name == key && *since <= world.version)
        })
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let errors: Map<String, Json> = unknown
        .into_iter()
        .map(|key| (key.clone(), json!(["This field is not allowed."])))
        .collect();
    Err(Reply::json(
        422,
        &json!({"message": "Validation failed.", "errors": errors}),
    ))
}

/// What a field must be.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Text,
    Flag,
    Whole,
    OneOf(&'static [&'static str]),
    Base64,
    /// Digits with commas between.
    Ports,
    /// `host:container` with commas between.
    Mappings,
    /// Begins with a slash.
    Path,
}

pub(super) fn shape(body: &Map<String, Json>, field: &str, shape: Shape) -> Result<(), Reply> {
    let Some(value) = body.get(field).filter(|value| !value.is_null()) else {
        return Ok(());
    };
    let text = value.as_str();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let problem = match shape {
        Shape::Text if text.is_none() => "must be a string",
        Shape::Flag if !value.is_boolean() => "field must be true or false",
        Shape::Whole if !value.is_i64() && !value.is_u64() => "must be an integer",
        Shape::OneOf(of) if !text.is_some_and(|text| of.contains(&text)) => "is invalid",
        Shape::Base64 if text.and_then(decode).is_none() => "should be base64 encoded",
        Shape::Ports if !text.is_some_and(|text| text.split(',').all(digits)) => {
            "format is invalid"
        }
        Shape::Mappings
            if !text.is_some_and(|text| {
                text.split(',').all(|pair| {
                    pair.split_once(':')
                        .is_some_and(|(a, b)| digits(a) && digits(b))
                })
            }) =>
        {
            "format is invalid"
        }
        Shape::Path if !text.is_some_and(|text| text.starts_with('/')) => "format is invalid",
        _ => return Ok(()),
    };
    Err(invalid(
        field,
        &format!("The {} {problem}.", field.replace('_', " ")),
    ))
}

pub(super) fn required(body: &Map<String, Json>, fields: &[&str]) -> Result<(), Reply> {
    for field in fields {
        if body.get(*field).is_none_or(Json::is_null) {
            return Err(invalid(
                field,
                &format!("The {} field is required.", field.replace('_', " ")),
            ));
        }
    }
    Ok(())
}

pub(super) fn decode(text: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .ok()?;
    String::from_utf8(bytes).ok()
}

/// A domain list as stored: hosts in lower case.
pub(super) fn domains(field: &str, text: &str) -> Result<String, Reply> {
    let mut stored = Vec::new();
    for domain in text
        .split(',')
        .map(str::trim)
        .filter(|domain| !domain.is_empty())
    {
        let rest = domain
            .strip_prefix("https://")
            .or_else(|| domain.strip_prefix("http://"));
        let Some(rest) = rest.filter(|rest| !rest.is_empty() && !rest.contains(' ')) else {
            return Err(Reply::json(
                422,
                &json!({"message": "Validation failed.", "errors": {field: format!("Invalid domain: {domain}")}}),
            ));
        };
        let scheme = &domain[..domain.len() - rest.len()];
        let (host, path) = rest
            .split_once('/')
            .map_or((rest, None), |(host, path)| (host, Some(path)));
        let path = path.map(|path| format!("/{path}")).unwrap_or_default();
        stored.push(format!("{scheme}{}{path}", host.to_lowercase()));
    }
    Ok(stored.join(","))
}

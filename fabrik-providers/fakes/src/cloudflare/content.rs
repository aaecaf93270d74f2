//! The contents of records by type: what is accepted, and the form in which it comes back.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value as Json, json};

use super::envelope::Refusal;
use super::names;

/// What is stored of a record's content.
pub(super) struct Stored {
    pub(super) content: String,
    pub(super) data: Option<Json>,
    pub(super) priority: Option<f64>,
}

/// Fields of `data` by type: numbers first, then texts; in the order of `content`.
fn fields(kind: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    Some(match kind {
        "SRV" => (&["priority", "weight", "port"], &["target"]),
        "CAA" => (&["flags"], &["tag", "value"]),
        "HTTPS" | "SVCB" => (&["priority"], &["target", "value"]),
        "TLSA" | "SMIMEA" => (&["usage", "selector", "matching_type"], &["certificate"]),
        "SSHFP" => (&["algorithm", "type"], &["fingerprint"]),
        "DS" => (&["key_tag", "algorithm", "digest_type"], &["digest"]),
        "DNSKEY" => (&["flags", "protocol", "algorithm"], &["public_key"]),
        "NAPTR" => (
            &["order", "preference"],
            &["flags", "service", "regex", "replacement"],
        ),
        "CERT" => (&["type", "key_tag", "algorithm"], &["certificate"]),
        "URI" => (&["weight"], &["target"]),
        "LOC" => (
            &[
                "lat_degrees",
                "lat_minutes",
                "lat_seconds",
                "long_degrees",
                "long_minutes",
                "long_seconds",
                "altitude",
                "size",
                "precision_horz",
                "precision_vert",
            ],
            &["lat_direction", "long_direction"],
        ),
        _ => return None,
    })
}

/// Whether a type's content is derived from `data`.
pub(super) fn is_structured(kind: &str) -> bool {
    fields(kind).is_some()
}

pub(super) fn stored(kind: &str, zone: &str, body: &Json) -> Result<Stored, Refusal> {
    if let Some((numbers, texts)) = fields(kind) {
        return structured(kind, numbers, texts, body);
    }
    let content = body["content"].as_str().unwrap_or_default();
    if content.is_empty() {
        return Err(Refusal::validation(9020, "Content is a required field."));
    }
    let mut priority = None;
    let content = match kind {
        "A" => match content.parse::<Ipv4Addr>() {
            Ok(address) => address.to_string(),
            Err(_) => {
                return Err(Refusal::new(
                    9005,
                    "Content for A record must be a valid IPv4 address.",
                ));
            }
        },
        "AAAA" => match content.parse::<Ipv6Addr>() {
            Ok(address) => address.to_string(),
            Err(_) => {
                return Err(Refusal::new(
                    9006,
                    "Content for AAAA record must be a valid IPv6 address.",
                ));
            }
        },
        "CNAME" | "NS" | "PTR" => {
            let target = names::host(content);
            if target == names::in_zone(body["name"].as_str().unwrap_or_default(), zone) {
                return Err(Refusal::validation(
                    9039,
                    "CNAME content cannot reference itself.",
                ));
            }
            target
        }
        "MX" => {
            let given = body["priority"]
                .as_f64()
                .filter(|given| (0.0..=65_535.0).contains(given));
            let Some(given) = given else {
                return Err(Refusal::validation(
                    9022,
                    "Priority is a required data field.",
                ));
            };
            priority = Some(given);
            null_target(content)
        }
        "TXT" => text(content)?,
        "OPENPGPKEY" => content.to_owned(),
        _ => {
            let text = format!("{kind} is an invalid DNS record type.");
            return Err(Refusal::validation(9009, text));
        }
    };
    Ok(Stored {
        content,
        data: None,
        priority,
    })
}

/// A host name; the null target stays a dot.
fn null_target(target: &str) -> String {
    if target.trim() == "." {
        ".".to_owned()
    } else {
        names::host(target)
    }
}

/// A text as it was given, but what is longer than a string may be comes back in pieces.
fn text(content: &str) -> Result<String, Refusal> {
    let quoted = content.starts_with('"') && content.ends_with('"') && content.len() > 1;
    let inner = if quoted {
        &content[1..content.len() - 1]
    } else {
        content
    };
    if inner.is_empty() {
        return Err(Refusal::validation(
            9020,
            "Content for TXT record must not be empty.",
        ));
    }
    if content.len() > 8_192 {
        return Err(Refusal::validation(
            9028,
            "Content for TXT record is longer than 8192 characters.",
        ));
    }
    if quoted || content.len() <= 255 {
        return Ok(content.to_owned());
    }
    let mut pieces = vec![String::new()];
    for c in content.chars() {
        let escaped = match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            c => c.to_string(),
        };
        let full = pieces
            .last()
            .is_some_and(|last| last.len() + escaped.len() > 255);
        if full {
            pieces.push(String::new());
        }
        if let Some(last) = pieces.last_mut() {
            last.push_str(&escaped);
        }
    }
    let quoted: Vec<String> = pieces.iter().map(|piece| format!("\"{piece}\"")).collect();
    Ok(quoted.join(" "))
}

fn structured(
    kind: &str,
    numbers: &[&str],
    texts: &[&str],
    body: &Json,
) -> Result<Stored, Refusal> {
    let given = &body["data"];
    if !given.is_object() {
        return Err(Refusal::validation(
            9101,
            format!("data is a required field for {kind} records."),
        ));
    }
    let known = |key: &str| numbers.contains(&key) || texts.contains(&key);
    // The names that SRV data had formerly are still taken, and dropped.
    let former = |key: &str| kind == "SRV" && ["service", "proto", "name"].contains(&key);
    let odd = given
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .find(|key| !known(key) && !former(key));
    if let Some(odd) = odd {
        return Err(Refusal::validation(
            9102,
            format!("{odd} is not a data field of {kind} records."),
        ));
    }
    let mut data = Map::new();
    let mut shown = Vec::new();
    for name in numbers {
        let number = given[name].as_f64().filter(|number| number.is_finite());
        let number = match number {
            Some(number) => number,
            None if kind == "LOC" && given[name].is_null() => 0.0,
            None => {
                let text = format!("{name} is a required data field and must be a number.");
                return Err(Refusal::validation(9103, text));
            }
        };
        // Numbers come back as floats.
        data.insert((*name).to_owned(), json!(number));
        shown.push(number.to_string());
    }
    for name in texts {
        let optional = kind == "NAPTR" || *name == "value" && kind != "CAA";
        let Some(value) = given[name]
            .as_str()
            .filter(|text| optional || !text.is_empty())
        else {
            let text = format!("{name} is a required data field.");
            return Err(Refusal::validation(9103, text));
        };
        let value = match *name {
            "target" if kind == "URI" => value.to_owned(),
            "target" | "replacement" => null_target(value),
            "fingerprint" | "digest" => value.to_uppercase(),
            "certificate" if kind != "CERT" => value.to_lowercase(),
            _ => value.to_owned(),
        };
        shown.push(if ["value", "flags", "service", "regex"].contains(name) {
            format!("\"{value}\"")
        } else {
            value.clone()
        });
        data.insert((*name).to_owned(), json!(value));
    }
    let mut priority = None;
    if kind == "URI" {
        let given = body["priority"].as_f64();
        let Some(given) = given else {
            return Err(Refusal::validation(
                9022,
                "Priority is a required data field.",
            ));
        };
        priority = Some(given);
    }
    if kind == "SRV" {
        priority = data["priority"].as_f64();
    }
    Ok(Stored {
        content: shown.join(" "),
        data: Some(Json::Object(data)),
        priority,
    })
}

//! Values of records: the text of a zone file for people, the API's fields on the wire.
//!
//! Every value has one canonical text, so that what was written and what is read compare as texts.

mod location;
mod text;

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value as Json, json};

use crate::api::{RecordObject, number};
use crate::names;

/// What one part of a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A number up to this one.
    Number(u64),
    /// A host name.
    Host,
    /// A word in lower case.
    Word,
    /// A text in quotes.
    Quoted,
    /// Hexadecimal digits; may be written in several pieces.
    Hex,
    /// Base64; may be written in several pieces.
    Base64,
    /// Parameters of a service binding: the rest.
    Params,
}

const BYTE: Part = Part::Number(255);
const SHORT: Part = Part::Number(65_535);

/// The parts of a type's values in their order; `None` for types with a form of their own.
fn parts(kind: &str) -> Option<&'static [(&'static str, Part)]> {
    use Part::{Base64, Hex, Host, Params, Quoted, Word};
    Some(match kind {
        "MX" => &[("priority", SHORT), ("content", Host)],
        "SRV" => &[
            ("priority", SHORT),
            ("weight", SHORT),
            ("port", SHORT),
            ("target", Host),
        ],
        "CAA" => &[("flags", BYTE), ("tag", Word), ("value", Quoted)],
        "HTTPS" | "SVCB" => &[("priority", SHORT), ("target", Host), ("value", Params)],
        "TLSA" | "SMIMEA" => &[
            ("usage", BYTE),
            ("selector", BYTE),
            ("matching_type", BYTE),
            ("certificate", Hex),
        ],
        "SSHFP" => &[("algorithm", BYTE), ("type", BYTE), ("fingerprint", Hex)],
        "DS" => &[
            ("key_tag", SHORT),
            ("algorithm", BYTE),
            ("digest_type", BYTE),
            ("digest", Hex),
        ],
        "DNSKEY" => &[
            ("flags", SHORT),
            ("protocol", BYTE),
            ("algorithm", BYTE),
            ("public_key", Base64),
        ],
        "NAPTR" => &[
            ("order", SHORT),
            ("preference", SHORT),
            ("flags", Quoted),
            ("service", Quoted),
            ("regex", Quoted),
            ("replacement", Host),
        ],
        "CERT" => &[
            ("type", SHORT),
            ("key_tag", SHORT),
            ("algorithm", BYTE),
            ("certificate", Base64),
        ],
        "URI" => &[("priority", SHORT), ("weight", SHORT), ("target", Quoted)],
        "OPENPGPKEY" => &[("content", Base64)],
        _ => return None,
    })
}

/// How a value of a type is written, for messages.
pub(crate) fn form(kind: &str) -> String {
    match parts(kind) {
        Some(parts) => {
            let names = parts.iter().map(|(name, part)| match part {
                Part::Quoted => format!("\"{}\"", name.to_uppercase()),
                _ if *name == "content" && kind == "MX" => "HOST".to_owned(),
                _ => name.to_uppercase(),
            });
            let names: Vec<String> = names.collect();
            names.join(" ")
        }
        None => match kind {
            "A" => "an IPv4 address".to_owned(),
            "AAAA" => "an IPv6 address".to_owned(),
            "TXT" => "a text".to_owned(),
            "LOC" => "DEGREES MINUTES SECONDS N|S DEGREES MINUTES SECONDS E|W ALTITUDEm SIZEm HORIZONTALm VERTICALm".to_owned(),
            _ => "a host name".to_owned(),
        },
    }
}

/// The canonical text of a value.
pub(crate) fn canonical(kind: &str, value: &str) -> Result<String, String> {
    match kind {
        "A" => {
            let address = value.trim().parse::<Ipv4Addr>();
            address
                .map(|address| address.to_string())
                .map_err(|_| wrong(kind, value, "an IPv4 address"))
        }
        "AAAA" => {
            let address = value.trim().parse::<Ipv6Addr>();
            address
                .map(|address| address.to_string())
                .map_err(|_| wrong(kind, value, "an IPv6 address"))
        }
        "CNAME" | "NS" | "PTR" => {
            let name = names::host(value)?;
            if name == "." {
                return Err(wrong(kind, value, "a host name"));
            }
            Ok(name)
        }
        "TXT" => text::canonical(value),
        "LOC" => location::canonical(value),
        _ => {
            let Some(parts) = parts(kind) else {
                return Err(format!("records of type {kind} are not known here"));
            };
            let found = split(kind, parts, value)?;
            Ok(joined(parts, &found))
        }
    }
}

fn wrong(kind: &str, value: &str, wanted: &str) -> String {
    format!("`{value}` is no value of a record of type {kind}: it must be {wanted}")
}

/// The values of the parts, each in its canonical form without quotes.
fn split(kind: &str, parts: &[(&str, Part)], value: &str) -> Result<Vec<String>, String> {
    let not = |why: String| {
        format!(
            "`{value}` is no value of a record of type {kind}: {why}; it is written `{}`",
            form(kind)
        )
    };
    let words = text::words(value).map_err(|why| not(why.to_owned()))?;
    let mut words = words.into_iter();
    let mut found = Vec::with_capacity(parts.len());
    for (name, part) in parts {
        let text = match part {
            Part::Hex | Part::Base64 => {
                let rest: Vec<String> = words.by_ref().collect();
                rest.concat()
            }
            Part::Params => {
                let rest = words.by_ref().map(|word| text::param(&word));
                let rest: Vec<String> = rest.collect();
                rest.join(" ")
            }
            _ => words
                .next()
                .ok_or_else(|| not(format!("`{name}` is missing")))?,
        };
        found.push(one(*part, &text).map_err(|why| not(format!("`{name}` {why}")))?);
    }
    match words.next() {
        None => Ok(found),
        Some(odd) => Err(not(format!("`{odd}` is too much"))),
    }
}

fn one(part: Part, text: &str) -> Result<String, String> {
    match part {
        Part::Number(most) => {
            let number = text.parse::<u64>().ok().filter(|number| *number <= most);
            let number = number.ok_or_else(|| format!("must be a number from 0 to {most}"))?;
            Ok(number.to_string())
        }
        Part::Host => names::host(text),
        Part::Word => Ok(text.to_ascii_lowercase()),
        Part::Quoted | Part::Params => Ok(text.to_owned()),
        Part::Hex => {
            let hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            hex.then(|| text.to_ascii_lowercase())
                .ok_or_else(|| "must be hexadecimal digits".to_owned())
        }
        Part::Base64 => {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            let base64 = !text.is_empty() && text.bytes().all(fits);
            base64
                .then(|| text.to_owned())
                .ok_or_else(|| "must be base64".to_owned())
        }
    }
}

fn joined(parts: &[(&str, Part)], found: &[String]) -> String {
    let texts = parts.iter().zip(found).map(|((_, part), text)| match part {
        Part::Quoted => text::quoted(text),
        _ => text.clone(),
    });
    let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    texts.join(" ")
}

/// The fields of the API for a canonical value: `content`, or `data`, and `priority` where it stands
/// beside them.
pub(crate) fn to_wire(kind: &str, value: &str) -> Result<Map<String, Json>, String> {
    let mut fields = Map::new();
    if kind == "LOC" {
        fields.insert("data".to_owned(), Json::Object(location::data(value)?));
        return Ok(fields);
    }
    let Some(parts) = parts(kind) else {
        let content = if kind == "TXT" {
            text::to_wire(value)
        } else {
            value.to_owned()
        };
        fields.insert("content".to_owned(), json!(content));
        return Ok(fields);
    };
    let mut data = Map::new();
    for ((name, part), text) in parts.iter().zip(split(kind, parts, value)?) {
        let json = match part {
            Part::Number(_) => json!(text.parse::<u64>().unwrap_or_default()),
            _ => json!(text),
        };
        let beside = *name == "content" || (*name == "priority" && ["MX", "URI"].contains(&kind));
        let place = if beside { &mut fields } else { &mut data };
        place.insert((*name).to_owned(), json);
    }
    if !data.is_empty() {
        fields.insert("data".to_owned(), Json::Object(data));
    }
    Ok(fields)
}

/// The canonical value of a record as it is read. What cannot be understood is shown as it is.
pub(crate) fn from_wire(record: &RecordObject) -> String {
    let kind = record.kind.as_str();
    let content = record.content.clone().unwrap_or_default();
    let text = match (kind, &record.data) {
        ("TXT", _) => return text::from_wire(&content),
        ("LOC", Some(data)) => location::shown(data),
        ("MX", _) => format!("{} {content}", record.priority.unwrap_or_default()),
        (_, Some(data)) => match parts(kind) {
            Some(parts) => shown(kind, parts, record, data),
            None => content,
        },
        _ => content,
    };
    canonical(kind, &text).unwrap_or(text)
}

/// A value from `data`, which is what counts where it is there: `content` is derived from it.
fn shown(
    kind: &str,
    parts: &[(&str, Part)],
    record: &RecordObject,
    data: &Map<String, Json>,
) -> String {
    let found = parts.iter().map(|(name, _)| match data.get(*name) {
        Some(Json::String(text)) => text.clone(),
        Some(json) => number(json).map_or_else(|| json.to_string(), |number| number.to_string()),
        None if *name == "priority" && kind == "URI" => {
            record.priority.unwrap_or_default().to_string()
        }
        None if *name == "content" => record.content.clone().unwrap_or_default(),
        None => String::new(),
    });
    let found: Vec<String> = found.collect();
    joined(parts, &found)
}

#[cfg(test)]
mod tests;

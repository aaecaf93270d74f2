//! Inputs in their one form, and everything that can be wrong with them.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::decode;
use fabrik_core::provider::{Finding, Planned};
use fabrik_core::value::{Path, Segment, Value};

use super::RecordSetSpec;
use crate::content;
use crate::name::{self, APEX, SetId};

/// A record set in its one form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Set {
    pub(crate) id: SetId,
    pub(crate) ttl: u32,
    pub(crate) values: Vec<String>,
    pub(crate) disabled: bool,
}

impl Set {
    /// # Errors
    /// The first thing that is wrong with it.
    pub(crate) fn of(spec: &RecordSetSpec) -> Result<Set> {
        let mut problems = Vec::new();
        let zone = zone(&spec.zone, &mut problems).unwrap_or_default();
        let kind = kind(&spec.kind, &mut problems).unwrap_or_default();
        let name = name(&spec.name, &zone, &mut problems).unwrap_or_default();
        let mut values = Vec::with_capacity(spec.values.len());
        for (at, text) in spec.values.iter().enumerate() {
            values.extend(value(&kind, text, at, &mut problems));
        }
        together(&name, &kind, &values, &mut problems);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        Ok(Set {
            id: SetId { zone, name, kind },
            ttl: spec.ttl,
            values,
            disabled: spec.disabled,
        })
    }

    /// # Errors
    /// When they do not fit the type, or as [`Set::of`].
    pub(crate) fn from_inputs(inputs: &Value) -> Result<Set> {
        Set::of(&decode(inputs)?)
    }
}

/// Wanted inputs in their one form as far as they are known, and what is wrong with them.
pub(super) fn plan(desired: &Value) -> Planned {
    let mut problems = Vec::new();
    let mut inputs = desired.clone();
    let text = |field: &str| desired.get(field).and_then(Value::as_str);
    let zone = text("zone").and_then(|text| zone(text, &mut problems));
    let kind = text("type").and_then(|text| kind(text, &mut problems));
    let given = match desired.get("name") {
        None | Some(Value::Null) => Some(APEX),
        Some(other) => other.as_str(),
    };
    let name = match (given, &zone) {
        (Some(text), Some(zone)) => name(text, zone, &mut problems),
        _ => None,
    };
    for (field, new) in [("zone", &zone), ("type", &kind), ("name", &name)] {
        if let Some(new) = new {
            inputs = inputs.with(&Path::key(field), like(desired.get(field), new));
        }
    }
    // Every write sets these, so they are watched as if they had been said.
    for (field, default) in [
        ("ttl", Value::from(u64::from(super::ttl()))),
        ("disabled", Value::from(false)),
    ] {
        if desired.get(field).is_none_or(Value::is_null) {
            inputs = inputs.with(&Path::key(field), default);
        }
    }
    if let (Some(kind), Some(list)) = (&kind, desired.get("values").and_then(Value::as_list)) {
        let mut known = Vec::new();
        let mut all = Vec::with_capacity(list.len());
        for (at, item) in list.iter().enumerate() {
            let new = item
                .as_str()
                .and_then(|text| value(kind, text, at, &mut problems));
            match new {
                Some(new) => {
                    all.push(like(Some(item), &new));
                    known.push(new);
                }
                None => all.push(item.clone()),
            }
        }
        if known.len() == list.len() {
            together(
                name.as_deref().unwrap_or_default(),
                kind,
                &known,
                &mut problems,
            );
        }
        let secret = desired.get("values").is_some_and(Value::is_secret);
        let all = Value::list(all);
        let all = if secret { all.into_secret() } else { all };
        inputs = inputs.with(&Path::key("values"), all);
    }
    Planned {
        inputs,
        findings: problems.iter().map(finding).collect(),
        ..Planned::default()
    }
}

fn finding(problem: &Error) -> Finding {
    Finding {
        blocking: true,
        message: problem.message().to_owned(),
        hint: problem.hint_text().map(str::to_owned),
        field: problem.field_path().cloned(),
        adopt: None,
    }
}

/// A text that stays a secret where it was one.
fn like(before: Option<&Value>, text: &str) -> Value {
    let value = Value::from(text);
    match before {
        Some(before) if before.is_secret() => value.into_secret(),
        _ => value,
    }
}

fn invalid(field: Path, message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).field(field)
}

fn zone(text: &str, problems: &mut Vec<Error>) -> Option<String> {
    name::canonical(text)
        .map_err(|why| {
            problems.push(invalid(
                Path::key("zone"),
                format!("the zone `{text}` {why}"),
            ));
        })
        .ok()
}

fn name(text: &str, zone: &str, problems: &mut Vec<Error>) -> Option<String> {
    name::relative(text, zone)
        .map_err(|why| {
            problems.push(invalid(
                Path::key("name"),
                format!("the name `{text}` {why}"),
            ));
        })
        .ok()
}

fn kind(text: &str, problems: &mut Vec<Error>) -> Option<String> {
    let kind = text.trim().to_ascii_uppercase();
    if kind == "SOA" {
        problems.push(
            invalid(
                Path::key("type"),
                "the SOA record is kept by PowerDNS itself".to_owned(),
            )
            .hint("its serial follows `soa_edit_api` of the `powerdns.zone`"),
        );
        return None;
    }
    Some(kind)
}

fn value(kind: &str, text: &str, at: usize, problems: &mut Vec<Error>) -> Option<String> {
    content::normal(kind, text)
        .map_err(|why| problems.push(invalid(place(at), format!("`{text}` {why}"))))
        .ok()
}

fn place(at: usize) -> Path {
    let mut path = Path::key("values");
    path.push(Segment::Index(at));
    path
}

/// What is wrong with name, type and values together.
fn together(name: &str, kind: &str, values: &[String], problems: &mut Vec<Error>) {
    for (at, value) in values.iter().enumerate() {
        if let Some(first) = values[..at].iter().position(|earlier| earlier == value) {
            problems.push(invalid(
                place(at),
                format!("`{value}` is there already, as values[{first}]"),
            ));
        }
    }
    if kind == "CNAME" || kind == "DNAME" {
        if values.len() > 1 {
            problems.push(invalid(
                Path::key("values"),
                format!("a {kind} has one value, not {}", values.len()),
            ));
        }
        if kind == "CNAME" && name == APEX {
            problems.push(
                invalid(
                    Path::key("type"),
                    "the zone itself cannot be a CNAME: it has SOA and NS records".to_owned(),
                )
                .hint("use `A` and `AAAA`, or `ALIAS` where the server is set up for it"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use fabrik_core::value::from_json;
    use serde_json::{Value as Json, json};

    use super::*;

    fn planned(inputs: Json) -> Planned {
        plan(&from_json(&inputs))
    }

    fn problems(inputs: Json) -> Vec<(String, String)> {
        let planned = planned(inputs);
        let found = planned.findings.iter().map(|finding| {
            assert!(finding.blocking);
            let field = finding.field.as_ref().map(ToString::to_string);
            (field.unwrap_or_default(), finding.message.clone())
        });
        found.collect()
    }

    #[test]
    fn inputs_get_one_form() {
        let found = planned(json!({
            "zone": "Example.COM.", "name": "Mail.example.com", "type": "mx",
            "values": ["010 MX.example.com."],
        }));
        assert_eq!(
            found.inputs,
            from_json(&json!({
                "zone": "example.com", "name": "mail", "type": "MX", "values": ["10 mx.example.com"],
                "ttl": 3600, "disabled": false,
            }))
        );
        assert!(found.findings.is_empty());
        let apex = planned(json!({"zone": "example.com", "type": "A", "values": ["192.0.2.1"]}));
        assert_eq!(apex.inputs.get("name"), Some(&Value::from("@")));
    }

    #[test]
    fn secrets_stay_secret() {
        let inputs = from_json(&json!({"zone": "example.com", "name": "k", "type": "TXT"})).with(
            &Path::key("values"),
            Value::list([Value::secret("\"s3cr3t\"")]),
        );
        let found = plan(&inputs).inputs;
        let value = found.at(&place(0)).unwrap();
        assert!(value.is_secret());
        assert_eq!(value.as_str(), Some("s3cr3t"));
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let found = problems(json!({
            "zone": "exa mple.com", "name": "www", "type": "A", "values": ["192.0.2.1", "x"],
        }));
        assert_eq!(
            found,
            [
                (
                    "zone".to_owned(),
                    "the zone `exa mple.com` holds ` `, which names do not".to_owned()
                ),
                (
                    "values[1]".to_owned(),
                    "`x` is no IPv4 address; a value of A looks like `192.0.2.1`".to_owned()
                ),
            ]
        );
        let one = |inputs: Json| problems(inputs).pop().unwrap();
        assert_eq!(
            one(
                json!({"zone": "example.com", "name": "www.example.org.", "type": "A", "values": ["192.0.2.1"]})
            ),
            (
                "name".to_owned(),
                "the name `www.example.org.` is not below the zone `example.com`".to_owned()
            )
        );
        assert_eq!(
            one(json!({"zone": "example.com", "type": "CNAME", "values": ["www.example.com"]})),
            (
                "type".to_owned(),
                "the zone itself cannot be a CNAME: it has SOA and NS records".to_owned()
            )
        );
        assert_eq!(
            one(
                json!({"zone": "example.com", "name": "a", "type": "CNAME", "values": ["b.example", "c.example"]})
            ),
            (
                "values".to_owned(),
                "a CNAME has one value, not 2".to_owned()
            )
        );
        assert_eq!(
            one(
                json!({"zone": "example.com", "name": "a", "type": "AAAA", "values": ["2001:db8::1", "2001:DB8::0001"]})
            ),
            (
                "values[1]".to_owned(),
                "`2001:db8::1` is there already, as values[0]".to_owned()
            )
        );
        assert_eq!(
            one(json!({"zone": "example.com", "type": "SOA", "values": ["x"]})),
            (
                "type".to_owned(),
                "the SOA record is kept by PowerDNS itself".to_owned()
            )
        );
    }
}

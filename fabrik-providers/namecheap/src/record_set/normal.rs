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
}

impl Set {
    /// # Errors
    /// The first thing that is wrong with it.
    pub(crate) fn of(spec: &RecordSetSpec) -> Result<Set> {
        let mut problems = Vec::new();
        let domain = domain(&spec.domain, &mut problems).unwrap_or_default();
        let kind = kind(&spec.kind, &mut problems).unwrap_or_default();
        let name = name(&spec.name, &domain, &mut problems).unwrap_or_default();
        let mut values = Vec::with_capacity(spec.values.len());
        for (at, text) in spec.values.iter().enumerate() {
            values.extend(value(&kind, text, at, &mut problems));
        }
        together(&name, &kind, &values, &mut problems);
        ttl(spec.ttl, &mut problems);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        Ok(Set {
            id: SetId { domain, name, kind },
            ttl: content::ttl(spec.ttl),
            values,
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
    let domain = text("domain").and_then(|text| domain(text, &mut problems));
    let kind = text("type").and_then(|text| kind(text, &mut problems));
    let given = match desired.get("name") {
        None | Some(Value::Null) => Some(APEX),
        Some(other) => other.as_str(),
    };
    let name = match (given, &domain) {
        (Some(text), Some(domain)) => name(text, domain, &mut problems),
        _ => None,
    };
    for (field, new) in [("domain", &domain), ("type", &kind), ("name", &name)] {
        if let Some(new) = new {
            inputs = inputs.with(&Path::key(field), like(desired.get(field), new));
        }
    }
    if desired.get("ttl").is_none_or(Value::is_null) {
        let automatic = u64::from(content::AUTOMATIC);
        inputs = inputs.with(&Path::key("ttl"), Value::from(automatic));
    } else if let Some(given) = desired.get("ttl").and_then(Value::as_i64) {
        let given = u32::try_from(given).unwrap_or(u32::MAX);
        if let Some(ttl) = ttl(given, &mut problems) {
            inputs = inputs.with(&Path::key("ttl"), Value::from(u64::from(ttl)));
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

fn domain(text: &str, problems: &mut Vec<Error>) -> Option<String> {
    name::registered(text)
        .map_err(|why| {
            problems.push(invalid(
                Path::key("domain"),
                format!("the domain `{text}` {why}"),
            ));
        })
        .ok()
}

fn name(text: &str, domain: &str, problems: &mut Vec<Error>) -> Option<String> {
    name::relative(text, domain)
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
    if content::WRITABLE.contains(&kind.as_str()) {
        return Some(kind);
    }
    problems.push(
        invalid(
            Path::key("type"),
            format!("Namecheap's API cannot write records of type {kind}"),
        )
        .hint(format!("it writes {}", content::WRITABLE.join(", "))),
    );
    None
}

fn ttl(given: u32, problems: &mut Vec<Error>) -> Option<u32> {
    let ttl = content::ttl(given);
    if (60..=60_000).contains(&ttl) {
        return Some(ttl);
    }
    problems.push(
        invalid(
            Path::key("ttl"),
            format!("Namecheap keeps answers from 60 to 60000 seconds, not {given}"),
        )
        .hint("leave `ttl` out to let Namecheap choose"),
    );
    None
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
    if matches!(kind, "CNAME" | "ALIAS" | "MXE" | "URL" | "URL301" | "FRAME") && values.len() > 1 {
        problems.push(invalid(
            Path::key("values"),
            format!("{kind} has one value, not {}", values.len()),
        ));
    }
    if kind == "CNAME" && name == APEX {
        problems.push(
            invalid(
                Path::key("type"),
                "the domain itself cannot be a CNAME".to_owned(),
            )
            .hint("use `ALIAS`"),
        );
    }
}

//! Desired record sets in canonical form, and what is wrong with them, without a request.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Finding, Planned, Proposal};
use fabrik_core::value::{Path, SECRET_TEXT, Value};

use super::set::has_mark;
use super::{RecordType, at};
use crate::client::Cloudflare;
use crate::names;
use crate::refs::{canonical, missing};
use crate::values;

/// Findings as they are gathered.
struct Findings(Vec<Finding>);

impl Findings {
    fn block(&mut self, field: Path, message: impl Into<String>, hint: &str) {
        self.0.push(Finding {
            blocking: true,
            message: message.into(),
            hint: Some(hint.to_owned()),
            field: Some(field),
            adopt: None,
        });
    }
}

pub(super) async fn plan(cx: &Cx, client: &Cloudflare, proposal: Proposal<'_>) -> Result<Planned> {
    let desired = proposal.desired;
    let mut findings = Findings(Vec::new());
    let mut inputs = desired.clone();
    let kind = desired
        .get("type")
        .and_then(Value::as_str)
        .and_then(RecordType::named);
    if let Some(kind) = kind {
        inputs = inputs.with(&at("values"), checked_values(kind, desired, &mut findings));
    }
    inputs = lasting(kind, desired, inputs, &mut findings);
    check_comment(desired, &mut findings);
    // What is wrong already needs no look at the zone.
    if findings.0.is_empty() {
        inputs = placed(cx, client, desired, inputs, &mut findings).await?;
    }
    Ok(Planned {
        inputs,
        findings: findings.0,
        ..Planned::default()
    })
}

/// Values in canonical form; what is not known yet stays.
fn checked_values(kind: RecordType, desired: &Value, findings: &mut Findings) -> Value {
    let Some(Value::List(items)) = desired.get("values").map(Value::reveal) else {
        return desired.get("values").cloned().unwrap_or_default();
    };
    let known: Vec<Value> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let Some(text) = item.reveal().as_str() else {
                return item.clone();
            };
            match values::canonical(kind.name(), text) {
                Ok(value) if item.is_secret() => Value::secret(value),
                Ok(value) => Value::from(value),
                Err(why) => {
                    let field = Path::parse(&format!("values[{index}]"));
                    let why = if item.is_secret() {
                        why.replace(text, SECRET_TEXT)
                    } else {
                        why
                    };
                    let hint = format!("write {}", described(kind));
                    findings.block(field, why, &hint);
                    item.clone()
                }
            }
        })
        .collect();
    if kind == RecordType::Cname && items.len() > 1 {
        findings.block(
            at("values"),
            "a CNAME has one value only",
            "keep one value; several addresses of one name are A or AAAA records",
        );
    }
    Value::list(known)
}

fn described(kind: RecordType) -> String {
    let form = values::form(kind.name());
    if form.starts_with(|c: char| c.is_uppercase()) {
        format!("`{form}`")
    } else {
        form
    }
}

/// Proxied and ttl, with what they are when they are not set.
fn lasting(
    kind: Option<RecordType>,
    desired: &Value,
    inputs: Value,
    findings: &mut Findings,
) -> Value {
    let set = |field: &str| desired.get(field).filter(|value| !value.is_null());
    let mut inputs = inputs;
    let proxied = set("proxied").cloned().unwrap_or(Value::from(false));
    let is_proxied = proxied.as_bool();
    inputs = inputs.with(&at("proxied"), proxied);
    if is_proxied == Some(true)
        && let Some(kind) = kind
        && !kind.can_be_proxied()
    {
        findings.block(
            at("proxied"),
            format!("records of type {} cannot be proxied", kind.name()),
            "leave `proxied` out; only A, AAAA and CNAME records can be proxied",
        );
    }
    let ttl = set("ttl").cloned().unwrap_or(Value::from(1_i64));
    let seconds = match &ttl {
        Value::Num(number) => number.as_i64(),
        _ => None,
    };
    inputs = inputs.with(&at("ttl"), ttl);
    match seconds {
        Some(seconds) if is_proxied == Some(true) && seconds != 1 => findings.block(
            at("ttl"),
            "the ttl of a proxied record is always automatic",
            "leave `ttl` out, or set `proxied: false`",
        ),
        Some(seconds) if seconds != 1 && !(30..=86_400).contains(&seconds) => findings.block(
            at("ttl"),
            format!("a ttl is 60 to 86400 seconds, or 1 for automatic, not {seconds}"),
            "leave `ttl` out for automatic",
        ),
        _ => {}
    }
    inputs
}

fn check_comment(desired: &Value, findings: &mut Findings) {
    let Some(comment) = desired.get("comment").and_then(Value::as_str) else {
        return;
    };
    if comment.contains(['\r', '\n']) {
        findings.block(
            at("comment"),
            "a comment is one line",
            "take the line breaks out",
        );
    }
    if has_mark(comment) {
        findings.block(
            at("comment"),
            "the comment holds a mark of Fabrik",
            "leave the part from `fabrik:v1:` on out: Fabrik adds its mark by itself",
        );
    }
}

/// Zone and name in the form that is kept, and what the zone's plan does not allow.
async fn placed(
    cx: &Cx,
    client: &Cloudflare,
    desired: &Value,
    inputs: Value,
    findings: &mut Findings,
) -> Result<Value> {
    let name = desired.get("name").and_then(Value::as_str);
    let wanted = desired.get("zone").filter(|zone| !zone.is_null());
    let zone = match (wanted, name) {
        (Some(zone), _) if zone.has_unknown() => return Ok(unplaced(inputs, name)),
        (Some(_), _) => client.zone_name(cx, desired).await?,
        (None, None) => return Ok(inputs),
        (None, Some(name)) => {
            let name = names::host(name)
                .map_err(|why| Error::new(ErrorKind::Invalid, why).field(at("name")))?;
            let Some(zone) = client.zone_of(cx, &name).await? else {
                let message = format!("{}, nor one that holds it", missing(&name).message());
                findings.block(
                    at("zone"),
                    message,
                    "write the zone into `zone`, add it to Cloudflare, or give the token `Zone:Read` for it",
                );
                return Ok(inputs);
            };
            Value::from(zone.name.as_str())
        }
    };
    let mut inputs = inputs.with(&at("zone"), zone.clone());
    let Some(zone) = zone.as_str() else {
        return Ok(inputs);
    };
    let zone = canonical(zone)?;
    if let Some(name) = name {
        match names::in_zone(name, &zone) {
            Ok(name) => inputs = inputs.with(&at("name"), Value::from(name)),
            Err(why) => findings.block(
                at("name"),
                why,
                "write the full name, a name below the zone, or `@` for the zone itself",
            ),
        }
    }
    limits(client, &zone, desired, findings);
    Ok(inputs)
}

/// A name whose zone is not known yet.
fn unplaced(inputs: Value, name: Option<&str>) -> Value {
    match name.and_then(|name| names::host(name).ok()) {
        Some(name) if name.contains('.') => inputs.with(&at("name"), Value::from(name)),
        _ => inputs,
    }
}

/// What the plan of a zone that is known already does not allow.
fn limits(client: &Cloudflare, zone: &str, desired: &Value, findings: &mut Findings) {
    let Some(zone) = client.memo().get(zone) else {
        return;
    };
    if let Some(comment) = desired.get("comment").and_then(Value::as_str) {
        let (length, most) = (comment.chars().count(), zone.comment());
        if length > most {
            findings.block(
                at("comment"),
                format!("the comment has {length} characters; the zone's plan allows {most}"),
                "shorten it, or put the zone on a bigger plan",
            );
        }
    }
    let tagged = desired
        .get("tags")
        .and_then(Value::as_list)
        .is_some_and(|tags| !tags.is_empty());
    if tagged && zone.plan == "free" {
        findings.block(
            at("tags"),
            "records of a free zone have no tags",
            "leave `tags` out, or put the zone on a bigger plan",
        );
    }
    let ttl = match desired.get("ttl") {
        Some(Value::Num(number)) => number.as_i64(),
        _ => None,
    };
    if ttl.is_some_and(|ttl| (30..60).contains(&ttl)) && zone.plan != "enterprise" {
        findings.block(
            at("ttl"),
            "a ttl below 60 seconds needs the enterprise plan",
            "use 60 or more, or leave `ttl` out for automatic",
        );
    }
}

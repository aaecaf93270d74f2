//! Playing the role `dns`.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Resource as _;
use fabrik_core::role::{DNS, Parts, Player};
use fabrik_core::value::{Path, Value};
use serde_json::{Value as Json, json};

use crate::dns_record::DnsRecord;
use crate::names;

/// Makes host names point somewhere, by record sets.
///
/// Own block: `zone` (found from the name unless set), `proxied`, `comment`.
#[derive(Clone, Copy, Debug)]
pub struct DnsPlayer;

impl Player for DnsPlayer {
    fn role(&self) -> &'static str {
        DNS
    }

    fn options(&self) -> Json {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "zone": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The zone, by name or id; found from the host name unless set.",
                },
                "proxied": {
                    "type": "boolean",
                    "description": "Whether requests go through Cloudflare's proxy; not unless set.",
                },
                "comment": {
                    "type": "string",
                    "minLength": 1,
                    "description": "A comment on the record, for people.",
                },
            },
        })
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let field = |name: &'static str| {
            intent.get(name).cloned().ok_or_else(|| {
                Error::new(ErrorKind::Invalid, format!("`{name}` is missing"))
                    .field(Path::key(name))
            })
        };
        let target = field("target")?;
        let kind = record_type(field("kind")?.as_str().unwrap_or_default(), &target)?;
        let name = field("name")?;
        if let Some(text) = name.as_str() {
            names::host(text)
                .map_err(|why| Error::new(ErrorKind::Invalid, why).field(Path::key("name")))?;
        }
        let proxied = own.get("proxied").and_then(Value::as_bool) == Some(true);
        let mut inputs = vec![
            ("name", name),
            ("type", Value::from(kind)),
            ("values", Value::list([target.clone()])),
        ];
        for option in ["zone", "proxied", "comment"] {
            if let Some(value) = own.get(option) {
                inputs.push((option, value.clone()));
            }
        }
        // A proxied record's ttl is Cloudflare's own.
        if let Some(ttl) = intent.get("ttl").filter(|_| !proxied) {
            inputs.push(("ttl", within(ttl)));
        }
        let record = parts.add("", DnsRecord::TYPE, Value::map(inputs))?;
        let mut outputs = vec![("name", Parts::output(&record, "name"))];
        if !proxied {
            outputs.push(("type", Value::from(kind)));
            outputs.push(("values", Value::list([target])));
        }
        Ok(Value::map(outputs))
    }
}

/// The type for a target. An address that is not known yet is taken for one of version 4.
fn record_type(kind: &str, target: &Value) -> Result<&'static str> {
    if kind == "host" {
        return Ok("CNAME");
    }
    match target.as_str().map(str::parse::<std::net::IpAddr>) {
        None | Some(Ok(std::net::IpAddr::V4(_))) => Ok("A"),
        Some(Ok(std::net::IpAddr::V6(_))) => Ok("AAAA"),
        Some(Err(_)) => Err(Error::new(ErrorKind::Invalid, "the target is no address")
            .field(Path::key("target"))
            .hint("give an IPv4 or IPv6 address, or say that the target is a host")),
    }
}

/// A ttl within what Cloudflare takes.
fn within(ttl: &Value) -> Value {
    match ttl {
        Value::Num(number) => match number.as_i64() {
            Some(seconds) => Value::from(seconds.clamp(60, 86_400)),
            None => ttl.clone(),
        },
        other => other.clone(),
    }
}

//! Playing the role dns: a host name that points somewhere becomes a record set.

use std::net::IpAddr;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Resource;
use fabrik_core::role::{DNS, Parts, Player};
use fabrik_core::value::{Path, Value};
use serde_json::{Value as Json, json};

use crate::name;
use crate::record_set::RecordSet;

/// Makes record sets for host names.
#[derive(Clone, Copy, Debug)]
pub struct DnsPlayer;

impl Player for DnsPlayer {
    fn role(&self) -> &'static str {
        DNS
    }

    fn options(&self) -> Json {
        json!({
            "type": "object",
            "description": "How the app's host names are made at Namecheap.",
            "additionalProperties": false,
            "properties": {
                "type": {
                    "enum": ["A", "AAAA", "CNAME", "ALIAS"],
                    "description": "The type of record. Unless set, `CNAME` for a host (`ALIAS` for the domain itself), and for an address `A` or `AAAA`, by what it is; `A` while that is not known.",
                },
            },
        })
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let name = field(intent, "name")?;
        let target = field(intent, "target")?;
        let unknown =
            |message: String| Error::new(ErrorKind::Invalid, message).field(Path::key("name"));
        let text = name.as_str().ok_or_else(|| {
            unknown("the domain cannot be told from a name that is not known yet".to_owned())
        })?;
        let host =
            name::canonical(text).map_err(|why| unknown(format!("the name `{text}` {why}")))?;
        let domain = psl::domain_str(host.strip_prefix("*.").unwrap_or(&host))
            .ok_or_else(|| unknown(format!("`{text}` is below no registered domain")))?;
        let kind = match own.get("type").and_then(Value::as_str) {
            Some(kind) => kind.to_owned(),
            None => kind(intent, &target, host == domain),
        };
        let mut inputs = vec![
            ("domain", Value::from(domain)),
            // In full, so that it is not taken for a name relative to the domain.
            ("name", Value::from(format!("{host}."))),
            ("type", Value::from(kind.as_str())),
            ("values", Value::list([target.clone()])),
        ];
        if let Some(ttl) = intent.get("ttl") {
            inputs.push(("ttl", ttl.clone()));
        }
        let record = parts.add("", RecordSet::TYPE, Value::map(inputs))?;
        let mut outputs = vec![("name", Parts::output(&record, "fqdn"))];
        if kind != "ALIAS" {
            outputs.push(("type", Value::from(kind)));
            outputs.push(("values", Value::list([target])));
        }
        Ok(Value::map(outputs))
    }
}

/// The type of record for a target, as far as it can be told.
fn kind(intent: &Value, target: &Value, apex: bool) -> String {
    let address: Option<IpAddr> = target.as_str().and_then(|text| text.parse().ok());
    let kind = match (intent.get("kind").and_then(Value::as_str), address) {
        (Some("host"), None) if apex => "ALIAS",
        (Some("host"), None) => "CNAME",
        (_, Some(IpAddr::V6(_))) => "AAAA",
        _ => "A",
    };
    kind.to_owned()
}

fn field(intent: &Value, name: &str) -> Result<Value> {
    intent.get(name).cloned().ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("`{name}` is missing")).field(Path::key(name))
    })
}

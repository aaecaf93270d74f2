//! Playing the role dns: a host name that points somewhere becomes a record set.

use std::net::IpAddr;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Resource;
use fabrik_core::role::{DNS, Parts, Player};
use fabrik_core::value::{Path, Value};
use serde_json::{Value as Json, json};

use crate::name::{self, APEX};
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
            "description": "How the app's host names are made on PowerDNS.",
            "additionalProperties": false,
            "properties": {
                "zone": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The zone that holds the names; the registrable domain (`example.co.uk`) unless set.",
                },
                "type": {
                    "enum": ["A", "AAAA", "CNAME", "ALIAS"],
                    "description": "The type of record. Unless set, `CNAME` for a host, and for an address `A` or `AAAA`, by what it is; `A` while that is not known.",
                },
            },
        })
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let name = field(intent, "name")?;
        let target = field(intent, "target")?;
        let zone = zone(&name, own)?;
        let kind = match own.get("type").and_then(Value::as_str) {
            Some(kind) => kind.to_owned(),
            None => kind(intent, &target),
        };
        if let (Some(text), Some(zone)) = (name.as_str(), zone.as_str())
            && kind == "CNAME"
            && is_apex(text, zone)
        {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("`{text}` is the zone itself, which cannot be a CNAME"),
            )
            .field(Path::key("name"))
            .hint("set `powerdns: {type: ALIAS}` where the server is set up for it, or use a name below the zone"));
        }
        // In full, so that it is not taken for a name relative to the zone.
        let full = match name.as_str() {
            Some(text) => Value::from(format!("{}.", text.trim_end_matches('.'))),
            None => name.clone(),
        };
        let mut inputs = vec![
            ("zone", zone),
            ("name", full),
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

fn is_apex(name: &str, zone: &str) -> bool {
    match name::canonical(zone) {
        Ok(zone) => name::relative(&format!("{}.", name.trim_end_matches('.')), &zone)
            .is_ok_and(|name| name == APEX),
        Err(_) => false,
    }
}

/// The type of record for a target, as far as it can be told.
fn kind(intent: &Value, target: &Value) -> String {
    let address: Option<IpAddr> = target.as_str().and_then(|text| text.parse().ok());
    let kind = match (intent.get("kind").and_then(Value::as_str), address) {
        (Some("host"), None) => "CNAME",
        (_, Some(IpAddr::V6(_))) => "AAAA",
        _ => "A",
    };
    kind.to_owned()
}

/// The zone that was set, else the registrable domain of the name.
fn zone(name: &Value, own: &Value) -> Result<Value> {
    if let Some(zone) = own.get("zone") {
        return Ok(zone.clone());
    }
    let unknown = |message: String| {
        Error::new(ErrorKind::Invalid, message)
            .field(Path::key("name"))
            .hint("say which zone holds it: `powerdns: {zone: …}`")
    };
    let Some(text) = name.as_str() else {
        return Err(unknown(
            "the zone cannot be told from a name that is not known yet".to_owned(),
        ));
    };
    let host = name::canonical(text).map_err(|why| unknown(format!("the name `{text}` {why}")))?;
    let plain = host.strip_prefix("*.").unwrap_or(&host);
    psl::domain_str(plain)
        .map(Value::from)
        .ok_or_else(|| unknown(format!("`{text}` is below no registrable domain")))
}

fn field(intent: &Value, name: &str) -> Result<Value> {
    intent.get(name).cloned().ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("`{name}` is missing")).field(Path::key(name))
    })
}

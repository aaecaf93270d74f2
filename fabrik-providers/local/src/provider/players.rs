//! Playing the roles dns, monitor and bucket.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Resource;
use fabrik_core::role::{BUCKET, DNS, MONITOR, Parts, Player};
use fabrik_core::value::{Path, Value};

use super::bucket::Bucket;
use super::dns_name::{ADDRESS, DnsName};
use super::monitor::Monitor;
use crate::names::local_host;

/// Registers host names under `localhost`.
#[derive(Clone, Copy, Debug)]
pub struct DnsPlayer;

impl Player for DnsPlayer {
    fn role(&self) -> &'static str {
        DNS
    }

    fn cannot(&self) -> &[&'static str] {
        &["ttl"]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let name = field(intent, "name")?;
        if let Some(text) = name.as_str()
            && let Err(error) = local_host("name", text)
        {
            return Err(Error::new(ErrorKind::Invalid, error.to_string())
                .field(Path::key("name"))
                .hint("other names need a provider of DNS"));
        }
        let inputs = Value::map([("name", name), ("target", field(intent, "target")?)]);
        let record = parts.add("", DnsName::TYPE, inputs)?;
        Ok(Value::map([
            ("name", Parts::output(&record, "name")),
            ("type", Value::from("A")),
            ("values", Value::list([Value::from(ADDRESS)])),
        ]))
    }
}

/// Watches URLs.
#[derive(Clone, Copy, Debug)]
pub struct MonitorPlayer;

impl Player for MonitorPlayer {
    fn role(&self) -> &'static str {
        MONITOR
    }

    fn cannot(&self) -> &[&'static str] {
        &["notify"]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let url = field(intent, "url")?;
        if url.as_str().is_some_and(|url| url.starts_with("https://")) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the local monitor watches `http://` URLs only",
            )
            .field(Path::key("url"))
            .hint("set `monitor: false`, or let another provider play the role `monitor`"));
        }
        let mut inputs = vec![("name", field(intent, "name")?), ("url", url)];
        if let Some(interval) = intent.get("interval") {
            inputs.push(("interval", interval.clone()));
        }
        let monitor = parts.add("", Monitor::TYPE, Value::map(inputs))?;
        Ok(Value::map([("id", Parts::output(&monitor, "id"))]))
    }
}

/// Makes folders for objects.
#[derive(Clone, Copy, Debug)]
pub struct BucketPlayer;

impl Player for BucketPlayer {
    fn role(&self) -> &'static str {
        BUCKET
    }

    fn cannot(&self) -> &[&'static str] {
        &["public"]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let inputs = Value::map([("name", field(intent, "name")?)]);
        let bucket = parts.add("", Bucket::TYPE, inputs)?;
        Ok(Value::map([
            ("name", Parts::output(&bucket, "name")),
            ("endpoint", Parts::output(&bucket, "endpoint")),
        ]))
    }
}

/// A field that the role's schema requires.
pub(super) fn field(intent: &Value, name: &str) -> Result<Value> {
    intent.get(name).cloned().ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("`{name}` is missing")).field(Path::key(name))
    })
}

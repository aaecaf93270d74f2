//! `dns`: name servers give the declared records.

mod client;
mod wire;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fabrik_core::provider::Cx;
use fabrik_core::verify::{CheckFailure, Checker};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::task::JoinSet;

use crate::field::{self, Timeout};
use crate::network::Network;
use crate::target::{self, Endpoint};
pub(crate) use client::Found;
pub(crate) use wire::Name;

/// Name servers give the declared records.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Spec {
    /// The name to ask for.
    name: String,
    /// The type of record; without it, addresses of either kind (A or AAAA).
    #[serde(rename = "type")]
    record: Option<Record>,
    /// The values expected, no more and no fewer, in any order: `203.0.113.9`,
    /// `10 mail.example.com`, a text.
    values: Option<Vec<String>>,
    /// Values that must be among those found.
    includes: Option<Vec<String>>,
    /// Name servers to ask (`1.1.1.1`, `127.0.0.1:5353`); without any, those of this machine.
    #[serde(default)]
    servers: Vec<String>,
    /// How many of the servers must agree; all of them unless set.
    #[serde(default)]
    require: Require,
    /// How long one try may take; 10 seconds unless set.
    #[serde(default)]
    timeout: Timeout,
}

/// Types of records that can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Record {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The name it is an alias of.
    Cname,
    /// Texts.
    Txt,
    /// Mail servers with their preference.
    Mx,
    /// Name servers.
    Ns,
}

impl Record {
    fn text(self) -> &'static str {
        match self {
            Record::A => "A",
            Record::Aaaa => "AAAA",
            Record::Cname => "CNAME",
            Record::Txt => "TXT",
            Record::Mx => "MX",
            Record::Ns => "NS",
        }
    }

    fn code(self) -> u16 {
        match self {
            Record::A => wire::A,
            Record::Aaaa => wire::AAAA,
            Record::Cname => wire::CNAME,
            Record::Txt => wire::TXT,
            Record::Mx => wire::MX,
            Record::Ns => wire::NS,
        }
    }
}

/// How many servers must agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Require {
    /// Every server.
    #[default]
    All,
    /// At least one.
    Any,
}

/// Asks a name server for the addresses of a name.
pub(crate) async fn ask_addresses(server: SocketAddr, name: &Name, timeout: Duration) -> Found {
    client::ask(server, name, &[wire::A, wire::AAAA], timeout).await
}

/// The checker of `dns`.
pub(crate) struct Dns {
    network: Arc<Network>,
}

impl Dns {
    pub(crate) fn new(network: Arc<Network>) -> Dns {
        Dns { network }
    }

    /// The servers to ask, with the names they go by.
    async fn servers(
        &self,
        spec: &Spec,
        timeout: Duration,
    ) -> Result<Vec<(String, SocketAddr)>, CheckFailure> {
        if spec.servers.is_empty() {
            let own = self.network.resolvers.iter();
            return Ok(own.map(|address| (short(*address), *address)).collect());
        }
        let mut servers = Vec::new();
        for text in &spec.servers {
            let endpoint = Endpoint::parse(text, Some(53))?;
            let addresses = self.network.find(&endpoint, timeout).await?;
            let address = addresses
                .iter()
                .find(|address| address.is_ipv4())
                .or(addresses.first());
            servers.extend(address.map(|address| (text.clone(), *address)));
        }
        Ok(servers)
    }
}

#[async_trait]
impl Checker for Dns {
    fn kind(&self) -> &'static str {
        "dns"
    }

    fn schema(&self) -> Json {
        field::schema::<Spec>()
    }

    fn subject(&self) -> Option<&'static str> {
        Some("name")
    }

    async fn check(&self, cx: &Cx, spec: &Json) -> Result<String, CheckFailure> {
        let spec: Spec = field::spec("dns", spec)?;
        let name = Name::parse(&spec.name)
            .ok_or_else(|| CheckFailure::fatal(format!("`{}` is no domain name", spec.name)))?;
        let wanted = Wanted::new(&spec)?;
        let timeout = spec.timeout.within(cx);
        let servers = self.servers(&spec, timeout).await?;
        if spec.servers.is_empty() && (servers.is_empty() || target::is_localhost(&spec.name)) {
            return by_system(&spec, &wanted, timeout).await;
        }
        let mut asked = JoinSet::new();
        for (place, (_, address)) in servers.iter().enumerate() {
            let (address, name, codes) = (*address, name.clone(), wanted.codes());
            asked.spawn(async move { (place, client::ask(address, &name, &codes, timeout).await) });
        }
        let mut answers: Vec<Option<Found>> = vec![None; servers.len()];
        while let Some(done) = asked.join_next().await {
            if let Ok((place, found)) = done {
                answers[place] = Some(found);
            }
        }
        let answers: Vec<(&str, Found)> = servers
            .iter()
            .zip(answers)
            .map(|((server, _), found)| (server.as_str(), found.unwrap_or(Found::Silent)))
            .collect();
        judge(&spec, &wanted, &answers)
    }
}

/// What is looked for.
struct Wanted {
    record: Option<Record>,
    values: Option<BTreeSet<String>>,
    includes: BTreeSet<String>,
}

impl Wanted {
    fn new(spec: &Spec) -> Result<Wanted, CheckFailure> {
        let set = |values: &[String]| -> Result<BTreeSet<String>, CheckFailure> {
            values
                .iter()
                .map(|value| canonical(spec.record, value))
                .collect()
        };
        Ok(Wanted {
            record: spec.record,
            values: spec.values.as_deref().map(set).transpose()?,
            includes: set(spec.includes.as_deref().unwrap_or_default())?,
        })
    }

    fn codes(&self) -> Vec<u16> {
        match self.record {
            Some(record) => vec![record.code()],
            None => vec![wire::A, wire::AAAA],
        }
    }

    fn label(&self) -> &'static str {
        self.record.map_or("address", Record::text)
    }

    fn met_by(&self, found: &BTreeSet<String>) -> bool {
        let exact = self.values.as_ref().is_none_or(|values| values == found);
        // An empty list of values means: no such record.
        let some = self.values.is_some() || !found.is_empty();
        exact && some && self.includes.is_subset(found)
    }
}

/// One form for each value, so that they can be compared.
fn canonical(record: Option<Record>, value: &str) -> Result<String, CheckFailure> {
    let bad = |what: &str| CheckFailure::fatal(format!("`{value}` is no {what}"));
    let host = |text: &str| {
        Name::parse(text)
            .map(|name| name.to_string())
            .ok_or_else(|| bad("host name"))
    };
    match record {
        None | Some(Record::A | Record::Aaaa) => {
            let ip: IpAddr = value.trim().parse().map_err(|_| bad("address"))?;
            match record {
                Some(Record::A) if !ip.is_ipv4() => Err(bad("IPv4 address")),
                Some(Record::Aaaa) if !ip.is_ipv6() => Err(bad("IPv6 address")),
                _ => Ok(ip.to_string()),
            }
        }
        Some(Record::Cname | Record::Ns) => host(value),
        Some(Record::Mx) => {
            let (preference, name) = value
                .trim()
                .split_once(char::is_whitespace)
                .ok_or_else(|| bad("mail server such as `10 mail.example.com`"))?;
            let preference: u16 = preference
                .parse()
                .map_err(|_| bad("mail server such as `10 mail.example.com`"))?;
            Ok(format!("{preference} {}", host(name.trim())?))
        }
        Some(Record::Txt) => {
            let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
            Ok(if quoted {
                value[1..value.len() - 1].to_owned()
            } else {
                value.to_owned()
            })
        }
    }
}

fn judge(spec: &Spec, wanted: &Wanted, answers: &[(&str, Found)]) -> Result<String, CheckFailure> {
    let good = |found: &Found| match found {
        Found::Values(values) => wanted.met_by(values),
        Found::NoName => wanted.met_by(&BTreeSet::new()),
        _ => false,
    };
    let total = answers.len();
    let agreeing: Vec<&Found> = answers
        .iter()
        .filter(|(_, found)| good(found))
        .map(|(_, found)| found)
        .collect();
    let count = agreeing.len();
    let resolvers = if total == 1 { "resolver" } else { "resolvers" };
    let enough = match spec.require {
        Require::All => count == total,
        Require::Any => count > 0,
    };
    let title = format!("{} {}", spec.name, wanted.label());
    if enough {
        let seen = agreeing
            .first()
            .map_or(Cow::Borrowed(""), |found| found.text());
        return Ok(format!("{title} {seen} on {count} of {total} {resolvers}"));
    }
    let others: Vec<String> = answers
        .iter()
        .filter(|(_, found)| !good(found))
        .map(|(server, found)| format!("{server}: {}", found.text()))
        .collect();
    let what = match (&wanted.values, wanted.includes.is_empty()) {
        (Some(values), _) => format!("{title} {}", client::list(values)),
        (None, false) => format!("{title} with {}", client::list(&wanted.includes)),
        (None, true) => format!("{title} found"),
    };
    Err(CheckFailure::new(format!(
        "{what} on only {count} of {total} {resolvers}; {}",
        others.join("; ")
    ))
    .hint("records take a while to spread; name servers keep old answers until their time is up"))
}

/// Asks the system's resolver, which knows addresses only.
async fn by_system(
    spec: &Spec,
    wanted: &Wanted,
    timeout: Duration,
) -> Result<String, CheckFailure> {
    if !matches!(spec.record, None | Some(Record::A | Record::Aaaa)) {
        return Err(CheckFailure::fatal(format!(
            "no name server to ask for {} records",
            wanted.label()
        ))
        .hint("name some: `servers: [1.1.1.1, 8.8.8.8]`"));
    }
    let found = tokio::time::timeout(timeout, target::resolve(&spec.name, 0))
        .await
        .map_err(|_| {
            CheckFailure::new(format!("no answer about {} from the system", spec.name))
        })??;
    let values: BTreeSet<String> = found
        .iter()
        .map(SocketAddr::ip)
        .filter(|ip| match spec.record {
            Some(Record::A) => ip.is_ipv4(),
            Some(Record::Aaaa) => ip.is_ipv6(),
            _ => true,
        })
        .map(|ip| ip.to_string())
        .collect();
    judge(
        spec,
        wanted,
        &[("the system's resolver", Found::Values(values))],
    )
}

/// The address, without the usual port.
fn short(address: SocketAddr) -> String {
    if address.port() == 53 {
        address.ip().to_string()
    } else {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_one_form() {
        let form = |record, value| canonical(Some(record), value).ok();
        assert_eq!(
            form(Record::Aaaa, "2001:DB8:0::1").as_deref(),
            Some("2001:db8::1")
        );
        assert_eq!(form(Record::A, "2001:db8::1"), None);
        assert_eq!(
            form(Record::Cname, "A.Example.COM.").as_deref(),
            Some("a.example.com")
        );
        assert_eq!(
            form(Record::Mx, "10  Mail.example.com.").as_deref(),
            Some("10 mail.example.com")
        );
        assert_eq!(form(Record::Mx, "mail.example.com"), None);
        assert_eq!(
            form(Record::Txt, "\"v=spf1 -all\"").as_deref(),
            Some("v=spf1 -all")
        );
    }
}

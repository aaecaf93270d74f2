//! How names become addresses, and where connections really go.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::verify::{CheckFailure, duration_text};

use crate::dns::{Found, Name, ask_addresses};
use crate::target::{self, Endpoint};

/// How long one name server may take, however patient a check is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections to a name or an address go elsewhere: `FROM=TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detour {
    /// A name or an address; port 0 stands for any.
    from: Endpoint,
    /// Where they go; port 0 keeps the port.
    to: Endpoint,
}

impl Detour {
    /// Reads `FROM=TO`, both a name or an address with or without a port.
    pub(crate) fn parse(text: &str) -> Result<Detour> {
        let bad = || {
            Error::new(ErrorKind::Invalid, format!("`{text}` is no detour"))
                .hint("write `FROM=TO`, such as `shop.example.com=10.0.0.5:8443`")
        };
        let (from, to) = text.split_once('=').ok_or_else(bad)?;
        let end = |text: &str| Endpoint::parse(text.trim(), Some(0)).map_err(|_| bad());
        Ok(Detour {
            from: end(from)?,
            to: end(to)?,
        })
    }

    fn takes(&self, host: &str, port: u16) -> bool {
        let same_port = self.from.port == 0 || self.from.port == port;
        same_port && self.from.host.eq_ignore_ascii_case(host)
    }
}

/// Name servers to ask, and detours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    pub(crate) resolvers: Vec<SocketAddr>,
    pub(crate) detours: Vec<Detour>,
}

impl Network {
    /// Where to connect for an endpoint, found within the time given.
    pub(crate) async fn find(
        &self,
        endpoint: &Endpoint,
        timeout: Duration,
    ) -> Result<Vec<SocketAddr>, CheckFailure> {
        let found = self.resolve(&endpoint.host, endpoint.port, timeout);
        tokio::time::timeout(timeout, found).await.map_err(|_| {
            CheckFailure::new(format!(
                "the name {} does not resolve within {}",
                endpoint.host,
                duration_text(timeout)
            ))
        })?
    }

    /// Where to connect for a host and a port: a detour of the name, else the name's addresses, each
    /// with the detour that it has.
    pub(crate) async fn resolve(
        &self,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<Vec<SocketAddr>, CheckFailure> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        if let Some(detour) = self.detour(bare, port) {
            let port = match detour.to.port {
                0 => port,
                other => other,
            };
            return self.lookup(&detour.to.host, port, timeout).await;
        }
        let mut addresses = self.lookup(bare, port, timeout).await?;
        for address in &mut addresses {
            if let Some(detour) = self.detour(&address.ip().to_string(), address.port()) {
                // A detour of an address leads to an address; names are not looked up twice.
                if let Ok(ip) = detour.to.host.parse() {
                    address.set_ip(ip);
                }
                if detour.to.port != 0 {
                    address.set_port(detour.to.port);
                }
            }
        }
        addresses.dedup();
        Ok(addresses)
    }

    fn detour(&self, host: &str, port: u16) -> Option<&Detour> {
        self.detours.iter().find(|detour| detour.takes(host, port))
    }

    /// The addresses of a name: by the name servers given, else by the system.
    async fn lookup(
        &self,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<Vec<SocketAddr>, CheckFailure> {
        let known = host.parse::<IpAddr>().is_ok() || target::is_localhost(host);
        let name = Name::parse(host).filter(|_| !known && !self.resolvers.is_empty());
        let Some(name) = name else {
            return target::resolve(host, port).await;
        };
        let mut told = Vec::new();
        for server in &self.resolvers {
            let found = ask_addresses(*server, &name, timeout.min(PATIENCE)).await;
            if let Found::Values(values) = &found
                && !values.is_empty()
            {
                let addresses = values.iter().filter_map(|text| text.parse().ok());
                return Ok(addresses.map(|ip| SocketAddr::new(ip, port)).collect());
            }
            told.push(format!("{server}: {}", found.text()));
        }
        Err(CheckFailure::new(format!(
            "the name {host} does not resolve: {}",
            told.join("; ")
        ))
        .hint("is its DNS record there, and has it spread yet?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(detours: &[&str]) -> Network {
        let detours = detours.iter().map(|text| Detour::parse(text).unwrap());
        Network {
            resolvers: Vec::new(),
            detours: detours.collect(),
        }
    }

    async fn found(network: &Network, host: &str, port: u16) -> Vec<String> {
        let patience = Duration::from_secs(5);
        let found = network.resolve(host, port, patience).await.unwrap();
        found.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn names_and_addresses_lead_elsewhere() {
        let network = network(&[
            "shop.example.com:443=127.0.0.1:8443",
            "other.example.com=127.0.0.2",
            "203.0.113.10:80=127.0.0.1:8080",
            "203.0.113.10=127.0.0.3",
        ]);
        for (host, port, there) in [
            ("Shop.example.com.", 443, "127.0.0.1:8443"),
            ("203.0.113.10", 80, "127.0.0.1:8080"),
            ("203.0.113.10", 443, "127.0.0.3:443"),
            ("203.0.113.11", 443, "203.0.113.11:443"),
            ("shop.localhost", 80, "127.0.0.1:80"),
        ] {
            assert_eq!(found(&network, host, port).await, [there], "{host}:{port}");
        }
    }

    #[test]
    fn what_is_no_detour_is_refused() {
        for bad in ["", "a.b", "a.b=", "=1.2.3.4", "a.b=x y", "a:b=1.2.3.4"] {
            let error = Detour::parse(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
        }
    }
}

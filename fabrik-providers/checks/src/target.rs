//! Names, addresses and connections, with words for what goes wrong.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use fabrik_core::verify::{CheckFailure, duration_text};
use tokio::net::TcpStream;

/// A host and a port, as in `example.com:443`, `127.0.0.1:80`, `[::1]:80`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Endpoint {
    /// Reads an endpoint; the port may be left out when there is a default.
    pub(crate) fn parse(text: &str, default_port: Option<u16>) -> Result<Endpoint, CheckFailure> {
        let bad = || {
            CheckFailure::fatal(format!("`{text}` is no address"))
                .hint("write it as `host:port`, and IPv6 addresses as `[::1]:port`")
        };
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Endpoint {
                host: ip.to_string(),
                port: default_port.ok_or_else(bad)?,
            });
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(bad)?;
                host.parse::<Ipv6Addr>().map_err(|_| bad())?;
                (host, port.strip_prefix(':'))
            }
            None => match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port: &u16| *port != 0),
            None => default_port,
        };
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"/:@?#".contains(c);
        if host.is_empty() || !(text.starts_with('[') || host.chars().all(plain)) {
            return Err(bad());
        }
        Ok(Endpoint {
            host: host.to_owned(),
            port: port.ok_or_else(bad)?,
        })
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Whether the name always means this machine.
pub(crate) fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// The addresses of a host: of this machine for `.localhost`, else what the system finds.
pub(crate) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, CheckFailure> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    if is_localhost(host) {
        return Ok(vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)]);
    }
    let unresolved = |why: String| {
        CheckFailure::new(format!("the name {host} does not resolve{why}"))
            .hint("is its DNS record there, and has it spread yet?")
    };
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| unresolved(format!(": {error}")))?
        .collect();
    if found.is_empty() {
        return Err(unresolved(String::new()));
    }
    Ok(found)
}

/// Connects to the first address that accepts.
pub(crate) async fn connect(
    addresses: &[SocketAddr],
    timeout: Duration,
) -> Result<(TcpStream, SocketAddr), CheckFailure> {
    let mut failure = None;
    let share = timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    for address in addresses {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, *address)),
            Ok(Err(error)) => failure = Some(refused(&error, &[*address])),
            Err(_) => {
                failure = Some(
                    CheckFailure::new(format!(
                        "no answer from {address} within {}",
                        duration_text(share)
                    ))
                    .hint("is a firewall in the way?"),
                );
            }
        }
    }
    Err(failure.unwrap_or_else(|| CheckFailure::new("no address to connect to")))
}

/// What a failed connection to these addresses means.
pub(crate) fn refused(error: &io::Error, addresses: &[SocketAddr]) -> CheckFailure {
    let at = addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            CheckFailure::new(format!("connection refused at {at}"))
                .hint("nothing listens there: is it running, and on this port?")
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => CheckFailure::new(format!("connection reset by {at}")),
        io::ErrorKind::UnexpectedEof => {
            CheckFailure::new(format!("{at} closed the connection without an answer"))
        }
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            CheckFailure::new(format!("{at} cannot be reached from here: {error}"))
        }
        io::ErrorKind::TimedOut => CheckFailure::new(format!("no answer from {at}")),
        _ => CheckFailure::new(format!("cannot connect to {at}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let read = |text| Endpoint::parse(text, None).map(|e| (e.host, e.port)).ok();
        assert_eq!(read("a.b:80"), Some(("a.b".into(), 80)));
        assert_eq!(read("[::1]:80"), Some(("::1".into(), 80)));
        for bad in [
            "a.b",
            "a:0",
            "a:99999",
            ":80",
            "::1:80:x",
            "http://a:80",
            "a b:1",
            "[x]:1",
            "",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let port = |text| Endpoint::parse(text, Some(53)).map(|e| e.to_string()).ok();
        assert_eq!(port("1.1.1.1").as_deref(), Some("1.1.1.1:53"));
        assert_eq!(port("::1").as_deref(), Some("[::1]:53"));
        assert_eq!(port("[::1]").as_deref(), Some("[::1]:53"));
        assert_eq!(port("ns.example").as_deref(), Some("ns.example:53"));
    }

    #[tokio::test]
    async fn localhost_needs_no_name_server() {
        for host in ["localhost", "Hello.LOCALHOST", "a.b.localhost."] {
            let found = resolve(host, 8080).await.unwrap();
            assert_eq!(found, ["127.0.0.1:8080".parse().unwrap()], "{host}");
        }
        assert!(!is_localhost("notlocalhost") && !is_localhost("localhost.example.com"));
    }
}

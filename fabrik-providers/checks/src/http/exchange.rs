//! Asking, and following redirects.

use std::net::SocketAddr;
use std::time::Duration;

use fabrik_core::provider::Cx;
use fabrik_core::verify::{CheckFailure, duration_text};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION};

use super::spec::{Method, Spec};
use crate::network::Network;
use crate::target::{self, Endpoint};
use crate::tls::tls_error;
use crate::trust::{Shown, Trust, explain};

/// More redirects than this are a loop.
const MAX_REDIRECTS: usize = 10;
/// No more of a body than this is read.
const MAX_BODY: usize = 1 << 20;

/// What was answered in the end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) redirects: usize,
}

impl Answer {
    /// `https://example.com/ 200`, and where it was redirected.
    pub(super) fn title(&self) -> String {
        let via = match self.redirects {
            0 => "",
            1 => " after a redirect",
            _ => " after redirects",
        };
        format!("{} {}{via}", shown(&self.url), self.status)
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    pub(super) fn content_type(&self) -> String {
        self.header(CONTENT_TYPE.as_str())
            .unwrap_or_default()
            .to_ascii_lowercase()
    }
}

/// The URL without credentials.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    if !url.username().is_empty() || url.password().is_some() {
        // Only fails for URLs that cannot have any.
        _ = url.set_username("");
        _ = url.set_password(None);
    }
    url.to_string()
}

/// One try of a check.
pub(super) struct Exchange<'a> {
    spec: &'a Spec,
    trust: &'a Trust,
    network: &'a Network,
    user_agent: &'a str,
    cx: &'a Cx,
    url: Url,
    connect: Option<Endpoint>,
    headers: HeaderMap,
    timeout: Duration,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        spec: &'a Spec,
        trust: &'a Trust,
        network: &'a Network,
        user_agent: &'a str,
        cx: &'a Cx,
    ) -> Result<Exchange<'a>, CheckFailure> {
        let url = Url::parse(&spec.url)
            .map_err(|error| CheckFailure::fatal(format!("`{}` is no URL: {error}", spec.url)))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(CheckFailure::fatal(format!(
                "`{}` is no http or https URL",
                shown(&url)
            )));
        }
        let connect = match &spec.connect {
            Some(text) => Some(Endpoint::parse(text, url.port_or_known_default())?),
            None => None,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &spec.headers {
            headers.insert(header_name(name)?, header_value(name, value)?);
        }
        Ok(Exchange {
            spec,
            trust,
            network,
            user_agent,
            cx,
            url,
            connect,
            headers,
            timeout: spec.timeout.within(cx),
        })
    }

    /// Asks, follows redirects, reads the body.
    pub(super) async fn run(&self) -> Result<Answer, CheckFailure> {
        let asked = tokio::time::timeout(self.timeout, self.follow()).await;
        asked.unwrap_or_else(|_| {
            Err(CheckFailure::new(format!(
                "no answer from {} within {}",
                shown(&self.url),
                duration_text(self.timeout)
            )))
        })
    }

    async fn follow(&self) -> Result<Answer, CheckFailure> {
        let mut url = self.url.clone();
        let mut method = self.spec.method;
        let mut redirects = 0;
        loop {
            let response = self.ask(&url, method).await?;
            let status = response.status().as_u16();
            let next = response
                .headers()
                .get(LOCATION)
                .filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308))
                .and_then(|location| location.to_str().ok())
                .and_then(|location| url.join(location).ok())
                .filter(|next| matches!(next.scheme(), "http" | "https"));
            match next {
                Some(next) if self.spec.follows_redirects() => {
                    redirects += 1;
                    if redirects > MAX_REDIRECTS {
                        return Err(CheckFailure::new(format!(
                            "more than {MAX_REDIRECTS} redirects, the last to {}",
                            shown(&next)
                        )));
                    }
                    if method == Method::Post && !matches!(status, 307 | 308) {
                        method = Method::Get;
                    }
                    url = next;
                }
                _ => return self.read(url, response, redirects).await,
            }
        }
    }

    async fn ask(&self, url: &Url, method: Method) -> Result<reqwest::Response, CheckFailure> {
        let (config, certificate) = self.trust.client(self.cx.clock())?;
        let own = same_place(url, &self.url);
        let mut target = url.clone();
        let mut headers = HeaderMap::new();
        if own {
            headers.clone_from(&self.headers);
            if let Some(connect) = &self.connect {
                aim(&mut target, connect, &mut headers)?;
            }
        }
        let addresses = match &self.connect {
            Some(connect) if own => self.network.find(connect, self.timeout).await?,
            _ => {
                let host = url.host_str().unwrap_or_default();
                let port = url.port_or_known_default().unwrap_or(80);
                self.network.resolve(host, port, self.timeout).await?
            }
        };
        turn(&mut target, &addresses, &mut headers)?;
        if own && let Some(host) = &self.spec.host {
            headers.insert(HOST, header_value("host", host)?);
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .user_agent(self.user_agent)
            .resolve_to_addrs(target.host_str().unwrap_or_default(), &addresses)
            .build()
            .map_err(|error| CheckFailure::fatal(format!("cannot set up HTTP: {error}")))?;
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Options => reqwest::Method::OPTIONS,
            Method::Post => reqwest::Method::POST,
        };
        client
            .request(method, target)
            .headers(headers)
            .send()
            .await
            .map_err(|error| self.explain(&error, url, &addresses, &certificate))
    }

    async fn read(
        &self,
        url: Url,
        mut response: reqwest::Response,
        redirects: usize,
    ) -> Result<Answer, CheckFailure> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while body.len() < MAX_BODY {
            let chunk = response.chunk().await.map_err(|_| {
                CheckFailure::new(format!(
                    "{} {status}, but the connection ended after {} bytes of the body",
                    shown(&url),
                    body.len()
                ))
            })?;
            let Some(chunk) = chunk else { break };
            body.extend_from_slice(&chunk[..chunk.len().min(MAX_BODY - body.len())]);
        }
        Ok(Answer {
            url,
            status,
            headers,
            body,
            redirects,
        })
    }

    fn explain(
        &self,
        error: &reqwest::Error,
        url: &Url,
        addresses: &[SocketAddr],
        certificate: &Shown,
    ) -> CheckFailure {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut deepest = error.to_string();
        while let Some(cause) = source {
            if let Some(io) = cause.downcast_ref::<std::io::Error>() {
                if let Some(problem) = tls_error(io) {
                    let name = url.host_str().unwrap_or_default();
                    return explain(problem, name, certificate, self.cx.clock());
                }
                if io.kind() != std::io::ErrorKind::Other {
                    return target::refused(io, addresses);
                }
            }
            deepest = cause.to_string();
            source = cause.source();
        }
        if deepest.contains("connection closed before message completed") {
            let eof = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            return target::refused(&eof, addresses);
        }
        CheckFailure::new(format!("no HTTP answer from {}: {deepest}", shown(url)))
    }
}

/// Whether both URLs mean the same server.
fn same_place(left: &Url, right: &Url) -> bool {
    left.scheme() == right.scheme()
        && left.host_str() == right.host_str()
        && left.port_or_known_default() == right.port_or_known_default()
}

/// Follows a detour: where the addresses are not the URL's own, it is pointed at them.
fn turn(
    target: &mut Url,
    addresses: &[SocketAddr],
    headers: &mut HeaderMap,
) -> Result<(), CheckFailure> {
    let Some(first) = addresses.first() else {
        return Ok(());
    };
    let host = target.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let moved = host
        .parse()
        .is_ok_and(|ip: std::net::IpAddr| ip != first.ip());
    if !moved && target.port_or_known_default() == Some(first.port()) {
        return Ok(());
    }
    let told = headers.get(HOST).cloned();
    let to = Endpoint {
        host: match first.ip() {
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            std::net::IpAddr::V4(ip) => ip.to_string(),
        },
        port: first.port(),
    };
    aim(target, &to, headers)?;
    // What was to be asked for before is still asked for.
    if let Some(told) = told {
        headers.insert(HOST, told);
    }
    Ok(())
}

/// Points the URL at the place to connect to, keeping what is asked for.
fn aim(target: &mut Url, connect: &Endpoint, headers: &mut HeaderMap) -> Result<(), CheckFailure> {
    let authority = match (target.host_str(), target.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    };
    let cannot = || CheckFailure::fatal(format!("cannot connect to {connect} for `{target}`"));
    let named = target.domain().is_some();
    let mut aimed = target.clone();
    if !named {
        // An address in the URL is connected to directly: it is replaced.
        if target.scheme() == "https" {
            return Err(cannot().hint("with `connect`, an https URL needs a host name"));
        }
        aimed.set_host(Some(&connect.host)).map_err(|_| cannot())?;
    }
    aimed.set_port(Some(connect.port)).map_err(|()| cannot())?;
    headers.insert(HOST, header_value("host", &authority)?);
    *target = aimed;
    Ok(())
}

fn header_name(name: &str) -> Result<HeaderName, CheckFailure> {
    name.parse()
        .map_err(|_| CheckFailure::fatal(format!("`{name}` is no header name")))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, CheckFailure> {
    HeaderValue::from_str(value).map_err(|_| {
        CheckFailure::fatal(format!(
            "the value of header `{name}` holds what headers cannot hold"
        ))
    })
}

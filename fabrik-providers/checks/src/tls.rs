//! `tls`: the certificate is valid for the name, for some days to come.

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::provider::Cx;
use fabrik_core::verify::{CheckFailure, Checker, duration_text};
use rustls::pki_types::ServerName;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;
use tokio_rustls::TlsConnector;

use crate::field::{self, Timeout};
use crate::network::Network;
use crate::target::{self, Endpoint};
use crate::trust::{Shown, Trust, days_text, explain};

/// The certificate's chain is valid for a name, for some days to come.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Spec {
    /// The host name the certificate must be for; a port may follow (`example.com:8443`).
    name: String,
    /// The port; 443 unless set here or after the name.
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// Connect here (`host:port`) instead of to the name.
    connect: Option<String>,
    /// It must be valid for at least this many days more; 0 unless set.
    #[serde(default)]
    min_days: u32,
    /// How long one try may take; 10 seconds unless set.
    #[serde(default)]
    timeout: Timeout,
}

/// The checker of `tls`.
pub(crate) struct Tls {
    trust: Arc<Trust>,
    network: Arc<Network>,
}

impl Tls {
    pub(crate) fn new(trust: Arc<Trust>, network: Arc<Network>) -> Tls {
        Tls { trust, network }
    }
}

#[async_trait]
impl Checker for Tls {
    fn kind(&self) -> &'static str {
        "tls"
    }

    fn schema(&self) -> Json {
        field::schema::<Spec>()
    }

    fn subject(&self) -> Option<&'static str> {
        Some("name")
    }

    async fn check(&self, cx: &Cx, spec: &Json) -> Result<String, CheckFailure> {
        let spec: Spec = field::spec("tls", spec)?;
        let named = Endpoint::parse(&spec.name, Some(spec.port.unwrap_or(443)))?;
        let server = ServerName::try_from(named.host.clone())
            .map_err(|_| CheckFailure::fatal(format!("`{}` is no host name", named.host)))?;
        let to = match &spec.connect {
            Some(connect) => Endpoint::parse(connect, Some(named.port))?,
            None => named.clone(),
        };
        let timeout = spec.timeout.within(cx);
        let (config, shown) = self.trust.client(cx.clock())?;
        let handshake = async {
            let addresses = self.network.find(&to, timeout).await?;
            let (stream, peer) = target::connect(&addresses, timeout).await?;
            TlsConnector::from(Arc::new(config))
                .connect(server, stream)
                .await
                .map_err(|error| match tls_error(&error) {
                    Some(problem) => explain(problem, &named.host, &shown, cx.clock()),
                    None => target::refused(&error, &[peer]),
                })
        };
        tokio::time::timeout(timeout, handshake)
            .await
            .map_err(|_| {
                CheckFailure::new(format!(
                    "no TLS with {named} within {}",
                    duration_text(timeout)
                ))
            })??;
        judge(&named.host, &shown, spec.min_days, cx)
    }
}

fn judge(name: &str, shown: &Shown, min_days: u32, cx: &Cx) -> Result<String, CheckFailure> {
    let certificate = shown
        .certificate()
        .ok_or_else(|| CheckFailure::new(format!("the certificate of {name} could not be read")))?;
    let days = certificate.days_left(cx.clock().now());
    let tale = format!(
        "{} (until {}), issued by {}",
        days_text(days),
        certificate.last_day(),
        certificate.issuer
    );
    if days < i64::from(min_days) {
        return Err(CheckFailure::new(format!(
            "the certificate of {name} is valid for only {tale}; {} wanted",
            days_text(i64::from(min_days))
        ))
        .hint("is its renewal working?"));
    }
    Ok(format!("{name} valid for {tale}"))
}

/// The TLS problem inside an input-output error, however often that is wrapped.
pub(crate) fn tls_error(error: &std::io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner
        .downcast_ref()
        .or_else(|| tls_error(inner.downcast_ref()?))
}

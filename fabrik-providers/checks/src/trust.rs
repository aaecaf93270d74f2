//! Whom TLS connections trust, and words for what is wrong with a certificate.

use std::sync::{Arc, Mutex, PoisonError};

use fabrik_core::clock::Clock;
use fabrik_core::verify::CheckFailure;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use crate::certificate::Certificate;
use crate::config::CheckerConfig;

/// The roots of trust, and the cryptography used.
pub(crate) struct Trust {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl Trust {
    pub(crate) fn new(config: &CheckerConfig) -> Trust {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        // Damaged ones were refused when they were given.
        roots.add_parsable_certificates(config.roots.iter().cloned());
        Trust {
            roots: Arc::new(roots),
            provider: Arc::new(rustls::crypto::ring::default_provider()),
        }
    }

    /// A configuration for one connection; the second value tells which certificate was shown,
    /// whether or not it was good.
    pub(crate) fn client(
        &self,
        clock: &Arc<dyn Clock>,
    ) -> Result<(ClientConfig, Shown), CheckFailure> {
        let cannot = |error: &dyn std::fmt::Display| {
            CheckFailure::fatal(format!("cannot set up TLS: {error}"))
        };
        let inner =
            WebPkiServerVerifier::builder_with_provider(self.roots.clone(), self.provider.clone())
                .build()
                .map_err(|error| cannot(&error))?;
        let shown = Shown::default();
        let verifier = Watching {
            inner,
            shown: shown.clone(),
        };
        let time = Arc::new(Time(clock.clone()));
        let config = ClientConfig::builder_with_details(self.provider.clone(), time)
            .with_safe_default_protocol_versions()
            .map_err(|error| cannot(&error))?
            .dangerous() // Only to watch: the web's verifier decides.
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok((config, shown))
    }
}

/// The certificate a server showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown(Arc<Mutex<Option<Vec<u8>>>>);

impl Shown {
    pub(crate) fn certificate(&self) -> Option<Certificate> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Certificate::parse(bytes.as_deref()?)
    }
}

/// Notes the certificate, and leaves the decision to the verifier inside.
#[derive(Debug)]
struct Watching {
    inner: Arc<WebPkiServerVerifier>,
    shown: Shown,
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.shown.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.to_vec());
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The time by the run's clock.
#[derive(Debug)]
struct Time(Arc<dyn Clock>);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            seconds,
        )))
    }
}

/// What a failed handshake means, told with the certificate that was shown.
pub(crate) fn explain(
    error: &rustls::Error,
    name: &str,
    shown: &Shown,
    clock: &Arc<dyn Clock>,
) -> CheckFailure {
    let certificate = shown.certificate();
    let issuer = certificate
        .as_ref()
        .map(|certificate| format!(", issued by {}", certificate.issuer))
        .unwrap_or_default();
    let rustls::Error::InvalidCertificate(problem) = error else {
        return CheckFailure::new(format!("no TLS with {name}: {error}"));
    };
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let since = certificate.map_or_else(String::new, |certificate| {
                let days = -certificate.days_left(clock.now());
                format!(" {} ago, on {}", days_text(days), certificate.last_day())
            });
            CheckFailure::new(format!("the certificate of {name} expired{since}{issuer}"))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CheckFailure::new(format!(
                "the certificate of {name} is not valid yet{issuer}"
            ))
            .hint("is a clock wrong?")
        }
        CertificateError::NotValidForName => {
            CheckFailure::new(format!("the certificate shown is not for {name}{issuer}"))
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<String> = presented.iter().map(|name| bare_name(name)).collect();
            CheckFailure::new(format!(
                "the certificate shown is for {}, not for {name}{issuer}",
                names.join(", ")
            ))
            .hint("the proxy may not have its certificate for this name yet")
        }
        CertificateError::UnknownIssuer => match certificate {
            Some(certificate) if certificate.self_signed => CheckFailure::new(format!(
                "the certificate of {name} is self-signed ({})",
                certificate.issuer
            ))
            .hint("the proxy may not have a certificate from an authority yet"),
            _ => CheckFailure::new(format!("the certificate of {name} is not trusted{issuer}")),
        },
        CertificateError::Revoked => {
            CheckFailure::new(format!("the certificate of {name} is revoked{issuer}"))
        }
        other => CheckFailure::new(format!(
            "the certificate of {name} is not valid: {other}{issuer}"
        )),
    }
}

/// `DnsName("a.b")`, as the verifier writes presented names, without the wrapping.
fn bare_name(presented: &str) -> String {
    presented
        .split_once("(\"")
        .and_then(|(_, rest)| rest.strip_suffix("\")"))
        .unwrap_or(presented)
        .to_owned()
}

pub(crate) fn days_text(days: i64) -> String {
    match days {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

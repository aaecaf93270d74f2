//! Small servers on loopback, and a short way to make one try.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fabrik_checks::{CheckerConfig, checkers};
use fabrik_core::clock::VirtualClock;
use fabrik_core::provider::{Cx, StopSignal};
use fabrik_core::verify::CheckFailure;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// One try of a check.
pub(crate) async fn check(kind: &str, spec: Json) -> Result<String, CheckFailure> {
    check_with(CheckerConfig::default(), kind, spec).await
}

/// One try of a check, at noon of 1 June 2025.
pub(crate) async fn check_with(
    config: CheckerConfig,
    kind: &str,
    spec: Json,
) -> Result<String, CheckFailure> {
    let clock = VirtualClock::at("2025-06-01T12:00:00Z".parse().unwrap());
    let cx = Cx::new(Arc::new(clock), StopSignal::never());
    let checkers = checkers(config);
    checkers.get(kind).unwrap().check(&cx, &spec).await
}

pub(crate) async fn seen(kind: &str, spec: Json) -> String {
    match check(kind, spec).await {
        Ok(evidence) => panic!("it holds: {evidence}"),
        Err(failure) => failure.seen,
    }
}

/// A port nobody listens on.
pub(crate) async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// An HTTP server: gives the request's head to `answer` and sends what it returns.
pub(crate) async fn http_server(
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move { serve(stream, &*answer).await });
        }
    });
    address
}

/// The same with TLS.
pub(crate) async fn https_server(
    identity: Identity,
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, acceptor) = (answer.clone(), acceptor.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, &*answer).await;
                }
            });
        }
    });
    address
}

async fn serve(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    answer: &(dyn Fn(&str) -> String + Send + Sync),
) {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(length) if length > 0 => head.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    }
    let text = answer(&String::from_utf8_lossy(&head));
    if text == "hang" {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    _ = stream.write_all(text.as_bytes()).await;
    _ = stream.shutdown().await;
}

/// An answer with a body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A certificate authority for a test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// What a TLS server shows.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Test Root");
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Fabrik");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    pub(crate) fn config(&self) -> CheckerConfig {
        CheckerConfig::default()
            .with_roots_pem(self.pem.as_bytes())
            .unwrap()
    }

    /// A certificate for a name, valid until the day given (year, month, day).
    pub(crate) fn issue(&self, name: &str, until: (i32, u8, u8)) -> Identity {
        let (params, key) = leaf(name, until);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        }
    }
}

/// A certificate that vouches for itself.
pub(crate) fn self_signed(name: &str) -> Identity {
    let (mut params, key) = leaf(name, (2030, 1, 1));
    params
        .distinguished_name
        .push(DnType::CommonName, "proxy default");
    let certificate = params.self_signed(&key).unwrap();
    Identity {
        chain: vec![certificate.der().clone()],
        key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
    }
}

fn leaf(name: &str, until: (i32, u8, u8)) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(until.0, until.1, until.2);
    (params, KeyPair::generate().unwrap())
}

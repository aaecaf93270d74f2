//! The proxy before the apps of a server, as Traefik is in front of Coolify's: it ends TLS for the
//! host names it has routes for and passes requests on; what it knows no route for gets a
//! certificate of its own making, and `404 page not found`.
//!
//! ```
//! use fabrik_fakes::edge::Edge;
//!
//! let edge = Edge::start();
//! assert!(edge.roots().contains("BEGIN CERTIFICATE"));
//! ```

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// What certificates it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificates {
    /// Good ones, for all names with a route.
    #[default]
    Good,
    /// None could be had: all names get the proxy's own.
    None,
    /// They were good, long ago.
    Expired,
}

/// A running proxy; it stops when dropped.
#[derive(Debug)]
pub struct Edge {
    http: SocketAddr,
    https: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
}

struct Shared {
    state: Mutex<State>,
    issuer: Issuer<'static, KeyPair>,
    roots: String,
    /// The proxy's own certificate.
    own: Arc<CertifiedKey>,
}

#[derive(Debug, Default)]
struct State {
    routes: BTreeMap<String, SocketAddr>,
    certificates: Certificates,
    issued: BTreeMap<(String, bool), Arc<CertifiedKey>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Edge {
    /// Starts one without routes, and an authority that vouches for it.
    ///
    /// # Panics
    /// When no loopback port, thread or key can be had.
    pub fn start() -> Edge {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Fabrik Test Root");
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a certificate");
        let (own_params, own_key) = leaf("traefik.default", false);
        let own = own_params.self_signed(&own_key).expect("a certificate");
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            roots: root.pem(),
            issuer: Issuer::new(params, key),
            own: certified(&own, &own_key),
        });
        let (http, https) = (listener(), listener());
        let addresses = [&http, &https].map(|one| one.local_addr().expect("a bound socket"));
        let (stop, stopped) = oneshot::channel();
        let kept = shared.clone();
        std::thread::Builder::new()
            .name("edge".to_owned())
            .spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime")
                    .block_on(async move {
                        tokio::select! {
                            () = serve(http, https, kept) => {}
                            _ = stopped => {}
                        }
                    });
            })
            .expect("a thread");
        Edge {
            http: addresses[0],
            https: addresses[1],
            shared,
            stop: Some(stop),
        }
    }

    /// Where it answers `http`.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where it answers `https`.
    pub fn https(&self) -> SocketAddr {
        self.https
    }

    /// The root certificate that its certificates go back to, as PEM.
    pub fn roots(&self) -> &str {
        &self.shared.roots
    }

    /// Passes requests for a host on; those before go elsewhere no more.
    pub fn route(&self, host: &str, to: SocketAddr) {
        let host = host.to_ascii_lowercase();
        self.shared.state().routes.insert(host, to);
    }

    /// Takes all routes to an address away.
    pub fn close(&self, to: SocketAddr) {
        self.shared.state().routes.retain(|_, other| *other != to);
    }

    /// Where requests for a host are passed on to.
    pub fn target(&self, host: &str) -> Option<SocketAddr> {
        self.shared.state().routes.get(host).copied()
    }

    /// Which certificates it shows from now on.
    pub fn set_certificates(&self, certificates: Certificates) {
        self.shared.state().certificates = certificates;
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended already.
            _ = stop.send(());
        }
    }
}

fn listener() -> std::net::TcpListener {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port on loopback");
    listener.set_nonblocking(true).expect("a socket");
    listener
}

fn leaf(name: &str, expired: bool) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(if expired { 2002 } else { 2095 }, 1, 1);
    params.distinguished_name.push(DnType::CommonName, name);
    (params, KeyPair::generate().expect("a key"))
}

fn certified(certificate: &rcgen::Certificate, key: &KeyPair) -> Arc<CertifiedKey> {
    let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let signing = rustls::crypto::ring::sign::any_supported_type(&der).expect("a key");
    Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signing))
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn certificate(&self, host: &str) -> Arc<CertifiedKey> {
        let mut state = self.state();
        if !state.routes.contains_key(host) || state.certificates == Certificates::None {
            return self.own.clone();
        }
        let expired = state.certificates == Certificates::Expired;
        let known = state.issued.entry((host.to_owned(), expired));
        known
            .or_insert_with(|| {
                let (params, key) = leaf(host, expired);
                let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
                certified(&certificate, &key)
            })
            .clone()
    }
}

#[derive(Debug)]
struct ByName(Arc<Shared>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name().unwrap_or_default();
        Some(self.0.certificate(&host.to_ascii_lowercase()))
    }
}

async fn serve(http: std::net::TcpListener, https: std::net::TcpListener, shared: Arc<Shared>) {
    let http = TcpListener::from_std(http).expect("a socket");
    let https = TcpListener::from_std(https).expect("a socket");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ByName(shared.clone())));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    loop {
        tokio::select! {
            Ok((stream, _)) = http.accept() => {
                let shared = shared.clone();
                // Clients go away as they like.
                tokio::spawn(async move { _ = pass(stream, &shared).await; });
            }
            Ok((stream, _)) = https.accept() => {
                let (shared, acceptor) = (shared.clone(), acceptor.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        _ = pass(stream, &shared).await;
                    }
                });
            }
        }
    }
}

/// Reads the head of a request, and passes it on by its host.
async fn pass(mut client: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read(&mut buffer).await? {
            0 => return Ok(()),
            length => head.extend_from_slice(&buffer[..length]),
        }
    }
    let text = String::from_utf8_lossy(&head);
    let host = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host")
            .then(|| value.trim().to_ascii_lowercase())
    });
    let host = host.unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let target = shared.state().routes.get(host).copied();
    let Some(target) = target else {
        return refuse(client, "404 Not Found", "404 page not found\n").await;
    };
    let Ok(mut upstream) = TcpStream::connect(target).await else {
        return refuse(client, "502 Bad Gateway", "Bad Gateway").await;
    };
    upstream.write_all(&head).await?;
    tokio::io::copy_bidirectional(&mut client, &mut upstream).await?;
    Ok(())
}

async fn refuse(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    status: &str,
    body: &str,
) -> io::Result<()> {
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    client.write_all(text.as_bytes()).await?;
    client.shutdown().await
}

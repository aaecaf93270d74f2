//! Opening connections: TCP, TLS, and what is spoken over them.

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::address::Address;

/// How long it may take until a connection is open.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a page may take.
const PAGE: Duration = Duration::from_secs(20);
/// Most bytes of a page.
const PAGE_SIZE: usize = 16 << 20;
/// Most bytes of a frame: the list of all monitors comes in one.
const FRAME_SIZE: usize = 64 << 20;

const AGENT: &str = concat!("fabrik/", env!("CARGO_PKG_VERSION"), " uptime_kuma");

/// A byte stream, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open websocket.
pub(crate) type Socket = WebSocketStream<Box<dyn Stream>>;

/// Opens the websocket of a server.
///
/// # Errors
/// [`ErrorKind::Unavailable`] when nobody answers, or somebody else does.
pub(crate) async fn socket(address: &Address) -> Result<Socket> {
    within(address, CONNECT, async {
        let stream = stream(address).await?;
        let mut request = address
            .socket()
            .into_client_request()
            .map_err(|error| unreachable(address).cause(error))?;
        // No `Origin`: version 2 compares it with `Host`.
        request
            .headers_mut()
            .insert("user-agent", HeaderValue::from_static(AGENT));
        let config = WebSocketConfig::default()
            .max_message_size(Some(FRAME_SIZE))
            .max_frame_size(Some(FRAME_SIZE));
        let opened =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        match opened {
            Ok((socket, _)) => Ok(socket),
            Err(error) => Err(not_kuma(address, &error)),
        }
    })
    .await
}

/// Fetches a JSON document that needs no login. `None` when there is none (404).
///
/// # Errors
/// [`ErrorKind::Unavailable`] when nobody answers, or not with JSON.
pub(crate) async fn page(address: &Address, path: &str) -> Result<Option<Json>> {
    within(address, PAGE, async {
        let stream = stream(address).await?;
        let failed = |error: hyper::Error| unreachable(address).cause(error);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(failed)?;
        let request = hyper::Request::get(format!("{}{path}", address.folder))
            .header("host", address.authority())
            .header("user-agent", AGENT)
            .header("accept", "application/json")
            .body(Empty::<Bytes>::new())
            .map_err(|error| unreachable(address).cause(error))?;
        let exchange = async {
            let reply = sender.send_request(request).await.map_err(failed)?;
            let status = reply.status().as_u16();
            let body = Limited::new(reply.into_body(), PAGE_SIZE)
                .collect()
                .await
                .map_err(|error| unreachable(address).cause(error))?;
            Ok::<_, Error>((status, body.to_bytes()))
        };
        let (status, body) = tokio::select! {
            done = exchange => done?,
            // It ends when the exchange is over; ending before is an error that the exchange tells.
            () = async { _ = connection.await; std::future::pending::<()>().await } => return Err(unreachable(address)),
        };
        match status {
            200 => serde_json::from_slice(&body).map(Some).map_err(|_| {
                Error::new(
                    ErrorKind::Unavailable,
                    format!("{}{path} is no JSON", address.base()),
                )
                .temporary(false)
                .hint("the address may be wrong: is there a login page before Uptime Kuma?")
            }),
            404 => Ok(None),
            status => Err(Error::new(
                ErrorKind::Unavailable,
                format!("{}{path} answered with status {status}", address.base()),
            )),
        }
    })
    .await
}

async fn within<T>(
    address: &Address,
    limit: Duration,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(Error::new(
            ErrorKind::Unavailable,
            format!(
                "{} did not answer within {} s",
                address.base(),
                limit.as_secs()
            ),
        )
        .hint("check that the server runs and that nothing between here and there holds it back")),
    }
}

async fn stream(address: &Address) -> Result<Box<dyn Stream>> {
    let tcp = TcpStream::connect((address.host.as_str(), address.port))
        .await
        .map_err(|error| unreachable(address).cause(error))?;
    // Small frames, each waited for.
    _ = tcp.set_nodelay(true);
    if !address.tls {
        return Ok(Box::new(tcp));
    }
    let name = rustls::pki_types::ServerName::try_from(address.host.clone())
        .map_err(|error| unreachable(address).cause(error))?;
    let encrypted = TlsConnector::from(tls(address)?)
        .connect(name, tcp)
        .await
        .map_err(|error| {
            Error::new(
                ErrorKind::Unavailable,
                format!("no trusted connection to {}", address.base()),
            )
            .cause(error)
            .temporary(false)
            .hint("the server needs a certificate of a public authority; for one without TLS write `http://`")
        })?;
    Ok(Box::new(encrypted))
}

fn tls(address: &Address) -> Result<Arc<rustls::ClientConfig>> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreachable(address).cause(error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn unreachable(address: &Address) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("cannot reach Uptime Kuma at {}", address.base()),
    )
    .hint("check `url`, and that the server runs")
}

/// Somebody answers, but not as Uptime Kuma does.
fn not_kuma(address: &Address, error: &tokio_tungstenite::tungstenite::Error) -> Error {
    use tokio_tungstenite::tungstenite::Error as Problem;
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    match error {
        Problem::Http(reply) => {
            let status = reply.status().as_u16();
            Error::new(
                ErrorKind::Unavailable,
                format!(
                    "{} answered a websocket with status {status}: the address may be wrong",
                    address.base()
                ),
            )
            .temporary(matches!(status, 429 | 500..=599))
            .hint("write the address of Uptime Kuma itself; a proxy or login page before it has to pass websockets on")
        }
        // It broke off: the server or something before it went away.
        Problem::Protocol(ProtocolError::HandshakeIncomplete) => unreachable(address).cause(error),
        Problem::Protocol(_) | Problem::Url(_) => Error::new(
            ErrorKind::Unavailable,
            format!(
                "{} is no websocket server: the address may be wrong",
                address.base()
            ),
        )
        .cause(error)
        .hint("write the address at which the browser shows Uptime Kuma"),
        other => unreachable(address).cause(other),
    }
}

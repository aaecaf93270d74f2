//! Accepting requests.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::access::{AccessLog, Entry};
use super::body::AnyBody;
use super::proxy::{self, Origin};
use super::{pages, site};
use crate::agent::registry::Registry;
use crate::agent::routes::{Hit, Routes};
use crate::agent::shared::raised;
use crate::agent::sites::Sites;
use crate::error::Error;
use crate::model::Target;

/// Time in which a client must send the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_mins(1);
/// How many ports after the preferred one are tried.
const NEXT_PORTS: u16 = 200;

/// Everything a request may need.
#[derive(Debug)]
pub(crate) struct Web {
    pub(crate) routes: Arc<Routes>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) sites: Arc<Sites>,
    pub(crate) access: AccessLog,
}

/// Open listeners, all on the same port.
#[derive(Debug)]
pub(crate) struct Listeners {
    listeners: Vec<TcpListener>,
    pub(crate) port: u16,
}

/// Listens on these addresses, on the remembered port, else the preferred one or the next that is
/// free. A preferred port of 0 means any.
pub(crate) async fn bind(
    addresses: &[IpAddr],
    preferred: u16,
    remembered: Option<u16>,
) -> Result<Listeners, Error> {
    let following = (0..NEXT_PORTS).map_while(|step| preferred.checked_add(step));
    let candidates = remembered
        .into_iter()
        .chain(following.take(if preferred == 0 {
            1
        } else {
            usize::from(NEXT_PORTS)
        }));
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for port in candidates {
        match bind_all(addresses, port).await {
            Ok(listeners) => return Ok(listeners),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            Err(error) => return Err(Error::system(format!("listen on port {port}"), error)),
        }
    }
    Err(Error::system(
        format!("listen on port {preferred} or one after it"),
        last,
    ))
}

/// Listens on all addresses that this machine has.
async fn bind_all(addresses: &[IpAddr], port: u16) -> io::Result<Listeners> {
    let mut open = Listeners {
        listeners: Vec::new(),
        port,
    };
    let mut missing = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpListener::bind(SocketAddr::from((*address, open.port))).await {
            Ok(listener) => {
                open.port = listener.local_addr()?.port();
                open.listeners.push(listener);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            // Such as a machine without IPv6.
            Err(error) => missing = error,
        }
    }
    if open.listeners.is_empty() {
        Err(missing)
    } else {
        Ok(open)
    }
}

impl Listeners {
    /// The addresses that are listened on.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }

    /// Serves until `quit` is set; then lets go on what is being answered. Whoever wants to wait
    /// for that waits until all receivers of `quit` are gone.
    pub(crate) fn serve(self, web: &Arc<Web>, quit: &watch::Receiver<bool>) {
        for listener in self.listeners {
            tokio::spawn(accept(listener, Arc::clone(web), quit.clone()));
        }
    }
}

async fn accept(listener: TcpListener, web: Arc<Web>, mut quit: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = raised(&mut quit) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                tokio::spawn(connection(stream, peer, Arc::clone(&web), quit.clone()));
            }
            Err(error) => {
                // Such as too many open files: others end meanwhile.
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    web: Arc<Web>,
    mut quit: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let web = Arc::clone(&web);
        async move { Ok::<_, Infallible>(web.answer(request, peer.ip()).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = raised(&mut quit) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection broke");
    }
}

impl Web {
    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<AnyBody> {
        let started = Instant::now();
        let host = host_of(&request).unwrap_or_default();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.route(request, &host, peer).await;
        self.access.note(&Entry {
            host: &host,
            method: method.as_str(),
            path: &path,
            status: response.status().as_u16(),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        response
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        host: &str,
        peer: IpAddr,
    ) -> Response<AnyBody> {
        if host.is_empty() {
            return pages::bad_request();
        }
        if request.method() == Method::CONNECT {
            return pages::page(StatusCode::METHOD_NOT_ALLOWED, "This is not an open proxy.");
        }
        let Some(Hit { target, strip }) = self.routes.find(host, request.uri().path()) else {
            return pages::unknown_host();
        };
        let strip = strip.as_deref();
        match target {
            Target::Service(name) => match self.registry.get(&name) {
                Some(service) => {
                    let origin = Origin { host, peer, strip };
                    proxy::forward(request, service.upstream(), origin).await
                }
                None => pages::not_running(),
            },
            Target::Site(name) => match self.sites.serve(&name) {
                Some(content) => site::answer(content, &request, strip).await,
                None => pages::not_running(),
            },
        }
    }
}

/// The host that a request is for, in the form in which the client named it.
fn host_of(request: &Request<Incoming>) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().rsplit('@').next()?.to_owned());
    }
    request
        .headers()
        .get(HOST)?
        .to_str()
        .ok()
        .map(str::to_owned)
}

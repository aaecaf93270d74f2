//! Asking a process whether it works.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::model::HealthCheck;

/// Longest time to open a connection on loopback.
const CONNECT: Duration = Duration::from_secs(5);

/// Connects to a process. Many programs listen on one of the two loopback addresses only.
pub(crate) async fn connect(port: u16) -> io::Result<TcpStream> {
    let open = async {
        match TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let v6 = TcpStream::connect(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await;
                v6.map_err(|_| error)
            }
            result => result,
        }
    };
    let stream = timeout(CONNECT, open).await.map_err(io::Error::from)??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Probes a process once; the error says in words what is missing.
pub(crate) async fn probe(check: &HealthCheck, port: u16) -> Result<(), String> {
    let attempt = async {
        let stream = connect(port)
            .await
            .map_err(|error| format!("nothing answers on port {port}: {error}"))?;
        match &check.path {
            Some(path) => get(check, stream, path).await,
            None => Ok(()),
        }
    };
    match timeout(check.timeout, attempt).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {} ms", check.timeout.as_millis())),
    }
}

async fn get(check: &HealthCheck, stream: TcpStream, path: &str) -> Result<(), String> {
    let status = ask(stream, "localhost", path, "fabrik-health").await?;
    let good = if check.status.is_empty() {
        status.is_success() || status.is_redirection()
    } else {
        check.status.contains(&status.as_u16())
    };
    if good {
        Ok(())
    } else {
        Err(format!("GET {path} was answered with {status}"))
    }
}

/// Sends a GET request; gives the status of the answer.
pub(crate) async fn ask(
    stream: TcpStream,
    host: &str,
    path: &str,
    agent: &str,
) -> Result<StatusCode, String> {
    let failed = |error: &dyn std::fmt::Display| format!("GET {path}: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let request = http::Request::get(path)
        .header(http::header::HOST, host)
        .header(http::header::USER_AGENT, agent)
        .header(http::header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| failed(&error))?;
    let response = tokio::select! {
        response = sender.send_request(request) => response.map_err(|error| failed(&error))?,
        Err(error) = connection => return Err(failed(&error)),
    };
    Ok(response.status())
}

//! The cloud as a service of its own, so that a client can die and its requests land all the same.

use std::net::SocketAddr;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::cloud::Cloud;
use crate::protocol::{Answer, Ask};

/// Longest request line that is read.
pub(crate) const MAX_LINE: u64 = 64 * 1024 * 1024;

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves for ever.
    pub async fn run(mut self) {
        // An aborted or broken task ends the wait, and that is all there is to know.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Cloud {
    /// Serves this cloud over TCP: one JSON document on one line each way, one request per
    /// connection. Port 0 takes any that is free. What was begun is finished although the client
    /// goes away.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the address cannot be listened on.
    pub async fn serve(&self, address: SocketAddr) -> Result<Server> {
        let failed = |error: std::io::Error| {
            Error::new(
                ErrorKind::Io,
                format!("cannot listen on {address}: {error}"),
            )
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let cloud = self.clone();
        let task = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let cloud = cloud.clone();
                        tokio::spawn(async move {
                            // A client that goes away is nobody's concern but its own.
                            let _ = connection(&cloud, stream).await;
                        });
                    }
                    // Such as too many open files: others end meanwhile.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
        Ok(Server { address, task })
    }
}

async fn connection(cloud: &Cloud, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut line = Vec::new();
    BufReader::new(&mut stream)
        .take(MAX_LINE)
        .read_until(b'\n', &mut line)
        .await?;
    if !line.ends_with(b"\n") {
        // It died before it had asked.
        return Ok(());
    }
    let answer = match serde_json::from_slice::<Ask>(&line) {
        Ok(ask) => match cloud.ask(ask).await {
            Ok(answer) => answer,
            // A lost reply is one that never comes.
            Err(error) if error.kind() == ErrorKind::Timeout => return Ok(()),
            Err(error) => Answer::Failed(Box::new(error.report())),
        },
        Err(error) => {
            let error = Error::new(ErrorKind::Invalid, error.to_string());
            Answer::Failed(Box::new(error.report()))
        }
    };
    let mut reply = serde_json::to_vec(&answer)?;
    reply.push(b'\n');
    stream.write_all(&reply).await?;
    stream.shutdown().await
}

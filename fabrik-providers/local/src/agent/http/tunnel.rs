//! Connections that changed their protocol, such as WebSockets: bytes in both directions.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::agent::balance::Lease;

/// Joins the two sides once both have changed the protocol. The tunnel counts as a request that
/// is being answered until it ends.
pub(super) fn join(client: OnUpgrade, backend: OnUpgrade, lease: Lease) {
    tokio::spawn(async move {
        let _lease = lease;
        let sides = tokio::try_join!(client, backend);
        match sides {
            Ok((client, backend)) => {
                // How a tunnel ends is the business of its two ends.
                let _ =
                    copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(backend)).await;
            }
            Err(error) => tracing::debug!(%error, "a tunnel was not opened"),
        }
    });
}

//! WebSockets: each message of the client is an exchange.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use super::hub::Hub;
use super::web::{Cut, Reply, refusal};

pub(super) async fn upgrade(
    hub: Arc<Hub>,
    request: Request<Incoming>,
    connection: u64,
) -> Result<Response<Reply>, Cut> {
    let _ = (hub, request, connection);
    Ok(refusal(StatusCode::NOT_IMPLEMENTED, "not yet"))
}

//! After a 401, once more with renewed credentials, where they can be renewed.

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::provider::Cx;

use crate::transport::{Answer, Call, Failure, Transport};

pub(super) struct Renew(pub(super) Arc<dyn Transport>);

#[async_trait]
impl Transport for Renew {
    async fn send(&self, cx: &Cx, mut call: Call) -> Result<Answer, Failure> {
        let first = self.0.send(cx, call.clone()).await?;
        // A refused request was not executed, so a repeated one is the first.
        if first.status != 401 || call.renew {
            return Ok(first);
        }
        call.renew = true;
        self.0.send(cx, call).await
    }
}

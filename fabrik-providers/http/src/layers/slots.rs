//! At most so many requests at once.

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::provider::Cx;
use tokio::sync::Semaphore;

use crate::transport::{Answer, Call, Failure, FailureKind, Transport};

pub(super) struct Slots {
    free: Semaphore,
    inner: Arc<dyn Transport>,
}

impl Slots {
    pub(super) fn new(slots: usize, inner: Arc<dyn Transport>) -> Slots {
        Slots {
            free: Semaphore::new(slots),
            inner,
        }
    }
}

#[async_trait]
impl Transport for Slots {
    async fn send(&self, cx: &Cx, call: Call) -> Result<Answer, Failure> {
        let Ok(_slot) = self.free.acquire().await else {
            return Err(Failure::new(FailureKind::Connect, "the client is closed"));
        };
        self.inner.send(cx, call).await
    }
}

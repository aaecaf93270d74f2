//! Repeats what may be repeated.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use fabrik_core::clock::{Entropy as _, SystemEntropy};
use fabrik_core::provider::Cx;
use jiff::Timestamp;

use crate::config::HttpConfig;
use crate::transport::{Answer, Call, Failure, FailureKind, Safety, Transport};

/// No wait between two attempts is longer, unless the service asks for it.
const LONGEST: Duration = Duration::from_secs(20);

pub(super) struct Retry {
    attempts: u32,
    first_wait: Duration,
    patience: Duration,
    refused: Vec<u16>,
    inner: Arc<dyn Transport>,
}

impl Retry {
    pub(super) fn new(config: &HttpConfig, inner: Arc<dyn Transport>) -> Retry {
        Retry {
            attempts: config.attempts,
            first_wait: config.first_wait,
            patience: config.patience,
            refused: config.refused.clone(),
            inner,
        }
    }

    /// Whether to try again.
    fn again(&self, safety: Safety, result: &Result<Answer, Failure>) -> bool {
        let repeatable = safety < Safety::Once;
        match result {
            Ok(answer) if answer.status == 429 || self.refused.contains(&answer.status) => true,
            Ok(answer) => repeatable && matches!(answer.status, 408 | 500 | 502 | 503 | 504),
            Err(failure) => match failure.kind {
                FailureKind::Connect => true,
                FailureKind::Timeout | FailureKind::Broken => repeatable,
                FailureKind::Tls | FailureKind::Stopped | FailureKind::Credentials => false,
            },
        }
    }

    /// Twice as long each time, spread by half of it, so that many clients do not come back at once.
    fn backoff(&self, attempt: u32) -> Duration {
        let full = self
            .first_wait
            .saturating_mul(1 << (attempt - 1).min(16))
            .min(LONGEST);
        let mut byte = [0_u8; 1];
        // Without chance, the whole wait.
        let spread = match SystemEntropy.fill(&mut byte) {
            Ok(()) => f64::from(byte[0]) / 255.0,
            Err(_) => 1.0,
        };
        full.mul_f64(0.5 + spread / 2.0)
    }
}

#[async_trait]
impl Transport for Retry {
    async fn send(&self, cx: &Cx, mut call: Call) -> Result<Answer, Failure> {
        let mut patience = self.patience;
        loop {
            let result = self.inner.send(cx, call.clone()).await;
            if call.attempt >= self.attempts || !self.again(call.safety, &result) {
                return result;
            }
            let asked = result
                .as_ref()
                .ok()
                .and_then(|answer| retry_after(answer, cx.clock().now()));
            let wait = asked.unwrap_or_else(|| self.backoff(call.attempt));
            // Waiting past the end would only hide what the service said.
            if wait > cx.time_left().unwrap_or(patience) {
                return result;
            }
            patience = patience.saturating_sub(wait);
            if wait >= Duration::from_secs(5) {
                let seconds = wait.as_secs();
                cx.note(format!("the service asks to wait; going on in {seconds} s"));
            }
            if cx.sleep(wait).await.is_err() {
                return Err(Failure::new(FailureKind::Stopped, "stopped on request"));
            }
            call.attempt += 1;
        }
    }
}

/// How long an answer asks to wait: `Retry-After` in seconds or as a date.
pub(crate) fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let at = date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let now = u64::try_from(now.as_second()).unwrap_or(0);
    Some(Duration::from_secs(at.saturating_sub(now)))
}

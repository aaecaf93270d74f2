//! A budget of requests, and what the service says is left of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fabrik_core::provider::Cx;
use jiff::Timestamp;

use super::retry_after;
use crate::config::Rate;
use crate::transport::{Answer, Call, Failure, FailureKind, Transport};

pub(super) struct Limit {
    rate: Option<Rate>,
    inner: Arc<dyn Transport>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// When the latest requests were let through, oldest first; only with a rate.
    sent: VecDeque<Timestamp>,
    /// Nothing goes before this.
    closed_until: Option<Timestamp>,
}

impl Limit {
    pub(super) fn new(rate: Option<Rate>, inner: Arc<dyn Transport>) -> Limit {
        Limit {
            rate,
            inner,
            known: Mutex::default(),
        }
    }

    /// Lets a request through, or says how long to wait before asking again.
    fn admit(&self, now: Timestamp) -> Option<Duration> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = known.closed_until {
            if now < until {
                return Some(between(now, until));
            }
            known.closed_until = None;
        }
        let rate = self.rate?;
        while known
            .sent
            .front()
            .is_some_and(|oldest| between(*oldest, now) >= rate.per)
        {
            known.sent.pop_front();
        }
        if known.sent.len() < rate.requests as usize {
            known.sent.push_back(now);
            return None;
        }
        let oldest = *known.sent.front()?;
        Some(rate.per.saturating_sub(between(oldest, now)))
    }

    /// Reads what is left of the service's own budget.
    fn learn(&self, answer: &Answer, now: Timestamp) {
        let closed = if answer.status == 429 {
            retry_after(answer, now)
        } else {
            left(answer, now).and_then(|(left, reset)| (left == 0).then_some(reset))
        };
        let Some(until) = closed.and_then(|wait| now.checked_add(wait).ok()) else {
            return;
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.closed_until = known.closed_until.max(Some(until));
    }
}

#[async_trait]
impl Transport for Limit {
    async fn send(&self, cx: &Cx, call: Call) -> Result<Answer, Failure> {
        while let Some(wait) = self.admit(cx.clock().now()) {
            if cx.time_left().is_some_and(|left| wait > left) {
                let seconds = wait.as_secs().max(1);
                let text = format!(
                    "the budget of requests is used up for {seconds} s, longer than the operation may take"
                );
                return Err(Failure::new(FailureKind::Connect, text));
            }
            if cx.sleep(wait).await.is_err() {
                return Err(Failure::new(FailureKind::Stopped, "stopped on request"));
            }
        }
        let result = self.inner.send(cx, call).await;
        if let Ok(answer) = &result {
            self.learn(answer, cx.clock().now());
        }
        result
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}

/// What is left and when it is full again, from the headers in use: the draft standard's
/// `RateLimit: "default";r=50;t=30`, and `X-RateLimit-Remaining` with `X-RateLimit-Reset` (seconds,
/// or seconds since 1970).
fn left(answer: &Answer, now: Timestamp) -> Option<(u64, Duration)> {
    if let Some(text) = answer.header("ratelimit") {
        let field = |name: &str| {
            text.split([';', ','])
                .filter_map(|part| part.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .and_then(|(_, value)| value.trim().parse::<u64>().ok())
        };
        return Some((field("r")?, Duration::from_secs(field("t")?)));
    }
    let number = |name: &str| answer.header(name)?.trim().parse::<u64>().ok();
    let (left, reset) = (
        number("x-ratelimit-remaining")?,
        number("x-ratelimit-reset")?,
    );
    let now = u64::try_from(now.as_second()).unwrap_or(0);
    let wait = if reset > 1_000_000_000 {
        reset.saturating_sub(now)
    } else {
        reset
    };
    Some((left, Duration::from_secs(wait)))
}

//! One attempt: user agent, credentials, time limit, trace and event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fabrik_core::provider::{Cx, Progress, Stop};

use crate::auth::{Auth, Kind};
use crate::clocks::Clocks;
use crate::config::HttpConfig;
use crate::transport::{Answer, Body, Call, Failure, FailureKind, Transport};

pub(super) struct Attempt {
    service: Arc<str>,
    user_agent: String,
    headers: Vec<(String, String)>,
    auth: Auth,
    inner: Arc<dyn Transport>,
    clocks: Arc<Clocks>,
}

impl Attempt {
    pub(super) fn new(
        config: &HttpConfig,
        inner: Arc<dyn Transport>,
        clocks: Arc<Clocks>,
    ) -> Attempt {
        Attempt {
            service: config.service.clone(),
            user_agent: config.user_agent.clone(),
            headers: config.headers.clone(),
            auth: config.auth.clone(),
            inner,
            clocks,
        }
    }

    async fn dress(&self, cx: &Cx, call: &mut Call) -> Result<(), Failure> {
        call.set_header("user-agent", &self.user_agent, false);
        for (name, value) in &self.headers {
            call.set_header(name, value, false);
        }
        match &self.auth.0 {
            Kind::None => {}
            Kind::Headers(headers) => {
                for (name, value) in headers {
                    call.set_header(name, value.expose(), true);
                }
            }
            Kind::Form(fields) => {
                let mut form = match std::mem::take(&mut call.body) {
                    Body::Form(form) => form,
                    Body::None => Vec::new(),
                    other @ Body::Bytes { .. } => {
                        call.body = other;
                        return Ok(());
                    }
                };
                let secret = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), value.expose().to_owned()));
                form.splice(0..0, secret);
                call.body = Body::Form(form);
            }
            Kind::With(authenticator) => {
                let found = authenticator.headers(cx, call.renew).await;
                let headers = found.map_err(|error| Failure {
                    error: Some(error.clone()),
                    ..Failure::new(FailureKind::Credentials, error.to_string())
                })?;
                for (name, value) in headers {
                    call.set_header(&name, value.expose(), true);
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Transport for Attempt {
    async fn send(&self, cx: &Cx, mut call: Call) -> Result<Answer, Failure> {
        self.dress(cx, &mut call).await?;
        if let Some(left) = cx.time_left() {
            call.timeout = call.timeout.min(left.max(Duration::from_millis(1)));
        }
        let (method, route, attempt) = (call.method.clone(), call.route.clone(), call.attempt);
        let mut stop = cx.stop().clone();
        let (begun, sent) = (Instant::now(), cx.clock().now());
        let result = tokio::select! {
            result = self.inner.send(cx, call) => result,
            () = stop.reached(Stop::Now) => Err(Failure::new(FailureKind::Stopped, "stopped on request")),
        };
        if let Ok(answer) = &result {
            self.clocks.learn(answer, sent, cx.clock().now());
        }
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = result.as_ref().ok().map(|answer| answer.status);
        tracing::debug!(
            service = &*self.service,
            %method,
            route = &*route,
            status,
            millis,
            attempt,
            failure = result.as_ref().err().map(|failure| &*failure.message),
            "request"
        );
        cx.progress(Progress::Http {
            method: method.to_string(),
            route: route.to_string(),
            status,
            millis,
            attempt,
        });
        result
    }
}

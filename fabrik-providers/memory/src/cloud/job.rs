//! One request to change things, on its way to landing.

use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};

use super::state::Request;
use super::{Cloud, Does, Fault, Ticket};
use crate::protocol::{Write, Written};

pub(super) struct Job {
    pub(super) account: String,
    pub(super) call: Vec<Write>,
    pub(super) atomic: bool,
    pub(super) group: Option<String>,
    /// What goes wrong with it.
    pub(super) fault: Option<Fault>,
}

impl Job {
    /// Carries it out. It lands although nobody waits for it any more.
    pub(super) async fn run(self, cloud: &Cloud) -> Result<Vec<Written>> {
        let latency = cloud.behaviour().latency;
        match self.does() {
            Some(Does::Panic) => return Err(Error::new(ErrorKind::Panicked, "asked to panic")),
            None if latency.is_zero() => return Ok(self.land(cloud)),
            _ => {}
        }
        let (ticket, cloud) = (cloud.ticket(), cloud.clone());
        let task = tokio::spawn(async move { self.carry_out(&cloud, latency, ticket).await });
        match task.await {
            Ok(answer) => answer,
            Err(error) => Err(Error::new(ErrorKind::Unexpected, error.to_string())),
        }
    }

    fn does(&self) -> Option<&Does> {
        self.fault.as_ref().map(|fault| &fault.does)
    }

    async fn carry_out(
        self,
        cloud: &Cloud,
        latency: Duration,
        ticket: Ticket,
    ) -> Result<Vec<Written>> {
        match self.does() {
            Some(Does::Hang) => {
                // It never lands, so nobody has to wait for it.
                drop(ticket);
                std::future::pending::<()>().await;
            }
            Some(Does::LandLater(delay)) => {
                let (cloud, delay) = (cloud.clone(), *delay);
                tokio::spawn(async move {
                    cloud.idle(delay).await;
                    self.land(&cloud);
                    drop(ticket);
                });
                return Err(lost());
            }
            Some(Does::Slow(delay)) => cloud.pause(*delay).await,
            _ => {}
        }
        cloud.pause(latency / 2).await;
        let answers = self.land(cloud);
        cloud.pause(latency.saturating_sub(latency / 2)).await;
        match self.does() {
            Some(Does::LoseReply | Does::StopAfter(_)) => Err(lost()),
            _ => Ok(answers),
        }
    }

    fn land(&self, cloud: &Cloud) -> Vec<Written> {
        let hidden = i64::try_from(cloud.behaviour().shown_after.as_millis()).unwrap_or(i64::MAX);
        let shown_from = if hidden == 0 {
            i64::MIN
        } else {
            cloud.now().saturating_add(hidden)
        };
        let refuse = |write: &Write| {
            let fault = self.fault.as_ref()?;
            match fault.does {
                Does::FailBefore(kind) if fault.on.fits(write) => Some(kind),
                _ => None,
            }
        };
        cloud.state().write(&Request {
            account: &self.account,
            call: &self.call,
            atomic: self.atomic,
            group: self.group.as_deref(),
            at_most: match self.does() {
                Some(Does::StopAfter(most)) => *most,
                _ => usize::MAX,
            },
            refuse: &refuse,
            shown_from,
        })
    }
}

/// The error for a reply that never came.
fn lost() -> Error {
    Error::new(ErrorKind::Timeout, "the reply was lost").effect(Effect::Unknown)
}

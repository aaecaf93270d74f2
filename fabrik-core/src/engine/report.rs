//! A run as its caller sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::provider::StopHandle;
use crate::state::{CheckResult, Revision, RunEnd, RunId};
use crate::value::Value;

/// A run under way: a stream of events, a handle to stop it, and a result.
///
/// Dropping it does not stop the run; call [`Run::stopper`] for that.
#[derive(Debug)]
pub struct Run<T = RunReport> {
    pub(crate) events: mpsc::UnboundedReceiver<Event>,
    pub(crate) stop: StopHandle,
    pub(crate) task: JoinHandle<Result<T>>,
}

impl<T> Run<T> {
    /// The next event; `None` when the run has ended.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// A handle to stop the run; works from anywhere, also a signal handler's task.
    pub fn stopper(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Waits for the end, dropping events not yet taken.
    ///
    /// # Errors
    /// When the run could not begin ([`ErrorKind::Locked`], [`ErrorKind::Stale`],
    /// [`ErrorKind::Refused`], …) or lost its store. A run that began and failed is a report.
    pub async fn finish(mut self) -> Result<T> {
        self.events.close();
        match self.task.await {
            Ok(result) => result,
            Err(error) => Err(Error::new(
                ErrorKind::Unexpected,
                format!("the run broke off: {error}"),
            )),
        }
    }
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    /// Its number; `None` when there was nothing to do.
    pub run: Option<RunId>,
    /// How it ended.
    pub end: RunEnd,
    /// Outputs after it; secrets keep their mark.
    pub outputs: BTreeMap<Arc<str>, Value>,
    /// Results of the checks.
    pub checks: Vec<CheckResult>,
}

impl RunReport {
    /// An output by name.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`].
    pub fn output(&self, name: &str) -> Result<&Value> {
        self.outputs.get(name).ok_or_else(|| {
            let error = Error::new(ErrorKind::NotFound, format!("there is no output `{name}`"));
            match crate::diagnostic::did_you_mean(name, self.outputs.keys().map(AsRef::as_ref)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            }
        })
    }
}

/// What became of an interrupted run.
#[derive(Clone, Debug, PartialEq)]
pub enum Recovered {
    /// There was none.
    Nothing,
    /// Its open steps were resolved; what it did is kept, and the run is closed.
    Kept {
        /// Its number.
        run: RunId,
        /// Addresses whose creates could not be found out.
        unsure: Vec<crate::address::Address>,
    },
    /// Its open steps were resolved; the next apply goes on with it, under its number, with its
    /// baseline.
    Continues {
        /// Its number.
        run: RunId,
        /// Where a rollback of it goes back to.
        base: Revision,
    },
    /// It was being rolled back; that is finished.
    RolledBack(Box<RunReport>),
}

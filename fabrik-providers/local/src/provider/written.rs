//! Reading what programs wrote, from the agent or, when none runs, from its files.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{LogLine, LogOptions};

use super::link::{Local, blocking};
use super::problem::problem;
use crate::client::Client;
use crate::error::Error as AgentError;
use crate::model::LogQuery;
use crate::offline::{stored_job_logs, stored_logs};

/// Log lines given unless asked for another number.
const TAIL: usize = 100;

/// Whose log it is, by its name in the agent.
#[derive(Clone, Debug)]
pub(super) enum Of {
    Service(String),
    Job(String),
}

/// The log of a service or job.
pub(super) async fn read(local: &Local, of: Of, options: &LogOptions) -> Result<Vec<LogLine>> {
    let cursor = options.after.as_deref().map(serde_json::from_str);
    let cursor = cursor.transpose().map_err(|error| {
        Error::new(
            ErrorKind::Invalid,
            format!("not a cursor of this log: {error}"),
        )
    })?;
    let query = LogQuery {
        generation: None,
        cursor,
        tail: options.tail.unwrap_or(TAIL),
    };
    let agent = Client::new(local.state_dir());
    let asked = match &of {
        Of::Service(name) => agent.logs(name, &query).await,
        Of::Job(name) => agent.job_logs(name, &query).await,
    };
    let chunk = match asked {
        Err(
            AgentError::Unreachable { .. }
            | AgentError::Lost { .. }
            | AgentError::VersionMismatch { .. },
        ) => {
            let (dir, of) = (local.state_dir().to_owned(), of.clone());
            let stored = move || match of {
                Of::Service(name) => stored_logs(&dir, &name, &query).map_err(problem),
                Of::Job(name) => stored_job_logs(&dir, &name, &query).map_err(problem),
            };
            blocking(stored).await?
        }
        other => other.map_err(problem)?,
    };
    let cursor = serde_json::to_string(&chunk.cursor)
        .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
    let lines = chunk.lines.into_iter().map(|line| LogLine {
        stream: match of {
            Of::Service(_) => format!("{}/{}", line.generation, line.instance),
            Of::Job(_) => format!("run {}", line.generation),
        },
        text: line.text,
        cursor: cursor.clone(),
    });
    Ok(lines.collect())
}

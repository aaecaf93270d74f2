//! What can go wrong, the same type on both sides of the socket.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// An error of the agent or of talking to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Error {
    /// No agent answers. Nothing was sent, so nothing was done.
    #[error("no agent answers at `{}`: {reason}", .socket.display())]
    Unreachable {
        /// Where it was looked for.
        socket: PathBuf,
        /// What the attempt ended with.
        reason: String,
    },
    /// The agent went away before it answered: whether it did what was asked is unknown. Asking
    /// again is safe, for every request is idempotent.
    #[error("the agent went away before it answered: {reason}")]
    Lost {
        /// What the wait ended with.
        reason: String,
    },
    /// The agent could not be started.
    #[error("could not start the agent: {reason}")]
    Launch {
        /// What happened.
        reason: String,
    },
    /// Another agent already serves this state directory.
    #[error("another agent (process {pid}) already serves `{}`", .state_dir.display())]
    AlreadyRunning {
        /// Its process id; 0 if it is only starting.
        pid: u32,
        /// The state directory.
        state_dir: PathBuf,
    },
    /// Agent and client do not speak the same protocol. Shutting down the old agent without
    /// stopping its services and launching the new one resolves it.
    #[error("the agent speaks protocol {agent}, this program speaks {client}")]
    VersionMismatch {
        /// The agent's protocol.
        agent: u32,
        /// The client's protocol.
        client: u32,
    },
    /// A new generation did not become healthy. It was stopped; the one before keeps serving.
    #[error("generation {generation} of `{service}` did not become healthy: {reason}{}", Evidence(.logs, .expected_port, .listening_ports))]
    HealthGate {
        /// The service.
        service: String,
        /// The generation that was given up.
        generation: u64,
        /// What it failed with.
        reason: String,
        /// Its last log lines, secret values masked.
        logs: Vec<String>,
        /// The port on which it should have listened.
        expected_port: Option<u16>,
        /// The ports on which its processes did listen.
        listening_ports: Vec<u16>,
    },
    /// A command that prepares a new generation failed. Nothing was started; the one before keeps
    /// serving.
    #[error("{command} for `{service}` {reason}{}", Evidence(.logs, &None, &[]))]
    Prepare {
        /// The service.
        service: String,
        /// The command.
        command: String,
        /// What it failed with.
        reason: String,
        /// Its last log lines, secret values masked.
        logs: Vec<String>,
    },
    /// A program that this needs is not on the machine.
    #[error("{program} is not on this machine")]
    Missing {
        /// The program.
        program: String,
        /// The package that has it.
        package: String,
    },
    /// A program that makes or saves data failed.
    #[error("`{program}` {reason}{}", Evidence(.logs, &None, &[]))]
    Tool {
        /// The program.
        program: String,
        /// What it failed with.
        reason: String,
        /// The last lines that it wrote.
        logs: Vec<String>,
    },
    /// A fixed port is in use by something that is not this service.
    #[error("port {port} is taken by {by}")]
    PortTaken {
        /// The port.
        port: u16,
        /// Who has it, as far as it can be seen.
        by: String,
    },
    /// What was asked for cannot be done as it stands.
    #[error("invalid {field}: {message}")]
    Invalid {
        /// The field at fault.
        field: String,
        /// Why.
        message: String,
    },
    /// Something that was named does not exist.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// A thing of this name exists, and another operation made it.
    #[error("{what} exists already")]
    Taken {
        /// What exists.
        what: String,
    },
    /// The bucket holds objects.
    #[error("bucket `{name}` is not empty")]
    BucketNotEmpty {
        /// The bucket.
        name: String,
    },
    /// The operating system refused something.
    #[error("could not {action}: {reason}")]
    System {
        /// What was tried.
        action: String,
        /// What it ended with.
        reason: String,
    },
    /// The service was removed, or the agent is shutting down, while this was under way.
    #[error("interrupted: {reason}")]
    Interrupted {
        /// By what.
        reason: String,
    },
}

impl Error {
    pub(crate) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            message: message.into(),
        }
    }

    pub(crate) fn system(action: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self::System {
            action: action.into(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn file(verb: &str, path: &Path, reason: impl fmt::Display) -> Self {
        Self::system(format!("{verb} `{}`", path.display()), reason)
    }

    /// Whether the same call may succeed if it is simply made again.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Interrupted { .. }
        )
    }
}

/// The part of a failed health gate that helps to find the cause.
struct Evidence<'a>(&'a [String], &'a Option<u16>, &'a [u16]);

impl fmt::Display for Evidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(logs, expected, listening) = self;
        if let Some(expected) = expected
            && !listening.is_empty()
            && !listening.contains(expected)
        {
            let ports: Vec<String> = listening.iter().map(u16::to_string).collect();
            write!(
                f,
                "; it listens on {} instead of {expected} (`PORT`)",
                ports.join(", ")
            )?;
        }
        if !logs.is_empty() {
            f.write_str("; its last lines:")?;
        }
        for line in *logs {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn a_failed_gate_names_the_wrong_port_and_shows_the_log() {
        let error = Error::HealthGate {
            service: "api".into(),
            generation: 2,
            reason: "connection refused".into(),
            logs: vec!["listening".into()],
            expected_port: Some(4000),
            listening_ports: vec![3000],
        };
        assert_eq!(
            error.to_string(),
            "generation 2 of `api` did not become healthy: connection refused; it listens on 3000 \
             instead of 4000 (`PORT`); its last lines:\n  listening"
        );
    }
}

//! From the agent's errors to those of the engine.

use fabrik_core::error::{Effect, Error, ErrorKind};
use fabrik_core::value::Path;

use crate::error::Error as AgentError;

/// How many log lines an error shows.
const LINES: usize = 20;

/// An error of the agent as the engine's.
pub(super) fn problem(error: AgentError) -> Error {
    let text = error.to_string();
    match error {
        AgentError::Unreachable { .. } => {
            Error::new(ErrorKind::Unavailable, text).effect(Effect::None)
        }
        AgentError::Lost { .. } | AgentError::Interrupted { .. } => {
            Error::new(ErrorKind::Unavailable, text)
        }
        AgentError::Launch { .. } | AgentError::AlreadyRunning { .. } => {
            Error::new(ErrorKind::Unavailable, text)
                .temporary(false)
                .effect(Effect::None)
        }
        AgentError::VersionMismatch { .. } => Error::new(ErrorKind::Unsupported, text)
            .hint("end the old agent (its services go on running) and try again"),
        AgentError::HealthGate {
            service,
            generation,
            reason,
            logs,
            expected_port,
            listening_ports,
        } => {
            let hint = command_hint(&reason)
                .unwrap_or_else(|| gate_hint(&reason, expected_port, &listening_ports, &logs));
            let from = logs.len().saturating_sub(LINES);
            Error::new(
                ErrorKind::CheckFailed,
                format!("generation {generation} of `{service}` did not become healthy: {reason}"),
            )
            .effect(Effect::None)
            .log_tail(logs.into_iter().skip(from))
            .hint(hint)
        }
        AgentError::Prepare {
            service,
            command,
            reason,
            logs,
        } => {
            let from = logs.len().saturating_sub(LINES);
            let hint = command_hint(&reason).unwrap_or_else(|| {
                "run the command yourself in that folder; the version before keeps running".to_owned()
            });
            Error::new(
                ErrorKind::CheckFailed,
                format!("{command} for `{service}` {reason}"),
            )
            .effect(Effect::None)
            .log_tail(logs.into_iter().skip(from))
            .hint(hint)
        }
        AgentError::Missing { package, .. } => Error::new(ErrorKind::Unsupported, text)
            .effect(Effect::None)
            .hint(format!(
                "install the package `{package}` (`apt install {package}` on Debian and Ubuntu), and apply again"
            )),
        AgentError::Tool {
            program,
            reason,
            logs,
        } => {
            let no_root = logs.iter().any(|line| line.starts_with("unshare:"));
            let error = Error::new(ErrorKind::Unexpected, format!("`{program}` {reason}"))
                .temporary(false)
                .effect(Effect::None)
                .log_tail(logs);
            if no_root {
                error.hint("PostgreSQL does not run as root: run fabrik as an ordinary user")
            } else {
                error
            }
        }
        AgentError::PortTaken { port, .. } => Error::new(ErrorKind::Conflict, text)
            .field(Path::key("port"))
            .hint(format!(
                "end what listens on {port}, or leave `port` out: a free one is chosen then and told in `PORT`"
            )),
        AgentError::Invalid { field, message } => {
            Error::new(ErrorKind::Invalid, message).field(Path::parse(&field))
        }
        AgentError::NotFound { .. } => Error::new(ErrorKind::NotFound, text),
        AgentError::Taken { .. } => Error::new(ErrorKind::Conflict, text).hint(
            "it was not made by this stack: choose another name, or take it over with `fabrik import`",
        ),
        AgentError::BucketNotEmpty { .. } => {
            Error::new(ErrorKind::Refused, text).effect(Effect::None)
        }
        AgentError::System { .. } => Error::new(ErrorKind::Io, text),
    }
}

/// What helps when a command could not be run.
fn command_hint(reason: &str) -> Option<String> {
    if reason.contains("was not found") || reason.contains("there is no program") {
        return Some(
            "install it, or name the program with its path; the agent looks in the `PATH` of who started it"
                .to_owned(),
        );
    }
    let may_not = reason.contains("may not be run");
    may_not.then(|| "mark it as executable: `chmod +x`".to_owned())
}

/// What may help when a health gate was not passed.
fn gate_hint(reason: &str, expected: Option<u16>, listening: &[u16], logs: &[String]) -> String {
    let silent = logs.iter().all(|line| line.starts_with("[fabrik] "));
    match expected {
        _ if reason.starts_with("its process ended") => {
            if silent {
                "it wrote nothing; a program must stay in the foreground: if it goes into the background by itself, tell it not to".to_owned()
            } else {
                "its last lines say why; the version before keeps running".to_owned()
            }
        }
        Some(expected) if !listening.is_empty() && !listening.contains(&expected) => {
            let ports: Vec<String> = listening.iter().map(u16::to_string).collect();
            let ports = ports.join(", ");
            format!(
                "the process listens on {ports}, but `PORT` is {expected}: make it listen on `PORT`, or set `port` to what it listens on"
            )
        }
        Some(expected) if listening.is_empty() => format!(
            "the process listens on no port; it is expected on {expected}, which it is told in `PORT`"
        ),
        _ if silent => "the process wrote nothing; the version before keeps running".to_owned(),
        _ => "the version before keeps running; its own log says why this one did not".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_gate_says_where_the_process_listens() {
        let error = problem(AgentError::HealthGate {
            service: "api".into(),
            generation: 2,
            reason: "connection refused".into(),
            logs: (0..30).map(|line| line.to_string()).collect(),
            expected_port: Some(4000),
            listening_ports: vec![3000],
        });
        assert_eq!(error.kind(), ErrorKind::CheckFailed);
        assert_eq!(error.effect_of(), Effect::None);
        assert!(!error.is_temporary());
        let hint = error.hint_text().unwrap();
        assert!(
            hint.contains("listens on 3000, but `PORT` is 4000"),
            "{hint}"
        );
        assert_eq!(error.log_lines().len(), LINES);
        assert_eq!(error.log_lines().last().unwrap(), "29");
    }

    #[test]
    fn nothing_sent_is_nothing_done() {
        let error = problem(AgentError::Unreachable {
            socket: "/x".into(),
            reason: "gone".into(),
        });
        assert_eq!(error.effect_of(), Effect::None);
        let error = problem(AgentError::Lost {
            reason: "gone".into(),
        });
        assert_eq!(error.effect_of(), Effect::Unknown);
    }
}

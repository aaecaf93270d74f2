//! What came of a command.

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::secrets::Redactor;

use crate::lines::last_lines;

/// What came of a command that ran to its end.
#[derive(Clone)]
pub struct Output {
    /// The exit code; 128 and the signal's number for a program that a signal ended.
    pub code: i32,
    /// What the program wrote to standard output, as it wrote it: secrets it printed are in it.
    /// Empty where the output was streamed.
    pub stdout: Vec<u8>,
    /// The last lines of standard error (of both outputs, where they were streamed as lines), without
    /// known secrets and control characters.
    pub stderr_tail: Vec<String>,
    /// How long it took.
    pub took: Duration,
    pub(crate) label: Arc<str>,
    pub(crate) effect: Option<Effect>,
    pub(crate) redactor: Redactor,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("command", &self.label)
            .field("code", &self.code)
            .field("stdout", &format_args!("({} bytes)", self.stdout.len()))
            .field("stderr_tail", &self.stderr_tail)
            .finish_non_exhaustive()
    }
}

impl Output {
    /// Whether the exit code is 0.
    pub fn is_success(&self) -> bool {
        self.code == 0
    }

    /// Makes an exit code other than 0 an error, with the last lines as its log.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`], not temporary, of unknown effect unless the command
    /// [only reads](crate::Command::reads).
    pub fn check(self) -> Result<Output> {
        if self.is_success() {
            return Ok(self);
        }
        Err(self.failed())
    }

    /// The error for this exit code, for callers that know some codes to be fine.
    pub fn failed(&self) -> Error {
        let ended = match self.code {
            code @ 129..=192 => format!("was ended by signal {}", code - 128),
            code => format!("failed with exit code {code}"),
        };
        let mut error = Error::new(ErrorKind::Unavailable, format!("{} {ended}", self.label))
            .temporary(false)
            .effect(self.effect.unwrap_or(Effect::Unknown))
            .log_tail(self.last_lines());
        if self.code == 127 {
            error = error.hint("127 mostly means that a program which it calls is not installed");
        }
        error
    }

    /// Standard output as text, without white space at its ends.
    ///
    /// # Errors
    /// [`ErrorKind::Misbehaved`] when it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.stdout)
            .map(str::trim)
            .map_err(|error| {
                Error::new(
                    ErrorKind::Misbehaved,
                    format!("{} wrote something that is not text", self.label),
                )
                .cause(error)
                .effect(self.effect.unwrap_or(Effect::Unknown))
            })
    }

    /// The last lines of standard error, or of standard output where there are none: what tells a
    /// person why. Clean.
    pub fn last_lines(&self) -> Vec<String> {
        if self.stderr_tail.iter().any(|line| !line.trim().is_empty()) {
            self.stderr_tail.clone()
        } else {
            last_lines(&self.redactor, &self.stdout)
        }
    }
}

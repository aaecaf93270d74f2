//! From what went wrong to the library's error.

mod container;
mod ssh;

use std::ffi::OsStr;
use std::io;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::secrets::printable;

use crate::capture::Broken;
use crate::command::Command;
use crate::compose::Hop;
use crate::marks::Level;
use crate::place::Place;

/// `30 s`, `1.5 s`.
fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// There was no time left to begin.
pub(crate) fn no_time(command: &Command) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("there was no time left to run `{}`", command.name()),
    )
    .effect(Effect::None)
    .hint("a longer `timeout` on the resource gives it more time")
}

/// The working folder is not there.
pub(crate) fn no_folder(dir: &str, place: &Place) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("there is no folder `{}` on {place}", printable(dir)),
    )
    .effect(Effect::None)
    .hint("check the path, and whether the user may enter it")
}

/// A file is there, but cannot be run.
pub(crate) fn not_executable(file: &str, place: &Place) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "`{}` on {place} is not an executable program",
            printable(file)
        ),
    )
    .effect(Effect::None)
    .hint("check the path, and make the file executable (`chmod +x`)")
}

/// There is no such program.
fn no_program(program: &str, place: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("`{}` is not installed on {place}", printable(program)),
    )
    .effect(Effect::None)
    .hint("install it there, or give the program's absolute path")
}

/// The program that had to run on this machine is not there.
pub(crate) fn not_here(program: &OsStr, way: &[Hop<'_>]) -> Error {
    let error = no_program(&program.to_string_lossy(), &Place::Here.to_string());
    match way.first() {
        None => error,
        Some(Hop::Ssh(_)) => {
            error.hint("install an OpenSSH client (Debian: `apt-get install openssh-client`)")
        }
        Some(Hop::Container(container)) => error.hint(format!(
            "install {}, or give the absolute path of its program",
            container.engine.name()
        )),
    }
}

/// The system refused to start it.
pub(crate) fn not_started(command: &Command, error: io::Error) -> Error {
    let what = format!("`{}` cannot be started", command.name());
    match error.kind() {
        io::ErrorKind::ArgumentListTooLong => Error::new(
            ErrorKind::Invalid,
            format!("the arguments of `{}` are too long", command.name()),
        )
        .hint("pass long data on standard input, not as arguments"),
        io::ErrorKind::PermissionDenied => Error::new(ErrorKind::Permission, what)
            .hint("check who may run the program and enter its working folder"),
        // What `execve` says when the file is there, but not what its first line names.
        io::ErrorKind::NotFound => Error::new(ErrorKind::Unsupported, what)
            .hint("check the interpreter in the program's first line"),
        _ => Error::new(ErrorKind::Io, what),
    }
    .cause(error)
    .effect(Effect::None)
}

/// What is known when a command did not run to a good end.
pub(crate) struct Failed<'a> {
    pub(crate) place: &'a Place,
    pub(crate) way: &'a [Hop<'a>],
    pub(crate) command: &'a Command,
    pub(crate) levels: &'a [Level],
    pub(crate) tail: &'a [String],
}

impl Failed<'_> {
    /// What ran where: "`wp` on me@host".
    pub(crate) fn label(&self) -> String {
        match self.place {
            Place::Here => format!("`{}`", self.command.name()),
            place => format!("`{}` on {place}", self.command.name()),
        }
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).log_tail(self.tail.iter().cloned())
    }

    /// The command's own exit code, or why there is none.
    pub(crate) fn exit(&self, code: i32) -> Result<i32> {
        let Some((last, outer)) = self.levels.split_last() else {
            return Ok(code);
        };
        if last.no_dir {
            let dir = self
                .command
                .dir
                .as_deref()
                .map(|dir| dir.to_string_lossy().into_owned());
            return Err(
                no_folder(&dir.unwrap_or_default(), self.place).log_tail(self.tail.iter().cloned())
            );
        }
        if let Some(code) = last.ended {
            return match self.env_says(&self.command.program) {
                Some(_) if code == 127 => Err(no_program(
                    &self.command.program.to_string_lossy(),
                    &self.place.to_string(),
                )),
                Some(_) if code == 126 => Err(not_executable(
                    &self.command.program.to_string_lossy(),
                    self.place,
                )),
                _ => Ok(code),
            };
        }
        if last.begun.is_some() {
            return Err(self.broke_off());
        }
        // It did not begin. The innermost step that did says whose failure it is.
        let begun = outer.iter().rposition(|level| level.begun.is_some());
        let at = begun.map_or(0, |level| level + 1);
        let code = match begun {
            None => code,
            Some(level) => match self.levels[level].ended {
                Some(code) => code,
                None => return Err(self.broke_off()),
            },
        };
        Err(match self.way.get(at) {
            Some(Hop::Ssh(target)) => ssh::failure(self, target, code),
            Some(Hop::Container(container)) => {
                let program = container.program.as_ref().map_or_else(
                    || OsStr::new(container.engine.name()),
                    |program| program.as_os_str(),
                );
                if begun.is_some() && matches!(code, 126 | 127) && self.env_says(program).is_some()
                {
                    no_program(&program.to_string_lossy(), &container.on.to_string()).hint(format!(
                        "install {}, or give the absolute path of its program",
                        container.engine.name()
                    ))
                } else {
                    container::failure(self, container, code)
                }
            }
            None => self.broke_off(),
        })
    }

    /// Whether the last line is that of `env` about this program.
    fn env_says(&self, program: &OsStr) -> Option<&str> {
        let line = self.last_line()?;
        (line.starts_with("env: ") && line.contains(&*program.to_string_lossy())).then_some(line)
    }

    fn last_line(&self) -> Option<&str> {
        self.tail
            .iter()
            .rev()
            .map(|line| line.trim())
            .find(|line| !line.is_empty())
    }

    /// The first line that holds one of these words, in any case.
    fn line_with(&self, words: &[&str]) -> Option<&str> {
        self.tail.iter().map(|line| line.trim()).find(|line| {
            let line = line.to_lowercase();
            words
                .iter()
                .any(|words| line.contains(&words.to_lowercase()))
        })
    }

    fn broke_off(&self) -> Error {
        self.error(
            ErrorKind::Unavailable,
            format!(
                "the connection broke while {} ran, so how it ended is not known",
                self.label()
            ),
        )
        .effect(Effect::Unknown)
        .hint("look whether the place is still up; the command may have ended, or may still run")
    }

    /// Its time was up.
    pub(crate) fn limit(&self, limit: Duration, by_deadline: bool, everywhere: bool) -> Error {
        let hint = if by_deadline {
            "a longer `timeout` on the resource gives it more time"
        } else {
            "see in its last lines what it waits for"
        };
        let began = self.levels.last().is_none_or(|level| level.begun.is_some());
        let message = if began {
            format!(
                "{} did not end within {}{}",
                self.label(),
                seconds(limit),
                fate(everywhere)
            )
        } else {
            format!(
                "{} did not begin within {}: {} does not answer",
                self.label(),
                seconds(limit),
                self.place
            )
        };
        self.error(ErrorKind::Timeout, message).hint(hint)
    }

    /// The run is stopped.
    pub(crate) fn stopped(&self, everywhere: bool) -> Error {
        self.error(
            ErrorKind::Cancelled,
            format!(
                "stopped on request while {} ran{}",
                self.label(),
                fate(everywhere)
            ),
        )
    }

    /// Its input or output failed.
    pub(crate) fn broken(&self, broken: Broken, everywhere: bool) -> Error {
        let fate = fate(everywhere);
        let label = self.label();
        match broken {
            Broken::TooMuch => self
                .error(
                    ErrorKind::Quota,
                    format!(
                        "{label} wrote more than {} bytes{fate}",
                        self.command.max_output
                    ),
                )
                .effect(Effect::Unknown)
                .hint("ask it for less, or raise `max_output`"),
            Broken::Source(error) => self
                .error(
                    ErrorKind::Io,
                    format!("the input of {label} cannot be read{fate}"),
                )
                .cause(error),
            Broken::Sink(error) => self
                .error(
                    ErrorKind::Io,
                    format!("the output of {label} cannot be written{fate}"),
                )
                .cause(error),
        }
    }

    /// Its end could not be learned.
    pub(crate) fn lost(&self, error: &io::Error) -> Error {
        self.error(
            ErrorKind::Io,
            format!("how {} ended cannot be learned", self.label()),
        )
        .cause(error)
    }
}

fn fate(everywhere: bool) -> &'static str {
    if everywhere {
        " and was ended"
    } else {
        ", and may still run: it could not be ended"
    }
}

//! What is to be run.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::secrets::{Redactor, Secret, printable};
use fabrik_core::value::Value;
use zeroize::Zeroizing;

/// Largest secret input that is looked for in what programs say; longer ones are known by their
/// parts, see [`Command::secret`].
const KNOWN_INPUT: usize = 16 * 1024;

/// What a program gets on its standard input. `Debug` never shows it.
#[derive(Clone)]
pub struct Input(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Bytes(Arc<Zeroizing<Vec<u8>>>),
    Secret(Secret),
}

impl Input {
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Kind::Bytes(bytes) => bytes,
            Kind::Secret(secret) => secret.expose().as_bytes(),
        }
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({} bytes)", self.bytes().len())
    }
}

impl From<Secret> for Input {
    fn from(secret: Secret) -> Self {
        Input(Kind::Secret(secret))
    }
}
impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Input(Kind::Bytes(Arc::new(Zeroizing::new(bytes))))
    }
}
impl From<&[u8]> for Input {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}
impl From<String> for Input {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}
impl From<&str> for Input {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

/// What is to be run: a program with its arguments, never a line for a shell.
///
/// There is no way to put a [`Secret`] into an argument or a variable, because every user of a
/// machine can read those of others. Secrets go to standard input.
///
/// ```
/// use fabrik_core::secrets::Secret;
/// use fabrik_exec::Command;
///
/// let command = Command::new("mysql")
///     .arg("--defaults-extra-file=/dev/stdin")
///     .input(Secret::from("[client]\npassword=s3cr3t\n"));
/// assert!(!format!("{command:?}").contains("s3cr3t"));
/// ```
#[derive(Clone)]
pub struct Command {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(String, OsString)>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) input: Option<Input>,
    pub(crate) timeout: Duration,
    pub(crate) max_output: usize,
    pub(crate) reads: bool,
    pub(crate) secrets: Vec<Secret>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("args", &self.args.len())
            .field("input", &self.input)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Command {
    /// A program by its name or absolute path. Without further settings: no arguments, nothing on
    /// standard input, 5 minutes, at most 16 MiB of output.
    pub fn new(program: impl Into<OsString>) -> Command {
        Command {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            input: None,
            timeout: Duration::from_secs(300),
            max_output: 16 * 1024 * 1024,
            reads: false,
            secrets: Vec::new(),
        }
    }

    /// Adds an argument. It arrives byte by byte as given, also over SSH.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Command {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Command {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable that is no secret. On other machines and in containers it is added to what is
    /// set there.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Command {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets the working folder. On this machine it is an absolute path; elsewhere a relative one
    /// starts at the user's home (SSH) or at the image's working folder (containers).
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Command {
        self.dir = Some(dir.into());
        self
    }

    /// Sets what the program gets on standard input. A [`Secret`] up to 16 KiB is removed from
    /// whatever the program says, whole or by its lines.
    #[must_use]
    pub fn input(mut self, input: impl Into<Input>) -> Command {
        self.input = Some(input.into());
        self
    }

    /// A text to keep out of errors and lines: for secrets that are parts of the input.
    #[must_use]
    pub fn secret(mut self, secret: &Secret) -> Command {
        self.secrets.push(secret.clone());
        self
    }

    /// Sets how long it may take; 5 minutes unless set. The operation's deadline shortens it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Command {
        self.timeout = timeout;
        self
    }

    /// Sets how much standard output [`crate::Runner::run`] keeps; more is an error. In bytes, 16 MiB
    /// unless set.
    #[must_use]
    pub fn max_output(mut self, bytes: usize) -> Command {
        self.max_output = bytes;
        self
    }

    /// Says that it changes nothing: then its errors say the same.
    #[must_use]
    pub fn reads(mut self) -> Command {
        self.reads = true;
        self
    }

    /// The program's name without its folder, for messages.
    pub(crate) fn name(&self) -> String {
        let name = Path::new(&self.program)
            .file_name()
            .unwrap_or(&self.program);
        printable(&name.to_string_lossy())
    }

    /// Knows the secrets of this command.
    pub(crate) fn redactor(&self) -> Redactor {
        let redactor = Redactor::default();
        for secret in &self.secrets {
            redactor.learn(&Value::secret(secret.expose()));
        }
        if let Some(Input(Kind::Secret(secret))) = &self.input
            && secret.expose().len() <= KNOWN_INPUT
        {
            redactor.learn(&Value::secret(secret.expose()));
        }
        redactor
    }

    /// Refuses what no place could run.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::new(ErrorKind::Invalid, what));
        let bytes = self.program.as_encoded_bytes();
        let has_nul = |text: &OsStr| text.as_encoded_bytes().contains(&0);
        if bytes.is_empty()
            || bytes.starts_with(b"-")
            || bytes.contains(&b'=')
            || has_nul(&self.program)
        {
            return wrong(format!(
                "`{}` cannot be the name of a program: it is empty, begins with `-`, or holds `=` or a NUL",
                self.name()
            ));
        }
        if let Some(index) = self.args.iter().position(|arg| has_nul(arg)) {
            return wrong(format!(
                "argument {} of `{}` holds a NUL",
                index + 1,
                self.name()
            ));
        }
        for (name, value) in &self.env {
            let first = name
                .bytes()
                .next()
                .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
            if !first
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                return wrong(format!(
                    "`{}` cannot be the name of a variable",
                    printable(name)
                ));
            }
            if has_nul(value) {
                return wrong(format!("the variable `{name}` holds a NUL"));
            }
        }
        if self
            .dir
            .as_ref()
            .is_some_and(|dir| has_nul(dir.as_os_str()) || dir.as_os_str().is_empty())
        {
            return wrong(format!(
                "the working folder of `{}` is empty or holds a NUL",
                self.name()
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_values() {
        let command = Command::new("/usr/bin/wp")
            .arg("--user=canary")
            .env("A", "canary")
            .input("canary")
            .secret(&Secret::from("canary"));
        let text = format!("{command:?}");
        assert!(
            text.contains("/usr/bin/wp") && !text.contains("canary"),
            "{text}"
        );
        assert_eq!(command.name(), "wp");
    }

    #[test]
    fn what_cannot_be_run_is_refused_in_words() {
        for (command, words) in [
            (Command::new(""), "cannot be the name of a program"),
            (Command::new("-rf"), "cannot be the name of a program"),
            (Command::new("A=b"), "cannot be the name of a program"),
            (
                Command::new("wp").arg("ok").arg("a\0b"),
                "argument 2 of `wp` holds a NUL",
            ),
            (
                Command::new("wp").env("1A", "x"),
                "`1A` cannot be the name of a variable",
            ),
            (
                Command::new("wp").env("A;id", "x"),
                "cannot be the name of a variable",
            ),
            (
                Command::new("wp").env("A", "\0"),
                "the variable `A` holds a NUL",
            ),
            (
                Command::new("wp").dir(""),
                "the working folder of `wp` is empty",
            ),
        ] {
            let error = command.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(words), "{error}");
        }
    }
}

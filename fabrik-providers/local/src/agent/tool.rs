//! Running a program to its end: what makes and saves data, not what serves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::agent::shared::Shared;
use crate::error::Error;
use crate::marks;

/// How many lines of what it wrote come with an error.
const LINES: usize = 20;

/// A program that is run to its end.
#[derive(Debug)]
pub(crate) struct Tool<'a> {
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
    /// Working directory.
    pub(crate) dir: &'a Path,
    /// Variables beside the agent's base environment: secrets reach a program by these.
    pub(crate) env: BTreeMap<&'a str, &'a str>,
    /// What it reads.
    pub(crate) input: String,
    /// How long it may take.
    pub(crate) patience: Duration,
}

/// How a program failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The program.
    pub(crate) program: String,
    /// How it ended.
    pub(crate) text: String,
    /// The last lines that it wrote.
    pub(crate) lines: Vec<String>,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Tool {
            program: failure.program,
            reason: failure.text,
            logs: failure.lines,
        }
    }
}

impl Tool<'_> {
    /// Runs it; gives what it wrote to its output.
    pub(crate) async fn run(self, shared: &Shared) -> Result<String, Failure> {
        let program = self.words.first().cloned().unwrap_or_default();
        let failed = |text: String, lines: Vec<String>| Failure {
            program: Path::new(&program)
                .file_name()
                .map_or(program.clone(), |name| name.to_string_lossy().into_owned()),
            text,
            lines,
        };
        let mark = marks::new_run().map_err(|error| failed(error.to_string(), Vec::new()))?;
        let mut command = Command::new(&program);
        command
            .args(self.words.iter().skip(1))
            .current_dir(self.dir)
            .env_clear()
            .envs(
                shared
                    .base_env
                    .iter()
                    .map(|(name, value)| (name, value.expose())),
            )
            .envs(&self.env)
            // What an agent that was killed left is found by this, and ended.
            .env(marks::AGENT, &shared.mark)
            .env(marks::RUN, mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|error| failed(format!("could not be started: {error}"), Vec::new()))?;
        let input = child.stdin.take();
        let work = async {
            if let Some(mut pipe) = input {
                // One that does not read its input says itself what is wrong.
                let _ = pipe.write_all(self.input.as_bytes()).await;
            }
            child.wait_with_output().await
        };
        let Ok(output) = timeout(self.patience, work).await else {
            let seconds = self.patience.as_secs();
            return Err(failed(format!("took longer than {seconds} s"), Vec::new()));
        };
        let output = output.map_err(|error| failed(error.to_string(), Vec::new()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let written = text(&output.stdout) + &text(&output.stderr);
        let lines: Vec<&str> = written.lines().filter(|line| !line.is_empty()).collect();
        let from = lines.len().saturating_sub(LINES);
        let lines = lines[from..]
            .iter()
            .map(|line| (*line).to_owned())
            .collect();
        Err(failed(
            crate::agent::process::Exit::from(output.status).text,
            lines,
        ))
    }
}

/// A program in the folders of `PATH` and in others, the first that is there.
pub(crate) fn find(shared: &Shared, name: &str, others: &[PathBuf]) -> Option<PathBuf> {
    let path = shared
        .base_env
        .iter()
        .find(|(name, _)| *name == "PATH")
        .map_or("/usr/local/bin:/usr/bin:/bin", |(_, value)| value.expose());
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .chain(others.iter().cloned())
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

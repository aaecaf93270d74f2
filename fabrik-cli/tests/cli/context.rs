//! A place to run the program in: its own folder and home, a clean environment, no terminal.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use fabrik_cli::world::{Identity, Terminal, World};
use fabrik_cli::{App, Exit};
use fabrik_core::clock::{SystemClock, SystemEntropy};

use crate::provider;

/// Where a test runs the program.
pub(crate) struct TestContext {
    pub(crate) root: tempfile::TempDir,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) input: Option<String>,
}

/// What came of it.
pub(crate) struct Ran {
    pub(crate) exit: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Exit code and both streams, as one text for a snapshot.
    pub(crate) fn all(&self) -> String {
        let mut text = format!("exit: {}\n", self.exit);
        for (name, stream) in [("stdout", &self.out), ("stderr", &self.err)] {
            text.push_str(&format!("--- {name}\n{stream}"));
        }
        text
    }

    /// Expects an exit code, showing everything when it is another.
    #[track_caller]
    pub(crate) fn code(self, code: u8) -> Ran {
        assert_eq!(self.exit, code, "{}", self.all());
        self
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl TestContext {
    pub(crate) fn new() -> TestContext {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("project")).unwrap();
        std::fs::create_dir(root.path().join("home")).unwrap();
        let home = root.path().join("home").display().to_string();
        TestContext {
            env: [("HOME".to_owned(), home)].into(),
            input: None,
            root,
        }
    }

    /// With this as `fabrik.yaml`.
    pub(crate) fn with_spec(spec: &str) -> TestContext {
        let context = TestContext::new();
        context.write("fabrik.yaml", spec);
        context
    }

    /// With a spec of notes: the YAML of `resources`, for the provider `demo`.
    pub(crate) fn with_notes(resources: &str) -> TestContext {
        let context = TestContext::new();
        context.notes(resources);
        context
    }

    /// Writes the spec of [`TestContext::with_notes`] anew.
    pub(crate) fn notes(&self, resources: &str) {
        let folder = self.folder();
        self.write(
            "fabrik.yaml",
            &format!(
                "fabrik: 1\nid: shop\nproviders:\n  demo: {{ folder: \"{}\" }}\nresources:\n{resources}",
                folder.display()
            ),
        );
    }

    /// Where the project is.
    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// Where notes are.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join("notes")
    }

    /// Lets notes be deleted that the folder keeps.
    pub(crate) fn free_notes(&self) {
        std::fs::write(self.folder().join(".free"), "").unwrap();
    }

    /// The text of a note.
    pub(crate) fn note(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder().join(name)).ok()
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.dir().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The text with everything that differs from run to run replaced.
    pub(crate) fn tidy(&self, text: &str) -> String {
        text.replace(&self.root.path().display().to_string(), "[ROOT]")
            .replace(&root_real(self.root.path()), "[ROOT]")
    }

    /// Runs the program with the provider `demo`, without a terminal.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_app(&App::bare().provider(provider::demo()), words)
    }

    /// Runs a program of one's own.
    pub(crate) fn run_app(&self, app: &App, words: &[&str]) -> Ran {
        let (out, err) = (Shared::default(), Shared::default());
        let world = World {
            args: std::iter::once("fabrik")
                .chain(words.iter().copied())
                .map(OsString::from)
                .collect(),
            env: self.env.clone(),
            cwd: self.dir(),
            program: PathBuf::from("/bin/fabrik"),
            terminal: Terminal {
                stdin: self.input.is_some(),
                ..Terminal::default()
            },
            identity: Identity {
                user: "ana".to_owned(),
                host: "here".to_owned(),
                pid: std::process::id(),
                liveness: None,
            },
            stdin: Box::new(std::io::Cursor::new(self.input.clone().unwrap_or_default())),
            stdout: Box::new(out.clone()),
            stderr: Box::new(err.clone()),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            process: false,
        };
        let Exit(exit) = app.run(world);
        Ran {
            exit,
            out: self.tidy(&out.text()),
            err: self.tidy(&err.text()),
        }
    }

    /// The real program of its own process, with the provider `demo`.
    pub(crate) fn process(&self, words: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(example());
        command
            .args(words)
            .env_clear()
            .envs(&self.env)
            .current_dir(self.dir());
        command
    }
}

fn root_real(root: &Path) -> String {
    root.canonicalize().unwrap().display().to_string()
}

/// The example `own_provider`, which is built with the tests.
fn example() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.join("examples/own_provider")
}

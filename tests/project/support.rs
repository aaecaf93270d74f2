//! Running the program in a place of its own, and looking at what it put up.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A file of the project.
#[track_caller]
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file of the project below a folder that git would keep, as paths from the project's.
pub(crate) fn files(folder: &str) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let left_out = ["target", ".git", ".fabrik", ".build", "out"].contains(&name);
            if path.is_dir() && !left_out {
                walk(&path, found);
            } else if path.is_file() && name != ".git" {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    let mut names: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    names.sort();
    names
}

/// Compares a generated file with what it should be; with `UPDATE` set, writes it.
#[track_caller]
pub(crate) fn up_to_date(path: &str, wanted: impl FnOnce(&str) -> String) {
    // Several tests may have a part of one file each.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let there = std::fs::read_to_string(root().join(path)).unwrap_or_default();
    let wanted = wanted(&there);
    if there == wanted {
        return;
    }
    assert!(
        updating(),
        "{path} is out of date: run `UPDATE=1 cargo test -p fabrik-tests --test project`"
    );
    std::fs::write(root().join(path), wanted).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test asks its caller")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether generated files are to be written anew.
pub(crate) fn updating() -> bool {
    variable("UPDATE").is_some()
}

/// What a run of the program came to.
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    exit: i32,
}

impl Ran {
    /// Everything, for messages.
    pub(crate) fn all(&self) -> String {
        format!(
            "exit: {}\n--- stdout\n{}--- stderr\n{}",
            self.exit, self.out, self.err
        )
    }

    /// Expects an exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Ran {
        assert_eq!(self.exit, code, "{}", self.all());
        self
    }
}

/// A copy of the examples, with a home of its own.
pub(crate) struct Place {
    root: tempfile::TempDir,
}

impl Place {
    /// A copy of one folder of `examples`, beside the published schemas.
    pub(crate) fn with_example(name: &str) -> Place {
        let place = Place::empty();
        let from = format!("examples/{name}");
        for file in files(&from) {
            let to = place
                .dir()
                .join(Path::new(&file).strip_prefix(&from).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(root().join(&file), to).unwrap();
        }
        place
    }

    /// An empty folder.
    pub(crate) fn empty() -> Place {
        let root = tempfile::tempdir().unwrap();
        for folder in ["project", "home"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        Place { root }
    }

    /// The folder the program is run in.
    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// A file of it, as text.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.dir().join(path)).ok()
    }

    /// Writes a file of it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        std::fs::write(self.dir().join(path), text).unwrap();
    }

    /// Runs the program.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_fabrik-under-test"))
            .args(words)
            .env_clear()
            .env("HOME", self.root.path().join("home"))
            .env("PATH", path())
            .env("FABRIK_USER", "ana")
            .current_dir(self.dir())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            exit: output.status.code().unwrap_or(-1),
        }
    }

    /// The folder of everything, home included.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Waits until the agent and everything it ran is gone, as it is after a destroy.
    #[track_caller]
    pub(crate) fn nothing_runs(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "still there: {left:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Command lines of processes that work in this place or name it.
    pub(crate) fn processes(&self) -> Vec<String> {
        let here = self.root.path().display().to_string();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let folder = entry.path();
            let words = std::fs::read(folder.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&words).replace('\0', " ");
            let works_in = std::fs::read_link(folder.join("cwd")).unwrap_or_default();
            let ours = folder.ends_with(std::process::id().to_string());
            if !line.is_empty() && !ours && (line.contains(&here) || works_in.starts_with(&here)) {
                found.push(line);
            }
        }
        found
    }
}

impl Drop for Place {
    /// A failed test leaves nothing running.
    fn drop(&mut self) {
        if !self.processes().is_empty() && std::thread::panicking() {
            for stack in ["fabrik.yaml", "hello.yaml"] {
                if self.dir().join(stack).exists() {
                    self.run(&["destroy", stack, "--yes", "--allow-data-loss", "**"]);
                }
            }
        }
    }
}

/// The compiler's own folder first: the programs that `rustup` puts in front of it need a home.
pub(crate) fn path() -> String {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = sysroot.map(|output| String::from_utf8(output.stdout).unwrap());
    let before = sysroot.map_or(String::new(), |path| format!("{}/bin:", path.trim()));
    format!("{before}{}", variable("PATH").unwrap_or_default())
}

/// The answer to a request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Asks for a URL under `localhost`; `None` when nobody answers.
pub(crate) fn get(url: &str) -> Option<Answer> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let port: u16 = host.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let patience = Some(Duration::from_secs(10));
    stream.set_read_timeout(patience).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// Asks for a URL that must answer.
#[track_caller]
pub(crate) fn page(url: &str) -> Answer {
    let answer = get(url).unwrap_or_else(|| panic!("{url} does not answer"));
    assert_eq!(answer.status, 200, "{url}: {}", answer.head);
    answer
}

//! A template's spec on a runtime of a third party: nothing but `on:` is added.

use std::collections::BTreeMap;
use std::io::{Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use fabrik_cli::world::{Identity, Terminal, World};
use fabrik_cli::{App, Exit};
use fabrik_core::clock::{SystemClock, SystemEntropy};

#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A project made of a template, and a pier beside it.
struct Place {
    root: tempfile::TempDir,
    port: u16,
}

impl Place {
    fn new() -> Place {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = Place {
            root: tempfile::tempdir().unwrap(),
            port: listener.local_addr().unwrap().port(),
        };
        drop(listener);
        let port = format!("--set=port={}", place.port);
        let words = ["new", "python-api", "demo", "--domain=demo.localhost", &port, "--no-git"];
        place.run_in(place.root.path().to_owned(), &words, 0);
        // The template's spec as it is; a program that needs nothing installed in its place.
        place.write("main.py", PROGRAM);
        place.write("Dockerfile", "FROM python:3\nCMD [\"python3\", \"main.py\"]\n");
        place
    }

    fn project(&self) -> PathBuf {
        self.root.path().join("demo")
    }

    fn pier(&self) -> PathBuf {
        self.root.path().join("pier")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.project().join(name), text).unwrap();
    }

    /// The template's spec with something instead of something else.
    fn spec(&self, from: &str, to: &str) {
        let path = self.project().join("fabrik.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{text}");
        self.write("fabrik.yaml", &text.replacen(from, to, 1));
    }

    #[track_caller]
    fn run(&self, words: &[&str], code: u8) -> String {
        self.run_in(self.project(), words, code)
    }

    #[track_caller]
    fn run_in(&self, cwd: PathBuf, words: &[&str], code: u8) -> String {
        let printed = Printed::default();
        let variable = |name: &str, path: PathBuf| (name.to_owned(), path.display().to_string());
        let env: BTreeMap<String, String> = [
            variable("HOME", self.root.path().join("home")),
            variable("PIER_DIR", self.pier()),
            variable("PIER_PROJECT", self.project()),
        ]
        .into();
        let world = World {
            args: std::iter::once(&"fabrik").chain(words).map(Into::into).collect(),
            env,
            cwd,
            program: PathBuf::from(env!("CARGO_BIN_EXE_fabrik-with-logbook")),
            terminal: Terminal::default(),
            identity: Identity::default(),
            stdin: Box::new(std::io::empty()),
            stdout: Box::new(printed.clone()),
            stderr: Box::new(printed.clone()),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            process: false,
        };
        let Exit(exit) = App::new().provider(logbook::pier::provider()).run(world);
        let text = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
        assert_eq!(exit, code, "{text}");
        text
    }

    /// What the app answers.
    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    }
}

const PROGRAM: &str = r#"
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
        self.wfile.write(b"VERSION " + os.environ["LOG_LEVEL"].encode())
print("listening")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"#;

#[test]
fn a_template_runs_on_the_pier() {
    let place = Place::new();
    place.spec("    kind: service\n", "    kind: service\n    on: pier\n");
    let shown = place.run(&["plan"], 0);
    for part in ["berth", "cargo", "ship"] {
        assert!(shown.contains(&format!("apps.demo.{part}")), "{shown}");
    }
    let shown = place.run(&["apply", "--yes"], 0);
    let url = format!("http://demo.localhost:{}", place.port);
    assert!(shown.contains(&url), "{shown}");
    assert_eq!(place.get("/healthz").as_deref(), Some("VERSION info"));
    place.run(&["plan", "--detailed-exitcode"], 0);

    // A changed file and a changed line of the spec are each a new version, in place.
    place.write("main.py", &PROGRAM.replace("VERSION", "SECOND"));
    place.run(&["apply", "--yes"], 0);
    assert_eq!(place.get("/healthz").as_deref(), Some("SECOND info"));
    place.spec("LOG_LEVEL: info", "LOG_LEVEL: debug");
    place.run(&["apply", "--yes"], 0);
    assert_eq!(place.get("/healthz").as_deref(), Some("SECOND debug"));
    place.run(&["plan", "--detailed-exitcode"], 0);

    // One that ends at once is told with what it wrote, and the one before comes back.
    place.write("main.py", "print('no such table')\nraise SystemExit(3)\n");
    let shown = place.run(&["apply", "--yes"], 1);
    assert!(shown.contains("`demo` ended at once"), "{shown}");
    assert!(shown.contains("no such table"), "{shown}");

    place.run(&["destroy", "--yes"], 0);
    assert_eq!(place.get("/healthz"), None);
    assert!(!place.pier().join("ships/demo.json").exists());
    assert!(!place.pier().join("cargo/demo").exists());
}

#[test]
fn its_own_options_and_what_it_cannot_do() {
    let place = Place::new();
    place.spec(
        "    kind: service\n",
        "    kind: service\n    on: pier\n    pier: { install: \"echo ok > installed\", command: \"exec python3 main.py\", grace: 1 }\n",
    );
    place.run(&["apply", "--yes"], 0);
    assert!(place.pier().join("cargo/demo/installed").is_file());
    place.run(&["destroy", "--yes"], 0);
    place.spec("grace: 1", "graze: 1");
    let shown = place.run(&["validate"], 1);
    assert!(shown.contains("unknown field `graze`") && shown.contains("`grace`"), "{shown}");
    place.spec("graze: 1 }", "grace: 1 }\n    replicas: 2");
    let shown = place.run(&["validate"], 1);
    assert!(shown.contains("`pier` cannot do `replicas`"), "{shown}");
}

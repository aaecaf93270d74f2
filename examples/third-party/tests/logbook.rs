//! `fabrik` with the provider `logbook`, run in this process.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use fabrik_cli::world::{Identity, Terminal, World};
use fabrik_cli::{App, Exit};
use fabrik_core::clock::{SystemClock, SystemEntropy};

/// What is printed.
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

/// A folder with a project and a shelf.
struct Place(tempfile::TempDir);

impl Place {
    fn new(spec: &str) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.shelf()).unwrap();
        place.write(spec);
        place
    }

    fn write(&self, spec: &str) {
        std::fs::write(self.0.path().join("fabrik.yaml"), spec).unwrap();
    }

    fn shelf(&self) -> PathBuf {
        self.0.path().join("shelf")
    }

    fn text(&self, id: &str) -> Option<String> {
        std::fs::read_to_string(self.shelf().join(format!("{id}.txt"))).ok()
    }

    /// Runs the program, expects an exit code, and gives what it printed.
    #[track_caller]
    fn run(&self, words: &[&str], code: u8) -> String {
        let printed = Printed::default();
        let dir: &Path = self.0.path();
        let env: BTreeMap<String, String> = [
            ("HOME".to_owned(), dir.join("home").display().to_string()),
            (
                "LOGBOOK_SHELF".to_owned(),
                self.shelf().display().to_string(),
            ),
        ]
        .into();
        let world = World {
            args: std::iter::once(&"fabrik")
                .chain(words)
                .map(Into::into)
                .collect(),
            env,
            cwd: dir.to_owned(),
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
        let Exit(exit) = App::new().provider(logbook::provider()).run(world);
        let text = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
        assert_eq!(exit, code, "{text}");
        text
    }
}

const NOTES: &str = "
fabrik: 1
id: notes
resources:
  - { id: book, type: logbook.book, spec: { name: travels } }
  - id: day
    type: logbook.entry
    for_each: { monday: sun, tuesday: rain }
    spec: { book: \"${book.name}\", title: \"${each.key}\", text: \"${each.value}\\n\" }
outputs: { book: \"${book.path}\" }
";

#[test]
fn entries_come_after_their_book_and_go_before_it() {
    let place = Place::new(NOTES);
    assert!(place.run(&["plan"], 0).contains("3 create"));
    assert!(
        !place.shelf().join("travels").exists(),
        "plan writes nothing"
    );

    place.run(&["apply", "--yes"], 0);
    assert_eq!(place.text("travels/monday").as_deref(), Some("sun\n"));
    place.run(&["plan", "--detailed-exitcode"], 0);

    place.write(&NOTES.replace("rain", "snow"));
    assert!(place.run(&["apply", "--yes"], 0).contains("1 updated"));
    assert_eq!(place.text("travels/tuesday").as_deref(), Some("snow\n"));

    place.run(&["destroy", "--yes"], 0);
    assert_eq!(std::fs::read_dir(place.shelf()).unwrap().count(), 0);
}

#[test]
fn a_name_somebody_else_has_is_found_before_anything_is_made() {
    // Somebody else's book is in the way of the second one.
    let place = Place::new(
        "
fabrik: 1
id: notes
resources:
  - { id: first, type: logbook.book, spec: { name: first } }
  - id: second
    type: logbook.entry
    spec: { book: \"${first.name}\", title: page, text: \"\" }
  - id: third
    type: logbook.book
    spec: { name: theirs }
    depends_on: [second]
",
    );
    place.run(&["validate"], 0);
    std::fs::create_dir(place.shelf().join("theirs")).unwrap();
    let refused = place.run(&["apply", "--yes"], 1);
    assert!(refused.contains("theirs"), "{refused}");
    let left: Vec<_> = std::fs::read_dir(place.shelf())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["theirs"]);
}

#[test]
fn what_the_configuration_needs_is_said() {
    let place = Place::new(NOTES);
    std::fs::remove_dir(place.shelf()).unwrap();
    let refused = place.run(&["plan"], 1);
    assert!(refused.contains("there is no shelf"), "{refused}");
    assert!(refused.contains("LOGBOOK_SHELF"), "{refused}");
}

#[test]
fn its_documentation_comes_from_its_structs() {
    let place = Place::new(NOTES);
    let docs = place.run(&["docs", "logbook.entry"], 0);
    // Lines are broken to fit the terminal.
    let docs: Vec<&str> = docs.split_whitespace().collect();
    let docs = docs.join(" ");
    assert!(docs.contains("The name of the book it is in."), "{docs}");
}

/// Reads books aloud: `/BOOK/PATH` is there when the book's entry `health` says so, and any other
/// page of a book is its entry `program`.
fn reader(shelf: PathBuf) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            _ = read_aloud(stream.unwrap(), &shelf);
        }
    });
    url
}

fn read_aloud(mut stream: std::net::TcpStream, shelf: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (book, page) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or_default();
    let entry = |title: &str| std::fs::read_to_string(shelf.join(book).join(title));
    let (status, body) = match (entry("program.txt"), entry("health.txt")) {
        (Ok(_), Ok(health)) if health == format!("/{page}") => ("200 OK", "well".to_owned()),
        (Ok(program), Ok(_)) => ("200 OK", program),
        _ => ("404 Not Found", "no such book".to_owned()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all((head + &body).as_bytes())
}

/// The spec of a template, which knows nothing of this crate, runs here as it does elsewhere.
#[test]
fn an_app_of_a_template_runs_here() {
    let place = Place::new("");
    std::fs::remove_file(place.0.path().join("fabrik.yaml")).unwrap();
    let new = [
        "new",
        "python-api",
        "demo",
        "--domain=demo.localhost",
        "--repo=example/demo",
    ];
    place.run(&new, 0);
    let path = place.0.path().join("demo/fabrik.yaml");
    let spec = std::fs::read_to_string(&path).unwrap();
    let reader = reader(place.shelf());
    let on = |own: &str| {
        let text = format!("    kind: service\n    on: logbook\n    logbook: {own}\n");
        std::fs::write(&path, spec.replacen("    kind: service\n", &text, 1)).unwrap();
    };

    on(&format!("{{ reader: \"{reader}\", page: 2 }}"));
    let refused = place.run(&["validate", "demo"], 65);
    assert!(refused.contains("did you mean `pages`?"), "{refused}");

    on(&format!("{{ reader: \"{reader}\", pages: 2 }}"));
    let told = place.run(&["apply", "demo", "--yes"], 0);
    assert!(told.contains("\u{2713} apps.demo.health"), "{told}");
    assert!(told.ends_with(&format!("{reader}/demo-app\n")), "{told}");
    let program = place.text("demo-app/program").unwrap();
    assert!(program.contains("LOG_LEVEL=info\npages: 2\n"), "{program}");
    place.run(&["plan", "demo", "--detailed-exitcode"], 0);

    // It does not do what it should: what the run wrote is as it was before.
    on(&format!("{{ reader: \"{reader}\", pages: 3 }}"));
    let spec = std::fs::read_to_string(&path).unwrap();
    let verified =
        "health: /healthz\n    verify: [{ http: /, contains: no such text, within: 1s }]";
    std::fs::write(&path, spec.replace("health: /healthz", verified)).unwrap();
    let failed = place.run(&["apply", "demo", "--yes"], 6);
    assert!(failed.contains("no such text"), "{failed}");
    assert_eq!(place.text("demo-app/program").unwrap(), program);
}

//! `fabrik` with the provider `logbook`, run in this process.

use std::collections::BTreeMap;
use std::io::Write;
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

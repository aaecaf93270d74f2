//! The conformance suite on a folder of its own; `cargo test` runs it. A case alone:
//! `cargo test --test conformance -- R4`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use fabrik_testkit::{Target, Wire};
use serde_json::{Map, Value as Json, json};

/// A folder that is empty at first. A provider of a service has a fake of the service here instead.
struct Folder(tempfile::TempDir);

impl Folder {
    fn start() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, id: &str) -> PathBuf {
        self.0.path().join(format!("{id}.txt"))
    }

    /// Somebody writes a file by hand.
    fn write(&self, id: &str, text: &str) {
        std::fs::write(self.file(id), text).unwrap();
    }

    /// Somebody deletes a file by hand.
    fn remove(&self, id: &str) {
        std::fs::remove_file(self.file(id)).unwrap();
    }

    fn files(&self) -> Map<String, Json> {
        let mut found = Map::new();
        for entry in self.0.path().read_dir().unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            found.insert(
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                text.into(),
            );
        }
        found
    }
}

impl Target for Folder {
    // Nothing is reached over the network.
    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    fn wire(&self) -> Wire {
        Wire::Direct
    }

    fn config(&self, _: SocketAddr) -> Json {
        json!({"folder": self.0.path()})
    }

    fn dump(&self) -> Json {
        Json::Object(self.files())
    }

    fn count(&self, _: &str) -> usize {
        self.files().len()
    }
}

fn main() -> ExitCode {
    fabrik_testkit::suite("acme", fabrik_provider_acme::provider)
        .target(Folder::start)
        .resource("acme.note", |r| {
            r.minimal(json!({"name": "least"}))
                .maximal(json!({"name": "note", "text": "bread, milk"}))
                .update(json!({"text": "bread, milk, salt"}))
                .replace("name", json!("other"))
                .invalid("name", json!("../x"), "^[a-z0-9-]+$")
                .drift("text", |folder, id| folder.write(id, "by hand"))
                .gone(Folder::remove)
                .foreign(|folder| folder.write("note", "theirs"))
                .opaque_ids()
                .many(12, |n| json!({"name": format!("note-{n}")}))
                .waive("L6", "a file has nothing but its text")
                .waive("D4", "a file has nothing but its text")
                .waive("R12", "a file takes any text")
        })
        .run()
}

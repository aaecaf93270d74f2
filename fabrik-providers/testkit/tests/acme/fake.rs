//! Acme: a service for notes in folders, over HTTP.
//!
//! It assigns ids to notes, keeps any mark it is given, does not tell notes of one title apart,
//! keeps names of folders in lower case and has each once, and shows ten notes on a page.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fabrik_testkit::Target;
use fabrik_testkit::serve::{Reply, Request, Server};
use serde_json::{Map, Value as Json, json};

pub(crate) const TOKEN: &str = "acme-token-51f0c2";
const PAGE: usize = 10;

#[derive(Default)]
struct State {
    notes: Vec<Json>,
    folders: Vec<Json>,
    next: u64,
    purged: u64,
    read_only: bool,
    /// Reads of a note until it is ready.
    slow: u64,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

impl Shared {
    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) struct Acme {
    state: Shared,
    server: Server,
}

fn problem(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"message": message})).header("x-request-id", "acme-1")
}

fn merge(there: &mut Json, changes: &Json) {
    let (Some(there), Some(changes)) = (there.as_object_mut(), changes.as_object()) else {
        return;
    };
    for (key, value) in changes {
        if value.is_null() {
            there.remove(key);
        } else {
            there.insert(key.clone(), value.clone());
        }
    }
}

/// Secrets are taken and never shown.
fn shown(note: &Json) -> Json {
    let mut note = note.clone();
    if let Some(map) = note.as_object_mut() {
        map.remove("password");
    }
    note
}

fn answer(state: &mut State, request: &Request) -> Reply {
    let bearer = format!("Bearer {TOKEN}");
    if request.header("authorization") != Some(bearer.as_str())
        && request.param("token") != Some(TOKEN)
    {
        return problem(401, "Unauthenticated.");
    }
    if request.is_write() && state.read_only {
        return Reply::json(
            403,
            &json!({"message": "Forbidden.", "missing": "notes:write"}),
        );
    }
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let body = request.json().unwrap_or_else(|| json!({}));
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["me"]) => Reply::json(200, &json!({"name": "me"})),
        ("POST", ["purge"]) => {
            state.purged += 1;
            Reply::json(200, &json!({"purged": body["what"]}))
        }
        ("GET", ["notes"]) => {
            let marked = request.param("ref").map(str::to_owned);
            let all: Vec<Json> = state
                .notes
                .iter()
                .filter(|note| marked.as_ref().is_none_or(|mark| note["ref"] == **mark))
                .map(shown)
                .collect();
            let page: usize = request
                .param("page")
                .and_then(|page| page.parse().ok())
                .unwrap_or(1);
            let part: Vec<&Json> = all.iter().skip((page - 1) * PAGE).take(PAGE).collect();
            Reply::json(
                200,
                &json!({"notes": part, "more": all.len() > page * PAGE}),
            )
        }
        ("POST", ["notes"]) => {
            if body["title"] == "banned" {
                let errors = json!({"message": "Invalid.", "errors": {"title": "is banned here"}});
                return Reply::json(422, &errors);
            }
            state.next += 1;
            let mut note = body;
            note["id"] = json!(format!("n-{}", state.next));
            note["public"] = json!(false);
            note["waits"] = json!(state.slow);
            state.notes.push(note.clone());
            Reply::json(201, &shown(&note))
        }
        (method, ["notes", id, rest @ ..]) => {
            let Some(at) = state.notes.iter().position(|note| note["id"] == *id) else {
                return problem(404, "No such note.");
            };
            let note = &mut state.notes[at];
            match (method, rest) {
                ("GET", []) => {
                    let waits = note["waits"].as_u64().unwrap_or_default();
                    note["waits"] = json!(waits.saturating_sub(1));
                    Reply::json(200, &shown(note))
                }
                ("PATCH", []) => {
                    merge(note, &body);
                    Reply::json(200, &shown(note))
                }
                ("PUT", []) => {
                    let mut new = body;
                    for kept in ["id", "ref", "public", "waits"] {
                        new[kept] = note[kept].clone();
                    }
                    *note = new;
                    Reply::json(200, &shown(note))
                }
                ("POST", ["publish"]) => {
                    note["public"] = json!(true);
                    Reply::empty(204)
                }
                ("DELETE", []) => {
                    state.notes.remove(at);
                    Reply::empty(204)
                }
                _ => problem(405, "Method not allowed."),
            }
        }
        ("POST", ["folders"]) => {
            let name = body["name"].as_str().unwrap_or_default().to_lowercase();
            if state.folders.iter().any(|folder| folder["name"] == name) {
                return problem(409, "The name has already been taken.");
            }
            let mut folder = body;
            folder["name"] = json!(name);
            state.folders.push(folder.clone());
            Reply::json(201, &folder)
        }
        (method, ["folders", name]) => {
            let name = name.to_lowercase();
            let at = state
                .folders
                .iter()
                .position(|folder| folder["name"] == name);
            let Some(at) = at else {
                return problem(404, "No such folder.");
            };
            match method {
                "GET" => Reply::json(200, &state.folders[at]),
                "PATCH" => {
                    merge(&mut state.folders[at], &body);
                    Reply::json(200, &state.folders[at])
                }
                "DELETE" => {
                    state.folders.remove(at);
                    Reply::empty(204)
                }
                _ => problem(405, "Method not allowed."),
            }
        }
        _ => problem(404, "No such route."),
    }
}

impl Acme {
    pub(crate) fn start() -> Acme {
        let state = Shared::default();
        let kept = state.clone();
        let server = Server::start(move |request| kept.with(|state| answer(state, request)));
        Acme { state, server }
    }

    pub(crate) fn edit(&self, id: &str, field: &str, value: Json) {
        self.state.with(|state| {
            let all = state.notes.iter_mut().chain(&mut state.folders);
            let mut found = all.filter(|one| one["id"] == *id || one["name"] == *id);
            let one = found.next().expect("an object of that id");
            merge(
                one,
                &Json::Object(Map::from_iter([(field.to_owned(), value)])),
            );
        });
    }

    pub(crate) fn remove(&self, id: &str) {
        self.state.with(|state| {
            state.notes.retain(|note| note["id"] != *id);
            state.folders.retain(|folder| folder["name"] != *id);
        });
    }

    pub(crate) fn add_folder(&self, folder: Json) {
        self.state.with(|state| state.folders.push(folder));
    }

    pub(crate) fn make_read_only(&self) {
        self.state.with(|state| state.read_only = true);
    }

    pub(crate) fn make_slow(&self) {
        self.state.with(|state| state.slow = 20);
    }
}

impl Target for Acme {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn config(&self, at: SocketAddr) -> Json {
        json!({"endpoint": format!("http://{at}"), "token": TOKEN})
    }

    fn dump(&self) -> Json {
        self.state
            .with(|state| json!({"notes": state.notes, "folders": state.folders}))
    }

    fn count(&self, type_name: &str) -> usize {
        self.state.with(|state| match type_name {
            "acme.note" => state.notes.len(),
            _ => state.folders.len(),
        })
    }
}

/// How long a poll of something slow waits.
pub(crate) const POLL: Duration = Duration::from_secs(2);

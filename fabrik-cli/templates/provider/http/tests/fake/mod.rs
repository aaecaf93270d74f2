//! Acme on loopback: a stateful fake that follows Acme's documentation, its oddities included. It
//! must not do what would be nice for our client, but what the service does.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use fabrik_testkit::Target;
use fabrik_testkit::serve::{Reply, Request, Server};
use serde_json::{Map, Value as Json, json};

/// The token that Acme takes.
const TOKEN: &str = "acme-token-5d1f77c0";
/// Notes on a page.
const PAGE: usize = 5;

/// What Acme has.
#[derive(Default)]
struct State {
    notes: BTreeMap<String, Map<String, Json>>,
    made: u32,
    scopes: BTreeSet<String>,
}

/// A running Acme.
pub struct Fake {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// Starts one that is empty.
    pub fn start() -> Fake {
        let state = Arc::new(Mutex::new(State::default()));
        let scopes = ["notes:read", "notes:write"].map(str::to_owned);
        state.lock().unwrap().scopes.extend(scopes);
        let answering = state.clone();
        Fake {
            server: Server::start(move |request| answering.lock().unwrap().answer(request)),
            state,
        }
    }

    /// Somebody changes a field by hand.
    pub fn edit(&self, id: &str, field: &str, value: Json) {
        let mut state = self.state();
        let note = state.notes.get_mut(id).expect("the note is there");
        note.insert(field.to_owned(), value);
    }

    /// Somebody deletes a note by hand.
    pub fn remove(&self, id: &str) {
        self.state().notes.remove(id);
    }

    /// Somebody makes a note by hand.
    pub fn add(&self, folder: &str, title: &str) {
        let body = json!({"folder": folder, "title": title});
        self.state().create(body.as_object().unwrap());
    }

    /// Takes a scope from the token.
    pub fn drop_scope(&self, scope: &str) {
        self.state().scopes.remove(scope);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Target for Fake {
    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn config(&self, at: SocketAddr) -> Json {
        json!({"endpoint": format!("http://{at}/v1"), "token": TOKEN})
    }

    fn dump(&self) -> Json {
        json!(self.state().notes)
    }

    fn count(&self, _: &str) -> usize {
        self.state().notes.len()
    }
}

fn refuse(status: u16, code: &str, message: &str, more: (&str, &str)) -> Reply {
    let mut error = json!({"code": code, "message": message});
    if !more.0.is_empty() {
        error[more.0] = more.1.into();
    }
    Reply::json(status, &json!({"error": error}))
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refuse(401, "unauthorized", "Unknown token.", ("", ""));
        }
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        if path == ["v1", "me"] {
            return Reply::json(200, &json!({"name": "ana", "scopes": self.scopes}));
        }
        let scope = if request.is_write() {
            "notes:write"
        } else {
            "notes:read"
        };
        if !self.scopes.contains(scope) {
            return refuse(403, "missing_scope", "Not allowed.", ("scope", scope));
        }
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["v1", "notes"]) => self.page(request),
            ("POST", ["v1", "notes"]) => self.checked(None, request, State::create),
            ("GET", ["v1", "notes", id]) => self.show(200, id),
            ("PATCH", ["v1", "notes", id]) if self.notes.contains_key(*id) => {
                self.checked(Some(id), request, |state, body| {
                    let note = state.notes.get_mut(*id).expect("just seen");
                    note.extend(body.clone());
                    note.retain(|_, value| !value.is_null());
                    state.show(200, id)
                })
            }
            ("DELETE", ["v1", "notes", id]) if self.notes.remove(*id).is_some() => {
                Reply::empty(204)
            }
            _ => refuse(404, "not_found", "There is no such thing.", ("", "")),
        }
    }

    /// What Acme checks of a body before it does anything.
    fn checked(
        &mut self,
        id: Option<&str>,
        request: &Request,
        act: impl FnOnce(&mut State, &Map<String, Json>) -> Reply,
    ) -> Reply {
        let Some(Json::Object(body)) = request.json() else {
            return refuse(400, "invalid", "The body is not a JSON object.", ("", ""));
        };
        let known = ["folder", "title", "text", "tags", "password"];
        if let Some(field) = body.keys().find(|field| !known.contains(&field.as_str())) {
            return refuse(422, "invalid", "There is no such field.", ("field", field));
        }
        let there = id.and_then(|id| self.notes.get(id));
        let of = |field: &str| {
            let value = body.get(field).or_else(|| there?.get(field));
            value.and_then(Json::as_str).unwrap_or_default().to_owned()
        };
        let (folder, title) = (of("folder"), of("title"));
        if title.is_empty() || title.chars().count() > 200 {
            return refuse(
                422,
                "invalid",
                "A title has 1 to 200 characters.",
                ("field", "title"),
            );
        }
        let tags = body.get("tags").and_then(Json::as_array);
        let spaced = |tag: &Json| tag.as_str().is_some_and(|tag| tag.contains(' '));
        if tags.is_some_and(|tags| tags.iter().any(spaced)) {
            return refuse(422, "invalid", "A tag has no spaces.", ("field", "tags"));
        }
        if there.is_some() && body.contains_key("folder") {
            return refuse(422, "invalid", "A note cannot move.", ("field", "folder"));
        }
        let taken = self.notes.iter().any(|(other, note)| {
            Some(other.as_str()) != id && note["folder"] == folder && note["title"] == title
        });
        if taken {
            let text = format!("There is a note `{title}` in `{folder}` already.");
            return refuse(409, "title_taken", &text, ("", ""));
        }
        act(self, &body)
    }

    fn create(&mut self, body: &Map<String, Json>) -> Reply {
        self.made += 1;
        let id = format!("n{:04}", self.made);
        self.notes.insert(id.clone(), body.clone());
        self.show(201, &id)
    }

    fn show(&self, status: u16, id: &str) -> Reply {
        match self.notes.get(id) {
            Some(note) => Reply::json(status, &shown(id, note)),
            None => refuse(404, "not_found", "There is no such note.", ("", "")),
        }
    }

    fn page(&self, request: &Request) -> Reply {
        let page: usize = request
            .param("page")
            .map_or(1, |page| page.parse().unwrap_or(1));
        let fits = |field: &str, note: &Map<String, Json>| {
            request
                .param(field)
                .is_none_or(|wanted| note[field] == wanted)
        };
        let all: Vec<Json> = self
            .notes
            .iter()
            .filter(|(_, note)| fits("folder", note) && fits("title", note))
            .map(|(id, note)| shown(id, note))
            .collect();
        let notes: Vec<&Json> = all.iter().skip((page - 1) * PAGE).take(PAGE).collect();
        let next = (all.len() > page * PAGE).then_some(page + 1);
        Reply::json(200, &json!({"notes": notes, "next_page": next}))
    }
}

/// A note as Acme shows it: without its password.
fn shown(id: &str, note: &Map<String, Json>) -> Json {
    let mut shown = note.clone();
    shown.remove("password");
    shown.insert("id".to_owned(), id.into());
    shown.insert(
        "url".to_owned(),
        format!("https://acme.example/{id}").into(),
    );
    Json::Object(shown)
}

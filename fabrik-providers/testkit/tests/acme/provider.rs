//! The provider `acme`, and what can be wrong with it.

use std::sync::Arc;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{
    Action, Change, Created, Found, Lookup, Observed, ProviderBuilder, ReadAnswer, Resource,
};
use fabrik_core::provider::{Cx, Keys, Lost, Object, OpId, Planned, Proposal, Provider, TypeInfo};
use fabrik_core::value::{Path, Value, from_json};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::broken::{Broken, misdeclare};
use super::client::Client;
use super::fake::POLL;
use super::has;

/// How to reach Acme.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Where it is: `http://HOST:PORT`.
    endpoint: String,
    /// The token.
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "ACME_TOKEN"}))]
    token: String,
}

/// A note in a folder.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoteSpec {
    /// The folder; a note cannot move.
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    folder: String,
    /// Its title.
    #[schemars(length(min = 1, max = 120), example = &"Shopping")]
    title: String,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// Its colour, in small letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"same": "lower"}, "pattern" = "^[A-Za-z]+$"))]
    shade: Option<String>,
    /// Its tags, in no order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    tags: Vec<String>,
    /// What opens it; never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sensitive": true, "write_only": true}))]
    password: Option<String>,
}

/// What Acme tells of a note.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct NoteOut {
    /// Where it is shown.
    url: String,
}

struct Note(&'static str);

fn note(spec: &NoteSpec, op: Option<OpId>) -> Json {
    let mut json = serde_json::to_value(spec).unwrap_or_default();
    if let Some(shade) = &spec.shade {
        json["shade"] = json!(shade.to_lowercase());
    }
    if let Some(op) = op {
        json["ref"] = json!(op.to_string());
    }
    json
}

fn out(id: &str) -> NoteOut {
    NoteOut {
        url: format!("https://acme.test/n/{id}"),
    }
}

fn observed(mut json: Json) -> Result<(String, Observed<NoteSpec, NoteOut>)> {
    let id = json["id"].as_str().unwrap_or_default().to_owned();
    if let Some(map) = json.as_object_mut() {
        let fields = ["folder", "title", "body", "shade", "tags"];
        map.retain(|key, _| fields.contains(&key.as_str()));
    }
    let spec: NoteSpec = serde_json::from_value(json)
        .map_err(|_| Error::new(ErrorKind::Misbehaved, "a note is not what was agreed"))?;
    Ok((
        id.clone(),
        Observed::new(spec, out(&id)).hidden(&["password"]),
    ))
}

fn gone() -> Error {
    Error::new(ErrorKind::NotFound, "the note is gone")
}

impl Resource for Note {
    const TYPE: &'static str = "acme.note";
    type Client = Client;
    type Spec = NoteSpec;
    type Outputs = NoteOut;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            version: 2,
            ..info
        }
    }

    async fn create(&self, cx: &Cx, c: &Client, s: &NoteSpec) -> Result<Created<NoteOut>> {
        let body = note(s, Some(cx.op()?));
        let made = c
            .send(cx, Method::POST, "/notes", "/notes", Some(&body))
            .await?;
        let id = made.unwrap_or_default()["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if !c.is("no checkpoint") {
            let object = Object {
                id: id.clone(),
                inputs: from_json(&note(s, None)),
                ..Object::default()
            };
            cx.made(object).await?;
        }
        if c.is("crowds the service") {
            let path = format!("/notes/{id}");
            let one = || c.send(cx, Method::GET, "/notes/{id}", &path, None);
            let _ = tokio::join!(
                one(),
                one(),
                one(),
                one(),
                one(),
                one(),
                one(),
                one(),
                one()
            );
        }
        let path = format!("/notes/{id}/publish");
        c.send(cx, Method::POST, "/notes/{id}/publish", &path, None)
            .await?;
        // It becomes ready after a while.
        loop {
            let path = format!("/notes/{id}");
            let now = c.send(cx, Method::GET, "/notes/{id}", &path, None).await?;
            // It may not show at once.
            let waits = now.map_or(1, |note| note["waits"].as_u64().unwrap_or_default());
            if waits == 0 {
                break;
            }
            if !c.is("says nothing") {
                cx.note(format!("waiting for the note, {waits} to go"));
            }
            cx.sleep(POLL).await?;
        }
        Ok(Created::new(id.clone(), out(&id)))
    }

    async fn read(&self, cx: &Cx, c: &Client, id: &str) -> ReadAnswer<NoteSpec, NoteOut> {
        if !id.starts_with("n-") {
            let error = Error::new(ErrorKind::Invalid, format!("`{id}` is no id of a note"));
            if c.is("no shape of ids") {
                return Err(error);
            }
            return Err(error.hint("an id looks like n-17"));
        }
        let path = format!("/notes/{id}");
        let found = c.send(cx, Method::GET, "/notes/{id}", &path, None).await?;
        found.map(|json| Ok(observed(json)?.1)).transpose()
    }

    async fn update(
        &self,
        cx: &Cx,
        c: &Client,
        id: &str,
        change: &Change<'_, NoteSpec>,
    ) -> Result<NoteOut> {
        let wanted = note(change.spec, None);
        let path = format!("/notes/{id}");
        let sent = if c.is("replaces all") {
            c.send(cx, Method::PUT, "/notes/{id}", &path, Some(&wanted))
                .await?
        } else {
            let mut patch = json!({});
            for field in &change.changed {
                let value = wanted.get(field).cloned().unwrap_or_default();
                if !(value.is_null() && c.is("keeps what is unset")) {
                    patch[field] = value;
                }
            }
            c.send(cx, Method::PATCH, "/notes/{id}", &path, Some(&patch))
                .await?
        };
        sent.ok_or_else(gone)?;
        Ok(out(id))
    }

    async fn delete(&self, cx: &Cx, c: &Client, id: &str) -> Result<()> {
        let path = format!("/notes/{id}");
        let sent = c
            .send(cx, Method::DELETE, "/notes/{id}", &path, None)
            .await?;
        if sent.is_none() && c.is("gone is an error") {
            return Err(gone());
        }
        Ok(())
    }

    fn keys(&self, c: &Client, _: &Value) -> Keys {
        let _ = c;
        Keys {
            read_group: Some("notes".into()),
            ..Keys::default()
        }
    }

    async fn plan(&self, cx: &Cx, c: &Client, proposal: Proposal<'_>) -> Result<Planned> {
        let title = proposal.desired.get("title");
        assert!(
            !(c.is("panics at unknowns") && title.is_some_and(Value::has_unknown)),
            "the title is needed"
        );
        if c.is("plans by writing") && proposal.observed.is_some() {
            let body = json!({"what": "plan"});
            c.send(cx, Method::POST, "/purge", "/purge", Some(&body))
                .await?;
        }
        let mut planned = Planned {
            inputs: proposal.desired.clone(),
            ..Planned::default()
        };
        if c.is("replaces for a title") {
            let path = Path::key("title");
            let before = proposal
                .last_sent
                .and_then(|object| object.inputs.at(&path));
            if before.is_some_and(|before| Some(&before) != title) {
                planned.replace.push(path);
            }
        }
        Ok(planned)
    }

    async fn locate(
        &self,
        cx: &Cx,
        c: &Client,
        op: OpId,
        _: &NoteSpec,
    ) -> Result<Option<Found<NoteSpec, NoteOut>>> {
        let path = format!("/notes?ref={op}");
        let found = c.send(cx, Method::GET, "/notes", &path, None).await?;
        let first = found.unwrap_or_default()["notes"][0].clone();
        if first.is_null() {
            return Ok(None);
        }
        let (id, observed) = observed(first)?;
        Ok(Some(Found {
            id,
            observed,
            marked: true,
        }))
    }

    async fn read_many(
        &self,
        cx: &Cx,
        c: &Client,
        ids: &[String],
    ) -> Vec<ReadAnswer<NoteSpec, NoteOut>> {
        if ids.len() == 1 || c.is("reads one by one") {
            let mut all = Vec::new();
            for id in ids {
                all.push(self.read(cx, c, id).await);
            }
            return all;
        }
        match self.list(cx, c).await {
            Ok(found) => ids
                .iter()
                .map(|id| {
                    let one = found.iter().find(|one| one.id == *id);
                    Ok(one.map(|one| one.observed.clone()))
                })
                .collect(),
            Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn list(&self, cx: &Cx, c: &Client) -> Result<Vec<Found<NoteSpec, NoteOut>>> {
        let mut all = Vec::new();
        for page in 1.. {
            let path = format!("/notes?page={page}");
            let json = c
                .send(cx, Method::GET, "/notes", &path, None)
                .await?
                .unwrap_or_default();
            for one in json["notes"].as_array().into_iter().flatten() {
                let (id, observed) = observed(one.clone())?;
                all.push(Found {
                    id,
                    observed,
                    marked: false,
                });
            }
            if json["more"] != true || c.is("reads the first page") {
                break;
            }
        }
        Ok(all)
    }

    fn upgrade(&self, _: u32, stored: Object) -> Result<Object> {
        if has(self.0, "upgrades nothing") {
            return Ok(stored);
        }
        // Version 1 called the title `name`.
        let path = Path::key("name");
        Ok(match stored.inputs.at(&path) {
            Some(name) => Object {
                inputs: stored.inputs.without(&path).with(&Path::key("title"), name),
                ..stored
            },
            None => stored,
        })
    }
}

/// A folder, of which each name is there once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FolderSpec {
    /// Its name, without regard to case.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "lower"}, "pattern" = "^[A-Za-z0-9-]*$"))]
    name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

/// What Acme tells of a folder.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct FolderOut {}

struct Folder;

impl Resource for Folder {
    const TYPE: &'static str = "acme.folder";
    type Client = Client;
    type Spec = FolderSpec;
    type Outputs = FolderOut;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            ..info
        }
    }

    async fn create(&self, cx: &Cx, c: &Client, s: &FolderSpec) -> Result<Created<FolderOut>> {
        let body = serde_json::to_value(s).unwrap_or_default();
        c.send(cx, Method::POST, "/folders", "/folders", Some(&body))
            .await?;
        Ok(Created::new(s.name.to_lowercase(), FolderOut {}))
    }

    async fn read(&self, cx: &Cx, c: &Client, id: &str) -> ReadAnswer<FolderSpec, FolderOut> {
        let path = format!("/folders/{id}");
        let found = c
            .send(cx, Method::GET, "/folders/{name}", &path, None)
            .await?;
        let Some(json) = found else { return Ok(None) };
        let text = |key: &str| json[key].as_str().map(str::to_owned);
        let spec = FolderSpec {
            name: text("name").unwrap_or_default(),
            purpose: text("purpose"),
        };
        Ok(Some(Observed::new(spec, FolderOut {})))
    }

    async fn update(
        &self,
        cx: &Cx,
        c: &Client,
        id: &str,
        change: &Change<'_, FolderSpec>,
    ) -> Result<FolderOut> {
        let path = format!("/folders/{id}");
        let patch = json!({"purpose": change.spec.purpose});
        let sent = c
            .send(cx, Method::PATCH, "/folders/{name}", &path, Some(&patch))
            .await?;
        sent.map(|_| FolderOut {}).ok_or_else(gone)
    }

    async fn delete(&self, cx: &Cx, c: &Client, id: &str) -> Result<()> {
        let path = format!("/folders/{id}");
        c.send(cx, Method::DELETE, "/folders/{name}", &path, None)
            .await
            .map(drop)
    }

    async fn locate(
        &self,
        cx: &Cx,
        c: &Client,
        _: OpId,
        spec: &FolderSpec,
    ) -> Result<Option<Found<FolderSpec, FolderOut>>> {
        let id = spec.name.to_lowercase();
        let found = self.read(cx, c, &id).await?;
        Ok(found.map(|observed| Found {
            id,
            observed,
            marked: false,
        }))
    }
}

/// Which note.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindSpec {
    /// Its id.
    id: String,
}

/// What was found.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct FindOut {
    /// Its title.
    title: String,
}

struct Find;

impl Lookup for Find {
    const TYPE: &'static str = "acme.find";
    type Client = Client;
    type Spec = FindSpec;
    type Outputs = FindOut;

    async fn find(&self, cx: &Cx, c: &Client, spec: &FindSpec) -> Result<(String, FindOut)> {
        let path = format!("/notes/{}", spec.id);
        let found = c.send(cx, Method::GET, "/notes/{id}", &path, None).await?;
        let kind = if c.is("nothing is a bug") {
            ErrorKind::Misbehaved
        } else {
            ErrorKind::NotFound
        };
        let json = found.ok_or_else(|| Error::new(kind, "there is no such note"))?;
        let title = json["title"].as_str().unwrap_or_default().to_owned();
        Ok((spec.id.clone(), FindOut { title }))
    }
}

/// What to purge.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PurgeSpec {
    /// Of what.
    what: String,
}

/// What was purged.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct PurgeOut {
    /// Of what.
    purged: String,
}

struct Purge;

impl Action for Purge {
    const TYPE: &'static str = "acme.purge";
    type Client = Client;
    type Spec = PurgeSpec;
    type Outputs = PurgeOut;

    async fn run(&self, cx: &Cx, c: &Client, spec: &PurgeSpec) -> Result<PurgeOut> {
        let body = json!({"what": spec.what});
        let method = if c.is("acts by reading") {
            Method::GET
        } else {
            Method::POST
        };
        let path = if c.is("acts by reading") {
            "/me"
        } else {
            "/purge"
        };
        c.send(cx, method, path, path, Some(&body)).await?;
        Ok(PurgeOut {
            purged: spec.what.clone(),
        })
    }
}

/// The provider with a bug; none for an empty text.
pub(crate) fn provider(bug: &'static str) -> Broken {
    let open = move |cx: &Cx, config: Config| {
        let cx = cx.clone();
        async move {
            let at = config
                .endpoint
                .strip_prefix("http://")
                .unwrap_or(&config.endpoint);
            let endpoint = at.parse().map_err(|_| {
                Error::new(ErrorKind::Invalid, "`endpoint` is not an address")
                    .field(Path::key("endpoint"))
            })?;
            let client = Client {
                endpoint,
                token: config.token,
                bug,
            };
            client.send(&cx, Method::GET, "/me", "/me", None).await?;
            Ok(client)
        }
    };
    let inner = ProviderBuilder::new("acme", "0.1.0", open)
        .resource(Note(bug))
        .resource(Folder)
        .lookup(Find)
        .action(Purge)
        .build();
    let mut info = inner.info().clone();
    for shared in &mut info.types {
        let mut kind = shared.as_ref().clone();
        if &*kind.name == "acme.note" {
            for bug in bug.split('|') {
                misdeclare(&mut kind, bug);
            }
        }
        *shared = Arc::new(kind);
    }
    Broken {
        info,
        inner: Box::new(inner),
        bug,
    }
}

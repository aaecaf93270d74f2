//! `acme.note`.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Lost, OpId, TypeInfo};
use fabrik_core::secrets::Secret;
use fabrik_http::Next;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::client::AcmeClient;

/// A note in a folder.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteSpec {
    /// The folder it is in. A note cannot move: another folder is another note.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub folder: String,
    /// Its title, unique in the folder.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its tags, in no order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub tags: Vec<String>,
    /// Who has it may read the note. Acme never shows it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sensitive": true, "write_only": true}))]
    pub password: Option<Secret>,
}

/// What Acme tells of a note.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NoteOutputs {
    /// Its page.
    pub url: String,
}

/// `acme.note`: a note in a folder.
#[derive(Clone, Copy, Debug)]
pub struct Note;

/// A note as Acme writes it.
#[derive(Debug, Deserialize)]
struct Wire {
    id: String,
    folder: String,
    title: String,
    text: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    url: String,
}

/// A page of notes.
#[derive(Debug, Deserialize)]
struct Page {
    notes: Vec<Wire>,
    next_page: Option<u32>,
}

impl Wire {
    fn outputs(&self) -> NoteOutputs {
        NoteOutputs {
            url: self.url.clone(),
        }
    }

    fn observed(self) -> Observed<NoteSpec, NoteOutputs> {
        let outputs = self.outputs();
        let spec = NoteSpec {
            folder: self.folder,
            title: self.title,
            text: self.text,
            tags: self.tags,
            password: None,
        };
        // What the service does not show counts as it was last sent.
        Observed::new(spec, outputs).hidden(&["password"])
    }

    fn found(self) -> Found<NoteSpec, NoteOutputs> {
        Found {
            id: self.id.clone(),
            observed: self.observed(),
            marked: false,
        }
    }
}

impl Resource for Note {
    const TYPE: &'static str = "acme.note";
    type Client = AcmeClient;
    type Spec = NoteSpec;
    type Outputs = NoteOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            // When the reply to a create is lost, the note is found by folder and title; two of
            // the same cannot be, so a replacement deletes first.
            lost: Lost::Name,
            exclusive: true,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        client: &AcmeClient,
        spec: &NoteSpec,
    ) -> Result<Created<NoteOutputs>> {
        let made: Wire = client.http.post(cx, "/notes").body(spec).json().await?;
        Ok(Created::new(made.id.clone(), made.outputs()))
    }

    async fn read(
        &self,
        cx: &Cx,
        client: &AcmeClient,
        id: &str,
    ) -> Result<Option<Observed<NoteSpec, NoteOutputs>>> {
        // Gone (404) is `None`, not an error.
        let request = client.http.get(cx, "/notes/{note}").arg("note", id);
        let note: Option<Wire> = request.json_opt().await?;
        Ok(note.map(Wire::observed))
    }

    async fn update(
        &self,
        cx: &Cx,
        client: &AcmeClient,
        id: &str,
        change: &Change<'_, NoteSpec>,
    ) -> Result<NoteOutputs> {
        // Only what changed: everything else may be somebody's who works in Acme by hand.
        let wanted = serde_json::to_value(change.spec)
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        let body: Map<String, Json> = change
            .changed
            .iter()
            .map(|field| {
                (
                    field.clone(),
                    wanted.get(field).cloned().unwrap_or_default(),
                )
            })
            .collect();
        let request = client.http.patch(cx, "/notes/{note}").arg("note", id);
        // The same values once more do no harm, so the transport may repeat it.
        let note: Wire = request.idempotent().body(&body).json().await?;
        Ok(note.outputs())
    }

    async fn delete(&self, cx: &Cx, client: &AcmeClient, id: &str) -> Result<()> {
        let request = client.http.delete(cx, "/notes/{note}").arg("note", id);
        // Gone already is as good as deleted.
        request.ok_if(404).unit().await
    }

    async fn locate(
        &self,
        cx: &Cx,
        client: &AcmeClient,
        _: OpId,
        spec: &NoteSpec,
    ) -> Result<Option<Found<NoteSpec, NoteOutputs>>> {
        let request = client
            .http
            .get(cx, "/notes")
            .query("folder", &spec.folder)
            .query("title", &spec.title);
        let page: Page = request.json().await?;
        Ok(page.notes.into_iter().next().map(Wire::found))
    }

    async fn list(
        &self,
        cx: &Cx,
        client: &AcmeClient,
    ) -> Result<Vec<Found<NoteSpec, NoteOutputs>>> {
        let request = client.http.get(cx, "/notes");
        let notes = request
            .pages(|reply| {
                let page: Page = reply.json()?;
                let next = page.next_page;
                let next = next.map_or(Next::End, |page| Next::with("page", page));
                Ok((page.notes, next))
            })
            .await?;
        Ok(notes.into_iter().map(Wire::found).collect())
    }
}

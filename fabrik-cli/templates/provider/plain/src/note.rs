//! `acme.note`.

use std::io::{ErrorKind as Io, Write as _};
use std::path::PathBuf;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Lost, OpId, TypeInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AcmeClient;

/// A note: a file in the folder.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteSpec {
    /// Its name, and that of its file. Another name is another note.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What is known of a note.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NoteOutputs {
    /// Its file.
    pub path: String,
}

/// `acme.note`: a file in the folder.
#[derive(Clone, Copy, Debug)]
pub struct Note;

impl AcmeClient {
    /// The file of a note; `None` for an id that cannot be one, such as `../x`.
    fn file(&self, id: &str) -> Option<PathBuf> {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = !id.is_empty() && id.bytes().all(is_name);
        fits.then(|| self.folder.join(format!("{id}.txt")))
    }

    fn known(&self, id: &str) -> Result<PathBuf> {
        self.file(id).ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                format!("`{id}` cannot be the name of a note"),
            )
        })
    }

    fn look(&self, id: &str) -> Result<Option<Observed<NoteSpec, NoteOutputs>>> {
        let Some(file) = self.file(id) else {
            return Ok(None);
        };
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                let spec = NoteSpec {
                    name: id.to_owned(),
                    text: Some(text).filter(|text| !text.is_empty()),
                };
                Ok(Some(Observed::new(spec, outputs(file))))
            }
            // Gone is `None`, not an error.
            Err(error) if error.kind() == Io::NotFound => Ok(None),
            Err(error) => Err(failed("reading the note", &error)),
        }
    }
}

fn outputs(file: PathBuf) -> NoteOutputs {
    NoteOutputs {
        path: file.display().to_string(),
    }
}

/// Every write here is one call that happens or does not, so a failed one changed nothing.
fn failed(what: &str, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{what} failed"))
        .cause(error)
        .effect(Effect::None)
}

impl Resource for Note {
    const TYPE: &'static str = "acme.note";
    type Client = AcmeClient;
    type Spec = NoteSpec;
    type Outputs = NoteOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            // When it is not known whether a create happened, the note is found by its name; two
            // of the same cannot be, so a replacement deletes first.
            lost: Lost::Name,
            exclusive: true,
            import_id: "NAME".to_owned(),
            ..info
        }
    }

    async fn create(
        &self,
        _: &Cx,
        client: &AcmeClient,
        spec: &NoteSpec,
    ) -> Result<Created<NoteOutputs>> {
        let path = client.known(&spec.name)?;
        let mut file = match std::fs::File::create_new(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == Io::AlreadyExists => {
                let message = format!("there is a note `{}` already", spec.name);
                return Err(Error::new(ErrorKind::Conflict, message)
                    .hint("take it over with `fabrik import`, or choose another name"));
            }
            Err(error) => return Err(failed("making the note", &error)),
        };
        file.write_all(spec.text.as_deref().unwrap_or_default().as_bytes())
            .map_err(|error| failed("writing the note", &error).effect(Effect::Unknown))?;
        Ok(Created::new(&spec.name, outputs(path)))
    }

    async fn read(
        &self,
        _: &Cx,
        client: &AcmeClient,
        id: &str,
    ) -> Result<Option<Observed<NoteSpec, NoteOutputs>>> {
        client.look(id)
    }

    async fn update(
        &self,
        _: &Cx,
        client: &AcmeClient,
        id: &str,
        change: &Change<'_, NoteSpec>,
    ) -> Result<NoteOutputs> {
        let path = client.known(id)?;
        let text = change.spec.text.as_deref().unwrap_or_default();
        std::fs::write(&path, text).map_err(|error| failed("writing the note", &error))?;
        Ok(outputs(path))
    }

    async fn delete(&self, _: &Cx, client: &AcmeClient, id: &str) -> Result<()> {
        match std::fs::remove_file(client.known(id)?) {
            // Gone already is as good as deleted.
            Err(error) if error.kind() != Io::NotFound => Err(failed("removing the note", &error)),
            _ => Ok(()),
        }
    }

    async fn locate(
        &self,
        _: &Cx,
        client: &AcmeClient,
        _: OpId,
        spec: &NoteSpec,
    ) -> Result<Option<Found<NoteSpec, NoteOutputs>>> {
        let observed = client.look(&spec.name)?;
        Ok(observed.map(|observed| Found {
            id: spec.name.clone(),
            observed,
            marked: false,
        }))
    }

    async fn list(&self, _: &Cx, client: &AcmeClient) -> Result<Vec<Found<NoteSpec, NoteOutputs>>> {
        let entries = std::fs::read_dir(&client.folder)
            .map_err(|error| failed("reading the folder", &error))?;
        let names = entries.flatten().map(|entry| entry.path());
        let mut names: Vec<String> = names
            .filter(|path| path.extension().is_some_and(|end| end == "txt"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        names.sort();
        let mut found = Vec::new();
        for id in names {
            if let Some(observed) = client.look(&id)? {
                found.push(Found {
                    id,
                    observed,
                    marked: false,
                });
            }
        }
        Ok(found)
    }
}

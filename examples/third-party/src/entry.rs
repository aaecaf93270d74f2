//! `logbook.entry`.

use std::io::{ErrorKind as Io, Write as _};
use std::path::{Path, PathBuf};

use fabrik_core::error::Result;
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Lost, OpId, TypeInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{failed, taken};

/// An entry: a file in a book.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntrySpec {
    /// The name of the book it is in.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"), extend("x-fabrik" = {"replace": true}))]
    pub book: String,
    /// Its title, unique in the book.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"), extend("x-fabrik" = {"replace": true}))]
    pub title: String,
    /// What it says.
    pub text: String,
}

/// What is known of an entry.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EntryOutputs {
    /// Its file.
    pub path: String,
    /// Book and title.
    pub id: String,
}

/// `logbook.entry`: a file in a book.
#[derive(Clone, Copy, Debug)]
pub struct Entry;

impl Entry {
    fn observe(shelf: &Path, id: &str) -> Result<Option<Observed<EntrySpec, EntryOutputs>>> {
        let Some((book, title)) = id.split_once('/') else {
            return Ok(None);
        };
        match std::fs::read_to_string(file(shelf, id)) {
            Ok(text) => {
                let spec = EntrySpec {
                    book: book.to_owned(),
                    title: title.to_owned(),
                    text,
                };
                Ok(Some(Observed::new(spec, outputs(shelf, id))))
            }
            Err(error) if error.kind() == Io::NotFound => Ok(None),
            Err(error) => Err(failed("reading the entry", &error)),
        }
    }
}

fn id_of(spec: &EntrySpec) -> String {
    format!("{}/{}", spec.book, spec.title)
}

fn file(shelf: &Path, id: &str) -> PathBuf {
    shelf.join(format!("{id}.txt"))
}

fn outputs(shelf: &Path, id: &str) -> EntryOutputs {
    EntryOutputs {
        path: file(shelf, id).display().to_string(),
        id: id.to_owned(),
    }
}

impl Resource for Entry {
    const TYPE: &'static str = "logbook.entry";
    type Client = PathBuf;
    type Spec = EntrySpec;
    type Outputs = EntryOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            description: "An entry: a file in a book.".into(),
            lost: Lost::Name,
            exclusive: true,
            settle: std::time::Duration::ZERO,
            ..info
        }
    }

    async fn create(
        &self,
        _: &Cx,
        shelf: &PathBuf,
        spec: &EntrySpec,
    ) -> Result<Created<EntryOutputs>> {
        let id = id_of(spec);
        let mut file = match std::fs::File::create_new(file(shelf, &id)) {
            Ok(file) => file,
            Err(error) if error.kind() == Io::AlreadyExists => return Err(taken("entry", &id)),
            Err(error) => return Err(failed("making the entry", &error)),
        };
        file.write_all(spec.text.as_bytes())
            .map_err(|error| failed("writing the entry", &error))?;
        Ok(Created::new(&id, outputs(shelf, &id)))
    }

    async fn read(
        &self,
        _: &Cx,
        shelf: &PathBuf,
        id: &str,
    ) -> Result<Option<Observed<EntrySpec, EntryOutputs>>> {
        Self::observe(shelf, id)
    }

    async fn update(
        &self,
        _: &Cx,
        shelf: &PathBuf,
        id: &str,
        change: &Change<'_, EntrySpec>,
    ) -> Result<EntryOutputs> {
        std::fs::write(file(shelf, id), &change.spec.text)
            .map_err(|error| failed("writing the entry", &error))?;
        Ok(outputs(shelf, id))
    }

    async fn delete(&self, _: &Cx, shelf: &PathBuf, id: &str) -> Result<()> {
        match std::fs::remove_file(file(shelf, id)) {
            Err(error) if error.kind() != Io::NotFound => Err(failed("removing the entry", &error)),
            _ => Ok(()),
        }
    }

    async fn locate(
        &self,
        _: &Cx,
        shelf: &PathBuf,
        _: OpId,
        spec: &EntrySpec,
    ) -> Result<Option<Found<EntrySpec, EntryOutputs>>> {
        let id = id_of(spec);
        let observed = Self::observe(shelf, &id)?;
        Ok(observed.map(|observed| Found {
            id,
            observed,
            marked: false,
        }))
    }
}

//! `logbook.book`.

use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};

use fabrik_core::error::Result;
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Lost, OpId, TypeInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{failed, taken};

/// A book: a folder on the shelf.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookSpec {
    /// Its name; another name is another book.
    #[schemars(length(min = 1), regex(pattern = "^[a-z0-9-]+$"), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
}

/// What is known of a book.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BookOutputs {
    /// Its folder.
    pub path: String,
}

/// `logbook.book`: a folder on the shelf.
#[derive(Clone, Copy, Debug)]
pub struct Book;

impl Book {
    fn observe(shelf: &Path, name: &str) -> Option<Observed<BookSpec, BookOutputs>> {
        let path = shelf.join(name);
        path.is_dir().then(|| {
            let spec = BookSpec {
                name: name.to_owned(),
            };
            Observed::new(spec, outputs(shelf, name))
        })
    }
}

fn outputs(shelf: &Path, name: &str) -> BookOutputs {
    BookOutputs {
        path: shelf.join(name).display().to_string(),
    }
}

impl Resource for Book {
    const TYPE: &'static str = "logbook.book";
    type Client = PathBuf;
    type Spec = BookSpec;
    type Outputs = BookOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            description: "A book: a folder on the shelf.".into(),
            // When a reply is lost, the book is found by its name, which is unique on the shelf.
            lost: Lost::Name,
            exclusive: true,
            updatable: false,
            settle: std::time::Duration::ZERO,
            ..info
        }
    }

    async fn create(
        &self,
        _: &Cx,
        shelf: &PathBuf,
        spec: &BookSpec,
    ) -> Result<Created<BookOutputs>> {
        match std::fs::create_dir(shelf.join(&spec.name)) {
            Ok(()) => Ok(Created::new(&spec.name, outputs(shelf, &spec.name))),
            Err(error) if error.kind() == Io::AlreadyExists => Err(taken("book", &spec.name)),
            Err(error) => Err(failed("making the book", &error)),
        }
    }

    async fn read(
        &self,
        _: &Cx,
        shelf: &PathBuf,
        id: &str,
    ) -> Result<Option<Observed<BookSpec, BookOutputs>>> {
        Ok(Self::observe(shelf, id))
    }

    async fn update(
        &self,
        _: &Cx,
        shelf: &PathBuf,
        id: &str,
        _: &Change<'_, BookSpec>,
    ) -> Result<BookOutputs> {
        // Its only field makes another book, so this is never called.
        Ok(outputs(shelf, id))
    }

    async fn delete(&self, _: &Cx, shelf: &PathBuf, id: &str) -> Result<()> {
        match std::fs::remove_dir(shelf.join(id)) {
            Err(error) if error.kind() != Io::NotFound => Err(failed("removing the book", &error)),
            _ => Ok(()),
        }
    }

    async fn locate(
        &self,
        _: &Cx,
        shelf: &PathBuf,
        _: OpId,
        spec: &BookSpec,
    ) -> Result<Option<Found<BookSpec, BookOutputs>>> {
        Ok(Self::observe(shelf, &spec.name).map(|observed| Found {
            id: spec.name.clone(),
            observed,
            marked: false,
        }))
    }
}

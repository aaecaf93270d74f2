//! State as a document: what `state export` writes and `state import` reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::stack::Declared;
use fabrik_core::state::{Change, Entry, EntryKind, Revision, Row, StateStore as _};
use fabrik_core::value::Value;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::place::Place;

/// Version of the document.
const FORMAT: u32 = 1;

/// One stack's state. Secrets are sealed, as they are in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dump {
    /// Version of the document.
    pub(crate) fabrik_state: u32,
    /// Version of Fabrik that wrote it.
    pub(crate) fabrik: String,
    /// The stack.
    pub(crate) stack: String,
    /// Its environment.
    pub(crate) env: String,
    /// Its revision.
    pub(crate) revision: Revision,
    /// Objects.
    pub(crate) rows: Vec<Row>,
    /// Generated secrets.
    pub(crate) secrets: BTreeMap<Arc<str>, Value>,
    /// Outputs.
    pub(crate) outputs: BTreeMap<Arc<str>, Value>,
    /// Small facts.
    pub(crate) meta: BTreeMap<Arc<str>, Value>,
    /// What was declared at that revision.
    pub(crate) declared: BTreeMap<Address, Declared>,
}

/// An error about a document that is none.
pub(crate) fn damaged(error: &serde_json::Error) -> Error {
    Error::new(
        ErrorKind::Invalid,
        format!("this is not an exported state: {error}"),
    )
    .hint("`fabrik state export FILE` writes one")
}

impl Dump {
    /// The state of a place, as it is stored.
    pub(crate) async fn of(place: &Place) -> Result<Dump> {
        let store = place.open()?;
        let snapshot = store.load().await?;
        if let Some(run) = &snapshot.open_run {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "run {} has no end: it is running, or was interrupted",
                    run.id
                ),
            )
            .hint("let it end, or run `fabrik apply` to resolve it, then export"));
        }
        let declared = match snapshot.revision {
            0 => BTreeMap::new(),
            revision => store.declared_at(revision).await?,
        };
        Ok(Dump {
            fabrik_state: FORMAT,
            fabrik: env!("CARGO_PKG_VERSION").to_owned(),
            stack: place.name.clone(),
            env: place.env.clone(),
            revision: snapshot.revision,
            rows: snapshot.rows.into(),
            secrets: snapshot.secrets,
            outputs: snapshot.outputs,
            meta: snapshot.meta,
            declared,
        })
    }

    /// Reads a document.
    pub(crate) fn read(text: &str) -> Result<Dump> {
        let dump: Dump = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        if dump.fabrik_state > FORMAT {
            let message = format!("this state was exported by Fabrik {}", dump.fabrik);
            return Err(Error::new(ErrorKind::Newer, message).hint("update Fabrik"));
        }
        Ok(dump)
    }

    /// The entry that makes an empty stack's state this.
    pub(crate) fn entry(self, run: u64, at: Timestamp) -> Entry {
        let revision = self.revision.max(1);
        let what = EntryKind::Phase(fabrik_core::state::Phase::Provisioning);
        let mut entry = Entry::new(run, at, what);
        for row in self.rows {
            entry = entry.change(Change::Put(Box::new(row)));
        }
        for (name, value) in self.secrets {
            entry = entry.change(Change::PutSecret(name, value));
        }
        for (key, value) in self.meta {
            entry = entry.change(Change::PutMeta(key, value));
        }
        for (address, declared) in self.declared {
            entry = entry.change(Change::Declared(
                revision,
                address,
                Some(Box::new(declared)),
            ));
        }
        entry.change(Change::Revision(
            revision,
            self.outputs.into_iter().collect(),
        ))
    }

    /// Every value in it, for checking that a key opens them.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.rows
            .iter()
            .flat_map(|row| [row.declared(), &row.object.inputs, &row.object.outputs])
            .chain(self.secrets.values())
            .chain(self.outputs.values())
            .chain(self.meta.values())
            .chain(self.declared.values().map(|declared| &declared.inputs))
    }
}

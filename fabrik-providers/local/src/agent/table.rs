//! Small things by name, durable: a map in one file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use crate::agent::book::blocking;
use crate::agent::shared::Shared;
use crate::error::Error;
use crate::records::{self, FORMAT};

/// What can be in a table.
pub(crate) trait Entry:
    Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
}
impl<T: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static> Entry for T {}

/// Entries by name. A change is on disk before it is seen by anyone; a table without entries has
/// no file.
#[derive(Debug)]
pub(crate) struct Table<T> {
    path: PathBuf,
    shared: Arc<Shared>,
    entries: Mutex<BTreeMap<String, T>>,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Stored<T> {
    format: u32,
    entries: BTreeMap<String, T>,
}

/// What a table's file holds. Blocks on files.
pub(crate) fn stored<T: Entry>(path: &Path) -> Result<BTreeMap<String, T>, Error> {
    let stored: Option<Stored<T>> = records::read(path)?;
    Ok(stored.map(|stored| stored.entries).unwrap_or_default())
}

impl<T: Entry> Table<T> {
    /// Takes up what is stored. Blocks on files.
    pub(crate) fn open(path: PathBuf, shared: &Arc<Shared>) -> Result<Self, Error> {
        let entries = Mutex::new(stored(&path)?);
        Ok(Self {
            path,
            shared: Arc::clone(shared),
            entries,
        })
    }

    pub(crate) async fn all(&self) -> BTreeMap<String, T> {
        self.entries.lock().await.clone()
    }

    pub(crate) async fn get(&self, name: &str) -> Option<T> {
        self.entries.lock().await.get(name).cloned()
    }

    /// Changes one entry: gives it as it was, takes it as it is to be; `None` is no entry.
    pub(crate) async fn change(
        &self,
        name: &str,
        change: impl FnOnce(Option<T>) -> Result<Option<T>, Error>,
    ) -> Result<(), Error> {
        let mut entries = self.entries.lock().await;
        let before = entries.get(name).cloned();
        let after = change(before.clone())?;
        if before == after {
            return Ok(());
        }
        let mut changed = entries.clone();
        match after {
            Some(entry) => _ = changed.insert(name.to_owned(), entry),
            None => _ = changed.remove(name),
        }
        self.store(&mut entries, changed).await
    }

    pub(crate) async fn put(&self, name: &str, entry: T) -> Result<(), Error> {
        self.change(name, |_| Ok(Some(entry))).await
    }

    pub(crate) async fn remove(&self, name: &str) -> Result<(), Error> {
        self.change(name, |_| Ok(None)).await
    }

    async fn store(
        &self,
        entries: &mut MutexGuard<'_, BTreeMap<String, T>>,
        changed: BTreeMap<String, T>,
    ) -> Result<(), Error> {
        if self.shared.orphaned.load(Ordering::Relaxed) {
            return Err(Error::file(
                "write",
                &self.path,
                "the state directory was removed",
            ));
        }
        let (path, copy) = (self.path.clone(), changed.clone());
        blocking(move || {
            if copy.is_empty() {
                return records::remove(&path);
            }
            records::write(
                &path,
                &Stored {
                    format: FORMAT,
                    entries: copy,
                },
            )
        })
        .await?;
        **entries = changed;
        Ok(())
    }
}

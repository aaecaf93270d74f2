//! The durable record of one service.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::Mutex;

use crate::agent::shared::Shared;
use crate::error::Error;
use crate::model::NameInfo;
use crate::records::{self, Identity, RunRecord, ServiceRecord};

/// The record of a service. A change is on disk before it is seen by anyone.
#[derive(Debug)]
pub(crate) struct Book {
    path: PathBuf,
    shared: Arc<Shared>,
    record: Mutex<Arc<ServiceRecord>>,
}

impl Book {
    pub(crate) fn new(shared: &Arc<Shared>, record: ServiceRecord) -> Arc<Self> {
        Arc::new(Self {
            path: shared.layout.service(&record.name),
            shared: Arc::clone(shared),
            record: Mutex::new(Arc::new(record)),
        })
    }

    /// The record as it is now.
    pub(crate) async fn get(&self) -> Arc<ServiceRecord> {
        Arc::clone(&*self.record.lock().await)
    }

    /// Changes the record.
    pub(crate) async fn change(
        &self,
        change: impl FnOnce(&mut ServiceRecord) + Send,
    ) -> Result<Arc<ServiceRecord>, Error> {
        let mut guard = self.record.lock().await;
        if self.shared.orphaned.load(Ordering::Relaxed) {
            return Err(Error::file(
                "write",
                &self.path,
                "the state directory was removed",
            ));
        }
        let mut record = ServiceRecord::clone(&guard);
        change(&mut record);
        let record = Arc::new(record);
        let (path, copy) = (self.path.clone(), Arc::clone(&record));
        blocking(move || records::write(&path, &*copy)).await?;
        *guard = Arc::clone(&record);
        Ok(record)
    }

    /// Removes the file.
    pub(crate) async fn remove(&self) -> Result<(), Error> {
        let _guard = self.record.lock().await;
        let path = self.path.clone();
        blocking(move || records::remove(&path)).await
    }

    /// Notes that a process was started.
    pub(crate) async fn add_run(&self, generation: u64, run: RunRecord) -> Result<(), Error> {
        let change = |record: &mut ServiceRecord| {
            if let Some(generation) = record.generation_mut(generation) {
                generation.runs.push(run);
            }
        };
        self.change(change).await.map(drop)
    }

    /// Notes that a process is gone, with everything it started.
    pub(crate) async fn remove_run(&self, generation: u64, gone: &Identity) -> Result<(), Error> {
        let change = |record: &mut ServiceRecord| {
            if let Some(generation) = record.generation_mut(generation) {
                generation.runs.retain(|run| run.identity != *gone);
            }
        };
        self.change(change).await.map(drop)
    }
}

/// Registered names as they are told.
pub(crate) fn names(entries: BTreeMap<String, String>) -> Vec<NameInfo> {
    entries
        .into_iter()
        .map(|(name, target)| NameInfo { name, target })
        .collect()
}

/// Runs something that blocks on files where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::system("finish a task", error)))
}

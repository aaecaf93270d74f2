//! Encryption of sensitive state, between the engine and any store.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Entry, HeldLease, Holder, Lease, LeaseAnswer, Position, Revision, RunId, RunSummary, Snapshot,
    StateStore,
};
use crate::address::Address;
use crate::error::Result;
use crate::secrets::Cipher;
use crate::stack::Declared;
use crate::value::Value;

/// A store whose secrets are sealed before they are written and opened after they are read.
#[derive(Clone)]
pub struct SealedStore {
    store: Arc<dyn StateStore>,
    cipher: Cipher,
}

impl std::fmt::Debug for SealedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedStore").finish_non_exhaustive()
    }
}

impl SealedStore {
    /// Seals with a cipher.
    pub fn new(store: Arc<dyn StateStore>, cipher: Cipher) -> SealedStore {
        SealedStore { store, cipher }
    }

    /// The store beneath.
    pub fn inner(&self) -> &Arc<dyn StateStore> {
        &self.store
    }

    /// The cipher.
    pub fn cipher(&self) -> &Cipher {
        &self.cipher
    }

    /// See [`StateStore::lease`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn lease(
        &self,
        holder: &Holder,
        now: jiff::Timestamp,
        take_over: Option<u64>,
    ) -> Result<LeaseAnswer> {
        self.store.lease(holder, now, take_over).await
    }

    /// See [`StateStore::heartbeat`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn heartbeat(&self, lease: &Lease) -> Result<()> {
        self.store.heartbeat(lease).await
    }

    /// See [`StateStore::release`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        self.store.release(lease).await
    }

    /// See [`StateStore::holder`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn holder(&self) -> Result<Option<HeldLease>> {
        self.store.holder().await
    }

    /// See [`StateStore::load`].
    ///
    /// # Errors
    /// Of the store, and [`crate::error::ErrorKind::Auth`] when the key does not fit.
    pub async fn load(&self) -> Result<Snapshot> {
        let mut snapshot = self.store.load().await?;
        let mut open = |value: &mut Value| self.cipher.open_in_place(value);
        snapshot
            .rows
            .try_each_mut(|row| row.map_values(&mut open))?;
        for value in snapshot
            .secrets
            .values_mut()
            .chain(snapshot.outputs.values_mut())
            .chain(snapshot.meta.values_mut())
        {
            open(value)?;
        }
        for entry in snapshot
            .open_run
            .iter_mut()
            .flat_map(|run| &mut run.entries)
        {
            entry.map_values(&mut open)?;
        }
        Ok(snapshot)
    }

    /// See [`StateStore::append`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn append(
        &self,
        lease: &Lease,
        at: Position,
        mut group: Vec<Entry>,
    ) -> Result<Position> {
        for entry in &mut group {
            entry.map_values(&mut |value| self.cipher.seal_in_place(value))?;
        }
        self.store.append(lease, at, &group).await
    }

    /// See [`StateStore::compact`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn compact(&self, lease: &Lease, keep_runs: u64) -> Result<()> {
        self.store.compact(lease, keep_runs).await
    }

    /// See [`StateStore::runs`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>> {
        self.store.runs(limit).await
    }

    /// See [`StateStore::entries`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn entries(&self, run: RunId) -> Result<Vec<(Position, Entry)>> {
        let mut entries = self.store.entries(run).await?;
        for (_, entry) in &mut entries {
            entry.map_values(&mut |value| self.cipher.open_in_place(value))?;
        }
        Ok(entries)
    }

    /// See [`StateStore::declared_at`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn declared_at(&self, revision: Revision) -> Result<BTreeMap<Address, Declared>> {
        let mut declared = self.store.declared_at(revision).await?;
        for item in declared.values_mut() {
            self.cipher.open_in_place(&mut item.inputs)?;
        }
        Ok(declared)
    }

    /// See [`StateStore::outputs_of`].
    ///
    /// # Errors
    /// Of the store.
    pub async fn outputs_of(
        &self,
        stack: &str,
        env: &str,
    ) -> Result<Option<BTreeMap<Arc<str>, Value>>> {
        let mut outputs = self.store.outputs_of(stack, env).await?;
        for value in outputs.iter_mut().flat_map(BTreeMap::values_mut) {
            self.cipher.open_in_place(value)?;
        }
        Ok(outputs)
    }
}

//! The services by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::agent::service::Service;

/// The services by name.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<BTreeMap<String, Arc<Service>>>);

impl Registry {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Service>> {
        self.lock().get(name).cloned()
    }

    pub(crate) fn get_or_insert(
        &self,
        name: &str,
        make: impl FnOnce() -> Arc<Service>,
    ) -> Arc<Service> {
        Arc::clone(self.lock().entry(name.to_owned()).or_insert_with(make))
    }

    pub(crate) fn insert(&self, name: &str, service: Arc<Service>) {
        self.lock().insert(name.to_owned(), service);
    }

    /// Takes a service off, unless another one has its name by now.
    pub(crate) fn remove(&self, name: &str, service: &Arc<Service>) {
        let mut services = self.lock();
        if services
            .get(name)
            .is_some_and(|there| Arc::ptr_eq(there, service))
        {
            services.remove(name);
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<Service>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Service>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

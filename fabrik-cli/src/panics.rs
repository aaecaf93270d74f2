//! Panics: a bug, said in words, without secrets.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use fabrik_core::secrets::{Redactor, printable};

/// The redactors of every engine of this run; clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactors(Arc<Mutex<Vec<Redactor>>>);

impl Redactors {
    /// Adds one.
    pub(crate) fn add(&self, redactor: &Redactor) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(redactor.clone());
    }

    /// The text without any known secret.
    pub(crate) fn clean(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .fold(text.to_owned(), |text, redactor| redactor.clean(&text))
    }
}

/// Takes over what happens at a panic: it is logged without secrets; whoever catches it says so.
pub(crate) fn install(redactors: &Redactors) {
    let redactors = redactors.clone();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = printable(&redactors.clean(&message(info.payload())));
        tracing::error!(target: "fabrik", %place, "panicked: {message}");
    }));
}

/// What a panic said.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it panicked".to_owned())
}

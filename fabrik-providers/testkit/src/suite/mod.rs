//! The suite as an author declares it.

mod coverage;
mod facts;
mod run;
pub(crate) mod samples;
mod tapes;
pub(crate) mod world;

use std::any::Any;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use fabrik_core::provider::Provider;
use serde_json::Value as Json;

use crate::proxy::Exchange;
use crate::target::Target;
pub(crate) use facts::{Facts, Need, Probe};
pub(crate) use run::Ctx;
pub use run::{Ended, Mode};
pub use samples::{Call, Resource};
use samples::{Deed, Samples};

/// A target, as what it is and as what the suite needs of it.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) target: Arc<dyn Target>,
    pub(crate) any: Arc<dyn Any + Send + Sync>,
}

type Reads = Arc<dyn Fn(&Exchange) -> bool + Send + Sync>;

/// An answer of a service that refuses.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

/// Everything an author declared.
#[derive(Clone)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) provider: Arc<dyn Fn() -> Arc<dyn Provider> + Send + Sync>,
    pub(crate) start: Arc<dyn Fn() -> Held + Send + Sync>,
    pub(crate) resources: Vec<Arc<Samples>>,
    pub(crate) lookups: Vec<Arc<Samples>>,
    pub(crate) actions: Vec<Arc<Samples>>,
    pub(crate) wrong_token: Option<(Json, String)>,
    pub(crate) lacking: Option<(Deed, String)>,
    pub(crate) unauthorized: Refusal,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) reads: Option<Reads>,
    pub(crate) waived: BTreeMap<String, String>,
    pub(crate) untested: BTreeMap<String, String>,
    /// The folder of the provider's crate, where it is known.
    pub(crate) folder: Option<PathBuf>,
    /// What it runs against.
    pub(crate) mode: Mode,
    /// The configuration of a service others use.
    pub(crate) live: Json,
    /// What stands for `{fbt}`.
    pub(crate) prefix: String,
    /// Generated files are written.
    pub(crate) update: bool,
    /// Where the generated table of cases is, in that folder.
    pub(crate) document: String,
}

/// The suite for a provider; [`Suite::run`] is the test program.
pub struct Suite<T> {
    pub(crate) def: Definition,
    target: std::marker::PhantomData<fn(&T)>,
}

impl<T> std::fmt::Debug for Suite<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suite")
            .field("provider", &self.def.name)
            .finish_non_exhaustive()
    }
}

/// A suite that does not know its target yet.
#[derive(Clone)]
pub struct Untargeted {
    name: String,
    provider: Arc<dyn Fn() -> Arc<dyn Provider> + Send + Sync>,
}

impl std::fmt::Debug for Untargeted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Untargeted")
            .field("provider", &self.name)
            .finish_non_exhaustive()
    }
}

/// Begins the suite for a provider. The function gives a new one for every case.
pub fn suite<P: Provider>(
    name: &str,
    provider: impl Fn() -> P + Send + Sync + 'static,
) -> Untargeted {
    Untargeted {
        name: name.to_owned(),
        provider: Arc::new(move || Arc::new(provider()) as Arc<dyn Provider>),
    }
}

impl Untargeted {
    /// Says what it runs against: a fresh, empty service, started for every case.
    pub fn target<T: Target>(self, start: impl Fn() -> T + Send + Sync + 'static) -> Suite<T> {
        Suite {
            def: Definition {
                name: self.name,
                provider: self.provider,
                start: Arc::new(move || {
                    let target = Arc::new(start());
                    Held {
                        target: target.clone(),
                        any: target,
                    }
                }),
                resources: Vec::new(),
                lookups: Vec::new(),
                actions: Vec::new(),
                wrong_token: None,
                lacking: None,
                unauthorized: Refusal {
                    status: 401,
                    content_type: "application/json".to_owned(),
                    body: r#"{"message":"Unauthenticated."}"#.to_owned(),
                },
                refusal: None,
                reads: None,
                waived: BTreeMap::new(),
                untested: BTreeMap::new(),
                folder: None,
                mode: Mode::Fake,
                live: Json::Null,
                prefix: "fbt".to_owned(),
                update: false,
                document: "CONFORMANCE.md".to_owned(),
            },
            target: std::marker::PhantomData,
        }
    }
}

impl<T: Target> Suite<T> {
    /// A resource type and its samples.
    #[must_use]
    pub fn resource(
        mut self,
        type_name: &str,
        samples: impl FnOnce(Resource<T>) -> Resource<T>,
    ) -> Self {
        let resource = samples(Resource::new(type_name));
        self.def.untested.remove(type_name);
        self.def.resources.push(Arc::new(resource.samples));
        self
    }

    /// A lookup and what it is asked.
    #[must_use]
    pub fn lookup(mut self, type_name: &str, samples: impl FnOnce(Call<T>) -> Call<T>) -> Self {
        let call = samples(Call::new(type_name));
        self.def.lookups.push(Arc::new(call.samples));
        self
    }

    /// An action and what it is done with.
    #[must_use]
    pub fn action(mut self, type_name: &str, samples: impl FnOnce(Call<T>) -> Call<T>) -> Self {
        let call = samples(Call::new(type_name));
        self.def.actions.push(Arc::new(call.samples));
        self
    }

    /// Laid over the configuration, these credentials are wrong (C2); and the field that holds
    /// them.
    #[must_use]
    pub fn wrong_token(mut self, config: Json, field: &str) -> Self {
        self.def.wrong_token = Some((config, field.to_owned()));
        self
    }

    /// Takes a permission from the credentials; the error names it (C4).
    #[must_use]
    pub fn lacking<R>(
        mut self,
        deed: impl Fn(&T) -> R + Send + Sync + 'static,
        permission: &str,
    ) -> Self {
        let deed: Deed = Arc::new(move |any| {
            let target: &T = any
                .downcast_ref()
                .expect("the suite gives closures its own target");
            drop(deed(target));
        });
        self.def.lacking = Some((deed, permission.to_owned()));
        self
    }

    /// How the service refuses credentials that were good before (R14), where it is not status 401
    /// with JSON.
    #[must_use]
    pub fn unauthorized(mut self, status: u16, content_type: &str, body: &str) -> Self {
        self.def.unauthorized = Refusal {
            status,
            content_type: content_type.to_owned(),
            body: body.to_owned(),
        };
        self
    }

    /// How the service refuses a write for good (R8), where it is not status 400 with JSON. On wires
    /// without statuses the body is the whole answer. Where the body contains `refused`, X cases
    /// put secrets after it, as services do that echo what they were sent.
    #[must_use]
    pub fn refusal(mut self, status: u16, content_type: &str, body: &str) -> Self {
        self.def.refusal = Some(Refusal {
            status,
            content_type: content_type.to_owned(),
            body: body.to_owned(),
        });
        self
    }

    /// Says which exchanges change nothing, where the wire does not tell (a POST that reads, a
    /// socket message).
    #[must_use]
    pub fn reads(mut self, reads: impl Fn(&Exchange) -> bool + Send + Sync + 'static) -> Self {
        self.def.reads = Some(Arc::new(reads));
        self
    }

    /// A case that does not hold for the whole provider, and why. It is listed in the provider's
    /// documents.
    #[must_use]
    pub fn waive(mut self, case: &str, why: &str) -> Self {
        self.def.waived.insert(case.to_owned(), why.to_owned());
        self
    }

    /// A type of the provider that has no samples, and why. It is listed in the provider's
    /// documents.
    #[must_use]
    pub fn untested(mut self, type_name: &str, why: &str) -> Self {
        self.def
            .untested
            .insert(type_name.to_owned(), why.to_owned());
        self
    }

    /// Where the generated table of cases is, in the crate's folder; `CONFORMANCE.md` unless said.
    #[must_use]
    pub fn document(mut self, path: &str) -> Self {
        path.clone_into(&mut self.def.document);
        self
    }

    /// Runs the suite as a test program: arguments as of `cargo test`, settings from the
    /// environment (see the crate's documentation).
    pub fn run(self) -> ExitCode {
        run::run(self.def)
    }

    /// What [`Suite::outcomes`] runs against, and the folder that cassettes and recorded schemas are
    /// below. [`Suite::run`] takes both from its surroundings.
    #[must_use]
    pub fn mode(mut self, mode: Mode, folder: &std::path::Path) -> Self {
        self.def.mode = mode;
        self.def.folder = Some(folder.to_owned());
        self.def.update = true;
        self
    }

    /// The configuration that [`Mode::Live`] uses in [`Suite::outcomes`].
    #[must_use]
    pub fn live(mut self, config: Json) -> Self {
        self.def.live = config;
        "fbt-0001".clone_into(&mut self.def.prefix);
        self
    }

    /// Runs every case (or those whose id is listed) against the fake and tells how each ended:
    /// for testing suites.
    pub fn outcomes(self, only: &[&str]) -> Vec<(String, Ended)> {
        run::outcomes(&Arc::new(self.def), only)
    }
}

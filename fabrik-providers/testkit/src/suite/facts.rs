//! What a case may know before anything runs: types, samples, and what a connected provider can.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use fabrik_core::error::ErrorKind;
use fabrik_core::provider::{Provider, TypeInfo};
use fabrik_core::value::from_json;

use super::Definition;
use super::samples::Samples;
use super::tapes::{self, Tapes};
use super::world::{PROBE, World};
use crate::target::Wire;

/// Whether a case can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It can.
    Run,
    /// The provider cannot do what is tested, and says so.
    Skip(String),
    /// The provider can do it, and the suite was not told how to test it.
    Missing(String),
}

impl Need {
    pub(crate) fn skip(why: impl Into<String>) -> Need {
        Need::Skip(why.into())
    }
}

/// What only a running target and a connected provider tell; found out when first asked.
#[derive(Default)]
pub(crate) struct Probe {
    wire: OnceLock<Wire>,
    found: OnceLock<Found>,
}

#[derive(Default)]
struct Found {
    lists: BTreeSet<String>,
    groups: BTreeMap<String, bool>,
}

impl Probe {
    pub(crate) fn wire(&self, def: &Definition) -> Wire {
        *self
            .wire
            .get_or_init(|| tapes::begin(def, &Tapes::of(def, PROBE)).held.target.wire())
    }

    fn found(&self, def: &Arc<Definition>) -> &Found {
        self.found.get_or_init(|| {
            // A provider that cannot even be opened fails in the cases themselves.
            let def = def.clone();
            let work = std::thread::spawn(move || probe(&def));
            work.join().ok().flatten().unwrap_or_default()
        })
    }
}

fn probe(def: &Arc<Definition>) -> Option<Found> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime.block_on(async {
        let tapes = Tapes::of(def, PROBE);
        let world = World::build(def, None, 1, &tapes, |config| config, false).ok()?;
        let instance = world.open().await.ok()?;
        let mut found = Found::default();
        for samples in &def.resources {
            let name = samples.type_name.clone();
            let listed = instance.list(&world.stage.cx(), &name).await;
            if !matches!(&listed, Err(error) if error.kind() == ErrorKind::Unsupported) {
                found.lists.insert(name.clone());
            }
            let keys = instance.keys(&name, &from_json(&world.filled(&samples.fullest())));
            found.groups.insert(name, keys.read_group.is_some());
        }
        drop(world);
        // What cannot be written shows when the recording is used.
        let _ = tapes.save(def, PROBE);
        Some(found)
    })
}

/// What is known of a provider, and of the type a case is about.
pub(crate) struct Facts<'a> {
    pub(crate) def: &'a Arc<Definition>,
    pub(crate) provider: &'a dyn Provider,
    pub(crate) samples: Option<&'a Samples>,
    pub(crate) probe: &'a Probe,
}

impl Facts<'_> {
    /// The type the case is about.
    pub(crate) fn info(&self) -> Option<&Arc<TypeInfo>> {
        self.provider.info().type_named(&self.samples?.type_name)
    }

    pub(crate) fn wire(&self) -> Wire {
        self.probe.wire(self.def)
    }

    pub(crate) fn lists(&self) -> bool {
        let name = self.samples.map(|samples| samples.type_name.as_str());
        name.is_some_and(|name| self.probe.found(self.def).lists.contains(name))
    }

    pub(crate) fn grouped(&self) -> bool {
        let name = self.samples.map(|samples| samples.type_name.as_str());
        name.is_some_and(|name| self.probe.found(self.def).groups.get(name) == Some(&true))
    }

    /// Names of the configuration's credentials.
    pub(crate) fn credentials(&self) -> Vec<String> {
        let fields = fabrik_core::provider::Fields::of_schema(&self.provider.info().config);
        let secret = fields
            .properties
            .iter()
            .filter(|(_, field)| field.any(&|field| field.sensitive));
        secret.map(|(name, _)| name.to_string()).collect()
    }
}

//! A run that is stopped on the way, and gone on with.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fabrik_core::engine::{ApplyOptions, Engine, PlanOptions, Recovered};
use fabrik_core::error::Result;
use fabrik_core::event::EventBody;
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ProviderBuilder, Resource};
use fabrik_core::provider::{Cx, Lost, OpId, Provider, TypeInfo};
use fabrik_core::stack::Stack;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::printer;
use crate::store::CountingStore;

/// A bakery: what is in the shop, by name.
#[derive(Clone, Debug, Default)]
pub struct Bakery(Arc<Mutex<BTreeMap<String, LoafSpec>>>);

impl Bakery {
    /// Names of the loaves in the shop.
    pub fn loaves(&self) -> Vec<String> {
        self.with(|loaves| loaves.keys().cloned().collect())
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, LoafSpec>) -> T) -> T {
        let mut loaves = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        work(&mut loaves)
    }
}

/// A bakery needs no configuration.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {}

/// A loaf.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoafSpec {
    /// Its name, unique in the shop.
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// What it is made of.
    pub flour: String,
    /// A loaf whose dough this one is started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starter: Option<String>,
}

/// What is known of a loaf.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LoafOutputs {
    /// What others are started with.
    pub dough: String,
}

/// `bakery.loaf`.
#[derive(Clone, Copy, Debug)]
pub struct Loaf;

fn outputs(name: &str) -> LoafOutputs {
    LoafOutputs {
        dough: format!("dough of {name}"),
    }
}

fn observed(spec: &LoafSpec) -> Observed<LoafSpec, LoafOutputs> {
    Observed::new(spec.clone(), outputs(&spec.name))
}

impl Resource for Loaf {
    const TYPE: &'static str = "bakery.loaf";
    type Client = Bakery;
    type Spec = LoafSpec;
    type Outputs = LoafOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            settle: Duration::ZERO,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        bakery: &Bakery,
        spec: &LoafSpec,
    ) -> Result<Created<LoafOutputs>> {
        cx.note("in the oven");
        cx.sleep(Duration::from_millis(30)).await?;
        bakery.with(|loaves| loaves.insert(spec.name.clone(), spec.clone()));
        Ok(Created::new(&spec.name, outputs(&spec.name)))
    }

    async fn read(
        &self,
        _: &Cx,
        bakery: &Bakery,
        id: &str,
    ) -> Result<Option<Observed<LoafSpec, LoafOutputs>>> {
        Ok(bakery.with(|loaves| loaves.get(id).map(observed)))
    }

    async fn update(
        &self,
        _: &Cx,
        bakery: &Bakery,
        id: &str,
        change: &Change<'_, LoafSpec>,
    ) -> Result<LoafOutputs> {
        bakery.with(|loaves| loaves.insert(id.to_owned(), change.spec.clone()));
        Ok(outputs(id))
    }

    async fn delete(&self, _: &Cx, bakery: &Bakery, id: &str) -> Result<()> {
        bakery.with(|loaves| loaves.remove(id));
        Ok(())
    }

    async fn locate(
        &self,
        _: &Cx,
        bakery: &Bakery,
        _: OpId,
        spec: &LoafSpec,
    ) -> Result<Option<Found<LoafSpec, LoafOutputs>>> {
        let there = bakery.with(|loaves| loaves.get(&spec.name).map(observed));
        Ok(there.map(|observed| Found {
            id: spec.name.clone(),
            observed,
            marked: false,
        }))
    }
}

fn provider(bakery: &Bakery) -> impl Provider {
    let bakery = bakery.clone();
    ProviderBuilder::new("bakery", "1.0.0", move |_: &Cx, _: Config| {
        let bakery = bakery.clone();
        async move { Ok(bakery) }
    })
    .resource(Loaf)
    .build()
}

/// Five loaves, each started with the one before.
fn stack() -> Result<Stack> {
    let mut stack = Stack::new("bakery");
    let mut before: Option<fabrik_core::provider::typed::Handle<Loaf>> = None;
    for name in ["one", "two", "three", "four", "five"] {
        let spec = LoafSpec {
            name: name.to_owned(),
            flour: "rye".to_owned(),
            starter: None,
        };
        let starter = before
            .as_ref()
            .map(|loaf| loaf.get("dough"))
            .transpose()?
            .map(|dough| ("starter", dough));
        before = Some(stack.add_with::<Loaf>(name, &spec, starter)?);
    }
    Ok(stack)
}

/// Stops a run after its second loaf, and goes on with it.
///
/// # Errors
/// Whatever the engine reports.
pub async fn run(out: &mut dyn Write) -> Result<()> {
    let bakery = Bakery::default();
    let engine = Engine::builder()
        .provider(provider(&bakery))
        .store(CountingStore::new("bakery"))
        .build()?;

    let stack = Arc::new(stack()?);
    let plan = engine.plan(stack.clone(), &PlanOptions::default()).await?;
    printer::plan(out, &plan)?;

    printer::line(out, "-- stopped after the second loaf")?;
    let run = engine.apply(plan, ApplyOptions::default());
    let stopper = run.stopper();
    let mut done = 0;
    let report = printer::follow(out, run, |event| {
        if matches!(event.body, EventBody::StepDone { .. }) {
            done += 1;
            if done == 2 {
                // What is in flight is finished, nothing new begins. A second call of
                // `StopHandle::escalate` would not even wait for that.
                stopper.graceful();
            }
        }
    })
    .await?;
    printer::line(out, &format!("ended: {:?}", report.end.result))?;
    printer::line(out, &format!("in the shop: {}", bakery.loaves().len()))?;

    printer::line(out, "-- resumed")?;
    let recovered = engine.recover(Some(stack.clone()), true).finish().await?;
    if let Recovered::Continues { run, .. } = recovered {
        printer::line(out, &format!("run {run} goes on"))?;
    }
    let plan = engine.plan(stack, &PlanOptions::default()).await?;
    let run = engine.apply(plan, ApplyOptions::default());
    let report = printer::follow(out, run, |_| ()).await?;
    printer::line(out, &format!("ended: {:?}", report.end.result))?;
    printer::line(out, &format!("in the shop: {}", bakery.loaves().len()))
}

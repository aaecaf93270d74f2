//! From declarations to trials.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::samples::Samples;
use super::world::{Stop, Verdict, World};
use super::{Definition, Facts, Need, Probe, coverage};
use crate::cases::{Case, Scope, cases};
use crate::watch::Logged;

/// The longest a case may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What the suite runs against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A target of the suite's own, started for every case.
    #[default]
    Fake,
    /// Cassettes that were recorded before.
    Replay,
    /// A target, and cassettes are written.
    Record,
    /// A service others use; its configuration is in `FABRIK_TEST_CONFIG`.
    Live,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It holds.
    Passed,
    /// It does not.
    Failed(String),
    /// It does not apply, and why.
    Skipped(String),
    /// It is known not to hold, and why.
    Waived(String),
}

/// A case of one type, or of the provider.
#[derive(Clone)]
pub(crate) struct Ctx {
    pub(crate) def: Arc<Definition>,
    pub(crate) samples: Option<Arc<Samples>>,
    pub(crate) seed: u64,
    pub(crate) logged: Logged,
}

impl Ctx {
    /// A fresh world whose spec takes secrets from outside instead of holding them.
    pub(crate) fn veiled(&self) -> Verdict<World> {
        let world = World::build(
            &self.def,
            self.samples.as_ref(),
            self.seed,
            |json| json,
            true,
        );
        Ok(world?)
    }

    /// A fresh world.
    pub(crate) fn world(&self) -> Verdict<World> {
        Ok(World::start(&self.def, self.samples.as_ref(), self.seed)?)
    }

    /// A fresh world whose provider is configured otherwise.
    pub(crate) fn configured(
        &self,
        change: impl FnOnce(serde_json::Value) -> serde_json::Value,
    ) -> Verdict<World> {
        Ok(World::configured(
            &self.def,
            self.samples.as_ref(),
            self.seed,
            change,
        )?)
    }
}

/// A case with what it is about, ready to be judged.
pub(crate) struct Planned {
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) case: Case,
    pub(crate) ctx: Ctx,
}

impl Planned {
    /// Whether it can run; waivers first.
    pub(crate) fn need(&self, probe: &Probe) -> Result<Need, String> {
        let waived =
            |map: &std::collections::BTreeMap<String, String>| map.get(self.case.id).cloned();
        let samples = self.ctx.samples.as_deref();
        if let Some(why) = samples
            .and_then(|samples| waived(&samples.waived))
            .or_else(|| waived(&self.ctx.def.waived))
        {
            return Err(why);
        }
        let provider = (self.ctx.def.provider)();
        let facts = Facts {
            def: &self.ctx.def,
            provider: &*provider,
            samples,
            probe,
        };
        if let Some(samples) = samples
            && facts.info().is_none()
        {
            return Ok(Need::Missing(format!(
                "the provider has no type `{}`",
                samples.type_name
            )));
        }
        Ok((self.case.need)(&facts))
    }

    pub(crate) fn judge(&self) -> Ended {
        let runtime = match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(error) => return Ended::Failed(error.to_string()),
        };
        // Listening costs time, and one case alone asks for it.
        let _listening = (self.case.id == "X1").then(|| self.ctx.logged.listen());
        let work = (self.case.run)(self.ctx.clone());
        let verdict = runtime.block_on(async { tokio::time::timeout(LIMIT, work).await });
        runtime.shutdown_background();
        match verdict {
            Ok(Ok(())) => Ended::Passed,
            Ok(Err(Stop::Fail(text))) => Ended::Failed(format!("{}: {text}", self.case.about)),
            Ok(Err(Stop::Skip(why))) => Ended::Skipped(why),
            Err(_) => Ended::Failed(format!(
                "{}: no end within {} s",
                self.case.about,
                LIMIT.as_secs()
            )),
        }
    }
}

fn seed_of(name: &str) -> u64 {
    // FNV-1a: the same on every machine.
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Every case of every type.
pub(crate) fn planned(def: &Arc<Definition>) -> Vec<Planned> {
    let mut all = Vec::new();
    for case in cases() {
        let subjects: Vec<Option<&Arc<Samples>>> = match case.scope {
            Scope::Provider => vec![None],
            Scope::Resource => def.resources.iter().map(Some).collect(),
            Scope::Lookup => def.lookups.iter().map(Some).collect(),
            Scope::Action => def.actions.iter().map(Some).collect(),
            Scope::Type => def
                .resources
                .iter()
                .chain(&def.lookups)
                .chain(&def.actions)
                .map(Some)
                .collect(),
        };
        for samples in subjects {
            let subject = samples.map_or(&def.name, |samples| &samples.type_name);
            let name = format!("{subject}::{}_{}", case.id, case.slug);
            let ctx = Ctx {
                def: def.clone(),
                samples: samples.cloned(),
                seed: seed_of(&name),
                logged: Logged::default(),
            };
            all.push(Planned {
                name,
                subject: subject.clone(),
                case: case.clone(),
                ctx,
            });
        }
    }
    all
}

/// The environment, read here and nowhere else: this is a test program, not a library.
#[expect(clippy::disallowed_methods, reason = "settings of a test program")]
fn settings(def: &mut Definition) {
    def.folder = std::env::var("CARGO_MANIFEST_DIR").ok().map(Into::into);
    def.update = std::env::var("FABRIK_UPDATE").is_ok_and(|value| value == "1");
}

pub(super) fn run(mut def: Definition) -> ExitCode {
    settings(&mut def);
    let def = Arc::new(def);
    let arguments = Arguments::from_args();
    let probe = Arc::new(Probe::default());
    let only = arguments.filter.clone().filter(|_| arguments.exact);
    let mut trials = Vec::new();
    for planned in planned(&def) {
        // nextest starts a process for each trial: the others need not be looked at.
        if only.as_ref().is_some_and(|only| *only != planned.name) {
            continue;
        }
        trials.push(trial(planned, &probe));
    }
    let name = format!("{}::coverage", def.name);
    if only.as_ref().is_none_or(|only| *only == name) {
        trials.push(Trial::test(name, move || {
            coverage::check(&def, &probe).map_err(Failed::from)
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(planned: Planned, probe: &Arc<Probe>) -> Trial {
    let name = planned.name.clone();
    let ignored = |kind: String| {
        Trial::test(name.clone(), || Ok(()))
            .with_kind(kind)
            .with_ignored_flag(true)
    };
    match planned.need(probe) {
        Err(why) => ignored(format!("waived: {why}")),
        Ok(Need::Skip(why)) => ignored(format!("skip: {why}")),
        Ok(Need::Missing(what)) => Trial::test(name, move || Err(Failed::from(what))),
        Ok(Need::Run) => Trial::ignorable_test(name, move || match planned.judge() {
            Ended::Passed => Ok(Completion::Completed),
            Ended::Failed(text) => Err(Failed::from(text)),
            Ended::Skipped(why) | Ended::Waived(why) => Ok(Completion::ignored_with(why)),
        }),
    }
}

pub(super) fn outcomes(def: &Arc<Definition>, only: &[&str]) -> Vec<(String, Ended)> {
    let probe = Probe::default();
    let wanted = planned(def)
        .into_iter()
        .filter(|planned| only.is_empty() || only.contains(&planned.case.id));
    wanted
        .map(|planned| {
            let ended = match planned.need(&probe) {
                Err(why) => Ended::Waived(why),
                Ok(Need::Skip(why)) => Ended::Skipped(why),
                Ok(Need::Missing(what)) => Ended::Failed(what),
                Ok(Need::Run) => planned.judge(),
            };
            (planned.name, ended)
        })
        .collect()
}

//! From declarations to trials.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fabrik_core::clock::{Entropy as _, SystemEntropy};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use serde_json::Value as Json;

use super::samples::Samples;
use super::tapes::{LIVE, Tapes};
use super::world::{Stop, Verdict, World};
use super::{Definition, Facts, Need, Probe, coverage};
use crate::cases::{Case, Scope, cases};
use crate::stack::Stage;
use crate::target::Wire;
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
    pub(crate) tapes: Tapes,
    /// What is to be tidied up.
    stages: Arc<Mutex<Vec<Arc<Stage>>>>,
}

impl Ctx {
    /// A fresh world.
    pub(crate) fn world(&self) -> Verdict<World> {
        self.build(|config| config, false)
    }

    /// A fresh world whose spec takes secrets from outside instead of holding them.
    pub(crate) fn veiled(&self) -> Verdict<World> {
        self.build(|config| config, true)
    }

    /// A fresh world whose provider is configured otherwise.
    pub(crate) fn configured(&self, change: impl FnOnce(Json) -> Json) -> Verdict<World> {
        self.build(change, false)
    }

    fn build(&self, change: impl FnOnce(Json) -> Json, veiled: bool) -> Verdict<World> {
        let samples = self.samples.as_ref();
        let world = World::build(&self.def, samples, self.seed, &self.tapes, change, veiled)?;
        if self.def.mode == Mode::Live {
            let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
            stages.push(world.stage.clone());
        }
        Ok(world)
    }

    /// Removes what a case made in a service others use.
    async fn tidy(&self) -> Result<(), String> {
        let stages =
            std::mem::take(&mut *self.stages.lock().unwrap_or_else(PoisonError::into_inner));
        for stage in stages {
            let work = async {
                if stage.rows().await?.is_empty() {
                    return Ok(());
                }
                let nothing = stage.load(&serde_json::json!({}))?;
                stage.destroy(&nothing).await.map(drop)
            };
            if let Err(error) = work.await {
                return Err(format!(
                    "something of this case is left in the service: {error:?}"
                ));
            }
        }
        Ok(())
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
        let mode = self.ctx.def.mode;
        if mode == Mode::Live && !LIVE.contains(&self.case.id) {
            return Ok(Need::skip(
                "live: it needs the proxy, or hands in the service",
            ));
        }
        let hands = ["C5", "R6", "R7", "R11", "X5"];
        if mode == Mode::Replay && hands.contains(&self.case.id) {
            return Ok(Need::skip(
                "replay: it depends on the target itself, or on when it is asked",
            ));
        }
        let provider = (self.ctx.def.provider)();
        let facts = Facts {
            def: &self.ctx.def,
            provider: &*provider,
            samples,
            probe,
        };
        let wire = match mode {
            Mode::Replay => facts.wire(),
            _ => Wire::Http,
        };
        if matches!(wire, Wire::WebSocket | Wire::Direct) {
            return Ok(Need::Skip(format!(
                "replay: {} is not recorded",
                wire.word()
            )));
        }
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
        let ctx = &self.ctx;
        let verdict = runtime.block_on(async {
            let verdict = tokio::time::timeout(LIMIT, work).await;
            match ctx.tidy().await {
                Ok(()) => verdict,
                Err(left) => Ok(Err(Stop::Fail(left))),
            }
        });
        runtime.shutdown_background();
        if let Err(error) = ctx.tapes.save(&ctx.def, &self.name) {
            return Ended::Failed(error);
        }
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
                tapes: Tapes::of(def, &name),
                stages: Arc::default(),
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
fn settings(def: &mut Definition) -> Result<(), String> {
    def.folder = std::env::var("CARGO_MANIFEST_DIR").ok().map(Into::into);
    def.update = std::env::var("FABRIK_UPDATE").is_ok_and(|value| value == "1");
    let mode = std::env::var("FABRIK_TEST").unwrap_or_default();
    def.mode = match mode.as_str() {
        "" | "fake" => Mode::Fake,
        "record" => Mode::Record,
        "replay" => Mode::Replay,
        "live" => Mode::Live,
        other => {
            return Err(format!(
                "FABRIK_TEST is `{other}`: it is `fake`, `record`, `replay` or `live`"
            ));
        }
    };
    if def.mode == Mode::Live {
        let config = std::env::var("FABRIK_TEST_CONFIG").unwrap_or_default();
        def.live = serde_json::from_str(&config).map_err(|error| {
            format!("FABRIK_TEST_CONFIG is to be the provider's configuration, as JSON: {error}")
        })?;
        let mut bytes = [0_u8; 4];
        SystemEntropy
            .fill(&mut bytes)
            .map_err(|error| error.to_string())?;
        def.prefix = format!("fbt-{:08x}", u32::from_be_bytes(bytes));
    }
    Ok(())
}

pub(super) fn run(mut def: Definition) -> ExitCode {
    let arguments = Arguments::from_args();
    if let Err(why) = settings(&mut def) {
        let trial = Trial::test("settings", move || Err(Failed::from(why)));
        return libtest_mimic::run(&arguments, vec![trial]).exit_code();
    }
    let def = Arc::new(def);
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
    // The document tells of the target alone.
    if def.mode == Mode::Fake && only.as_ref().is_none_or(|only| *only == name) {
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

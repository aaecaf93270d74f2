//! Watching a run: its events are shown, signals stop it, questions are asked.

use std::io::Write;
use std::sync::mpsc as blocking;
use std::time::Duration;

use fabrik_core::engine::{Decide, Engine, Recovered, Run};
use fabrik_core::error::Error;
use fabrik_core::provider::Stop;
use fabrik_core::stack::{OnFailure, Stack};
use fabrik_core::state::{Liveness as _, RunResult};
use std::sync::Arc;
use tokio::sync::mpsc;

use crate::ask;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::files;
use crate::output::progress::{Mode, Reporter, ReporterOptions, Stopping};
use crate::session::Session;
use crate::signals::{Signal, Signals};

/// A question of the engine: what to do about a failure.
pub(crate) struct Question {
    error: Error,
    answer: blocking::SyncSender<OnFailure>,
}

/// Where questions of the engine arrive.
pub(crate) type Questions = mpsc::UnboundedReceiver<Question>;

/// Lets the engine ask whoever watches the run.
pub(crate) fn questions() -> (Decide, Questions) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let decide: Decide = Arc::new(move |error: &Error| {
        let (answer, answered) = blocking::sync_channel(1);
        let question = Question {
            error: error.clone(),
            answer,
        };
        // Nobody left to ask: take back what was done.
        match sender.send(question) {
            Ok(()) => answered.recv().unwrap_or(OnFailure::Rollback),
            Err(_) => OnFailure::Rollback,
        }
    });
    (decide, receiver)
}

/// What is known once a run has ended.
#[derive(Default)]
pub(crate) struct Ending {
    /// What to print last on standard output.
    pub(crate) url: Option<String>,
    /// Pages of platforms for what was done, by address.
    pub(crate) pages: Vec<(String, String)>,
}

/// Shows a run until it ends. `end` finds what is said last.
pub(crate) async fn watch<T>(
    session: &mut Session,
    mut run: Run<T>,
    name: &str,
    mut questions: Option<Questions>,
    end: impl AsyncFnOnce(&T) -> Ending,
) -> Done<T> {
    let options = ReporterOptions {
        mode: (!session.settings.animate
            && !session.out.config().json_events
            && !session.settings.quiet)
            .then_some(Mode::Plain),
        stack: name.to_owned(),
        json_into: json_into(session)?,
        footer_rows: 0,
    };
    let mut signals = Signals::listen(session.world.process);
    let clock = session.world.clock.clone();
    let can_ask = session.can_ask();
    let stopper = run.stopper();
    let mut reporter = Reporter::new(&mut session.out, options);
    let mut ticks = tokio::time::interval(match reporter.mode() {
        Mode::Live => Duration::from_millis(100),
        _ => Duration::from_secs(1),
    });
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut stops = 0_u32;
    loop {
        tokio::select! {
            event = run.next() => match event {
                Some(event) => reporter.event(&event)?,
                None => break,
            },
            signal = signals.next() => match signal {
                Signal::Inspect => reporter.show_in_flight()?,
                Signal::Stop => {
                    stops += 1;
                    if stops > 2 {
                        // Asked three times: leave at once. The journal says what was in flight.
                        return Err(Fail::Said(Exit::INTERRUPTED));
                    }
                    reporter.stopping(match stopper.escalate() {
                        Stop::Now => Stopping::Now,
                        _ => Stopping::Graceful,
                    })?;
                }
            },
            Some(question) = next_question(questions.as_mut()) => {
                let world = &mut session.world;
                let policy = reporter.suspended(|out| {
                    ask::on_failure(out, &mut *world.stdin, can_ask, &question.error)
                })?;
                // The engine stopped waiting: its run is over.
                _ = question.answer.send(policy);
            }
            _ = ticks.tick() => reporter.tick(clock.now())?,
        }
    }
    let result = run.finish().await;
    let end = match &result {
        Ok(report) => end(report).await,
        Err(_) => Ending::default(),
    };
    reporter.pages(&end.pages)?;
    reporter.finish(end.url.as_deref())?;
    Ok(result?)
}

async fn next_question(questions: Option<&mut Questions>) -> Option<Question> {
    match questions {
        Some(questions) => match questions.recv().await {
            Some(question) => Some(question),
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// The file of `--json-into`; what earlier runs of this command wrote there stays.
fn json_into(session: &Session) -> Done<Option<Box<dyn Write + Send>>> {
    let Some(path) = &session.settings.json_into else {
        return Ok(None);
    };
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| files::file_error("write", path, &error))?;
    Ok(Some(Box::new(file)))
}

/// Says that a run is open: what a plan shows is then only half the truth.
pub(crate) async fn announce_open(session: &mut Session, engine: &Engine) -> Done<()> {
    let last = engine.store().runs(1).await?.into_iter().next();
    let Some(run) = last.filter(|run| run.end.is_none()) else {
        return Ok(());
    };
    if holds_lock(session, engine).await? {
        session.out.warning(&format!(
            "run {} is under way: its changes are not in this plan yet",
            run.id
        ))?;
    } else {
        session.out.warning(&format!(
            "run {} was interrupted: `fabrik apply` first settles what it left open, then plans afresh",
            run.id
        ))?;
    }
    Ok(())
}

/// Whether somebody who may be alive holds the lock.
pub(crate) async fn holds_lock(session: &Session, engine: &Engine) -> Done<bool> {
    let held = engine.store().holder().await?;
    let liveness = session.world.identity.liveness.as_ref();
    Ok(held
        .is_some_and(|held| liveness.and_then(|known| known.is_alive(&held.holder)) != Some(false)))
}

/// Resolves an interrupted run before anything new begins. `true` when it goes on.
pub(crate) async fn recover(
    session: &mut Session,
    engine: &Engine,
    stack: Option<Arc<Stack>>,
    name: &str,
    resume: bool,
) -> Done<bool> {
    // A look at the last run's end is cheap, and mostly there is nothing to go on with.
    let last = engine.store().runs(1).await?.into_iter().next();
    let may_go_on = last.is_some_and(|run| {
        let result = run.end.map(|(end, _)| end.result);
        result.is_none_or(|result| matches!(result, RunResult::Interrupted | RunResult::Stuck))
    });
    let recovered = if may_go_on {
        let run = engine.recover(stack, resume);
        watch(session, run, name, None, async |_| Ending::default()).await?
    } else {
        Recovered::Nothing
    };
    match recovered {
        Recovered::Nothing => {
            if resume {
                let text = "no run was interrupted or stuck: there is nothing to resume";
                session.out.message(text)?;
            }
            Ok(false)
        }
        Recovered::Kept { run, unsure } => {
            let text = format!("run {run} was interrupted; what it did is kept and taken as it is");
            session.out.message(&text)?;
            for address in &unsure {
                session.out.warning(&format!(
                    "{address} may or may not exist: its create was interrupted and cannot be found out"
                ))?;
            }
            if !unsure.is_empty() {
                session.out.hint(
                    "look at the service; then `fabrik import ADDRESS ID` if it exists, or `fabrik state rm ADDRESS` if it does not",
                )?;
            }
            Ok(false)
        }
        // The run says itself that it goes on.
        Recovered::Continues { .. } => Ok(true),
        Recovered::RolledBack(report) => {
            let exit = Exit::of_result(
                report.end.result,
                report.end.error.as_ref().map(|error| error.kind),
            );
            if exit == Exit::STUCK {
                return Err(Fail::Said(exit));
            }
            session
                .out
                .message("the interrupted rollback is finished; going on")?;
            Ok(false)
        }
    }
}

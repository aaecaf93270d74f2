//! Making checks until they hold or their time is up.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value as Json;
use tokio::task::JoinSet;

use super::{CheckFailure, Checker, Checkers};
use crate::provider::{Cx, Stop};
use crate::secrets::{Redactor, printable};
use crate::stack::CheckDecl;
use crate::state::CheckResult;
use crate::value::to_wire;

/// Shortest time between two tries, whatever a check says.
const MIN_INTERVAL: Duration = Duration::from_millis(20);
/// The time between tries grows by a quarter each time, up to this many times the first.
const MAX_GROWTH: u32 = 4;
/// A checker that does not end its try is given up this long after the check's deadline.
const HUNG_AFTER: Duration = Duration::from_secs(15);
/// Longest evidence kept.
const MAX_EVIDENCE: usize = 1_000;

/// Makes all checks at once and gives their results in the order of `checks`; `on_result` hears of
/// each as it ends.
///
/// # Behaviour
/// - The specs must be resolved: an expression that is left fails the check.
/// - A check is tried at once, then again after `interval` (growing a little) until it holds or
///   `within` is over by the clock of `cx`; the last try is made when the time is up.
/// - With `stable_for` it must, once it holds, go on holding that long, tried every `interval`; a
///   failed try begins the wait anew, as long as `within` is not over.
/// - A fatal failure, and a kind that nobody checks, end a check at once.
/// - Asking the run to stop, gracefully or hard, ends every check: those that did not hold yet are
///   reported as failed.
/// - The evidence is that of the last try, without control characters and without the secrets of
///   the check's spec.
/// - A checker that panics or hangs fails its own check only.
pub async fn run_checks(
    checks: &[CheckDecl],
    checkers: &Checkers,
    cx: &Cx,
    on_result: &mut (dyn FnMut(&CheckResult) + Send),
) -> Vec<CheckResult> {
    let mut tasks = JoinSet::new();
    let mut places = std::collections::HashMap::new();
    for (place, check) in checks.iter().enumerate() {
        let (check, checkers, cx) = (check.clone(), checkers.clone(), cx.clone());
        let task = tasks.spawn(async move { (place, one(&check, &checkers, &cx).await) });
        places.insert(task.id(), place);
    }
    let mut results: Vec<Option<CheckResult>> = vec![None; checks.len()];
    while let Some(joined) = tasks.join_next().await {
        let (place, result) = match joined {
            Ok(done) => done,
            Err(error) => {
                let Some(place) = places.get(&error.id()).copied() else {
                    continue;
                };
                (place, broken(&checks[place]))
            }
        };
        on_result(&result);
        results[place] = Some(result);
    }
    results.into_iter().flatten().collect()
}

fn broken(check: &CheckDecl) -> CheckResult {
    CheckResult {
        name: check.name.clone(),
        passed: false,
        evidence: format!("the checker of `{}` checks panicked", check.kind),
        hint: Some("this is a bug in the checker".to_owned()),
        millis: 0,
    }
}

async fn one(check: &CheckDecl, checkers: &Checkers, cx: &Cx) -> CheckResult {
    let start = cx.clock().now();
    let redactor = Redactor::default();
    redactor.learn(&check.spec);
    let outcome = match prepare(check, checkers) {
        Ok((checker, spec)) => {
            let mut run = Run {
                check,
                checker: checker.as_ref(),
                spec: &spec,
                cx,
                deadline: later(start, check.within),
                said: String::new(),
                redactor: &redactor,
            };
            run.until_it_holds().await
        }
        Err(failure) => Err(failure),
    };
    let (passed, seen, hint) = match outcome {
        Ok(evidence) => (true, evidence, None),
        Err(failure) => (false, failure.seen, failure.hint),
    };
    CheckResult {
        name: check.name.clone(),
        passed,
        evidence: clean(&seen, &redactor),
        hint: hint.map(|hint| clean(&hint, &redactor)),
        millis: u64::try_from(since(start, cx.clock().now()).as_millis()).unwrap_or(u64::MAX),
    }
}

fn prepare(
    check: &CheckDecl,
    checkers: &Checkers,
) -> Result<(Arc<dyn Checker>, Json), CheckFailure> {
    let checker = checkers.get(&check.kind).ok_or_else(|| {
        let known: Vec<&str> = checkers.kinds().collect();
        let failure = CheckFailure::fatal(format!("nobody makes `{}` checks", check.kind));
        if known.is_empty() {
            failure
        } else {
            failure.hint(format!("kinds of checks: {}", known.join(", ")))
        }
    })?;
    let spec = to_wire(&check.spec)
        .map_err(|error| CheckFailure::fatal(format!("cannot check: {}", error.message())))?;
    Ok((checker.clone(), spec))
}

/// One check on its way.
struct Run<'a> {
    check: &'a CheckDecl,
    checker: &'a dyn Checker,
    spec: &'a Json,
    cx: &'a Cx,
    deadline: Timestamp,
    said: String,
    redactor: &'a Redactor,
}

impl Run<'_> {
    async fn until_it_holds(&mut self) -> Result<String, CheckFailure> {
        let first = self.check.interval.max(MIN_INTERVAL);
        let mut interval = first;
        let mut holds_since: Option<Timestamp> = None;
        loop {
            let asked = self.cx.clock().now();
            let outcome = self.once().await;
            let now = self.cx.clock().now();
            let wait = match outcome {
                Ok(evidence) => {
                    let since_when = *holds_since.get_or_insert(asked);
                    let held = since(since_when, now);
                    let stable = self.check.stable_for;
                    if held >= stable {
                        return Ok(evidence);
                    }
                    interval = first;
                    first.min(stable.saturating_sub(held))
                }
                Err(failure) if failure.fatal => return Err(failure),
                Err(failure) => {
                    let left = since(now, self.deadline);
                    if left.is_zero() {
                        return Err(match holds_since {
                            Some(_) => CheckFailure {
                                seen: format!("it held, but not for long: {}", failure.seen),
                                ..failure
                            },
                            None => failure,
                        });
                    }
                    holds_since = None;
                    self.tell(&failure.seen);
                    let wait = interval.min(left);
                    interval = (interval + interval / 4).min(first * MAX_GROWTH);
                    wait
                }
            };
            self.pause(wait).await?;
        }
    }

    /// One try, ended early by a request to stop.
    async fn once(&self) -> Result<String, CheckFailure> {
        // The last try, made when the time is up, still gets a moment.
        let budget = since(self.cx.clock().now(), self.deadline).max(Duration::from_secs(5));
        let cx = self
            .cx
            .clone()
            .with_deadline(later(self.cx.clock().now(), budget));
        let mut stop = self.cx.stop().clone();
        // Only a backstop against a checker that hangs: by the machine's time, so that a test's
        // clock, whose waits take no time, does not cut a try short.
        let hung = budget.saturating_add(HUNG_AFTER);
        tokio::select! {
            biased;
            () = stop.reached(Stop::Graceful) => Err(stopped()),
            outcome = tokio::time::timeout(hung, self.checker.check(&cx, self.spec)) => {
                outcome.unwrap_or_else(|_| Err(CheckFailure::new(format!(
                    "no answer from the checker within {}",
                    super::duration_text(hung),
                ))))
            }
        }
    }

    async fn pause(&self, wait: Duration) -> Result<(), CheckFailure> {
        let mut stop = self.cx.stop().clone();
        tokio::select! {
            biased;
            () = stop.reached(Stop::Graceful) => Err(stopped()),
            () = self.cx.clock().sleep(wait) => Ok(()),
        }
    }

    /// Tells what a check still waits for, each time that changes.
    fn tell(&mut self, seen: &str) {
        let text = clean(seen, self.redactor);
        if text != self.said {
            self.cx
                .note(format!("{} does not hold yet: {text}", self.check.name));
            self.said = text;
        }
    }
}

fn stopped() -> CheckFailure {
    CheckFailure::fatal("stopped on request before it held")
}

fn clean(text: &str, redactor: &Redactor) -> String {
    let mut text = printable(&redactor.clean(text));
    if text.len() > MAX_EVIDENCE {
        text.truncate(text.floor_char_boundary(MAX_EVIDENCE));
        text.push('…');
    }
    text
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Time from one moment to a later one; zero when it is not later.
fn since(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests;

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
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::VirtualClock;
    use crate::provider::{StopHandle, StopSignal};
    use crate::value::Value;
    use crate::verify::declare;

    type Answer = dyn Fn(usize) -> Result<String, CheckFailure> + Send + Sync;

    /// Answers each try by its number, from 0.
    struct Scripted {
        kind: &'static str,
        tries: Arc<AtomicUsize>,
        answer: Box<Answer>,
    }

    impl Scripted {
        fn new(
            kind: &'static str,
            answer: impl Fn(usize) -> Result<String, CheckFailure> + Send + Sync + 'static,
        ) -> (Scripted, Arc<AtomicUsize>) {
            let tries = Arc::new(AtomicUsize::new(0));
            let checker = Scripted {
                kind,
                tries: tries.clone(),
                answer: Box::new(answer),
            };
            (checker, tries)
        }
    }

    #[async_trait::async_trait]
    impl Checker for Scripted {
        fn kind(&self) -> &str {
            self.kind
        }
        fn schema(&self) -> Json {
            serde_json::json!({"type": "object"})
        }
        async fn check(&self, _: &Cx, _: &Json) -> Result<String, CheckFailure> {
            (self.answer)(self.tries.fetch_add(1, Ordering::SeqCst))
        }
    }

    fn decl(kind: &str, within: u64) -> CheckDecl {
        CheckDecl {
            within: Duration::from_secs(within),
            ..declare(format!("apps.api.{kind}"), kind, Value::map::<&str>([]))
        }
    }

    fn virtual_cx() -> Cx {
        Cx::new(Arc::new(VirtualClock::default()), StopSignal::never())
    }

    async fn run(checks: &[CheckDecl], checkers: &Checkers, cx: &Cx) -> Vec<CheckResult> {
        run_checks(checks, checkers, cx, &mut |_| {}).await
    }

    #[tokio::test]
    async fn holds_after_some_tries() {
        let (checker, tries) = Scripted::new("x", |n| {
            if n < 3 {
                Err(CheckFailure::new("no"))
            } else {
                Ok("yes".into())
            }
        });
        let cx = virtual_cx();
        let results = run(&[decl("x", 60)], &Checkers::new().with(checker), &cx).await;
        assert!(results[0].passed);
        assert_eq!(results[0].evidence, "yes");
        assert_eq!(tries.load(Ordering::SeqCst), 4);
        // 1 s, 1.25 s and 1.5625 s of waiting.
        assert_eq!(results[0].millis, 3_812);
    }

    #[tokio::test]
    async fn gives_up_at_the_deadline_with_the_last_evidence() {
        let (checker, tries) =
            Scripted::new(
                "x",
                |n| Err(CheckFailure::new(format!("try {n}")).hint("h")),
            );
        let results = run(
            &[decl("x", 10)],
            &Checkers::new().with(checker),
            &virtual_cx(),
        )
        .await;
        assert!(!results[0].passed);
        assert_eq!(
            results[0].evidence,
            format!("try {}", tries.load(Ordering::SeqCst) - 1)
        );
        assert_eq!(results[0].hint.as_deref(), Some("h"));
        assert_eq!(results[0].millis, 10_000, "the last try is at the deadline");
    }

    #[tokio::test]
    async fn no_time_is_one_try_and_fatal_ends_at_once() {
        let (checker, tries) = Scripted::new("x", |_| Err(CheckFailure::new("no")));
        let results = run(
            &[decl("x", 0)],
            &Checkers::new().with(checker),
            &virtual_cx(),
        )
        .await;
        assert!(!results[0].passed);
        assert_eq!(tries.load(Ordering::SeqCst), 1);

        let (checker, tries) = Scripted::new("y", |_| Err(CheckFailure::fatal("never")));
        let results = run(
            &[decl("y", 60)],
            &Checkers::new().with(checker),
            &virtual_cx(),
        )
        .await;
        assert_eq!(results[0].evidence, "never");
        assert_eq!(tries.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn must_hold_for_the_whole_time() {
        // Holds, fails once, then holds on.
        let (checker, tries) = Scripted::new("x", |n| {
            if n == 1 {
                Err(CheckFailure::new("flapped"))
            } else {
                Ok("up".into())
            }
        });
        let check = CheckDecl {
            stable_for: Duration::from_secs(3),
            ..decl("x", 60)
        };
        let results = run(&[check], &Checkers::new().with(checker), &virtual_cx()).await;
        assert!(results[0].passed);
        // 0: up, 1: flapped, 2: up, then three seconds more.
        assert_eq!(tries.load(Ordering::SeqCst), 6);
        assert_eq!(results[0].millis, 5_000);
    }

    #[tokio::test]
    async fn one_that_does_not_stay_up_says_so() {
        let (checker, _) = Scripted::new("x", |n| {
            if n % 2 == 0 {
                Ok("up".into())
            } else {
                Err(CheckFailure::new("down"))
            }
        });
        let check = CheckDecl {
            stable_for: Duration::from_secs(3),
            ..decl("x", 5)
        };
        let results = run(&[check], &Checkers::new().with(checker), &virtual_cx()).await;
        assert!(!results[0].passed);
        assert_eq!(
            results[0].evidence, "it held, but not for long: down",
            "{results:?}"
        );
    }

    #[tokio::test]
    async fn results_keep_the_order_and_are_told_as_they_end() {
        let (slow, _) = Scripted::new("slow", |n| {
            if n < 5 {
                Err(CheckFailure::new("no"))
            } else {
                Ok("late".into())
            }
        });
        let (fast, _) = Scripted::new("fast", |_| Ok("at once".into()));
        let checkers = Checkers::new().with(slow).with(fast);
        let mut heard = Vec::new();
        let results = run_checks(
            &[decl("slow", 60), decl("fast", 60), decl("none", 60)],
            &checkers,
            &virtual_cx(),
            &mut |result| heard.push(result.evidence.clone()),
        )
        .await;
        assert_eq!(
            results
                .iter()
                .map(|r| (&*r.name, r.passed))
                .collect::<Vec<_>>(),
            [
                ("apps.api.slow", true),
                ("apps.api.fast", true),
                ("apps.api.none", false)
            ]
        );
        assert_eq!(heard.last().map(String::as_str), Some("late"));
        assert_eq!(results[2].evidence, "nobody makes `none` checks");
        assert_eq!(
            results[2].hint.as_deref(),
            Some("kinds of checks: fast, slow")
        );
    }

    #[tokio::test]
    async fn stop_requests_end_the_wait() {
        let (checker, tries) = Scripted::new("x", |_| Err(CheckFailure::new("no")));
        let (handle, signal) = StopHandle::new();
        let cx = Cx::new(Arc::new(crate::clock::SystemClock), signal);
        let checkers = Checkers::new().with(checker);
        let checks = [decl("x", 3600)];
        let (results, ()) = tokio::join!(run(&checks, &checkers, &cx), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            handle.graceful();
        });
        assert!(!results[0].passed);
        assert_eq!(results[0].evidence, "stopped on request before it held");
        assert_eq!(tries.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn evidence_is_clean_and_short() {
        let (checker, _) = Scripted::new("x", |_| {
            Ok(format!("\u{1b}[31mtoken-1234567890 {}", "é".repeat(2_000)))
        });
        let check = CheckDecl {
            spec: Value::map([("headers", Value::secret("token-1234567890"))]),
            ..decl("x", 1)
        };
        let results = run(&[check], &Checkers::new().with(checker), &virtual_cx()).await;
        let evidence = &results[0].evidence;
        assert!(
            evidence.starts_with("\\u{1b}[31m(secret) é"),
            "{}",
            &evidence[..40]
        );
        assert!(evidence.len() < 1_010);
    }

    #[tokio::test]
    async fn unresolved_specs_and_panics_fail_only_their_own_check() {
        let (good, _) = Scripted::new("good", |_| Ok("ok".into()));
        let (bad, _) = Scripted::new("bad", |_| panic!("a bug"));
        let address = crate::address::Address::parse("apps.api.run").unwrap();
        let open = CheckDecl {
            spec: Value::map([("url", crate::role::Parts::output(&address, "url"))]),
            ..decl("good", 1)
        };
        let results = run(
            &[decl("bad", 1), open, decl("good", 1)],
            &Checkers::new().with(good).with(bad),
            &virtual_cx(),
        )
        .await;
        assert_eq!(results[0].evidence, "the checker of `bad` checks panicked");
        assert!(
            results[1].evidence.contains("apps.api.run.url"),
            "{results:?}"
        );
        assert!(results[2].passed);
    }

    #[tokio::test]
    async fn what_is_waited_for_is_told_once() {
        struct Sink(Mutex<Vec<String>>);
        impl crate::provider::Checkpoints for Sink {
            fn save(
                &self,
                _: crate::provider::OpId,
                _: crate::provider::Object,
            ) -> crate::clock::BoxFuture<'_, crate::error::Result<()>> {
                Box::pin(async { Ok(()) })
            }
            fn progress(
                &self,
                _: Option<crate::provider::OpId>,
                progress: crate::provider::Progress,
            ) {
                if let crate::provider::Progress::Note(text) = progress {
                    self.0.lock().unwrap().push(text);
                }
            }
        }
        let sink = Arc::new(Sink(Mutex::default()));
        let cx = virtual_cx().with_sink(sink.clone());
        let (checker, _) = Scripted::new("x", |n| match n {
            0..3 => Err(CheckFailure::new("refused")),
            3 => Err(CheckFailure::new("502")),
            _ => Ok("up".into()),
        });
        run(&[decl("x", 60)], &Checkers::new().with(checker), &cx).await;
        assert_eq!(
            *sink.0.lock().unwrap(),
            [
                "apps.api.x does not hold yet: refused",
                "apps.api.x does not hold yet: 502"
            ]
        );
    }
}

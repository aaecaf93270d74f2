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
        fn progress(&self, _: Option<crate::provider::OpId>, progress: crate::provider::Progress) {
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

#[tokio::test(start_paused = true)]
async fn a_checker_that_hangs_is_given_up() {
    struct Hangs;
    #[async_trait::async_trait]
    impl Checker for Hangs {
        fn kind(&self) -> &'static str {
            "hangs"
        }
        fn schema(&self) -> Json {
            serde_json::json!({"type": "object"})
        }
        async fn check(&self, _: &Cx, _: &Json) -> Result<String, CheckFailure> {
            std::future::pending().await
        }
    }
    let results = run(
        &[decl("hangs", 0)],
        &Checkers::new().with(Hangs),
        &virtual_cx(),
    )
    .await;
    assert_eq!(results[0].evidence, "no answer from the checker within 20s");
}

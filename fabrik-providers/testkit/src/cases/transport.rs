//! R1, R2, R3, R6, R13, R14: what a transport has to bear.

use std::time::Duration;

use fabrik_core::clock::Clock as _;
use fabrik_core::error::{ErrorKind, ErrorReport};
use fabrik_core::provider::Lost;
use fabrik_core::state::RunResult;
use jiff::Timestamp;

use super::lost::{converge, until_written, writes_of_a_create};
use super::{Case, Ctx, always, case};
use crate::proxy::{Fault, Match};
use crate::suite::world::{Stop, Verdict, World, ensure};
use crate::suite::{Facts, Need};
use crate::target::Wire;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "R1" "retry_after_in_seconds"
            "429 with `Retry-After` in seconds is waited for" http, r1),
        case!(Resource "R2" "retry_after_as_a_date"
            "429 with `Retry-After` as a date is waited for" http, r2),
        case!(Resource "R3" "unavailable_twice"
            "503 twice and then fine is fine" answers, r3),
        case!(Resource "R6" "a_slow_answer_is_a_timeout"
            "no answer is a timeout that names the time, and makes no second object" always, r6),
        case!(Resource "R13" "broken_answers_are_clear_errors"
            "truncated and malformed answers are clear errors with the request's id" http, r13),
        case!(Resource "R14" "credentials_expire"
            "credentials that expire within a run are renewed at most once, then it is `Auth`"
            http, r14),
    ]
}

fn http(facts: &Facts<'_>) -> Need {
    match facts.wire() {
        Wire::Http => always(facts),
        other => Need::Skip(format!("{} has no such answers", other.word())),
    }
}

fn answers(facts: &Facts<'_>) -> Need {
    match facts.wire() {
        Wire::Http | Wire::Direct => always(facts),
        other => Need::Skip(format!("{} has no such answers", other.word())),
    }
}

fn seconds(world: &World, since: Timestamp) -> i64 {
    world.clock.now().duration_since(since).as_secs()
}

async fn r1(ctx: Ctx) -> Verdict {
    let fault = |_: &World| Fault::status(429).header("retry-after", "7");
    slowed(&ctx, 7, &fault).await
}

async fn r2(ctx: Ctx) -> Verdict {
    let fault = |world: &World| {
        let at = world.clock.now() + Duration::from_secs(9);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        Fault::status(429).header("retry-after", &date)
    };
    slowed(&ctx, 9, &fault).await
}

async fn slowed(ctx: &Ctx, wait: i64, fault: &(dyn Fn(&World) -> Fault + Sync)) -> Verdict {
    let writes = writes_of_a_create(ctx).await?;
    let world = ctx.world()?;
    world.base().await?;
    let sample = world.samples().fullest();
    let count = world.count();
    let (since, before) = (world.clock.now(), world.proxy.writes());
    world.proxy.on(Match::write(), fault(&world));
    world.changed(&sample).await?;
    let waited = seconds(&world, since);
    ensure!(
        waited >= wait,
        "the service asked to wait {wait} s before a write, and the next one came after {waited} s"
    );
    let sent = world.proxy.writes() - before;
    ensure!(
        sent == writes + 1 && world.count() == count + 1,
        "a write was refused with 429 once; {sent} were sent instead of {}",
        writes + 1
    );
    let since = world.clock.now();
    let seen = world.proxy.seen();
    world.proxy.on(Match::read(), fault(&world));
    let stack = world.load(&sample)?;
    let plan = world.stage.plan(&stack).await;
    let reads = world
        .proxy
        .since(seen)
        .iter()
        .filter(|one| !one.write)
        .count();
    if reads == 0 {
        return Ok(());
    }
    if let Err(error) = plan {
        return Err(Stop::Fail(format!(
            "a read was answered 429 once, and the plan failed: {error:?}"
        )));
    }
    let waited = seconds(&world, since);
    ensure!(
        waited >= wait,
        "the service asked to wait {wait} s before a read, and the next one came after {waited} s"
    );
    Ok(())
}

async fn r3(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    world.made(&sample).await?;
    let stack = world.load(&sample)?;
    if world.wire() == Wire::Http {
        world.proxy.on(Match::read().times(2), Fault::status(503));
        let plan = world.stage.plan(&stack).await.map_err(|error| {
            Stop::Fail(format!(
                "a read was answered 503 twice, and the plan failed: {error:?}"
            ))
        })?;
        ensure!(
            plan.is_empty(),
            "a read was answered 503 twice, and the plan is not empty"
        );
    }
    let world = ctx.world()?;
    if world.info()?.lost == Lost::None {
        return Ok(());
    }
    world.base().await?;
    let before = world.count();
    world.proxy.on(Match::write().times(2), Fault::status(503));
    converge(&world, "the create was answered 503 twice", before).await
}

fn text_of(error: &ErrorReport) -> String {
    let operation = error.operation.clone().unwrap_or_default();
    let hint = error.hint.clone().unwrap_or_default();
    let causes = error.causes.join(" ");
    format!(
        "{operation} {} {hint} {causes} {:?}",
        error.message, error.context
    )
}

async fn r6(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    world.base().await?;
    let before = world.count();
    let stack = world.load(&world.samples().fullest())?;
    let plan = world.stage.plan(&stack).await?;
    let seen = world.proxy.seen();
    world.proxy.on(Match::write().always(), Fault::Hang);
    let applying = world.stage.run(plan);
    let passing = async {
        until_written(&world, seen).await?;
        // The time passes, while nothing answers.
        loop {
            world.clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        #[expect(unreachable_code, reason = "it says what the block gives")]
        Ok::<(), Stop>(())
    };
    let report = tokio::select! {
        report = applying => report?,
        ended = passing => {
            ended?;
            return Err(Stop::Fail("unreachable".to_owned()));
        }
        () = tokio::time::sleep(Duration::from_secs(20)) => {
            return Err(Stop::Fail("nothing answers, and the run does not end".to_owned()));
        }
    };
    let Some(error) = &report.end.error else {
        return Err(Stop::Fail(
            "nothing answered, and the run succeeded".to_owned(),
        ));
    };
    let text = text_of(error);
    ensure!(
        error.kind == ErrorKind::Timeout || text.contains("within"),
        "nothing answered, and the error is {:?}: {text}",
        error.kind
    );
    ensure!(
        text.chars().any(|letter| letter.is_ascii_digit()),
        "the timeout does not say how long was waited: {text}"
    );
    world.proxy.heal();
    converge(&world, "nothing answered for a while", before).await
}

const REQUEST_ID: &str = "fbt-request-7b21";

async fn r13(ctx: Ctx) -> Verdict {
    let malformed = Fault::status(200).body(r#"{"result": ["#);
    for (what, fault) in [("truncated", Fault::Truncate(5)), ("malformed", malformed)] {
        let world = ctx.world()?;
        let sample = world.samples().fullest();
        world.made(&sample).await?;
        let stack = world.load(&sample)?;
        world.proxy.stamp("x-request-id", REQUEST_ID);
        let seen = world.proxy.seen();
        world.proxy.on(Match::read().always(), fault);
        let plan = world.stage.plan(&stack).await;
        if world.proxy.seen() == seen {
            return Err(Stop::Skip("a plan reads nothing".to_owned()));
        }
        let Err(error) = plan else {
            return Err(Stop::Fail(format!(
                "every answer was {what}, and the plan was made all the same"
            )));
        };
        let bugs = [ErrorKind::Unexpected, ErrorKind::Panicked];
        ensure!(
            !bugs.contains(&error.kind()),
            "every answer was {what}, and the error looks like a bug: {error:?}"
        );
        let message = error.to_string();
        let jargon = ["EOF while parsing", "expected value at line", "expected `"];
        ensure!(
            !jargon.iter().any(|words| message.contains(words)),
            "every answer was {what}, and the message is the parser's: {message}"
        );
        ensure!(
            format!("{error:?}").contains(REQUEST_ID),
            "every answer was {what}, and the error does not name the request's id: {error:?}"
        );
    }
    Ok(())
}

async fn r14(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    world.made(&sample).await?;
    let stack = world.load(&sample)?;
    let refusal = world.def.unauthorized.clone();
    let fault = Fault::status(refusal.status)
        .header("content-type", &refusal.content_type)
        .body(refusal.body);
    let seen = world.proxy.seen();
    world.proxy.on(Match::any().always(), fault);
    let plan = world.stage.plan(&stack).await;
    let sent = world.proxy.seen() - seen;
    if sent == 0 {
        return Err(Stop::Skip("a plan sends nothing".to_owned()));
    }
    let Err(error) = plan else {
        return Err(Stop::Fail(
            "every request was refused for its credentials, and the plan was made".to_owned(),
        ));
    };
    ensure!(
        error.kind() == ErrorKind::Auth,
        "every request was refused for its credentials, and the error is {:?}: {error}",
        error.kind()
    );
    ensure!(
        sent <= 4,
        "the credentials were refused, and {sent} requests were made with them"
    );
    // Within a run.
    let world = ctx.world()?;
    world.base().await?;
    let stack = world.load(&sample)?;
    let plan = world.stage.plan(&stack).await?;
    let refusal = world.def.unauthorized.clone();
    let fault = Fault::status(refusal.status)
        .header("content-type", &refusal.content_type)
        .body(refusal.body);
    world.proxy.on(Match::any().always(), fault);
    let ended = match world.stage.run(plan).await {
        Ok(report) => {
            ensure!(
                report.end.result != RunResult::Succeeded,
                "the credentials were refused, and the run succeeded"
            );
            report.end.error.map(|error| error.kind)
        }
        Err(error) => Some(error.kind()),
    };
    ensure!(
        ended == Some(ErrorKind::Auth),
        "the credentials expired within a run, and the error is {ended:?}"
    );
    Ok(())
}

//! O1 to O3: what can be seen from outside.

use std::sync::{Arc, Mutex, PoisonError};

use fabrik_core::clock::BoxFuture;
use fabrik_core::error::Result;
use fabrik_core::event::EventBody;
use fabrik_core::provider::{Checkpoints, Object, OpId, Outcome, Progress, ReadRequest, Verb};

use super::{Case, Ctx, always, case};
use crate::suite::world::{Stop, Verdict, World, ensure};
use crate::suite::{Facts, Need};
use crate::target::Wire;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "O1" "requests_are_events"
            "every request is an event, with a route that holds no ids" http, o1),
        case!(Provider "O2" "user_agent"
            "requests say that they come from Fabrik and this provider" o2_need, o2),
        case!(Resource "O3" "long_operations_report"
            "operations of more than ten seconds report progress" o3_need, o3),
    ]
}

fn http(facts: &Facts<'_>) -> Need {
    match facts.wire() {
        Wire::Http => always(facts),
        other => Need::Skip(format!("{} has no routes", other.word())),
    }
}

fn o2_need(facts: &Facts<'_>) -> Need {
    match facts.wire() {
        Wire::Http | Wire::WebSocket => Need::Run,
        other => Need::Skip(format!("{} has no user agent", other.word())),
    }
}

fn o3_need(facts: &Facts<'_>) -> Need {
    if facts.samples.is_some_and(|samples| samples.slow.is_some()) {
        always(facts)
    } else {
        Need::skip("no operation takes long (.slow)")
    }
}

/// Keeps what a provider says.
#[derive(Default)]
struct Ear(Mutex<Vec<Progress>>);

impl Ear {
    fn heard(&self) -> Vec<Progress> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Checkpoints for Ear {
    fn save(&self, _: OpId, _: Object) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn progress(&self, _: Option<OpId>, progress: Progress) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(progress);
    }
}

async fn o1(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let made = world.made(&world.samples().fullest()).await?;
    let instance = world.open().await?;
    let ear = Arc::new(Ear::default());
    let cx = world.stage.cx().with_sink(ear.clone());
    let seen = world.proxy.seen();
    let request = ReadRequest {
        address: fabrik_core::address::Address::parse(crate::suite::world::IT)?,
        type_name: world.type_name().into(),
        prior: made.object.clone(),
    };
    let _ = instance.read(&cx, std::slice::from_ref(&request)).await;
    let operation = world.operation(Verb::Delete, 0x01, Some(&made))?;
    let cx = cx.for_op(OpId(0x01));
    let outcomes = instance.apply(&cx, std::slice::from_ref(&operation)).await;
    if let Some(Outcome::Failed(error)) = outcomes.first() {
        return Err(Stop::Fail(format!("deleting failed: {error:?}")));
    }
    instance.close().await;
    let sent = world.proxy.since(seen);
    let mut told = Vec::new();
    for progress in ear.heard() {
        if let Progress::Http { method, route, .. } = progress {
            told.push((method, route));
        }
    }
    ensure!(
        told.len() >= sent.len(),
        "there were {} requests ({sent:?}), and {} events of requests",
        sent.len(),
        told.len()
    );
    let id = &made.object.id;
    for (method, route) in &told {
        ensure!(
            !route.is_empty() && !method.is_empty(),
            "an event of a request has no route: `{method} {route}`"
        );
        let numbered = route
            .split('/')
            .any(|part| part == id || (part.len() > 2 && part.bytes().all(|b| b.is_ascii_digit())));
        ensure!(
            !(numbered || id.len() > 5 && route.contains(id.as_str())),
            "the route `{route}` holds an id"
        );
    }
    Ok(())
}

async fn o2(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    super::credentials::attempt(&world, &world.stage).await?;
    let name = world.provider_name().to_lowercase().replace('_', "-");
    let mut sent = world.proxy.log();
    // Messages on a socket have no headers; the upgrade has.
    sent.retain(|one| !one.headers.is_empty());
    ensure!(!sent.is_empty(), "no request with headers was seen");
    for one in sent {
        let agent = one.header("user-agent").unwrap_or_default().to_lowercase();
        ensure!(
            agent.contains("fabrik") && agent.replace('_', "-").contains(&name),
            "{one:?} has the user agent `{agent}`, which does not name Fabrik and `{name}`"
        );
    }
    Ok(())
}

fn millis(world: &World) -> Vec<(String, u64)> {
    let events = world.stage.events();
    let done = events.iter().filter_map(|event| match &event.body {
        EventBody::StepDone { address, ms, .. } => Some((address.to_string(), *ms)),
        _ => None,
    });
    done.collect()
}

async fn o3(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    world.base().await?;
    if let Some(slow) = world.samples().slow.clone() {
        world.deed(&slow);
    }
    world.changed(&world.samples().fullest()).await?;
    let it = crate::suite::world::IT;
    let long = millis(&world)
        .into_iter()
        .any(|(address, ms)| address == it && ms > 10_000);
    ensure!(
        long,
        "after .slow a create still takes no more than ten seconds: {:?}",
        millis(&world)
    );
    let reports = world.stage.events().iter().any(|event| {
        matches!(
            &event.body,
            EventBody::StepProgress { address, .. } | EventBody::LogLine { address, .. }
                if address.as_str() == it
        )
    });
    ensure!(
        reports,
        "a create took more than ten seconds and said nothing"
    );
    Ok(())
}

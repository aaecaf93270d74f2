//! X1 to X6: secrets are nowhere they should not be.
//!
//! The values of sensitive fields in the samples and of credentials in the target's configuration
//! are the canaries. The service echoes them in its refusals, as careless services do.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use fabrik_core::provider::Fields;
use fabrik_core::state::StateStore as _;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value as Json;

use super::life::before_and_after;
use super::refuse::refusal;
use super::{Case, Ctx, always, case};
use crate::cassette;
use crate::proxy::{Fault, Match};
use crate::stack::said;
use crate::suite::world::{Stop, Verdict, World, ensure, tell};
use crate::suite::{Facts, Need};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "X1" "no_secret_in_logs"
            "no secret in logs, at the level `trace`" has_secrets, x1),
        case!(Resource "X2" "no_secret_in_errors"
            "no secret in errors, also when the service echoes it" has_secrets, x2),
        case!(Resource "X3" "no_secret_in_events_and_plans"
            "no secret in events and plans" has_secrets, x3),
        case!(Resource "X4" "no_secret_in_state"
            "no secret in state in clear" has_secrets, x4),
        case!(Resource "X5" "no_secret_in_cassettes"
            "no secret in what is recorded" x5_need, x5),
        case!(Resource "X6" "no_secret_in_urls"
            "no secret in paths and queries" has_secrets, x6),
    ]
}

fn has_secrets(facts: &Facts<'_>) -> Need {
    let sensitive = facts
        .info()
        .is_some_and(|info| info.fields.any(&|field| field.sensitive));
    if !sensitive && facts.credentials().is_empty() {
        return Need::skip("nothing is sensitive");
    }
    always(facts)
}

fn x5_need(facts: &Facts<'_>) -> Need {
    if facts.wire() == crate::target::Wire::Direct {
        return Need::skip("there is no network to record");
    }
    has_secrets(facts)
}

fn gather(fields: &Fields, json: &Json, secret: bool, out: &mut Vec<String>) {
    let secret = secret || fields.sensitive;
    match json {
        Json::String(text) if secret && !text.contains("${") => out.push(text.clone()),
        Json::Array(items) => {
            let below = fields.items.as_deref().unwrap_or(fields);
            for item in items {
                gather(below, item, secret, out);
            }
        }
        Json::Object(map) => {
            for (key, item) in map {
                let below = fields.child(&fabrik_core::value::Segment::Key(key.as_str().into()));
                gather(below, item, secret, out);
            }
        }
        _ => {}
    }
}

/// Credentials of the configuration.
fn credentials(world: &World) -> Vec<String> {
    let provider = (world.def.provider)();
    let fields = Fields::of_schema(&provider.info().config);
    let mut found = Vec::new();
    gather(&fields, &world.config, false, &mut found);
    found
}

/// Every secret of the case.
fn canaries(world: &World) -> Verdict<Vec<String>> {
    let mut found = credentials(world);
    let info = world.info()?;
    let (before, after) = before_and_after(world);
    for sample in [before, after] {
        gather(&info.fields, &world.filled(&sample), false, &mut found);
    }
    found.sort();
    found.dedup();
    let short = found.iter().any(|text| text.len() < 8);
    ensure!(
        !short,
        "give the samples and the target secrets of at least eight characters: shorter ones \
         cannot be told from ordinary words"
    );
    Ok(found)
}

/// The forms a secret is found in.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap_or_default();
    vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ]
}

/// The case fails when a text holds a secret; what stands around it is told, the secret is not.
fn clean(what: &str, text: &str, secrets: &[String]) -> Verdict {
    for secret in secrets {
        for form in forms(secret) {
            if let Some(at) = text.find(&form) {
                let from = text[..at]
                    .char_indices()
                    .rev()
                    .nth(160)
                    .map_or(0, |(at, _)| at);
                let shown = &text[from..at];
                return Err(Stop::Fail(format!("{what} holds a secret: …{shown}(HERE)")));
            }
        }
    }
    Ok(())
}

/// What was said while a resource lived.
#[derive(Default)]
struct Said {
    errors: Vec<String>,
    direct: Vec<String>,
    plans: Vec<String>,
}

/// A life with everything that says something: plans, runs, refusals that echo secrets.
async fn live(world: &World) -> Verdict<Said> {
    let secrets = canaries(world)?;
    let echo = secrets.join(" ");
    let mut said_so = Said::default();
    let (before, after) = before_and_after(world);
    world.base().await?;
    let stack = world.load(&before)?;
    let tell_plan = |said_so: &mut Said, plan: &fabrik_core::plan::Plan| {
        said_so.plans.push(format!("{plan:?}"));
        said_so.plans.push(said(plan));
        // A plan with clear secrets does not serialise, and that is well.
        said_so.plans.extend(serde_json::to_string(plan).ok());
    };
    // The first create is refused, with everything it held.
    let mut fault = refusal(&world.def, world.wire());
    if let Fault::Status { body, .. } = &mut fault {
        *body = if body.contains("refused") {
            body.replace("refused", &format!("refused: {echo}"))
        } else {
            serde_json::json!({ "message": format!("refused: {echo}") }).to_string()
        };
    }
    let plan = world.stage.plan(&stack).await?;
    tell_plan(&mut said_so, &plan);
    world.proxy.on(Match::write().always(), fault.clone());
    match world.stage.run(plan).await {
        Ok(report) => said_so.errors.push(format!("{:?}", report.end)),
        Err(error) => said_so.errors.push(format!("{error} {error:?}")),
    }
    world.proxy.heal();
    world.stage.succeed(&stack).await?;
    // Reads are refused too.
    world.proxy.on(Match::read().always(), fault.clone());
    if let Err(error) = world.stage.plan(&stack).await {
        said_so
            .errors
            .push(format!("{error} {error:?} {:?}", error.report()));
    }
    let row = world.stage.row(crate::suite::world::IT).await?;
    if let Err(error) = world.read(&row.object).await {
        let told = format!("{error} {} {:?}", tell(&error), error.report());
        said_so.direct.push(told);
    }
    world.proxy.heal();
    let changed = world.load(&after)?;
    let plan = world.stage.plan(&changed).await?;
    tell_plan(&mut said_so, &plan);
    world.stage.run(plan).await?;
    let instance = world.open().await?;
    // Not every type can be listed.
    let _ = instance.list(&world.stage.cx(), world.type_name()).await;
    instance.close().await;
    world.stage.destroy(&changed).await?;
    Ok(said_so)
}

async fn x1(ctx: Ctx) -> Verdict {
    let world = ctx.veiled()?;
    live(&world).await?;
    let logged = ctx.logged.text();
    clean("the log", &logged, &canaries(&world)?)
}

async fn x2(ctx: Ctx) -> Verdict {
    let world = ctx.veiled()?;
    let said = live(&world).await?;
    let secrets = canaries(&world)?;
    for error in &said.errors {
        clean("an error", error, &secrets)?;
    }
    // Before the engine cleans it, a provider's error is free of credentials.
    for error in &said.direct {
        clean("an error of the provider", error, &credentials(&world))?;
    }
    let provider = (world.def.provider)();
    clean(
        "what the provider says of itself",
        &format!("{:?}", provider.info()),
        &secrets,
    )
}

async fn x3(ctx: Ctx) -> Verdict {
    let world = ctx.veiled()?;
    let said = live(&world).await?;
    let secrets = canaries(&world)?;
    for plan in &said.plans {
        clean("a plan", plan, &secrets)?;
    }
    for event in world.stage.events() {
        let json = serde_json::to_string(&event)
            .map_err(|error| Stop::Fail(format!("an event does not serialise: {error}")))?;
        clean("an event", &json, &secrets)?;
        clean("an event's line", &event.message(), &secrets)?;
    }
    Ok(())
}

async fn x4(ctx: Ctx) -> Verdict {
    let world = ctx.veiled()?;
    let secrets = canaries(&world)?;
    let (before, _) = before_and_after(&world);
    world.made(&before).await?;
    let store = world.stage.store();
    let mut texts = Vec::new();
    let json = |error: serde_json::Error| Stop::Fail(format!("state does not serialise: {error}"));
    let snapshot = store.load().await?;
    texts.push(serde_json::to_string(&snapshot).map_err(json)?);
    for row in &snapshot.rows {
        texts.push(String::from_utf8_lossy(&row.object.private).into_owned());
        texts.push(row.object.id.clone());
    }
    for run in store.runs(1000).await? {
        for (_, entry) in store.entries(run.id).await? {
            texts.push(serde_json::to_string(&entry).map_err(json)?);
        }
    }
    for text in texts {
        clean("state", &text, &secrets)?;
    }
    Ok(())
}

async fn x5(ctx: Ctx) -> Verdict {
    let world = ctx.veiled()?;
    world.proxy.record();
    live(&world).await?;
    let recorded = world.proxy.recorded();
    ensure!(!recorded.is_empty(), "nothing was recorded");
    let secrets = canaries(&world)?;
    let scrub = cassette::Scrub::of(&world);
    clean("a cassette", &cassette::text(&recorded, &scrub), &secrets)
}

async fn x6(ctx: Ctx) -> Verdict {
    let world = ctx.veiled()?;
    live(&world).await?;
    let secrets = canaries(&world)?;
    for one in world.proxy.log() {
        let url = format!("{}?{}", one.path, one.query);
        let plain = percent_decode_str(&url).decode_utf8_lossy().into_owned();
        clean("the address of a request", &url, &secrets)?;
        clean("the address of a request", &plain, &secrets)?;
    }
    Ok(())
}

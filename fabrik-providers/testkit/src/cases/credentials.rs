//! C1 to C6: connecting.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::provider::Fields;
use fabrik_core::value::Path;
use serde_json::{Value as Json, json};

use super::{Case, Ctx, case};
use crate::proxy::{Fault, Match};
use crate::stack::Stage;
use crate::suite::world::{Part, Stop, Verdict, World, ensure, load_parts, merged, tell};
use crate::suite::{Facts, Need};
use crate::target::Wire;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Provider "C1" "connecting_works"
            "the provider connects with good credentials, and sends nothing that changes" any, c1),
        case!(Provider "C2" "a_wrong_token_is_auth"
            "wrong credentials are `Auth`, with the variable's name, a hint, and no token" c2_need, c2),
        case!(Provider "C3" "a_missing_token_is_refused_first"
            "missing credentials are an error before any request" c3_need, c3),
        case!(Provider "C4" "a_missing_permission_is_named"
            "a missing permission is `Permission`, and named" c4_need, c4),
        case!(Provider "C5" "nobody_there_is_unavailable"
            "a host that is down is `Unavailable` within the time to connect" c5_need, c5),
        case!(Provider "C6" "a_web_page_is_a_wrong_address"
            "a web page instead of an answer: the address may be wrong" c6_need, c6),
    ]
}

fn any(_: &Facts<'_>) -> Need {
    Need::Run
}

fn c2_need(facts: &Facts<'_>) -> Need {
    token_need(facts, "C2")
}

fn token_need(facts: &Facts<'_>, case: &str) -> Need {
    if facts.credentials().is_empty() {
        return Need::skip("the configuration has no credentials");
    }
    super::unless(facts.def.wrong_token.is_some(), case, ".wrong_token")
}

fn c3_need(facts: &Facts<'_>) -> Need {
    match token_need(facts, "C3") {
        Need::Run => {}
        other => return other,
    }
    let token = facts
        .def
        .wrong_token
        .as_ref()
        .map(|(_, field)| field.clone());
    let config = &facts.provider.info().config;
    let required = config.get("required").and_then(Json::as_array);
    let required =
        required.is_some_and(|list| list.iter().any(|name| name.as_str() == token.as_deref()));
    if required {
        Need::Run
    } else {
        Need::Skip(format!("`{}` may be left out", token.unwrap_or_default()))
    }
}

fn c4_need(facts: &Facts<'_>) -> Need {
    if facts.credentials().is_empty() {
        return Need::skip("the configuration has no credentials");
    }
    super::unless(facts.def.lacking.is_some(), "C4", ".lacking")
}

fn c5_need(facts: &Facts<'_>) -> Need {
    match facts.wire() {
        Wire::Direct => Need::skip("there is no network between"),
        _ => Need::Run,
    }
}

fn c6_need(facts: &Facts<'_>) -> Need {
    match facts.wire() {
        Wire::Http | Wire::WebSocket => Need::Run,
        other => Need::Skip(format!("{} has no web pages", other.word())),
    }
}

/// A stage of the same providers with another configuration.
fn staged(world: &World, config: Json) -> Verdict<Stage> {
    Ok(Stage::builder()
        .provider_arc((world.def.provider)(), config)
        .clock(world.clock.clone())
        .build()?)
}

/// Connects, and makes the first resource's least sample: a lazy provider connects only then.
pub(super) async fn attempt(world: &World, stage: &Stage) -> Result<(), Error> {
    let Some(samples) = world.def.resources.first() else {
        return stage.open(&world.provider_name()).await.map(drop);
    };
    let mut parts: Vec<Part> = samples
        .also
        .iter()
        .map(|also| Part {
            id: also.id.clone(),
            type_name: also.type_name.clone(),
            inputs: also.inputs.clone(),
            options: json!({}),
        })
        .collect();
    parts.push(Part {
        id: "sample".to_owned(),
        type_name: samples.type_name.clone(),
        inputs: samples.least(),
        options: json!({}),
    });
    let stack = load_parts(stage, &|json| world.filled(json), &parts)?;
    stage.succeed(&stack).await.map(drop)
}

async fn c1(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let instance = world.open().await?;
    instance.close().await;
    // A socket logs in by messages; what they are is not known here.
    let writes: Vec<_> = world
        .proxy
        .log()
        .into_iter()
        .filter(|one| one.write)
        .collect();
    ensure!(
        writes.is_empty() || world.wire() == Wire::WebSocket,
        "connecting sent {writes:?}"
    );
    Ok(())
}

async fn c2(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let Some((overlay, field)) = world.def.wrong_token.clone() else {
        return Err(Stop::Skip("no .wrong_token".to_owned()));
    };
    let stage = staged(&world, merged(&world.config, &overlay))?;
    let Err(error) = attempt(&world, &stage).await else {
        return Err(Stop::Fail("wrong credentials were accepted".to_owned()));
    };
    ensure!(
        error.kind() == ErrorKind::Auth,
        "wrong credentials are {:?}, not Auth: {error}",
        error.kind()
    );
    let hint = error.hint_text().unwrap_or_default();
    ensure!(
        !hint.is_empty(),
        "wrong credentials, and no hint what to do: {error}"
    );
    let text = format!("{} {hint}", tell(&error));
    let provider = (world.def.provider)();
    let facts = Fields::of_schema(&provider.info().config);
    if let Some(env) = &facts.at(&Path::parse(&field)).env {
        ensure!(
            text.contains(&**env),
            "wrong credentials, and the variable {env} is not named: {text}"
        );
    }
    let token = overlay.pointer(&format!("/{}", field.replace('.', "/")));
    if let Some(token) = token
        .and_then(Json::as_str)
        .filter(|token| token.len() >= 5)
    {
        ensure!(
            !text.contains(token),
            "the wrong token stands in the error: {}",
            text.replace(token, "(THE TOKEN)")
        );
    }
    Ok(())
}

async fn c3(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let Some((_, field)) = world.def.wrong_token.clone() else {
        return Err(Stop::Skip("no .wrong_token".to_owned()));
    };
    let without = crate::suite::world::with_field(&world.config, &field, &Json::Null);
    let stage = staged(&world, without)?;
    let Err(error) = attempt(&world, &stage).await else {
        return Err(Stop::Fail(format!(
            "without `{field}` everything went well"
        )));
    };
    ensure!(
        world.proxy.seen() == 0,
        "without `{field}` there were requests: {:?}",
        world.proxy.log()
    );
    let text = tell(&error);
    ensure!(
        text.contains(&field),
        "without `{field}`, the error does not name it: {text}"
    );
    Ok(())
}

async fn c4(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let Some((deed, permission)) = world.def.lacking.clone() else {
        return Err(Stop::Skip("no .lacking".to_owned()));
    };
    world.deed(&deed);
    let Err(error) = attempt(&world, &world.stage).await else {
        return Err(Stop::Fail(format!(
            "without the permission `{permission}` everything went well"
        )));
    };
    ensure!(
        error.kind() == ErrorKind::Permission,
        "a missing permission is {:?}, not Permission: {error}",
        error.kind()
    );
    let text = format!("{} {}", tell(&error), error.hint_text().unwrap_or_default());
    ensure!(
        text.contains(&permission),
        "a missing permission, and the error does not name `{permission}`: {text}"
    );
    Ok(())
}

/// An address where nobody listens.
fn nobody() -> Verdict<SocketAddr> {
    let failed = |error: std::io::Error| Stop::Fail(error.to_string());
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    listener.local_addr().map_err(failed)
}

async fn c5(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let stage = staged(&world, world.held.target.config(nobody()?))?;
    let begun = Instant::now();
    let Err(error) = attempt(&world, &stage).await else {
        return Err(Stop::Fail(
            "nobody listens, and everything went well".to_owned(),
        ));
    };
    ensure!(
        error.kind() == ErrorKind::Unavailable,
        "nobody listens, and the error is {:?}, not Unavailable: {error}",
        error.kind()
    );
    ensure!(
        begun.elapsed() < Duration::from_secs(15),
        "nobody listens, and it took {} s to say so",
        begun.elapsed().as_secs()
    );
    Ok(())
}

async fn c6(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    world.proxy.on(Match::any().always(), Fault::Html);
    let Err(error) = attempt(&world, &world.stage).await else {
        return Err(Stop::Fail(
            "every answer is a web page, and everything went well".to_owned(),
        ));
    };
    let text = format!("{} {}", tell(&error), error.hint_text().unwrap_or_default());
    let lower = text.to_lowercase();
    ensure!(
        ["address", "url", "endpoint"]
            .iter()
            .any(|word| lower.contains(word)),
        "every answer is a web page, and the error says nothing of the address: {text}"
    );
    let jargon = [
        "expected value at line",
        "EOF while parsing",
        "expected ident",
    ];
    ensure!(
        !jargon.iter().any(|words| error.to_string().contains(words)),
        "every answer is a web page, and the message is the parser's: {text}"
    );
    ensure!(
        error.kind() != ErrorKind::Unexpected,
        "every answer is a web page, and the error looks like a bug: {text}"
    );
    Ok(())
}

//! U1 and U2: state that other versions stored.

use fabrik_core::engine::{PlanOptions, Refresh};
use fabrik_core::error::ErrorKind;
use fabrik_core::provider::Object;
use fabrik_core::state::{Change, Entry, EntryKind, Holder, LeaseAnswer, Row};
use fabrik_core::value::{Path, Value};
use serde_json::{Value as Json, json};

use super::{Case, Ctx, always, case};
use crate::stack::said;
use crate::suite::world::{IT, Stop, Verdict, World, ensure, plain, tell, value_of};
use crate::suite::{Facts, Need};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "U1" "older_state_is_upgraded"
            "state of each older version is upgraded, and the plan is empty" u1_need, u1),
        case!(Resource "U2" "newer_state_is_refused"
            "state of a newer version is refused, and the version that is needed is named"
            always, u2),
    ]
}

fn u1_need(facts: &Facts<'_>) -> Need {
    let (Some(info), Some(samples)) = (facts.info(), facts.samples) else {
        return Need::skip("no type");
    };
    if info.version <= 1 {
        return Need::skip("version 1 of the type is the first");
    }
    let missing =
        (1..info.version).find(|version| !samples.older.iter().any(|(older, _)| older == version));
    match missing {
        Some(version) => Need::Missing(format!("declare .older({version}, …) or waive U1")),
        None => Need::Run,
    }
}

/// Puts a row into state, as if it had been stored so.
async fn put(world: &World, row: Row) -> Verdict {
    let store = world.stage.engine().store();
    let snapshot = store.load().await?;
    let holder = Holder {
        who: "suite".into(),
        host: "suite".into(),
        pid: 0,
        process: String::new(),
        command: "suite".into(),
    };
    let now = world.stage.clock().now();
    let LeaseAnswer::Granted(lease) = store.lease(&holder, now, None).await? else {
        return Err(Stop::Fail("state is locked".to_owned()));
    };
    let kind = EntryKind::State {
        address: row.address.clone(),
        what: "stored by another version".into(),
        before: None,
    };
    let entry = Entry::new(snapshot.last_run, now, kind).change(Change::Put(Box::new(row)));
    store.append(&lease, snapshot.head, vec![entry]).await?;
    store.release(&lease).await?;
    Ok(())
}

async fn u1(ctx: Ctx) -> Verdict {
    for (version, older) in ctx.world()?.samples().older.clone() {
        let world = ctx.world()?;
        let sample = world.samples().fullest();
        let mut row = world.made(&sample).await?;
        let stored = older(json!({
            "id": row.object.id,
            "inputs": plain(&row.object.inputs),
            "outputs": plain(&row.object.outputs),
        }));
        let part = |key: &str| value_of(stored.get(key).unwrap_or(&Json::Null));
        let info = world.info()?;
        let id = stored.get("id").and_then(Json::as_str);
        row.object = Object {
            id: id.unwrap_or(&row.object.id).to_owned(),
            inputs: info.fields.mark(&part("inputs")),
            outputs: info.output_fields.mark(&part("outputs")),
            ..row.object
        };
        row.declared = None;
        row.version = version;
        put(&world, row).await?;
        // Without reading too: what is there now hides what was not upgraded.
        for refresh in [Refresh::None, Refresh::All] {
            let options = PlanOptions {
                refresh,
                ..PlanOptions::default()
            };
            let stack = world.load(&sample)?;
            let plan = world.stage.plan_with(&stack, &options).await?;
            ensure!(
                plan.is_empty(),
                "state of version {version} was upgraded, and the plan would {}",
                said(&plan)
            );
        }
    }
    Ok(())
}

async fn u2(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    let mut row = world.made(&sample).await?;
    let newer = world.info()?.version + 1;
    row.version = newer;
    // Something that this version does not know.
    row.object.inputs = row
        .object
        .inputs
        .with(&Path::key("fbt_newer"), Value::from("x"));
    put(&world, row).await?;
    let before = world.proxy.writes();
    let Err(error) = world.stage.plan(&world.load(&sample)?).await else {
        return Err(Stop::Fail(format!(
            "state of version {newer} was taken as it is"
        )));
    };
    ensure!(
        error.kind() == ErrorKind::Newer,
        "state of version {newer} is {:?}, not Newer: {error}",
        error.kind()
    );
    let text = tell(&error);
    ensure!(
        text.contains(&newer.to_string()) && text.contains(IT),
        "the version that is needed is not named: {text}"
    );
    ensure!(
        world.proxy.writes() == before,
        "something was written all the same"
    );
    Ok(())
}

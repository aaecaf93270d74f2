//! `fabrik apply`.

use fabrik_core::engine::PlanOptions;

use crate::args::ApplyArgs;
use crate::carry::{self, Carry, Consent};
use crate::fail::Done;
use crate::place::Access;
use crate::runs;
use crate::saved;
use crate::session::Session;

/// Makes it so: a spec, or exactly a saved plan.
pub(super) async fn apply(session: &mut Session, args: &ApplyArgs) -> Done {
    if let Some(file) = args
        .what
        .as_deref()
        .and_then(|what| saved::plan_file(&session.settings.dir, what))
    {
        return apply_saved(session, args, &file).await;
    }
    let project = session.load(args.what.as_deref()).await?;
    let name = project.stack.display_name();
    let engine = session.engine(&project.place, Access::Change).await?;
    let stack = project.stack.clone();
    carry::check_selection(&engine, &stack, &args.select).await?;
    let continues =
        runs::recover(session, &engine, Some(stack.clone()), &name, args.resume).await?;
    let options = PlanOptions {
        refresh_only: args.refresh_only,
        ..carry::plan_options(&args.select)
    };
    let how = Carry {
        consent: Consent::Yes,
        on_failure: args.on_failure,
        no_verify: args.no_verify,
        continues,
    };
    let plan = async || engine.plan(stack.clone(), &options).await;
    carry::settle(session, &engine, how, plan).await
}

async fn apply_saved(session: &mut Session, args: &ApplyArgs, file: &std::path::Path) -> Done {
    let (place, plan) = saved::open(session, file)?;
    let engine = session.engine(&place, Access::Change).await?;
    let name = plan.stack.display_name();
    let stack = plan.stack.clone();
    let continues = runs::recover(session, &engine, Some(stack), &name, args.resume).await?;
    carry::show(session, &plan)?;
    let how = Carry {
        consent: Consent::Given,
        on_failure: args.on_failure,
        no_verify: args.no_verify,
        continues,
    };
    carry::carry(session, &engine, plan, how).await
}

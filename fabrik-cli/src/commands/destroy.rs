//! `fabrik destroy`.

use std::sync::Arc;

use fabrik_core::engine::PlanOptions;
use fabrik_core::stack::Stack;

use crate::args::DestroyArgs;
use crate::carry::{self, Carry, Consent};
use crate::fail::Done;
use crate::place::Access;
use crate::runs;
use crate::session::Session;

/// Deletes everything of a stack.
pub(super) async fn destroy(session: &mut Session, args: &DestroyArgs) -> Done {
    let (place, stack) = if let Some(name) = &args.stack {
        // The spec is gone: state knows what there is, and how the providers were configured.
        let place = session.locate_stack(name)?;
        let stack = Stack::new(name.as_str()).env(place.env.as_str());
        (place, Arc::new(stack))
    } else {
        let project = session.load(args.target.spec.as_deref()).await?;
        (project.place, project.stack)
    };
    let name = stack.display_name();
    let engine = session.engine(&place, Access::Change).await?;
    carry::check_selection(&engine, &stack, &args.select).await?;
    let known = args.stack.is_none().then(|| stack.clone());
    let continues = runs::recover(session, &engine, known, &name, false).await?;
    let options = PlanOptions {
        destroy: true,
        ..carry::plan_options(&args.select)
    };
    let how = Carry {
        consent: Consent::Name,
        on_failure: args.on_failure,
        no_verify: true,
        continues,
    };
    let plan = async || engine.plan(stack.clone(), &options).await;
    carry::settle(session, &engine, how, plan).await
}

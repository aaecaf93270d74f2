//! `fabrik refresh`.

use fabrik_core::engine::PlanOptions;

use crate::args::RefreshArgs;
use crate::carry::{self, Carry, Consent};
use crate::fail::Done;
use crate::place::Access;
use crate::runs;
use crate::session::Session;

/// Takes into state what the services show.
pub(super) async fn refresh(session: &mut Session, args: &RefreshArgs) -> Done {
    let project = session.load(args.target.spec.as_deref()).await?;
    let name = project.stack.display_name();
    let engine = session.engine(&project.place, Access::Change).await?;
    let stack = project.stack.clone();
    let continues = runs::recover(session, &engine, Some(stack.clone()), &name, false).await?;
    let options = PlanOptions {
        refresh_only: true,
        target: args.targets.clone(),
        ..PlanOptions::default()
    };
    let how = Carry {
        consent: Consent::Given,
        on_failure: None,
        no_verify: true,
        continues,
    };
    let plan = async || engine.plan(stack.clone(), &options).await;
    carry::settle(session, &engine, how, plan).await
}

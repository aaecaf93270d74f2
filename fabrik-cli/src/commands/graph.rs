//! `fabrik graph`.

use fabrik_core::engine::PlanOptions;

use crate::args::{self, GraphArgs};
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::graph::{self, GraphFormat};
use crate::place::Access;
use crate::session::Session;

/// Shows what depends on what.
pub(super) async fn graph(session: &mut Session, args: &GraphArgs) -> Done {
    let project = session.load(args.target.spec.as_deref()).await?;
    let plan = if args.plan {
        let engine = session.engine(&project.place, Access::Look).await?;
        let options = PlanOptions::default();
        Some(engine.plan(project.stack.clone(), &options).await?)
    } else {
        None
    };
    let style = match args.style {
        Some(args::GraphFormat::Dot) => GraphFormat::Dot,
        Some(args::GraphFormat::Mermaid) => GraphFormat::Mermaid,
        Some(args::GraphFormat::Json) => GraphFormat::Json,
        None if session.is_machine() => GraphFormat::Json,
        Some(args::GraphFormat::Tree) | None => GraphFormat::Tree,
    };
    let text = graph::render(
        &project.stack,
        plan.as_ref(),
        style,
        session.out.data_style(),
    );
    session.out.data(&text)?;
    Ok(Exit::DONE)
}

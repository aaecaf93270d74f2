//! `fabrik plan`.

use std::path::Path;

use fabrik_core::engine::{Engine, PlanOptions};
use fabrik_core::plan::Plan;

use crate::args::{Format, PlanArgs};
use crate::carry;
use crate::exit::Exit;
use crate::expand;
use crate::fail::Done;
use crate::files;
use crate::output::plan::{self, PlanStyle};
use crate::place::Access;
use crate::runs;
use crate::session::Session;

/// Shows what apply would change.
pub(super) async fn plan(session: &mut Session, args: &PlanArgs) -> Done {
    let started = session.world.clock.now();
    let project = session.load(args.target.spec.as_deref()).await?;
    let access = if args.out.is_some() {
        Access::Change
    } else {
        Access::Look
    };
    let engine = session.engine(&project.place, access).await?;
    carry::check_selection(&engine, &project.stack, &args.select).await?;
    runs::announce_open(session, &engine).await?;
    let options = PlanOptions {
        refresh_only: args.refresh_only,
        destroy: args.destroy,
        ..carry::plan_options(&args.select)
    };
    let plan = engine.plan(project.stack.clone(), &options).await?;
    if args.expand && session.settings.format.value == Format::Text {
        let text = expand::stack_text(&project.stack);
        session.out.data(&format!("{text}\n"))?;
    }
    if let Some(out) = &args.out {
        save(session, &engine, &plan, out)?;
    }
    if session.is_machine() {
        session.out.structured(&plan::plan_json(&plan))?;
    } else {
        let took = session.world.clock.now().duration_since(started);
        let style = PlanStyle {
            took: took.try_into().ok(),
            full: session.settings.verbose > 0,
            ..PlanStyle::new(session.out.data_style())
        };
        session.out.data(&plan::render(&plan, &style))?;
    }
    if let Some(out) = &args.out {
        let next = crate::output::text::shell_word(&out.display().to_string());
        session.out.hint(&format!(
            "`fabrik apply {next}` carries out exactly this plan"
        ))?;
    }
    let changed = !plan.is_empty();
    Ok(if args.detailed_exitcode && changed {
        Exit::CHANGES
    } else {
        Exit::DONE
    })
}

fn save(session: &Session, engine: &Engine, plan: &Plan, out: &Path) -> Done<()> {
    let bytes = fabrik_core::plan::file::save(plan, engine.store().cipher())?;
    files::write_private(&session.settings.dir.join(out), &bytes)?;
    Ok(())
}

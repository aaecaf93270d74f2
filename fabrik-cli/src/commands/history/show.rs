//! `fabrik history show`.

use fabrik_core::error::{Error, ErrorKind};
use serde_json::json;

use crate::args::HistoryShowArgs;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::output::history::{self, RunDetail};
use crate::output::progress::{Mode, Reporter, ReporterOptions};
use crate::place::Access;
use crate::replay;
use crate::session::Session;

/// Shows one run, or its output again.
pub(super) async fn show(session: &mut Session, args: &HistoryShowArgs) -> Done {
    let place = session.locate(args.spec.as_deref())?;
    let engine = session.engine(&place, Access::Look).await?;
    let runs = engine.store().runs(usize::MAX).await?;
    let wanted = args.run.or_else(|| runs.first().map(|run| run.id));
    let found = runs.into_iter().find(|run| Some(run.id) == wanted);
    let run = found.ok_or_else(|| {
        let message = match wanted {
            Some(wanted) => format!("{} has no run {wanted}", place.display_name()),
            None => format!("{} has no runs yet", place.display_name()),
        };
        Fail::from(Error::new(ErrorKind::NotFound, message).hint("`fabrik history` lists runs"))
    })?;
    let entries = engine.store().entries(run.id).await?;
    if entries.is_empty() {
        session
            .out
            .warning("the details of this run were let go of; only its outcome is kept")?;
    }
    if args.replay {
        let events = replay::events(&entries);
        let options = ReporterOptions {
            // What happened then does not move now.
            mode: (!session.settings.is_json()).then_some(Mode::Plain),
            stack: place.display_name(),
            ..ReporterOptions::default()
        };
        Reporter::new(&mut session.out, options).replay(&events)?;
        return Ok(Exit::DONE);
    }
    let detail = RunDetail::new(run, &entries);
    if session.is_machine() {
        session
            .out
            .structured(&json!({"v": 1, "stack": place.name, "env": place.env, "run": detail}))?;
    } else {
        let now = session.world.clock.now();
        let text = history::render_run(&detail, now, session.out.data_style());
        session.out.data(&text)?;
    }
    Ok(Exit::DONE)
}

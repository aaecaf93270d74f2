//! `fabrik rollback`.

use fabrik_core::error::{Error, ErrorKind};

use crate::args::RollbackArgs;
use crate::carry::{self, Carry, Consent};
use crate::exit::Exit;
use crate::fail::Done;
use crate::place::Access;
use crate::runs;
use crate::session::Session;

/// Goes back to an earlier revision.
pub(super) async fn rollback(session: &mut Session, args: &RollbackArgs) -> Done {
    let project = session.load(None).await?;
    let name = project.stack.display_name();
    let engine = session.engine(&project.place, Access::Change).await?;
    let stack = project.stack.clone();
    if let Some(target) = args.revision {
        // One that never was is said before anything is gone on with.
        engine.store().declared_at(target).await?;
    }
    let continues =
        runs::recover(session, &engine, Some(stack.clone()), &name, args.resume).await?;
    if args.resume {
        return Ok(Exit::DONE);
    }
    let now = engine.store().load().await?.revision;
    let target = match args.revision {
        Some(target) => target,
        None if now > 1 => now - 1,
        None => {
            let message = "there is no revision before the current one";
            return Err(Error::new(ErrorKind::NotFound, message)
                .hint("`fabrik history` lists revisions; `fabrik destroy` removes everything")
                .into());
        }
    };
    let options = carry::plan_options(&args.select);
    let how = Carry {
        consent: Consent::Yes,
        on_failure: args.on_failure,
        no_verify: args.no_verify,
        continues,
    };
    let plan = async || engine.plan_rollback(target, stack.clone(), &options).await;
    carry::settle(session, &engine, how, plan).await
}

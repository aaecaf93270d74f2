//! `fabrik state import`.

use std::io::Read as _;

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::stack::OnFailure;
use fabrik_core::state::{
    Entry, EntryKind, Lease, LeaseAnswer, RunEnd, RunKind, RunResult, RunStart, StateStore,
};

use crate::args::StateImportArgs;
use crate::dump::Dump;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::files;
use crate::output::text;
use crate::place::Access;
use crate::session::Session;

/// Reads an exported state into an empty stack.
pub(super) async fn import(session: &mut Session, args: &StateImportArgs) -> Done {
    let text_form = if args.file.as_os_str() == "-" {
        let mut text = String::new();
        session
            .world
            .stdin
            .read_to_string(&mut text)
            .map_err(|error| files::file_error("read", &args.file, &error))?;
        text
    } else {
        files::read_text(&session.settings.dir.join(&args.file))?
    };
    let dump = Dump::read(&text_form)?;
    let place = session.locate(None)?;
    if dump.stack != place.name || dump.env != place.env {
        return Err(Fail::usage_hint(
            format!(
                "this is the state of `{}` in environment `{}`, not of {}",
                dump.stack,
                dump.env,
                place.display_name()
            ),
            "name the right spec with `-f` and environment with `-e`",
        ));
    }
    let engine = session.engine(&place, Access::Change).await?;
    // A key that does not fit is found out now, not at the next apply.
    for value in dump.values() {
        engine.store().cipher().open_in_place(&mut value.clone())?;
    }
    let objects = dump.rows.len();
    let store = place.open()?;
    let now = session.world.clock.now();
    let lease = match store.lease(&session.holder(), now, None).await? {
        LeaseAnswer::Granted(lease) => lease,
        LeaseAnswer::Held(held) => {
            let message = format!("{} on {} holds the lock", held.holder.who, held.holder.host);
            return Err(Error::new(ErrorKind::Locked, message)
                .hint("wait for it to end, then try again")
                .into());
        }
    };
    let done = fill(session, &store, &lease, dump).await;
    store.release(&lease).await?;
    done?;
    session.out.success(&format!(
        "{} has {} now",
        place.display_name(),
        text::count(objects, "object")
    ))?;
    session
        .out
        .hint("`fabrik plan` shows whether it fits the spec")?;
    Ok(Exit::DONE)
}

async fn fill(session: &Session, store: &dyn StateStore, lease: &Lease, dump: Dump) -> Done<()> {
    let snapshot = store.load().await?;
    if !snapshot.rows.is_empty() || snapshot.revision > 0 {
        let message = "this stack has state already";
        return Err(Error::new(ErrorKind::Conflict, message)
            .hint("import into an empty stack: `fabrik destroy` it, or name another place with `--state FILE`")
            .into());
    }
    let now = session.world.clock.now();
    let run = snapshot.last_run + 1;
    let holder = session.holder();
    let revision = dump.revision.max(1);
    let start = RunStart {
        kind: RunKind::State,
        who: holder.who,
        host: holder.host,
        command: holder.command,
        fabrik: env!("CARGO_PKG_VERSION").to_owned(),
        base: snapshot.revision,
        on_failure: OnFailure::Keep,
        plan: String::new(),
        note: Some(format!("state exported by Fabrik {}", dump.fabrik)),
    };
    let end = RunEnd {
        result: RunResult::Succeeded,
        revision,
        created: 0,
        updated: 0,
        deleted: 0,
        millis: 0,
        error: None,
        left: Vec::new(),
    };
    let group = [
        Entry::new(run, now, EntryKind::RunStarted(Box::new(start))),
        dump.entry(run, now),
        Entry::new(run, now, EntryKind::RunEnded(Box::new(end))),
    ];
    store.append(lease, snapshot.head, &group).await?;
    Ok(())
}

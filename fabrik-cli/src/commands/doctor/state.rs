//! State: readable, writable, unlocked, whole, and its key.

use fabrik_core::error::ErrorKind;
use fabrik_core::state::{Liveness as _, Snapshot, StateStore};

use super::{Check, Verdict};
use crate::key;
use crate::output::text;
use crate::place::{Access, Place};
use crate::session::Session;

/// Checks the state of a place.
pub(super) async fn check(session: &mut Session, place: &Place, checks: &mut Vec<Check>) {
    let store = match place.open() {
        Ok(store) => store,
        Err(error) => return checks.push(Check::failed("state", &error)),
    };
    if !place.state.exists() {
        let text = format!(
            "none yet; the first apply makes `{}`",
            place.state.display()
        );
        checks.push(Check::new("state", Verdict::Ok, text));
        checks.push(key_check(session, place, None));
        return;
    }
    let snapshot = match store.load().await {
        Ok(snapshot) => snapshot,
        Err(error) => return checks.push(Check::failed("state", &error)),
    };
    checks.push(whole(place, &snapshot));
    checks.push(lock(session, &store).await);
    checks.push(interrupted(&snapshot));
    let fits = match session.engine(place, Access::Look).await {
        Ok(engine) => engine.store().load().await.map(|_| ()),
        Err(crate::fail::Fail::Error(error) | crate::fail::Fail::Usage(error)) => Err(*error),
        Err(_) => Ok(()),
    };
    checks.push(key_check(session, place, Some(fits)));
}

fn whole(place: &Place, snapshot: &Snapshot) -> Check {
    let text = format!(
        "`{}`, rev {}, {}, journal of {}",
        place.state.display(),
        snapshot.revision,
        text::count(snapshot.rows.len(), "object"),
        text::count(
            usize::try_from(snapshot.head).unwrap_or(usize::MAX),
            "entry"
        )
    );
    let writable = std::fs::OpenOptions::new().append(true).open(&place.state);
    match writable {
        Ok(_) => Check::new("state", Verdict::Ok, text),
        Err(error) => Check::new(
            "state",
            Verdict::Fail,
            format!("{text}; not writable: {error}"),
        )
        .fix(format!(
            "check the owner and mode of `{}`",
            place.state.display()
        )),
    }
}

async fn lock(session: &Session, store: &dyn StateStore) -> Check {
    let held = match store.holder().await {
        Ok(None) => return Check::new("lock", Verdict::Ok, "free"),
        Ok(Some(held)) => held,
        Err(error) => return Check::failed("lock", &error),
    };
    let text = format!(
        "held by {} on {} (pid {}) since {}",
        text::one_line(&held.holder.who),
        text::one_line(&held.holder.host),
        held.holder.pid,
        text::ago(held.since, session.world.clock.now())
    );
    let liveness = session.world.identity.liveness.as_ref();
    match liveness.and_then(|known| known.is_alive(&held.holder)) {
        Some(false) => Check::new("lock", Verdict::Ok, format!("{text}, which is gone"))
            .fix("nothing: the next run takes it over"),
        Some(true) => Check::new("lock", Verdict::Warn, text).fix("wait for that run to end"),
        None => Check::new("lock", Verdict::Warn, text).fix(format!(
            "when that run is gone for certain: `fabrik state unlock {}`",
            held.token
        )),
    }
}

fn interrupted(snapshot: &Snapshot) -> Check {
    match &snapshot.open_run {
        None => Check::new("last run", Verdict::Ok, "ended"),
        Some(run) => Check::new(
            "last run",
            Verdict::Warn,
            format!("run {} is under way, or was interrupted", run.id),
        )
        .fix("`fabrik apply --resume` goes on with it; `fabrik apply` takes what it did as it is"),
    }
}

fn key_check(
    session: &Session,
    place: &Place,
    fits: Option<Result<(), fabrik_core::error::Error>>,
) -> Check {
    let source = key::source(&session.world, &place.state);
    if let Err(error) = key::read(&session.world, &source) {
        return Check::failed("key", &error);
    }
    match fits {
        Some(Err(error)) if error.kind() == ErrorKind::Auth => Check::failed("key", &error),
        Some(Err(error)) => Check::failed("state", &error),
        Some(Ok(())) | None => Check::new("key", Verdict::Ok, format!("from {source}")),
    }
}

/// The clock, as far as it can be told without asking anybody.
pub(super) async fn clock(session: &Session, place: Option<&Place>) -> Check {
    let now = session.world.clock.now();
    let shown = now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let last = match place.map(Place::open) {
        Some(Ok(store)) => store.runs(1).await.ok().and_then(|runs| {
            let run = runs.into_iter().next()?;
            Some(run.end.map_or(run.started, |(_, at)| at))
        }),
        _ => None,
    };
    match last {
        Some(last) if last > now => Check::new(
            "clock",
            Verdict::Fail,
            format!(
                "{shown}, but the last run ended later: {}",
                last.strftime("%Y-%m-%d %H:%M:%S UTC")
            ),
        )
        .fix("set the clock of this machine (or of the one that ran last)"),
        _ => Check::new("clock", Verdict::Ok, shown),
    }
}

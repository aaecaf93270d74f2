//! Reading what was: runs, their entries, and what was declared at past revisions.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row as SqlRow, params};

use super::fail::Fault;
use super::read::{Head, Tally, damaged, record, tally, text};
use crate::address::Address;
use crate::stack::Declared;
use crate::state::encode::Sum;
use crate::state::{Entry, Position, Revision, RunId, RunSummary, refuse};
use crate::value::share;

/// A row of `runs`.
pub(super) struct Run {
    pub(super) summary: RunSummary,
    /// Of its entries.
    pub(super) entries: Tally,
    /// The sum of the row as it is stored; `None` for a new one.
    pub(super) stored: Option<i64>,
}

/// From the columns position, run, body, sum.
pub(super) fn entry(stack: i64, row: &SqlRow<'_>) -> Result<(Position, i64, Entry), Fault> {
    let (position, sum): (Position, i64) = (row.get(0)?, row.get(3)?);
    let entry: Entry = record("entry", stack, &position.to_le_bytes(), text(row, 2)?, sum)?;
    if entry.run != row.get::<_, RunId>(1)? {
        return Err(damaged("entry", "not as written"));
    }
    Ok((position, sum, entry))
}

pub(super) fn entries(
    connection: &Connection,
    head: &Head,
    run: RunId,
) -> Result<Vec<(Position, Entry)>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT position, run, body, sum FROM journal WHERE stack = ?1 AND run = ?2
         ORDER BY position",
    )?;
    let (entries, found) = share::sharing(|| {
        let (mut entries, mut found) = (Vec::new(), Tally::default());
        let mut rows = statement.query(params![head.id, run])?;
        while let Some(row) = rows.next()? {
            let (position, sum, entry) = entry(head.id, row)?;
            found.add(sum);
            entries.push((position, entry));
        }
        Ok::<_, Fault>((entries, found))
    })?;
    let run = all_runs(connection, head)?
        .into_iter()
        .find(|row| row.summary.id == run);
    if let Some(run) = run {
        run.entries.check(found, "entries of a run")?;
    }
    Ok(entries)
}

/// The sums of what is there of a run's entries.
pub(super) fn tally_entries(
    connection: &Connection,
    head: &Head,
    run: RunId,
) -> Result<Tally, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT sum FROM journal WHERE stack = ?1 AND run = ?2")?;
    let mut rows = statement.query(params![head.id, run])?;
    let mut found = Tally::default();
    while let Some(row) = rows.next()? {
        found.add(row.get(0)?);
    }
    Ok(found)
}

pub(super) fn runs(
    connection: &Connection,
    head: &Head,
    limit: usize,
) -> Result<Vec<RunSummary>, Fault> {
    let runs = all_runs(connection, head)?.into_iter().take(limit);
    Ok(runs.map(|run| run.summary).collect())
}

/// All runs, newest first; with the revisions they make up the tally of what was.
pub(super) fn all_runs(connection: &Connection, head: &Head) -> Result<Vec<Run>, Fault> {
    let mut found = Tally::default();
    let runs = connection
        .prepare_cached(
            "SELECT id, body, items, total, sum FROM runs WHERE stack = ?1 ORDER BY id DESC",
        )?
        .query_and_then([head.id], |row| run_of(head.id, row))?
        .inspect(|run| {
            if let Ok(Run {
                stored: Some(sum), ..
            }) = run
            {
                found.add(*sum);
            }
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    let mut statement = connection.prepare_cached("SELECT sum FROM revisions WHERE stack = ?1")?;
    let mut rows = statement.query([head.id])?;
    while let Some(row) = rows.next()? {
        found.add(row.get(0)?);
    }
    head.past.check(found, "runs and revisions")?;
    Ok(runs)
}

pub(super) fn run(connection: &Connection, stack: i64, run: RunId) -> Result<Option<Run>, Fault> {
    connection
        .prepare_cached(
            "SELECT id, body, items, total, sum FROM runs WHERE stack = ?1 AND id = ?2",
        )?
        .query_and_then(params![stack, run], |row| run_of(stack, row))?
        .next()
        .transpose()
}

fn run_of(stack: i64, row: &SqlRow<'_>) -> Result<Run, Fault> {
    let (id, entries): (RunId, Tally) = (row.get(0)?, tally(row, 2)?);
    let sum = row.get(4)?;
    Ok(Run {
        summary: record("run", stack, &run_key(id, entries), text(row, 1)?, sum)?,
        entries,
        stored: Some(sum),
    })
}

/// What the sum of a run's row covers besides its content.
pub(super) fn run_key(id: RunId, entries: Tally) -> [u8; 8] {
    Sum::of("run key")
        .number(id)
        .number(entries.items.cast_unsigned())
        .number(entries.total.cast_unsigned())
        .value()
        .to_le_bytes()
}

/// What was declared at a revision. Reads every change of a declaration, so that a missing one is
/// noticed: what is not declared is deleted by a rollback.
pub(super) fn declared_at(
    connection: &Connection,
    head: Option<&Head>,
    revision: Revision,
) -> Result<BTreeMap<Address, Declared>, Fault> {
    let Some(head) = head else {
        return match revision {
            0 => Ok(BTreeMap::new()),
            _ => Err(refuse::no_revision(revision).into()),
        };
    };
    let known: bool = connection
        .prepare_cached("SELECT count(*) > 0 FROM revisions WHERE stack = ?1 AND revision = ?2")?
        .query_row(params![head.id, revision], |row| row.get(0))?;
    if revision != 0 && !known {
        all_runs(connection, head)?;
        return Err(refuse::no_revision(revision).into());
    }
    let mut statement = connection.prepare_cached(
        "SELECT address, revision, body, sum FROM declared WHERE stack = ?1
         ORDER BY address, revision DESC",
    )?;
    share::sharing(|| {
        let mut rows = statement.query([head.id])?;
        let mut all = BTreeMap::new();
        let mut found = Tally::default();
        let mut done: Option<Vec<u8>> = None;
        while let Some(row) = rows.next()? {
            let (at, sum): (Revision, i64) = (row.get(1)?, row.get(3)?);
            found.add(sum);
            let address = text(row, 0)?;
            if at > revision || done.as_deref() == Some(address) {
                continue;
            }
            done = Some(address.to_owned());
            let body = row.get_ref(2)?.as_bytes_or_null();
            let body = body.map_err(|error| Fault::Damaged(error.to_string()))?;
            let key = declared_key(address, at);
            let declared: Option<Declared> =
                record("declared", head.id, &key, body.unwrap_or(b"null"), sum)?;
            if let Some(declared) = declared {
                all.insert(declared.address.clone(), declared);
            }
        }
        head.declared.check(found, "declarations")?;
        Ok(all)
    })
}

pub(super) fn declared_key(address: &[u8], revision: Revision) -> Vec<u8> {
    [&revision.to_le_bytes(), address].concat()
}

//! Reading tables, with every row checked against its sum.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, params};
use serde::de::DeserializeOwned;

use super::decode;
use super::fail::Fault;
use super::history;
use crate::provider::OpId;
use crate::state::encode::{self, Sum};
use crate::state::{HeldLease, OpenRun, Position, Revision, Rows, RunId, Snapshot};
use crate::value::{Value, share};

pub(super) type Outputs = BTreeMap<Arc<str>, Value>;

/// The row of a stack in `stacks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) env: String,
    /// Position of the next entry.
    pub(super) next: Position,
    pub(super) revision: Revision,
    pub(super) last_run: RunId,
    pub(super) open: Option<(RunId, Position)>,
    /// Of `objects` and `facts`.
    pub(super) state: Tally,
    pub(super) declared: Tally,
    /// Of `runs` and `revisions`.
    pub(super) past: Tally,
}

/// How many rows there are, and what their sums add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) items: i64,
    pub(super) total: i64,
}

impl Tally {
    pub(super) fn add(&mut self, sum: i64) {
        self.swap(None, Some(sum));
    }

    /// One row was put, replaced or removed.
    pub(super) fn swap(&mut self, before: Option<i64>, after: Option<i64>) {
        self.items += i64::from(after.is_some()) - i64::from(before.is_some());
        self.total = self
            .total
            .wrapping_sub(before.unwrap_or(0))
            .wrapping_add(after.unwrap_or(0));
    }

    /// Compares what was found with what was written.
    pub(super) fn check(self, found: Tally, kind: &str) -> Result<(), Fault> {
        if self == found {
            return Ok(());
        }
        Err(Fault::Damaged(format!(
            "{} records ({kind}) were written, {} are there, or they are not as written",
            self.items, found.items
        )))
    }
}

impl Head {
    fn tallies(&self) -> Vec<u8> {
        [self.state, self.declared, self.past]
            .iter()
            .flat_map(|tally| [tally.items.to_le_bytes(), tally.total.to_le_bytes()].concat())
            .collect()
    }

    pub(super) fn sum(&self) -> i64 {
        let (run, at) = self.open.map_or((0, 0), |(run, at)| (run, at + 1));
        Sum::of("stack")
            .number(self.id.cast_unsigned())
            .text(self.name.as_bytes())
            .text(self.env.as_bytes())
            .number(self.next)
            .number(self.revision)
            .number(self.last_run)
            .number(run)
            .number(at)
            .text(&self.tallies())
            .value()
    }
}

/// The sum of a row: what it is, whose, its key, its content.
pub(super) fn sum(kind: &str, stack: i64, key: &[u8], body: &[u8]) -> i64 {
    Sum::of(kind)
        .number(stack.cast_unsigned())
        .text(key)
        .text(body)
        .value()
}

/// Every stack. Read whole, so that damage to a name is not taken for the stack's absence.
pub(super) fn heads(connection: &Connection) -> Result<Vec<Head>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, env, head, revision, last_run, open_run, open_at, state_items, state_total,
         declared_items, declared_total, past_items, past_total, sum FROM stacks",
    )?;
    let mut rows = statement.query([])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        let (run, at): (Option<RunId>, Option<Position>) = (row.get(6)?, row.get(7)?);
        let head = Head {
            id: row.get(0)?,
            name: row.get(1)?,
            env: row.get(2)?,
            next: row.get(3)?,
            revision: row.get(4)?,
            last_run: row.get(5)?,
            open: run.zip(at),
            state: tally(row, 8)?,
            declared: tally(row, 10)?,
            past: tally(row, 12)?,
        };
        if row.get::<_, i64>(14)? != head.sum() {
            return Err(Fault::Damaged(
                "the list of stacks is not as written".to_owned(),
            ));
        }
        heads.push(head);
    }
    Ok(heads)
}

/// From two columns.
pub(super) fn tally(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<Tally> {
    Ok(Tally {
        items: row.get(at)?,
        total: row.get(at + 1)?,
    })
}

/// The head of a stack. Before a stack is said not to exist in a database that may have lost it,
/// the database is checked.
pub(super) fn head(connection: &Connection, stack: &str, env: &str) -> Result<Option<Head>, Fault> {
    let found = heads(connection)?
        .into_iter()
        .find(|head| head.name == stack && head.env == env);
    if found.is_none() {
        let verdict: String =
            connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
        if verdict != "ok" {
            return Err(Fault::Damaged(verdict));
        }
    }
    Ok(found)
}

/// A record from its columns, when the sum is right.
pub(super) fn record<T: DeserializeOwned>(
    kind: &str,
    stack: i64,
    key: &[u8],
    body: &[u8],
    expected: i64,
) -> Result<T, Fault> {
    if sum(kind, stack, key, body) != expected {
        return Err(damaged(kind, "not as written"));
    }
    encode::decode(body).map_err(|why| damaged(kind, &why))
}

pub(super) fn damaged(kind: &str, why: &str) -> Fault {
    Fault::Damaged(format!("a record ({kind}) is {why}"))
}

pub(super) fn text<'r>(row: &'r SqlRow<'_>, at: usize) -> Result<&'r [u8], Fault> {
    row.get_ref(at)?
        .as_bytes()
        .map_err(|error| Fault::Damaged(error.to_string()))
}

pub(super) fn load(connection: &Connection, head: &Head) -> Result<Snapshot, Fault> {
    share::sharing(|| {
        let mut found = Tally::default();
        let rows = objects(connection, head, &mut found)?;
        let (secrets, meta) = facts(connection, head, &mut found)?;
        head.state.check(found, "state")?;
        Ok(Snapshot {
            head: head.next,
            rows,
            revision: head.revision,
            last_run: head.last_run,
            secrets,
            outputs: outputs(connection, head)?,
            meta,
            open_run: open_run(connection, head)?,
        })
    })
}

/// The objects, read here and decoded on the threads there are.
fn objects(connection: &Connection, head: &Head, found: &mut Tally) -> Result<Rows, Fault> {
    let mut statement = connection
        .prepare_cached("SELECT oid, body, sum FROM objects WHERE id >= ?1 AND id < ?2")?;
    let ids = object_ids(head.id);
    let mut rows = statement.query(params![ids.start, ids.end])?;
    let items = usize::try_from(head.state.items).unwrap_or(0);
    let stack = head.id;
    decode::in_parallel(
        items,
        |batch: &mut decode::Batch| {
            while !batch.is_full() {
                let Some(row) = rows.next()? else {
                    return Ok(false);
                };
                let expected: i64 = row.get(2)?;
                found.add(expected);
                batch.push(text(row, 0)?, text(row, 1)?, expected);
            }
            Ok(true)
        },
        |oid, body, expected| record("object", stack, oid, body, expected),
    )
}

/// The ids of a stack's objects.
pub(super) fn object_ids(stack: i64) -> std::ops::Range<i64> {
    stack << 40..(stack + 1) << 40
}

type Facts = BTreeMap<Arc<str>, Value>;

fn facts(connection: &Connection, head: &Head, found: &mut Tally) -> Result<(Facts, Facts), Fault> {
    let mut statement =
        connection.prepare_cached("SELECT kind, key, body, sum FROM facts WHERE stack = ?1")?;
    let mut rows = statement.query([head.id])?;
    let (mut secrets, mut meta) = (Facts::new(), Facts::new());
    while let Some(row) = rows.next()? {
        let (kind, key): (String, String) = (row.get(0)?, row.get(1)?);
        let expected: i64 = row.get(3)?;
        found.add(expected);
        let value = record(&kind, head.id, key.as_bytes(), text(row, 2)?, expected)?;
        match kind.as_str() {
            "secret" => secrets.insert(key.into(), value),
            _ => meta.insert(key.into(), value),
        };
    }
    Ok((secrets, meta))
}

pub(super) fn outputs(connection: &Connection, head: &Head) -> Result<Outputs, Fault> {
    let found = connection
        .prepare_cached("SELECT body, sum FROM revisions WHERE stack = ?1 AND revision = ?2")?
        .query_and_then(params![head.id, head.revision], |row| {
            let key = head.revision.to_le_bytes();
            record("revision", head.id, &key, text(row, 0)?, row.get(1)?)
        })?
        .next();
    match found {
        Some(outputs) => outputs,
        None if head.revision == 0 => Ok(Outputs::new()),
        None => Err(damaged("revision", "missing")),
    }
}

fn open_run(connection: &Connection, head: &Head) -> Result<Option<OpenRun>, Fault> {
    let Some((id, since)) = head.open else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT position, run, body, sum FROM journal WHERE stack = ?1 AND position >= ?2
         ORDER BY position",
    )?;
    let mut entries = Vec::new();
    let mut next = since;
    let mut rows = statement.query(params![head.id, since])?;
    while let Some(row) = rows.next()? {
        let (position, _, entry) = history::entry(head.id, row)?;
        if position != next {
            break;
        }
        next += 1;
        if entry.run == id {
            entries.push(entry);
        }
    }
    if next != head.next {
        return Err(damaged("journal", "missing"));
    }
    Ok(Some(OpenRun { id, entries }))
}

/// The lock, and the greatest token ever granted.
pub(super) fn lock(connection: &Connection, stack: i64) -> Result<(u64, Option<HeldLease>), Fault> {
    let found = connection
        .prepare_cached("SELECT token, beat, since, holder FROM leases WHERE stack = ?1")?
        .query_row([stack], |row| {
            let holder: Option<String> = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, holder))
        })
        .optional()?;
    let Some((token, beat, since, holder)) = found else {
        return Ok((0, None));
    };
    let Some(holder) = holder else {
        return Ok((token, None));
    };
    let held = HeldLease {
        holder: encode::decode(holder.as_bytes()).map_err(|why| damaged("lock", &why))?,
        token,
        beat,
        since: since
            .parse()
            .map_err(|_| damaged("lock", "not as written"))?,
    };
    Ok((token, Some(held)))
}

/// The key of an object's row.
pub(super) fn object_key(oid: OpId) -> [u8; 16] {
    oid.0.to_be_bytes()
}

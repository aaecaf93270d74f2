//! Writing tables: one group, one transaction, only what changed.

use std::collections::{BTreeMap, btree_map};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fail::Fault;
use super::history::{self, Run};
use super::read::{self, Head, Outputs, Tally};
use crate::address::Address;
use crate::provider::OpId;
use crate::stack::Declared;
use crate::state::encode::encode;
use crate::state::{
    Change, Entry, EntryKind, HeldLease, Holder, Position, Revision, Row, RunId, RunSummary, refuse,
};
use crate::value::Value;

/// The head of a stack; a new one when it has none yet.
pub(super) fn head_or_new(connection: &Connection, stack: &str, env: &str) -> Result<Head, Fault> {
    if let Some(head) = read::head(connection, stack, env)? {
        return Ok(head);
    }
    let mut head = Head {
        id: 0,
        name: stack.to_owned(),
        env: env.to_owned(),
        next: 0,
        revision: 0,
        last_run: 0,
        open: None,
        state: Tally::default(),
        declared: Tally::default(),
        past: Tally::default(),
    };
    connection.execute(
        "INSERT INTO stacks (name, env, head, revision, last_run, state_items, state_total,
         declared_items, declared_total, past_items, past_total, sum)
         VALUES (?1, ?2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
        params![stack, env],
    )?;
    head.id = connection.last_insert_rowid();
    put_head(connection, &head)?;
    Ok(head)
}

fn put_head(connection: &Connection, head: &Head) -> Result<(), Fault> {
    let (run, at) = head.open.unzip();
    connection
        .prepare_cached(
            "UPDATE stacks SET head = ?2, revision = ?3, last_run = ?4, open_run = ?5,
             open_at = ?6, state_items = ?7, state_total = ?8, declared_items = ?9,
             declared_total = ?10, past_items = ?11, past_total = ?12, sum = ?13 WHERE id = ?1",
        )?
        .execute(params![
            head.id,
            head.next,
            head.revision,
            head.last_run,
            run,
            at,
            head.state.items,
            head.state.total,
            head.declared.items,
            head.declared.total,
            head.past.items,
            head.past.total,
            head.sum()
        ])?;
    Ok(())
}

/// Gives the lock to a holder.
pub(super) fn grant(
    connection: &Connection,
    stack: i64,
    token: u64,
    holder: &Holder,
    since: jiff::Timestamp,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO leases (stack, token, beat, since, holder) VALUES (?1, ?2, 0, ?3, ?4)
             ON CONFLICT (stack) DO UPDATE SET token = ?2, beat = 0, since = ?3, holder = ?4",
        )?
        .execute(params![stack, token, since.to_string(), encode(holder)?])?;
    Ok(())
}

/// Frees the lock.
pub(super) fn free(connection: &Connection, stack: i64) -> Result<(), Fault> {
    connection
        .prepare_cached("UPDATE leases SET holder = NULL WHERE stack = ?1")?
        .execute([stack])?;
    Ok(())
}

/// Moves the heartbeat.
pub(super) fn beat(connection: &Connection, stack: i64) -> Result<(), Fault> {
    connection
        .prepare_cached("UPDATE leases SET beat = beat + 1 WHERE stack = ?1")?
        .execute([stack])?;
    Ok(())
}

/// Refuses unless the token is that of the current holder.
pub(super) fn check_lease(held: Option<&HeldLease>, token: u64) -> Result<(), Fault> {
    match held {
        Some(held) if held.token == token => Ok(()),
        other => Err(refuse::lease_lost(other).into()),
    }
}

/// Appends a group at the head and carries out its changes.
pub(super) fn append(
    connection: &Connection,
    head: Head,
    group: &[Entry],
) -> Result<Position, Fault> {
    let mut writer = Writer {
        connection,
        head,
        last_object: None,
        runs: BTreeMap::new(),
    };
    for entry in group {
        writer.entry(entry)?;
    }
    writer.put_runs()?;
    put_head(connection, &writer.head)?;
    Ok(writer.head.next)
}

struct Writer<'a> {
    connection: &'a Connection,
    head: Head,
    last_object: Option<i64>,
    /// Rows of `runs` the group touches, written at its end.
    runs: BTreeMap<RunId, Option<Run>>,
}

impl Writer<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), Fault> {
        let (stack, position) = (self.head.id, self.head.next);
        let body = encode(entry)?;
        let sum = read::sum("entry", stack, &position.to_le_bytes(), body.as_bytes());
        self.connection
            .prepare_cached(
                "INSERT INTO journal (stack, position, run, body, sum)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![stack, position, entry.run, body, sum])?;
        self.head.next += 1;
        self.head.last_run = self.head.last_run.max(entry.run);
        match &entry.kind {
            EntryKind::RunStarted(start) => {
                self.head.open = Some((entry.run, position));
                let summary = RunSummary {
                    id: entry.run,
                    start: start.as_ref().clone(),
                    started: entry.at,
                    end: None,
                };
                let entries = history::tally_entries(self.connection, &self.head, entry.run)?;
                let before = self.run(entry.run)?;
                *before = Some(Run {
                    summary,
                    entries,
                    stored: before.as_ref().and_then(|run| run.stored),
                });
            }
            kind => {
                if let Some(run) = self.run(entry.run)? {
                    run.entries.add(sum);
                    if let EntryKind::RunEnded(end) = kind {
                        run.summary.end = Some((end.as_ref().clone(), entry.at));
                    }
                }
                if matches!(kind, EntryKind::RunEnded(_)) {
                    self.head.open = None;
                }
            }
        }
        entry
            .changes
            .iter()
            .try_for_each(|change| self.change(change))
    }

    fn change(&mut self, change: &Change) -> Result<(), Fault> {
        match change {
            Change::Put(row) => self.put_object(row),
            Change::Remove(oid) => self.remove_object(*oid),
            Change::PutSecret(name, value) => self.put_fact("secret", name, value),
            Change::RemoveSecret(name) => self.remove_fact("secret", name),
            Change::PutMeta(key, Value::Null) => self.remove_fact("meta", key),
            Change::PutMeta(key, value) => self.put_fact("meta", key, value),
            Change::Revision(revision, outputs) => {
                self.head.revision = *revision;
                self.put_revision(*revision, &outputs.iter().cloned().collect())
            }
            Change::Declared(revision, address, declared) => {
                self.put_declared(*revision, address, declared.as_deref())
            }
        }
    }

    /// The row of a run, when it has one.
    fn run(&mut self, run: RunId) -> Result<&mut Option<Run>, Fault> {
        Ok(match self.runs.entry(run) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(new) => {
                new.insert(history::run(self.connection, self.head.id, run)?)
            }
        })
    }

    fn put_runs(&mut self) -> Result<(), Fault> {
        for run in std::mem::take(&mut self.runs).into_values().flatten() {
            put_run(self.connection, &mut self.head, &run)?;
        }
        Ok(())
    }

    fn put_object(&mut self, row: &Row) -> Result<(), Fault> {
        let (stack, key, body) = (self.head.id, read::object_key(row.oid), encode(row)?);
        let sum = read::sum("object", stack, &key, body.as_bytes());
        let before: Option<(i64, i64)> = self
            .connection
            .prepare_cached("SELECT id, sum FROM objects WHERE stack = ?1 AND oid = ?2")?
            .query_row(params![stack, key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let id = match before {
            Some((id, _)) => id,
            None => self.next_object()?,
        };
        self.connection
            .prepare_cached(
                "INSERT INTO objects (id, stack, oid, address, body, sum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET address = ?4, body = ?5, sum = ?6",
            )?
            .execute(params![id, stack, key, row.address.as_str(), body, sum])?;
        self.head.state.swap(before.map(|(_, sum)| sum), Some(sum));
        Ok(())
    }

    /// An id after those of the stack's other objects.
    fn next_object(&mut self) -> Result<i64, Fault> {
        let ids = read::object_ids(self.head.id);
        let last = match self.last_object {
            Some(last) => last,
            None => self
                .connection
                .prepare_cached(
                    "SELECT id FROM objects WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1",
                )?
                .query_row(params![ids.start, ids.end], |row| row.get(0))
                .optional()?
                .unwrap_or(ids.start),
        };
        self.last_object = Some(last + 1);
        Ok(last + 1)
    }

    fn remove_object(&mut self, oid: OpId) -> Result<(), Fault> {
        let before = self
            .connection
            .prepare_cached("DELETE FROM objects WHERE stack = ?1 AND oid = ?2 RETURNING sum")?
            .query_row(params![self.head.id, read::object_key(oid)], |row| {
                row.get(0)
            })
            .optional()?;
        self.head.state.swap(before, None);
        Ok(())
    }

    fn put_fact(&mut self, kind: &str, key: &str, value: &Value) -> Result<(), Fault> {
        let (stack, body) = (self.head.id, encode(value)?);
        let sum = read::sum(kind, stack, key.as_bytes(), body.as_bytes());
        self.remove_fact(kind, key)?;
        self.connection
            .prepare_cached(
                "INSERT INTO facts (stack, kind, key, body, sum) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![stack, kind, key, body, sum])?;
        self.head.state.swap(None, Some(sum));
        Ok(())
    }

    fn remove_fact(&mut self, kind: &str, key: &str) -> Result<(), Fault> {
        let before = self
            .connection
            .prepare_cached(
                "DELETE FROM facts WHERE stack = ?1 AND kind = ?2 AND key = ?3 RETURNING sum",
            )?
            .query_row(params![self.head.id, kind, key], |row| row.get(0))
            .optional()?;
        self.head.state.swap(before, None);
        Ok(())
    }

    fn put_revision(&mut self, revision: Revision, outputs: &Outputs) -> Result<(), Fault> {
        let (stack, body) = (self.head.id, encode(outputs)?);
        let sum = read::sum("revision", stack, &revision.to_le_bytes(), body.as_bytes());
        let before = self
            .connection
            .prepare_cached(
                "DELETE FROM revisions WHERE stack = ?1 AND revision = ?2 RETURNING sum",
            )?
            .query_row(params![stack, revision], |row| row.get(0))
            .optional()?;
        self.connection
            .prepare_cached(
                "INSERT INTO revisions (stack, revision, body, sum) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![stack, revision, body, sum])?;
        self.head.past.swap(before, Some(sum));
        Ok(())
    }

    fn put_declared(
        &mut self,
        revision: Revision,
        address: &Address,
        declared: Option<&Declared>,
    ) -> Result<(), Fault> {
        let (stack, address) = (self.head.id, address.as_str());
        let body = declared.map(encode).transpose()?;
        let key = history::declared_key(address.as_bytes(), revision);
        let content = body.as_deref().unwrap_or("null");
        let sum = read::sum("declared", stack, &key, content.as_bytes());
        let before = self
            .connection
            .prepare_cached(
                "DELETE FROM declared WHERE stack = ?1 AND address = ?2 AND revision = ?3
                 RETURNING sum",
            )?
            .query_row(params![stack, address, revision], |row| row.get(0))
            .optional()?;
        self.connection
            .prepare_cached(
                "INSERT INTO declared (stack, address, revision, body, sum)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![stack, address, revision, body, sum])?;
        self.head.declared.swap(before, Some(sum));
        Ok(())
    }
}

fn put_run(connection: &Connection, head: &mut Head, run: &Run) -> Result<(), Fault> {
    let (id, body) = (run.summary.id, encode(&run.summary)?);
    let key = history::run_key(id, run.entries);
    let sum = read::sum("run", head.id, &key, body.as_bytes());
    let Tally { items, total } = run.entries;
    connection
        .prepare_cached(
            "INSERT INTO runs (stack, id, body, items, total, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (stack, id) DO UPDATE SET body = ?3, items = ?4, total = ?5, sum = ?6",
        )?
        .execute(params![head.id, id, body, items, total, sum])?;
    head.past.swap(run.stored, Some(sum));
    Ok(())
}

/// Lets go of entries of runs before the last `keep_runs`, but for the open one.
pub(super) fn compact(
    connection: &Connection,
    mut head: Head,
    keep_runs: u64,
) -> Result<(), Fault> {
    let runs = history::all_runs(connection, &head)?;
    let oldest = match keep_runs.checked_sub(1).map(usize::try_from) {
        None => Some(head.last_run + 1),
        Some(Err(_)) => None,
        Some(Ok(skip)) => runs.get(skip).map(|run| run.summary.id),
    };
    let Some(oldest) = oldest else {
        return Ok(());
    };
    let (open, since) = head.open.unwrap_or((0, head.next));
    connection.execute(
        "DELETE FROM journal WHERE stack = ?1 AND run < ?2 AND run <> ?3 AND position < ?4",
        params![head.id, oldest, open, since],
    )?;
    let let_go = |run: &Run| run.summary.id < oldest && run.entries.items > 0;
    for mut run in runs.into_iter().filter(let_go) {
        run.entries = history::tally_entries(connection, &head, run.summary.id)?;
        put_run(connection, &mut head, &run)?;
    }
    put_head(connection, &head)
}

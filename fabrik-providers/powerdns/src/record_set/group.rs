//! Writing: all changes of a zone in one request.

use std::collections::BTreeMap;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{encode, linked_inputs};
use fabrik_core::provider::{Cx, Object, OpId, Operation, Outcome, Verb};
use fabrik_core::value::{Path, Value};

use super::normal::Set;
use super::{MARK_ACCOUNT, of_set, outputs};
use crate::client::PowerDns;
use crate::content;
use crate::error::no_zone;
use crate::name::SetId;
use crate::wire::{Comment, Patch, Record, RrSet, SetChange};

/// Most bytes of one request: the server's web server takes 2 MB unless told otherwise.
const MOST_BYTES: usize = 1_500_000;

/// What to do with one record set.
#[derive(Clone, Debug)]
pub(super) enum Todo {
    Create(OpId, Set),
    Update(Set),
    Delete(SetId),
}

impl Todo {
    fn id(&self) -> &SetId {
        match self {
            Todo::Create(_, set) | Todo::Update(set) => &set.id,
            Todo::Delete(id) => id,
        }
    }

    fn is_delete(&self) -> bool {
        matches!(self, Todo::Delete(_))
    }
}

/// How a write of one record set ended.
enum End {
    Done,
    NotDone,
    Failed(Error),
}

/// Writes one record set.
pub(super) async fn one(cx: &Cx, pdns: &PowerDns, todo: Todo) -> Result<()> {
    let zone = todo.id().zone.clone();
    match write(cx, pdns, &zone, &[&todo]).await.pop() {
        Some(End::Done) => Ok(()),
        Some(End::Failed(error)) => Err(error),
        Some(End::NotDone) | None => Err(Error::new(ErrorKind::Unexpected, "nothing was written")),
    }
}

/// Carries out a call.
pub(super) async fn apply(cx: &Cx, pdns: &PowerDns, call: &[Operation]) -> Vec<Outcome> {
    let inputs = linked_inputs(call, &|_, inputs| {
        let set = Set::from_inputs(inputs)?;
        Ok(Object {
            id: set.id.to_string(),
            inputs: inputs.clone(),
            outputs: encode(&outputs(&set.id), None)?,
            ..Object::default()
        })
    });
    let todos: Vec<Result<Todo>> = call
        .iter()
        .zip(&inputs)
        .map(|(operation, inputs)| todo(operation, inputs))
        .collect();
    if todos.iter().any(Result::is_err) {
        return todos
            .into_iter()
            .map(|todo| match todo {
                Ok(_) => Outcome::NotDone,
                Err(error) => Outcome::Failed(error.effect(Effect::None)),
            })
            .collect();
    }
    let todos: Vec<Todo> = todos.into_iter().filter_map(Result::ok).collect();
    let mut zones: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, todo) in todos.iter().enumerate() {
        zones.entry(&todo.id().zone).or_default().push(at);
    }
    let mut ends: Vec<Option<End>> = todos.iter().map(|_| None).collect();
    for (zone, members) in zones {
        let part: Vec<&Todo> = members.iter().map(|at| &todos[*at]).collect();
        for (at, end) in members.into_iter().zip(write(cx, pdns, zone, &part).await) {
            ends[at] = Some(end);
        }
    }
    let outcome = |at: usize, end: Option<End>| match (end, &todos[at]) {
        (Some(End::Done), Todo::Delete(_)) => Outcome::Gone,
        (Some(End::Done), Todo::Create(_, set) | Todo::Update(set)) => {
            match object(set, &inputs[at]) {
                Ok(object) => Outcome::Done(object),
                Err(error) => Outcome::Failed(error),
            }
        }
        (Some(End::Failed(error)), _) => Outcome::Failed(error),
        (Some(End::NotDone) | None, _) => Outcome::NotDone,
    };
    ends.into_iter()
        .enumerate()
        .map(|(at, end)| outcome(at, end))
        .collect()
}

fn todo(operation: &Operation, inputs: &Result<Value>) -> Result<Todo> {
    let set = || Set::from_inputs(inputs.as_ref().map_err(Clone::clone)?);
    match operation.verb {
        Verb::Create => Ok(Todo::Create(operation.op, set()?)),
        Verb::Update => {
            let set = set()?;
            let id = operation.id()?;
            if SetId::parse(id)? != set.id {
                return Err(Error::new(
                    ErrorKind::Unexpected,
                    format!("`{id}` cannot become `{}`", set.id),
                ));
            }
            Ok(Todo::Update(set))
        }
        Verb::Delete => Ok(Todo::Delete(SetId::parse(operation.id()?)?)),
        Verb::Run => Err(Error::new(
            ErrorKind::Unsupported,
            "`powerdns.record_set` is not an action",
        )),
    }
}

fn object(set: &Set, inputs: &Result<Value>) -> Result<Object> {
    Ok(Object {
        id: set.id.to_string(),
        inputs: inputs.clone()?,
        outputs: encode(&outputs(&set.id), None)?,
        ..Object::default()
    })
}

/// Writes changes of one zone; one end for each.
async fn write(cx: &Cx, pdns: &PowerDns, zone: &str, todos: &[&Todo]) -> Vec<End> {
    if let Some(ends) = doubles(todos) {
        return ends;
    }
    let found = match comments(cx, pdns, zone, todos).await {
        Ok(found) => found,
        Err(ends) => return ends,
    };
    // Deletions come first: a CNAME can take the place of an address in one request.
    let mut order: Vec<usize> = (0..todos.len()).collect();
    order.sort_by_key(|at| !todos[*at].is_delete());
    let mut ends: Vec<End> = todos.iter().map(|_| End::NotDone).collect();
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let mut changes = Vec::new();
        let mut bytes = 0;
        let mut taken = 0;
        for at in rest {
            let change = change(todos, *at, &found);
            let size = change.as_ref().map_or(0, size);
            if taken > 0 && bytes + size > MOST_BYTES {
                break;
            }
            bytes += size;
            taken += 1;
            changes.extend(change);
        }
        let (now, later) = rest.split_at(taken);
        let sent = if changes.is_empty() {
            Ok(())
        } else {
            pdns.patch(cx, zone, &Patch { rrsets: changes }).await
        };
        let sent = match sent {
            Err(error) if error.effect_of() == Effect::Unknown => {
                if has_landed(cx, pdns, zone, todos, now).await {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            other => other,
        };
        match sent {
            Ok(()) => now.iter().for_each(|at| ends[*at] = End::Done),
            // The zone is gone, and with it what was to be deleted.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                for at in now {
                    ends[*at] = if todos[*at].is_delete() {
                        End::Done
                    } else {
                        End::Failed(error.clone())
                    };
                }
                return ends;
            }
            Err(error) => {
                let culprit = now
                    .iter()
                    .find(|at| names(error.message(), todos[**at].id()))
                    .filter(|_| error.effect_of() == Effect::None);
                for at in now {
                    if culprit.is_none_or(|culprit| culprit == at) {
                        ends[*at] = End::Failed(error.clone());
                    }
                }
                return ends;
            }
        }
        rest = later;
    }
    ends
}

/// Whether a write whose reply was lost is there, all of it.
async fn has_landed(
    cx: &Cx,
    pdns: &PowerDns,
    zone: &str,
    todos: &[&Todo],
    members: &[usize],
) -> bool {
    let Ok(Some(there)) = pdns.zone(cx, zone).await else {
        return false;
    };
    let is_as_sent = |set: &Set| {
        let found = there.set(&set.id.dotted(), &set.id.kind);
        found.is_some_and(|found| {
            let shown = of_set(found, &set.id).spec;
            let same = |a: &[String], b: &[String]| {
                a.len() == b.len() && a.iter().all(|value| b.contains(value))
            };
            shown.ttl == set.ttl
                && shown.disabled == set.disabled
                && same(&shown.values, &set.values)
        })
    };
    members.iter().all(|at| match todos[*at] {
        Todo::Create(_, set) | Todo::Update(set) => is_as_sent(set),
        Todo::Delete(id) => {
            let replaced = todos
                .iter()
                .any(|other| !other.is_delete() && other.id() == id);
            replaced || there.set(&id.dotted(), &id.kind).is_none()
        }
    })
}

/// Two members of a call that set the same record set.
fn doubles(todos: &[&Todo]) -> Option<Vec<End>> {
    let mut seen: BTreeMap<&SetId, usize> = BTreeMap::new();
    for (at, todo) in todos.iter().enumerate() {
        if todo.is_delete() {
            continue;
        }
        let Some(first) = seen.insert(todo.id(), at) else {
            continue;
        };
        let id = todo.id();
        let error = Error::new(
            ErrorKind::Conflict,
            format!("two resources of this stack set `{id}`"),
        )
        .hint("put their values into one `powerdns.record_set`");
        let ends = (0..todos.len()).map(|other| {
            if other == at || other == first {
                End::Failed(error.clone())
            } else {
                End::NotDone
            }
        });
        return Some(ends.collect());
    }
    None
}

/// Looks, before creates, at what is there: nothing may be, but what this operation made itself or
/// what this call deletes. Gives the comments to keep beside the mark.
async fn comments(
    cx: &Cx,
    pdns: &PowerDns,
    zone: &str,
    todos: &[&Todo],
) -> Result<BTreeMap<SetId, Vec<Comment>>, Vec<End>> {
    let mut kept = BTreeMap::new();
    if !todos.iter().any(|todo| matches!(todo, Todo::Create(..))) {
        return Ok(kept);
    }
    let all = |error: Error| -> Vec<End> {
        let error = error.effect(Effect::None);
        todos.iter().map(|_| End::Failed(error.clone())).collect()
    };
    let there = pdns.zone(cx, zone).await.map_err(all)?;
    let there = there.ok_or_else(|| all(no_zone(zone)))?;
    let mut ends: Vec<End> = Vec::with_capacity(todos.len());
    for todo in todos {
        let Todo::Create(op, set) = todo else {
            ends.push(End::NotDone);
            continue;
        };
        let id = &set.id;
        let goes = todos
            .iter()
            .any(|other| other.is_delete() && other.id() == id);
        let found = there.set(&id.dotted(), &id.kind).filter(|_| !goes);
        let is_ours = found.is_none_or(|found| is_marked(found, *op));
        if !is_ours {
            ends.push(End::Failed(taken(id)));
            continue;
        }
        let others = found.into_iter().flat_map(|found| &found.comments);
        let others = others
            .filter(|comment| comment.content != mark(*op))
            .cloned();
        kept.insert(id.clone(), others.collect());
        ends.push(End::NotDone);
    }
    if ends.iter().any(|end| matches!(end, End::Failed(_))) {
        return Err(ends);
    }
    Ok(kept)
}

fn taken(id: &SetId) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("`{id}` exists already, and it was not made by this stack"),
    )
    .field(Path::key("name"))
    .hint("take it over with `adopt: true`, or choose another name")
}

/// The change for one member; none for a delete whose place another member takes.
fn change(todos: &[&Todo], at: usize, found: &BTreeMap<SetId, Vec<Comment>>) -> Option<SetChange> {
    let todo = todos[at];
    let id = todo.id();
    match todo {
        Todo::Delete(_) => {
            let replaced = todos
                .iter()
                .any(|other| !other.is_delete() && other.id() == id);
            (!replaced).then(|| SetChange::delete(id.dotted(), id.kind.clone()))
        }
        Todo::Update(set) => Some(replace(set)),
        Todo::Create(op, set) => {
            let mut comments = found.get(id).cloned().unwrap_or_default();
            comments.push(Comment {
                content: mark(*op),
                account: MARK_ACCOUNT.to_owned(),
            });
            Some(SetChange {
                comments: Some(comments),
                ..replace(set)
            })
        }
    }
}

fn replace(set: &Set) -> SetChange {
    let records = set.values.iter().map(|value| Record {
        content: content::to_wire(&set.id.kind, value),
        disabled: set.disabled,
    });
    SetChange::replace(
        set.id.dotted(),
        set.id.kind.clone(),
        set.ttl,
        records.collect(),
    )
}

/// About how long a change is in JSON, escapes included.
fn size(change: &SetChange) -> usize {
    let records = change.records.iter().flatten();
    let records: usize = records.map(|record| record.content.len() * 2 + 40).sum();
    let comments = change.comments.iter().flatten();
    let comments: usize = comments.map(|comment| comment.content.len() * 2 + 80).sum();
    change.name.len() + 100 + records + comments
}

/// Says whose a record set is, and by which operation it was made.
fn mark(op: OpId) -> String {
    format!("made by Fabrik, operation {op}")
}

/// Whether an operation made it.
pub(super) fn is_marked(set: &RrSet, op: OpId) -> bool {
    let mark = mark(op);
    set.comments
        .iter()
        .any(|comment| comment.account == MARK_ACCOUNT && comment.content == mark)
}

/// Whether PowerDNS's words are about this record set.
fn names(words: &str, id: &SetId) -> bool {
    let (name, kind) = (id.dotted(), &id.kind);
    words.contains(&format!("RRset {name} IN {kind}:"))
        || words.contains(&format!("Record {name}/{kind} "))
        || words.contains(&format!("Record {name} IN {kind} "))
}

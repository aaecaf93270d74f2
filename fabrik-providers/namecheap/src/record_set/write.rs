//! Writing: read, merge, write everything, read again, compare.

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{encode, linked_inputs};
use fabrik_core::provider::{Cx, Object, Operation, Outcome, Verb};
use fabrik_core::value::{Path, Value};

use super::merge::{Content, check_writable, merge};
use super::normal::Set;
use super::{cannot_become, outputs};
use crate::client::Namecheap;
use crate::error::{no_domain, not_own_dns};
use crate::name::SetId;
use crate::xml::Hosts;

/// How often a domain is written when somebody else keeps changing it.
const CYCLES: usize = 3;

/// How long to wait before a write that the service failed to carry out is done again.
const PAUSE: Duration = Duration::from_secs(2);

/// What to do with one record set.
#[derive(Clone, Debug)]
pub(super) enum Todo {
    Create(Set),
    Update(Set),
    Delete(SetId),
}

impl Todo {
    pub(super) fn id(&self) -> &SetId {
        match self {
            Todo::Create(set) | Todo::Update(set) => &set.id,
            Todo::Delete(id) => id,
        }
    }

    pub(super) fn is_delete(&self) -> bool {
        matches!(self, Todo::Delete(_))
    }
}

/// Why a write failed: all of it, or because of some members.
struct Failure {
    error: Error,
    culprits: Vec<usize>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure {
            error,
            culprits: Vec::new(),
        }
    }
}

/// Writes one record set.
pub(super) async fn one(cx: &Cx, namecheap: &Namecheap, todo: Todo) -> Result<()> {
    let domain = todo.id().domain.clone();
    let written = write(cx, namecheap, &domain, &[&todo]).await;
    written.map_err(|failure| failure.error)
}

/// Carries out a call.
pub(super) async fn apply(cx: &Cx, namecheap: &Namecheap, call: &[Operation]) -> Vec<Outcome> {
    let inputs = linked_inputs(call, &|_, inputs| {
        object(&Set::from_inputs(inputs)?, inputs)
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
    let mut domains: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, todo) in todos.iter().enumerate() {
        domains.entry(&todo.id().domain).or_default().push(at);
    }
    let mut outcomes: Vec<Outcome> = todos.iter().map(|_| Outcome::NotDone).collect();
    for (domain, members) in domains {
        let part: Vec<&Todo> = members.iter().map(|at| &todos[*at]).collect();
        match write(cx, namecheap, domain, &part).await {
            Ok(()) => {
                for at in members {
                    outcomes[at] = done(&todos[at], &inputs[at]);
                }
            }
            Err(Failure { error, culprits }) => {
                for (index, at) in members.into_iter().enumerate() {
                    if culprits.is_empty() || culprits.contains(&index) {
                        outcomes[at] = Outcome::Failed(error.clone());
                    }
                }
            }
        }
    }
    outcomes
}

fn todo(operation: &Operation, inputs: &Result<Value>) -> Result<Todo> {
    let set = || Set::from_inputs(inputs.as_ref().map_err(Clone::clone)?);
    match operation.verb {
        Verb::Create => Ok(Todo::Create(set()?)),
        Verb::Update => {
            let set = set()?;
            let id = operation.id()?;
            if SetId::parse(id)? != set.id {
                return Err(cannot_become(id, &set.id));
            }
            Ok(Todo::Update(set))
        }
        Verb::Delete => Ok(Todo::Delete(SetId::parse(operation.id()?)?)),
        Verb::Run => Err(Error::new(
            ErrorKind::Unsupported,
            "`namecheap.record_set` is not an action",
        )),
    }
}

fn object(set: &Set, inputs: &Value) -> Result<Object> {
    Ok(Object {
        id: set.id.to_string(),
        inputs: inputs.clone(),
        outputs: encode(&outputs(&set.id), None)?,
        ..Object::default()
    })
}

fn done(todo: &Todo, inputs: &Result<Value>) -> Outcome {
    let made = match (todo, inputs) {
        (Todo::Delete(_), _) => return Outcome::Gone,
        (Todo::Create(set) | Todo::Update(set), Ok(inputs)) => object(set, inputs),
        (_, Err(error)) => Err(error.clone()),
    };
    made.map_or_else(Outcome::Failed, Outcome::Done)
}

/// Writes changes of one domain: all or none.
async fn write(
    cx: &Cx,
    namecheap: &Namecheap,
    domain: &str,
    todos: &[&Todo],
) -> Result<(), Failure> {
    doubles(todos)?;
    let _turn = namecheap.turn(domain).await;
    let mut lost = None;
    for cycle in 0..CYCLES {
        let there = namecheap.hosts(cx, domain).await;
        let there = there.map_err(|error| before(error, cycle))?;
        let Some(there) = found(there, domain, todos)? else {
            return Ok(());
        };
        check_writable(&there, domain, namecheap.drop_unwritable)?;
        if cycle == 0 {
            is_free(&there, domain, todos)?;
        }
        let wanted = merge(&there, domain, todos)?;
        // Nothing to do, or a lost write landed after all.
        if wanted.is_same(&Content::of(&there, domain)) {
            return Ok(());
        }
        let sent = namecheap
            .set_hosts(cx, domain, &wanted.email_type, &wanted.hosts)
            .await;
        if let Err(error) = &sent
            && error.effect_of() == Effect::None
        {
            return Err(blame(error.clone(), todos));
        }
        let now = namecheap.hosts(cx, domain).await;
        match (sent, now) {
            (_, Ok(Some(now))) if Content::of(&now, domain).has(todos) => return Ok(()),
            // It did not land, as far as can be seen; doing it again does no harm if it still does.
            (Err(error), Ok(Some(_))) if cycle + 1 < CYCLES => {
                lost = Some(error);
                cx.sleep(PAUSE).await?;
            }
            (Err(error), _) => return Err(error.into()),
            (Ok(()), Ok(Some(_))) => {
                lost = None;
                cx.note(format!(
                    "`{domain}` was changed by somebody else meanwhile; writing it again"
                ));
            }
            (Ok(()), Ok(None)) => return Err(gone(domain).effect(Effect::Unknown).into()),
            (Ok(()), Err(error)) => return Err(error.effect(Effect::Unknown).into()),
        }
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!(
            "the records of `{domain}` were changed by somebody else after each of {CYCLES} writes"
        ),
    )
    .hint("find out what else manages the domain; only one can")
    .effect(Effect::Unknown)
    .into())
}

/// A failed read: nothing was written, unless a cycle before did.
fn before(error: Error, cycle: usize) -> Error {
    if cycle == 0 {
        error.effect(Effect::None)
    } else {
        error.effect(Effect::Unknown)
    }
}

fn gone(domain: &str) -> Error {
    no_domain(Error::new(ErrorKind::NotFound, ""), domain)
}

/// The domain's records; `None` when there are none, and none are to be set.
fn found(there: Option<Hosts>, domain: &str, todos: &[&Todo]) -> Result<Option<Hosts>> {
    let only_deletes = todos.iter().all(|todo| todo.is_delete());
    match there {
        Some(hosts) if hosts.own_dns => Ok(Some(hosts)),
        _ if only_deletes => Ok(None),
        Some(_) => Err(not_own_dns().context("domain", domain).effect(Effect::None)),
        None => Err(gone(domain).effect(Effect::None)),
    }
}

/// What is to be made must not be there: unless it is as wanted, or goes in the same write.
fn is_free(there: &Hosts, domain: &str, todos: &[&Todo]) -> Result<(), Failure> {
    let content = Content::of(there, domain);
    let mut culprits = Vec::new();
    let mut first = None;
    for (at, todo) in todos.iter().enumerate() {
        let Todo::Create(set) = todo else { continue };
        let goes = todos
            .iter()
            .any(|other| other.is_delete() && other.id() == &set.id);
        let absent = Content::has(&content, &[&Todo::Delete(set.id.clone())]);
        if !absent && !goes && !content.has(&[*todo]) {
            culprits.push(at);
            first = first.or(Some(&set.id));
        }
    }
    let Some(id) = first else { return Ok(()) };
    let error = Error::new(
        ErrorKind::Conflict,
        format!("`{id}` exists already, and it was not made by this stack"),
    )
    .field(Path::key("name"))
    .hint("take it over with `adopt: true`, or choose another name");
    Err(Failure { error, culprits })
}

/// Two members of a call that set the same record set.
fn doubles(todos: &[&Todo]) -> Result<(), Failure> {
    let mut seen: BTreeMap<&SetId, usize> = BTreeMap::new();
    for (at, todo) in todos.iter().enumerate() {
        if todo.is_delete() {
            continue;
        }
        if let Some(first) = seen.insert(todo.id(), at) {
            let id = todo.id();
            let error = Error::new(
                ErrorKind::Conflict,
                format!("two resources of this stack set `{id}`"),
            )
            .hint("put their values into one `namecheap.record_set`");
            return Err(Failure {
                error,
                culprits: vec![first, at],
            });
        }
    }
    Ok(())
}

/// Finds the member that a refusal is about, by the value it quotes.
fn blame(error: Error, todos: &[&Todo]) -> Failure {
    if error.kind() != ErrorKind::Invalid {
        return error.into();
    }
    let quotes = |todo: &&&Todo| match todo {
        Todo::Create(set) | Todo::Update(set) => set.values.iter().any(|value| {
            let (address, _) = crate::content::to_wire(&set.id.kind, value);
            error.message().contains(&format!("'{address}'"))
        }),
        Todo::Delete(_) => false,
    };
    let culprits: Vec<usize> = todos
        .iter()
        .enumerate()
        .filter(|(_, todo)| quotes(todo))
        .map(|(at, _)| at)
        .collect();
    let error = if culprits.is_empty() {
        error
    } else {
        error.field(Path::key("values"))
    };
    Failure { error, culprits }
}

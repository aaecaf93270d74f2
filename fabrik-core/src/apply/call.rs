//! One call to a provider: attempts, time limit, and finding out what a lost reply did.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::error::{Effect, Error, ErrorKind};
use crate::plan::{Treat, compare};
use crate::provider::{
    Cx, Instance, Located, Lost, Object, Operation, Outcome, ReadRequest, Stop, TypeInfo, Verb,
};
use crate::secrets::Redactor;
use crate::session::{catch, panicked};
use crate::stack::OnDrift;
use crate::state::StepRef;
use crate::value::Value;

/// Most attempts at one operation.
const ATTEMPTS: u32 = 5;
/// How long one look at what an operation did may take. The operation's own time may be up by then.
const LOOK: Duration = Duration::from_secs(30);

/// One operation of a call, with what the engine must know to judge its outcome.
#[derive(Clone)]
pub(crate) struct CallStep {
    pub(crate) step: StepRef,
    pub(crate) operation: Operation,
    pub(crate) info: Arc<TypeInfo>,
}

/// How one operation ended, for certain or not.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Done(Object),
    Gone,
    /// It did not happen, and nothing is wrong with it.
    NotDone,
    Failed(Error),
    /// It may have happened.
    Unsure(String),
}

/// What happens during a call, told to the coordinator.
pub(crate) enum Note {
    Retry {
        step: StepRef,
        why: String,
        after: Duration,
        attempt: u32,
    },
    Waiting {
        step: StepRef,
        why: String,
        at_most: Duration,
    },
}

/// Carries out one call.
pub(crate) struct Call {
    pub(crate) steps: Vec<CallStep>,
    pub(crate) instance: Arc<dyn Instance>,
    pub(crate) cx: Cx,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) redactor: Redactor,
    pub(crate) deadline: Timestamp,
    pub(crate) notes: Box<dyn Fn(Note) + Send + Sync>,
    /// Injected: the reply is lost once.
    pub(crate) lose_reply: bool,
    /// Injected: the call is sent twice.
    pub(crate) repeat: bool,
}

impl Call {
    /// Runs until every operation's end is known or cannot be known.
    pub(crate) async fn run(mut self) -> Vec<(StepRef, End)> {
        let mut ends: Vec<(StepRef, End)> = Vec::with_capacity(self.steps.len());
        let mut open: Vec<CallStep> = self.steps.clone();
        let mut attempt = 1;
        loop {
            let outcomes = self.attempt(&open).await;
            let mut again = Vec::new();
            let mut wait = Duration::ZERO;
            for (item, outcome) in std::mem::take(&mut open).into_iter().zip(outcomes) {
                match self.judge(&item, outcome).await {
                    Judged::End(end) => ends.push((item.step, end)),
                    Judged::Again(error) if attempt < ATTEMPTS && self.may_retry(&error) => {
                        let pause = error.wait().unwrap_or_else(|| backoff(attempt));
                        wait = wait.max(pause);
                        (self.notes)(Note::Retry {
                            step: item.step,
                            why: self.redactor.clean(&error.to_string()),
                            after: pause,
                            attempt: attempt + 1,
                        });
                        again.push(item);
                    }
                    Judged::Again(error) => ends.push((item.step, End::Failed(error))),
                }
            }
            if again.is_empty() {
                return ends;
            }
            if self.cx.sleep(wait).await.is_err() {
                for item in again {
                    let stopped =
                        Error::new(ErrorKind::Cancelled, "stopped before it was tried again");
                    ends.push((item.step, End::Failed(stopped.effect(Effect::None))));
                }
                return ends;
            }
            attempt += 1;
            open = again;
        }
    }

    fn may_retry(&self, error: &Error) -> bool {
        let now = self.clock.now();
        let left = Duration::try_from(self.deadline.duration_since(now)).unwrap_or(Duration::ZERO);
        let budget = error.wait().unwrap_or(Duration::ZERO);
        self.cx.stop().state() == crate::provider::Stop::No && left > budget
    }

    async fn attempt(&mut self, open: &[CallStep]) -> Vec<Outcome> {
        let operations: Vec<Operation> = open.iter().map(|item| item.operation.clone()).collect();
        let left = Duration::try_from(self.deadline.duration_since(self.clock.now()))
            .unwrap_or(Duration::ZERO);
        let cx = self.cx.clone();
        let cx = match operations.as_slice() {
            [single] => cx.for_op(single.op),
            _ => cx,
        };
        if std::mem::take(&mut self.repeat) {
            _ = catch(self.instance.apply(&cx, &operations)).await;
        }
        let outcomes = tokio::select! {
            outcomes = catch(self.instance.apply(&cx, &operations)) => outcomes,
            () = self.clock.idle(left) => {
                let error = Error::new(
                    ErrorKind::Timeout,
                    format!("no answer within {} s", left.as_secs()),
                )
                .hint("raise `timeout` on the resource if the service is just slow")
                .effect(Effect::Unknown);
                return operations.iter().map(|_| Outcome::Failed(error.clone())).collect();
            }
        };
        if std::mem::take(&mut self.lose_reply) {
            let lost = Error::new(ErrorKind::Timeout, "injected: the reply was lost")
                .effect(Effect::Unknown);
            return operations
                .iter()
                .map(|_| Outcome::Failed(lost.clone()))
                .collect();
        }
        match outcomes {
            Some(outcomes) if outcomes.len() == operations.len() => outcomes,
            Some(_) => {
                let error = Error::new(
                    ErrorKind::Misbehaved,
                    "the provider answered a call with the wrong length",
                );
                operations
                    .iter()
                    .map(|_| Outcome::Failed(error.clone()))
                    .collect()
            }
            None => operations
                .iter()
                .map(|_| Outcome::Failed(panicked()))
                .collect(),
        }
    }

    async fn judge(&self, item: &CallStep, outcome: Outcome) -> Judged {
        let error = match outcome {
            Outcome::Done(object) => return Judged::End(End::Done(object)),
            Outcome::Gone => return Judged::End(End::Gone),
            Outcome::NotDone => return Judged::End(End::NotDone),
            Outcome::Failed(error) => self.clean(error),
        };
        match error.effect_of() {
            Effect::None if error.is_temporary() => Judged::Again(error),
            Effect::None | Effect::Partial => Judged::End(End::Failed(error)),
            Effect::Unknown => {
                match resolve(
                    item,
                    &*self.instance,
                    &self.cx,
                    &*self.clock,
                    self.deadline,
                    &self.notes,
                )
                .await
                {
                    // It did not happen: as if it had failed without effect.
                    End::NotDone => {
                        let error = error.effect(Effect::None);
                        if error.is_temporary() {
                            Judged::Again(error)
                        } else {
                            Judged::End(End::Failed(error))
                        }
                    }
                    // Stopped hard: the next run finds out. This call is dropped by its executor.
                    End::Unsure(_) if self.cx.stop().state() == Stop::Now => {
                        std::future::pending().await
                    }
                    End::Unsure(why) => Judged::End(End::Unsure(format!("{error}; {why}"))),
                    end => Judged::End(end),
                }
            }
        }
    }

    fn clean(&self, error: Error) -> Error {
        error.map_text(&|text| crate::secrets::printable(&self.redactor.clean(text)))
    }
}

enum Judged {
    End(End),
    Again(Error),
}

/// Half a second, doubling.
fn backoff(attempt: u32) -> Duration {
    Duration::from_millis(500 * (1 << attempt.min(6)) / 2)
}

/// Finds out what an operation did whose reply was lost. Absence is certain only after the
/// operation's deadline plus the type's settle time; until then this waits and asks again.
pub(crate) async fn resolve(
    item: &CallStep,
    instance: &dyn Instance,
    cx: &Cx,
    clock: &dyn Clock,
    deadline: Timestamp,
    notes: &(dyn Fn(Note) + Send + Sync),
) -> End {
    let operation = &item.operation;
    if operation.verb == Verb::Create && item.info.lost == Lost::None {
        return End::Unsure("its type cannot be found again".to_owned());
    }
    if operation.verb == Verb::Create && item.info.lost == Lost::Key {
        // The service knows the operation: repeating it is finding it.
        return End::NotDone;
    }
    // A service that knows operations by their id and shows at once what it did holds nothing back:
    // what is not there now did not happen, and repeating it is harmless.
    let at_once = item.info.lost == Lost::Key && item.info.settle.is_zero();
    let certain = if at_once {
        clock.now()
    } else {
        deadline.checked_add(item.info.settle).unwrap_or(deadline)
    };
    let mut pause = Duration::from_millis(500);
    let mut failures = 0_u32;
    loop {
        let was_certain = clock.now() >= certain;
        let by = clock.now().checked_add(LOOK);
        let looking = by.map_or_else(|_| cx.clone(), |by| cx.clone().with_deadline(by));
        match look(item, instance, &looking).await {
            Ok(Some(end)) => return end,
            Ok(None) if was_certain => return End::NotDone,
            Ok(None) => failures = 0,
            Err(error) if was_certain && failures > 5 => {
                return End::Unsure(format!("and looking for it failed: {error}"));
            }
            Err(_) => failures += 1,
        }
        let left =
            Duration::try_from(certain.duration_since(clock.now())).unwrap_or(Duration::ZERO);
        let left = left.max(Duration::from_millis(100));
        notes(Note::Waiting {
            step: item.step,
            why: format!(
                "to be sure that the {} of {} did not land late",
                operation.verb.word(),
                operation.address
            ),
            at_most: left,
        });
        if cx.sleep(pause.min(left)).await.is_err() {
            return End::Unsure("stopped before it could be found out".to_owned());
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// What was sent, with what the service shows wherever a member of a linked group referred to another
/// whose value came with the write.
pub(crate) fn settled(sent: &Value, shown: &Value) -> Value {
    if !sent.has_unknown() || shown.is_null() {
        return sent.clone();
    }
    match (sent, shown) {
        (Value::Map(sent), Value::Map(shown)) => {
            let settle = |(key, item): (&Arc<str>, &Value)| match shown.get(key) {
                Some(there) => Some((key.clone(), settled(item, there))),
                None => (!item.has_unknown()).then(|| (key.clone(), item.clone())),
            };
            Value::Map(Arc::new(sent.iter().filter_map(settle).collect()))
        }
        (Value::List(sent), Value::List(shown)) if sent.len() == shown.len() => {
            let pairs = sent.iter().zip(shown.iter());
            Value::list(pairs.map(|(item, there)| settled(item, there)))
        }
        (Value::Secret(sent), shown) => settled(sent, shown.reveal()).into_secret(),
        _ => shown.clone(),
    }
}

/// One look: `Ok(None)` means it does not show (yet).
async fn look(item: &CallStep, instance: &dyn Instance, cx: &Cx) -> Result<Option<End>, Error> {
    let operation = &item.operation;
    match operation.verb {
        Verb::Create => {
            let answers = catch(instance.locate(cx, std::slice::from_ref(operation)))
                .await
                .ok_or_else(panicked)?;
            Ok(
                match answers.into_iter().next().unwrap_or(Ok(Located::Absent))? {
                    Located::Ours(object) => Some(End::Done(object)),
                    Located::Unsure { why, .. } => Some(End::Unsure(why)),
                    Located::Absent => None,
                },
            )
        }
        Verb::Update => Ok(match read(operation, instance, cx).await? {
            None => Some(End::Failed(
                Error::new(ErrorKind::NotFound, "the object is gone").effect(Effect::None),
            )),
            Some(object) if is_as_sent(item, &object) => Some(End::Done(Object {
                inputs: settled(&operation.inputs, &object.inputs),
                ..object
            })),
            Some(_) => None,
        }),
        Verb::Delete => Ok(read(operation, instance, cx)
            .await?
            .is_none()
            .then_some(End::Gone)),
        Verb::Run => Ok(Some(End::NotDone)),
    }
}

async fn read(
    operation: &Operation,
    instance: &dyn Instance,
    cx: &Cx,
) -> Result<Option<Object>, Error> {
    let prior = operation
        .prior
        .clone()
        .or_else(|| operation.checkpoint.clone())
        .unwrap_or_default();
    let request = ReadRequest {
        address: operation.address.clone(),
        type_name: operation.type_name.clone(),
        prior,
    };
    let answers = catch(instance.read(cx, std::slice::from_ref(&request)))
        .await
        .ok_or_else(panicked)?;
    answers.into_iter().next().unwrap_or(Ok(None))
}

/// Whether an object is as the operation wanted it, on the paths it set. A change of something the
/// service never shows counts as not landed: repeating it is harmless.
fn is_as_sent(item: &CallStep, object: &Object) -> bool {
    compare(
        &item.info.fields,
        &settled(&item.operation.inputs, &object.inputs),
        item.operation.prior.as_ref().map(|prior| &prior.inputs),
        Some(&object.inputs),
        Treat {
            ignore: &[],
            on_drift: OnDrift::Restore,
            hidden: &object.hidden,
        },
    )
    .diff
    .is_empty()
}

//! Write groups for typed authors: operations with their inputs decoded.

use serde::Serialize;

use super::{Resource, decode, encode};
use crate::error::{Error, Result};
use crate::provider::{Fields, Object, Operation, Outcome, Verb};

/// One operation of a write group ([`Resource::apply_group`]), decoded.
#[derive(Debug)]
pub struct Member<'a, R: Resource> {
    /// The operation itself: its id, address, verb.
    pub operation: &'a Operation,
    /// What is wanted; `None` for a delete.
    pub spec: Option<R::Spec>,
    /// What was last sent, where it still decodes; `None` for a create.
    pub prior: Option<R::Spec>,
}

impl<'a, R: Resource> Member<'a, R> {
    /// Decodes the operations of a call, in order. One that does not decode has its outcome already.
    pub fn of(call: &'a [Operation]) -> Vec<Result<Member<'a, R>, Outcome>> {
        call.iter()
            .map(|operation| {
                let spec = match operation.verb {
                    Verb::Delete => None,
                    _ => Some(decode(&operation.inputs).map_err(Outcome::Failed)?),
                };
                let prior = operation.prior.as_ref();
                Ok(Member {
                    operation,
                    spec,
                    prior: prior.and_then(|prior| decode(&prior.inputs).ok()),
                })
            })
            .collect()
    }

    /// It was carried out: the object has this id and outputs now.
    pub fn done(&self, id: impl Into<String>, outputs: &R::Outputs, private: Vec<u8>) -> Outcome {
        done(self.operation, id.into(), outputs, private).unwrap_or_else(Outcome::Failed)
    }

    /// It failed.
    pub fn failed(&self, error: Error) -> Outcome {
        Outcome::Failed(error)
    }
}

fn done<O: Serialize>(
    operation: &Operation,
    id: String,
    outputs: &O,
    private: Vec<u8>,
) -> Result<Outcome> {
    Ok(Outcome::Done(Object {
        id,
        inputs: operation.inputs.clone(),
        outputs: encode(outputs, None::<&Fields>)?,
        hidden: Vec::new(),
        private,
    }))
}

//! Nothing at all.

use fabrik_core::provider::{Object, Operation, Outcome, ReadRequest, Verb};
use fabrik_core::value::Value;

/// It is as it was.
pub(crate) fn read(request: &ReadRequest) -> Object {
    request.prior.clone()
}

/// Done.
pub(crate) fn apply(operation: &Operation) -> Outcome {
    if operation.verb == Verb::Delete {
        return Outcome::Gone;
    }
    let id = match &operation.prior {
        Some(prior) if !prior.id.is_empty() => prior.id.clone(),
        _ => operation.op.to_string(),
    };
    Outcome::Done(Object {
        outputs: Value::map([("id", Value::from(id.as_str()))]),
        id,
        inputs: operation.inputs.clone(),
        ..Object::default()
    })
}

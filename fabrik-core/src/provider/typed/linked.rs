//! Members of a linked call that refer to each other.

use crate::error::{Effect, Error, ErrorKind, Result};
use crate::expr::{self, Reference, Target};
use crate::provider::{Object, Operation, Verb};
use crate::value::{Segment, Value};

/// The inputs of each member of a linked call, with references to earlier members filled in.
///
/// For types whose ids and outputs follow from their inputs alone, so that they are known before the
/// call: `object` says what an earlier member will be, once its inputs are known.
///
/// Each answer is the member's own: [`ErrorKind::Unresolved`] when something stays unknown, or the
/// error of `object`. A delete's inputs are null.
pub fn linked_inputs(
    call: &[Operation],
    object: &dyn Fn(&Operation, &Value) -> Result<Object>,
) -> Vec<Result<Value>> {
    let mut known: Vec<Result<Value>> = Vec::with_capacity(call.len());
    for operation in call {
        let inputs = if operation.inputs.has_unknown() {
            resolve(operation, call, &known, object)
        } else {
            Ok(operation.inputs.clone())
        };
        known.push(inputs);
    }
    known
}

fn resolve(
    operation: &Operation,
    call: &[Operation],
    known: &[Result<Value>],
    object: &dyn Fn(&Operation, &Value) -> Result<Object>,
) -> Result<Value> {
    let scope = |reference: &Reference| -> Result<Option<Value>> {
        let Target::Resource(address) = &reference.target else {
            return Ok(None);
        };
        let earlier = call.iter().zip(known).rev();
        let found = earlier
            .filter(|(member, _)| member.verb != Verb::Delete)
            .find(|(member, _)| member.address == *address);
        let Some((member, Ok(inputs))) = found else {
            return Ok(None);
        };
        let object = object(member, inputs)?;
        if let [Segment::Key(key)] = reference.path.segments()
            && &**key == "id"
        {
            return Ok(Some(Value::from(object.id)));
        }
        let output = object.outputs.at(&reference.path);
        Ok(output.or_else(|| object.inputs.at(&reference.path)))
    };
    let inputs =
        expr::resolve(&operation.inputs, &scope).map_err(|error| error.effect(Effect::None))?;
    if let Some(reference) = expr::references(&inputs).first() {
        return Err(Error::new(
            ErrorKind::Unresolved,
            format!("`{reference}` is not known, and no earlier member of the same write"),
        )
        .effect(Effect::None));
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::expr::Expr;
    use crate::provider::OpId;
    use crate::value::Path;

    fn member(id: &str, verb: Verb, inputs: Value) -> Operation {
        Operation {
            op: OpId(1),
            address: Address::resource(id).unwrap(),
            type_name: "acme.note".into(),
            verb,
            prior: None,
            observed: None,
            inputs,
            checkpoint: None,
            undoes: None,
        }
    }

    fn refer(id: &str, path: &str) -> Value {
        let address = Address::resource(id).unwrap();
        Value::from(Expr::from(Reference::output(address, Path::parse(path))))
    }

    #[test]
    fn earlier_members_are_filled_in_and_later_ones_are_not() {
        let object = |_: &Operation, inputs: &Value| {
            let name = inputs.get("name").and_then(Value::as_str).unwrap_or("?");
            Ok(Object {
                id: format!("id of {name}"),
                inputs: inputs.clone(),
                outputs: Value::map([("url", Value::from(format!("https://{name}")))]),
                ..Object::default()
            })
        };
        let call = [
            member("a", Verb::Delete, Value::Null),
            member("a", Verb::Create, Value::map([("name", Value::from("a"))])),
            member("b", Verb::Create, Value::map([("name", refer("a", "url"))])),
            member("c", Verb::Create, Value::map([("name", refer("b", "id"))])),
            member("d", Verb::Create, Value::map([("name", refer("e", "id"))])),
        ];
        let found = linked_inputs(&call, &object);
        let name = |at: usize| found[at].as_ref().unwrap().get("name").cloned().unwrap();
        assert_eq!(name(2), Value::from("https://a"));
        assert_eq!(name(3), Value::from("id of https://a"));
        assert_eq!(found[4].as_ref().unwrap_err().kind(), ErrorKind::Unresolved);
    }
}

//! A provider that does nothing, as quickly as can be: what is measured is the engine.

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::error::Result;
use fabrik_core::provider::{
    Cx, Instance, Located, Lost, Object, Operation, Outcome, Provider, ProviderInfo, ReadRequest,
    TypeInfo, Verb,
};
use fabrik_core::value::Value;
use serde_json::json;

/// The provider `null`, with the type `null.thing`: `input` in, `output` (its id) out.
#[derive(Debug)]
pub struct Null(ProviderInfo);

impl Default for Null {
    fn default() -> Self {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {"input": {"description": "Anything."}, "more": {"description": "Anything."}},
        });
        let outputs = json!({"type": "object", "properties": {"output": {}}});
        let info = TypeInfo {
            lost: Lost::Key,
            ..TypeInfo::new("null.thing", schema, outputs)
        };
        Null(ProviderInfo {
            name: "null".into(),
            version: "1".into(),
            description: "Does nothing.".into(),
            config: json!({"type": "object"}),
            types: vec![Arc::new(info)],
            max_in_flight: 256,
        })
    }
}

#[async_trait]
impl Provider for Null {
    fn info(&self) -> &ProviderInfo {
        &self.0
    }
    async fn open(&self, _: &Cx, _: &Value) -> Result<Arc<dyn Instance>> {
        Ok(Arc::new(Opened))
    }
}

struct Opened;

fn object(id: String, inputs: &Value) -> Object {
    let outputs = Value::map([("output", Value::from(id.as_str()))]);
    Object {
        id,
        inputs: inputs.clone(),
        outputs,
        ..Object::default()
    }
}

#[async_trait]
impl Instance for Opened {
    async fn read(&self, _: &Cx, group: &[ReadRequest]) -> Vec<Result<Option<Object>>> {
        group
            .iter()
            .map(|request| {
                Ok(Some(object(
                    request.prior.id.clone(),
                    &request.prior.inputs,
                )))
            })
            .collect()
    }
    async fn apply(&self, _: &Cx, call: &[Operation]) -> Vec<Outcome> {
        call.iter()
            .map(|operation| match operation.verb {
                Verb::Delete => Outcome::Gone,
                _ => Outcome::Done(object(operation.op.to_string(), &operation.inputs)),
            })
            .collect()
    }
    async fn locate(&self, _: &Cx, call: &[Operation]) -> Vec<Result<Located>> {
        call.iter().map(|_| Ok(Located::Absent)).collect()
    }
}

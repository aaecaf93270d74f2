//! From typed implementations to lists of operations.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Action, Change, Created, Found, Lookup, Observed, Resource, decode, encode};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{
    Cx, Keys, Located, LogLine, LogOptions, Lost, Mode, Object, Operation, Outcome, Planned,
    Proposal, TypeInfo, Verb,
};
use crate::value::Value;

/// The object-safe twin of the typed traits. What a kind of type does not have is unsupported.
#[async_trait]
pub(super) trait Handler<C: Send + Sync>: Send + Sync {
    fn info(&self) -> &Arc<TypeInfo>;
    fn keys(&self, _: &C, _: &Value) -> Keys {
        Keys::default()
    }
    fn upgrade(&self, _: u32, stored: Object) -> Result<Object> {
        Ok(stored)
    }
    async fn plan(&self, _: &Cx, _: &C, proposal: Proposal<'_>) -> Result<Planned> {
        Ok(Planned {
            inputs: proposal.desired.clone(),
            ..Planned::default()
        })
    }
    async fn read(&self, _: &Cx, _: &C, ids: &[String]) -> Vec<Result<Option<Object>>> {
        ids.iter()
            .map(|_| Err(self.unsupported("has no objects to read")))
            .collect()
    }
    async fn apply(&self, _: &Cx, _: &C, call: &[Operation]) -> Vec<Outcome> {
        call.iter()
            .map(|_| Outcome::Failed(self.unsupported("changes nothing")))
            .collect()
    }
    async fn locate(&self, _: &Cx, _: &C, _: &Operation) -> Result<Located> {
        Ok(Located::Unsure(format!(
            "`{}` leaves nothing to find",
            self.info().name
        )))
    }
    async fn lookup(&self, _: &Cx, _: &C, _: &Value) -> Result<Object> {
        Err(self.unsupported("is not a lookup"))
    }
    async fn list(&self, _: &Cx, _: &C) -> Result<Vec<Object>> {
        Err(self.unsupported("has no objects to list"))
    }
    async fn logs(&self, _: &Cx, _: &C, _: &str, _: &LogOptions) -> Result<Vec<LogLine>> {
        Err(self.unsupported("has no logs"))
    }
    fn unsupported(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Unsupported,
            format!("`{}` {what}", self.info().name),
        )
    }
}

pub(super) struct Managed<R>(pub(super) R, pub(super) Arc<TypeInfo>);
pub(super) struct Looked<L>(pub(super) L, pub(super) Arc<TypeInfo>);
pub(super) struct Acted<A>(pub(super) A, pub(super) Arc<TypeInfo>);

impl<R: Resource> Managed<R> {
    fn object(&self, id: String, observed: Observed<R::Spec, R::Outputs>) -> Result<Object> {
        Ok(Object {
            id,
            inputs: encode(&observed.spec, Some(&self.1.fields))?,
            outputs: encode(&observed.outputs, None)?,
            hidden: observed.hidden,
            private: observed.private,
        })
    }

    fn made(inputs: &Value, created: Created<R::Outputs>) -> Result<Object> {
        if created.id.is_empty() {
            return Err(Error::new(ErrorKind::Misbehaved, "the provider gave no id"));
        }
        Ok(Object {
            id: created.id,
            inputs: inputs.clone(),
            outputs: encode(&created.outputs, None)?,
            hidden: Vec::new(),
            private: created.private,
        })
    }

    async fn one(&self, cx: &Cx, client: &R::Client, operation: &Operation) -> Result<Outcome> {
        let cx = cx.for_op(operation.op);
        match operation.verb {
            Verb::Create => {
                let spec: R::Spec = decode(&operation.inputs)?;
                let created = match &operation.checkpoint {
                    Some(checkpoint) => self.0.resume(&cx, client, &spec, checkpoint).await?,
                    None => self.0.create(&cx, client, &spec).await?,
                };
                Ok(Outcome::Done(Self::made(&operation.inputs, created)?))
            }
            Verb::Update => {
                let spec: R::Spec = decode(&operation.inputs)?;
                let prior = operation.prior.as_ref();
                let mut changed = prior.map_or_else(Vec::new, |prior| {
                    changed_keys(&prior.inputs, &operation.inputs)
                });
                if let Some(observed) = &operation.observed {
                    changed.extend(drifted_keys(observed, &operation.inputs));
                    changed.sort();
                    changed.dedup();
                }
                let change = Change {
                    spec: &spec,
                    prior: prior.and_then(|prior| decode(&prior.inputs).ok()),
                    object: prior,
                    changed,
                };
                let id = operation.id()?.to_owned();
                let outputs = self.0.update(&cx, client, &id, &change).await?;
                Ok(Outcome::Done(Object {
                    id,
                    inputs: operation.inputs.clone(),
                    outputs: encode(&outputs, None)?,
                    hidden: Vec::new(),
                    private: prior.map(|prior| prior.private.clone()).unwrap_or_default(),
                }))
            }
            Verb::Delete => {
                self.0.delete(&cx, client, operation.id()?).await?;
                Ok(Outcome::Gone)
            }
            Verb::Run => Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{}` is not an action", R::TYPE),
            )),
        }
    }
}

fn changed_keys(before: &Value, after: &Value) -> Vec<String> {
    let empty = crate::value::Map::new();
    let (before, after) = (
        before.as_map().unwrap_or(&empty),
        after.as_map().unwrap_or(&empty),
    );
    let mut keys: Vec<String> = before
        .keys()
        .chain(after.keys())
        .filter(|key| before.get(*key).map(Value::reveal) != after.get(*key).map(Value::reveal))
        .map(ToString::to_string)
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Fields that are wanted, shown by the service, and not as they are wanted: what somebody changed
/// in the service has to be sent again, although it was sent before.
fn drifted_keys(observed: &Object, wanted: &Value) -> Vec<String> {
    let hidden = |key: &std::sync::Arc<str>| {
        let path = crate::value::Path::key(key.clone());
        observed
            .hidden
            .iter()
            .any(|hidden| path.starts_with(hidden))
    };
    let differs = |key: &std::sync::Arc<str>, item: &Value| {
        observed.inputs.get(key).map(Value::reveal) != Some(item.reveal())
    };
    wanted
        .as_map()
        .into_iter()
        .flatten()
        .filter(|(key, item)| !item.is_null() && !hidden(key) && differs(key, item))
        .map(|(key, _)| key.to_string())
        .collect()
}

#[async_trait]
impl<R: Resource> Handler<R::Client> for Managed<R> {
    fn info(&self) -> &Arc<TypeInfo> {
        &self.1
    }
    fn keys(&self, client: &R::Client, inputs: &Value) -> Keys {
        self.0.keys(client, inputs)
    }
    fn upgrade(&self, from: u32, stored: Object) -> Result<Object> {
        self.0.upgrade(from, stored)
    }
    async fn plan(&self, cx: &Cx, client: &R::Client, proposal: Proposal<'_>) -> Result<Planned> {
        self.0.plan(cx, client, proposal).await
    }
    async fn read(
        &self,
        cx: &Cx,
        client: &R::Client,
        ids: &[String],
    ) -> Vec<Result<Option<Object>>> {
        let found = self.0.read_many(cx, client, ids).await;
        ids.iter()
            .zip(found)
            .map(|(id, result)| {
                result?
                    .map(|observed| self.object(id.clone(), observed))
                    .transpose()
            })
            .collect()
    }
    async fn apply(&self, cx: &Cx, client: &R::Client, call: &[Operation]) -> Vec<Outcome> {
        if call.len() > 1 {
            if let Some(outcomes) = self.0.apply_group(cx, client, call).await {
                return outcomes;
            }
        } else if let [single] = call
            && self.0.keys(client, &single.inputs).write_group.is_some()
            && let Some(outcomes) = self.0.apply_group(cx, client, call).await
        {
            return outcomes;
        }
        let mut outcomes = Vec::with_capacity(call.len());
        for operation in call {
            outcomes.push(match self.one(cx, client, operation).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::Failed(error),
            });
        }
        outcomes
    }
    async fn locate(&self, cx: &Cx, client: &R::Client, operation: &Operation) -> Result<Located> {
        let cx = cx.for_op(operation.op);
        let spec: R::Spec = decode(&operation.inputs)?;
        let found: Option<Found<R::Spec, R::Outputs>> =
            self.0.locate(&cx, client, operation.op, &spec).await?;
        let Some(found) = found else {
            return Ok(Located::Absent);
        };
        let marked = found.marked;
        let object = self.object(found.id, found.observed)?;
        if marked || self.1.lost == Lost::Key {
            return Ok(Located::Ours(object));
        }
        // A name is no ownership: it is ours only when nothing was there before (the engine knows)
        // and it is what we sent.
        let equal = crate::plan::compare(
            &self.1.fields,
            &operation.inputs,
            None,
            Some(&object.inputs),
            crate::plan::Treat {
                ignore: &[],
                on_drift: crate::stack::OnDrift::Restore,
                hidden: &object.hidden,
            },
        )
        .diff
        .is_empty();
        if equal {
            Ok(Located::Ours(object))
        } else {
            Ok(Located::Unsure(format!(
                "`{}` exists and differs from what was sent",
                object.id
            )))
        }
    }
    async fn list(&self, cx: &Cx, client: &R::Client) -> Result<Vec<Object>> {
        let found = self.0.list(cx, client).await?;
        found
            .into_iter()
            .map(|found| self.object(found.id, found.observed))
            .collect()
    }
    async fn logs(
        &self,
        cx: &Cx,
        client: &R::Client,
        id: &str,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        self.0.logs(cx, client, id, options).await
    }
}

#[async_trait]
impl<T: Lookup> Handler<T::Client> for Looked<T> {
    fn info(&self) -> &Arc<TypeInfo> {
        &self.1
    }
    async fn lookup(&self, cx: &Cx, client: &T::Client, inputs: &Value) -> Result<Object> {
        let spec: T::Spec = decode(inputs)?;
        let (id, outputs) = self.0.find(cx, client, &spec).await?;
        Ok(Object {
            id,
            inputs: inputs.clone(),
            outputs: encode(&outputs, None)?,
            ..Object::default()
        })
    }
}

#[async_trait]
impl<T: Action> Handler<T::Client> for Acted<T> {
    fn info(&self) -> &Arc<TypeInfo> {
        &self.1
    }
    async fn apply(&self, cx: &Cx, client: &T::Client, call: &[Operation]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(call.len());
        for operation in call {
            let cx = cx.for_op(operation.op);
            let run = async {
                let spec: T::Spec = decode(&operation.inputs)?;
                let outputs = encode(&self.0.run(&cx, client, &spec).await?, None)?;
                Ok::<_, Error>(Outcome::Done(Object {
                    id: operation.address.to_string(),
                    inputs: operation.inputs.clone(),
                    outputs,
                    ..Object::default()
                }))
            };
            outcomes.push(run.await.unwrap_or_else(Outcome::Failed));
        }
        outcomes
    }
}

/// The facts of a type from its author's structs.
pub(super) fn info_of<S: schemars::JsonSchema, O: schemars::JsonSchema>(
    name: &str,
    mode: Mode,
) -> TypeInfo {
    let schema = schemars::schema_for!(S).to_value();
    let outputs = schemars::schema_for!(O).to_value();
    let description = schema
        .get("description")
        .and_then(|text| text.as_str())
        .unwrap_or_default()
        .to_owned();
    TypeInfo {
        description,
        mode,
        ..TypeInfo::new(name, schema, outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::from_json;

    #[test]
    fn what_somebody_changed_has_to_be_sent_again() {
        let json = serde_json::json!({"title": "by hand", "shown": 1, "extra": true});
        let observed = Object {
            inputs: from_json(&json),
            hidden: vec![crate::value::Path::key("password")],
            ..Object::default()
        };
        let wanted = from_json(&serde_json::json!({
            "title": "as wanted", "shown": 1, "password": "never shown", "gone": "taken out",
        }));
        assert_eq!(drifted_keys(&observed, &wanted), ["gone", "title"]);
    }
}

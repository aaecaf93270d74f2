//! From typed implementations to lists of operations.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Action, Change, Created, Found, Lookup, Observed, Resource, decode, encode};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::same_value;
use crate::provider::{
    Cx, Keys, Located, LogLine, LogOptions, Lost, Mode, Object, Operation, Outcome, Planned,
    Proposal, TypeInfo, Verb,
};
use crate::value::{Path, Value};

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
        let name = &self.info().name;
        Ok(Located::unknown(format!("`{name}` leaves nothing to find")))
    }
    async fn lookup(&self, _: &Cx, _: &C, _: &Value) -> Result<Object> {
        Err(self.unsupported("is not a lookup"))
    }
    async fn list(&self, _: &Cx, _: &C) -> Result<Vec<Object>> {
        Err(self.unsupported("has no objects to list"))
    }
    async fn logs(&self, _: &Cx, _: &C, _: &Object, _: &LogOptions) -> Result<Vec<LogLine>> {
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

    /// Fields to send: what the user changed, and what somebody else did.
    fn changed(&self, operation: &Operation) -> Vec<String> {
        let Some(prior) = &operation.prior else {
            return Vec::new();
        };
        let mut changed = changed_keys(&prior.inputs, &operation.inputs);
        let (Some(observed), Some(wanted)) = (&operation.observed, operation.inputs.as_map())
        else {
            return changed;
        };
        let drifted = wanted.iter().filter(|(key, wanted)| {
            let path = Path::key((*key).clone());
            let fields = self.1.fields.at(&path);
            let there = observed.inputs.at(&path).unwrap_or_default();
            let is_hidden = observed
                .hidden
                .iter()
                .any(|hidden| path.starts_with(hidden));
            let shown = !fields.write_only && !is_hidden;
            shown && !same_value(fields, wanted, &there)
        });
        changed.extend(drifted.map(|(key, _)| key.to_string()));
        changed.sort();
        changed.dedup();
        changed
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
                let changed = self.changed(operation);
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
                let object = operation.prior.as_ref().or(operation.checkpoint.as_ref());
                match object {
                    Some(object) => self.0.delete_object(&cx, client, object).await?,
                    None => self.0.delete(&cx, client, operation.id()?).await?,
                }
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
        .filter(|key| before.get(key).map(Value::reveal) != after.get(key).map(Value::reveal))
        .map(ToString::to_string)
        .collect();
    keys.sort();
    keys.dedup();
    keys
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
            // What the service does not show counts as it was sent.
            Some(&operation.inputs),
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
            Ok(Located::differs(object.id))
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
        object: &Object,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        self.0.logs(cx, client, &object.id, options).await
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
    async fn logs(
        &self,
        cx: &Cx,
        client: &T::Client,
        object: &Object,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        let outputs: T::Outputs = decode(&object.outputs)
            .map_err(|error| self.unsupported(&format!("has no logs: {error}")))?;
        self.0.logs(cx, client, &outputs, options).await
    }
    fn info(&self) -> &Arc<TypeInfo> {
        &self.1
    }
    async fn apply(&self, cx: &Cx, client: &T::Client, call: &[Operation]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(call.len());
        for operation in call {
            let cx = cx.for_op(operation.op);
            let run = async {
                let spec: T::Spec = decode(&operation.inputs)?;
                let outputs = match &operation.checkpoint {
                    Some(checkpoint) => self.0.resume(&cx, client, &spec, checkpoint).await?,
                    None => self.0.run(&cx, client, &spec).await?,
                };
                let outputs = encode(&outputs, None)?;
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
    use std::sync::{Arc, Mutex};

    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::super::ReadAnswer;
    use super::*;
    use crate::address::Address;
    use crate::provider::OpId;

    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    struct Spec {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("x-fabrik" = {"same": "lower"}))]
        host: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<String>,
    }
    #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    struct Outputs {}

    /// A service with one object, which keeps what fields it was told are changed.
    struct Note;
    type Told = Mutex<Vec<Vec<String>>>;

    fn there() -> Observed<Spec, Outputs> {
        let spec = Spec {
            name: "a".into(),
            text: Some("by hand".into()),
            host: Some("EXAMPLE.COM".into()),
            password: None,
        };
        Observed::new(spec, Outputs {}).hidden(&["password"])
    }

    impl Resource for Note {
        const TYPE: &'static str = "acme.note";
        type Client = Told;
        type Spec = Spec;
        type Outputs = Outputs;

        async fn create(&self, _: &Cx, _: &Told, _: &Spec) -> Result<Created<Outputs>> {
            Ok(Created::new("1", Outputs {}))
        }
        async fn read(&self, _: &Cx, _: &Told, _: &str) -> ReadAnswer<Spec, Outputs> {
            Ok(Some(there()))
        }
        async fn update(
            &self,
            _: &Cx,
            told: &Told,
            _: &str,
            change: &Change<'_, Spec>,
        ) -> Result<Outputs> {
            told.lock().unwrap().push(change.changed.clone());
            Ok(Outputs {})
        }
        async fn delete(&self, _: &Cx, _: &Told, _: &str) -> Result<()> {
            Ok(())
        }
        async fn locate(
            &self,
            _: &Cx,
            _: &Told,
            _: OpId,
            _: &Spec,
        ) -> Result<Option<Found<Spec, Outputs>>> {
            Ok(Some(Found {
                id: "1".into(),
                observed: there(),
                marked: false,
            }))
        }
    }

    fn managed() -> Managed<Note> {
        let mut info = info_of::<Spec, Outputs>(Note::TYPE, Mode::Managed);
        info.lost = Lost::Name;
        Managed(Note, Arc::new(info))
    }

    fn inputs(text: &str) -> Value {
        Value::map([
            ("name", Value::from("a")),
            ("text", text.into()),
            ("host", "example.com".into()),
            ("password", "hush".into()),
        ])
    }

    fn operation(verb: Verb, text: &str, observed: Option<Object>) -> Operation {
        let prior = Object {
            id: "1".into(),
            inputs: inputs("sent"),
            ..Object::default()
        };
        Operation {
            op: OpId(1),
            address: Address::resource("a").unwrap(),
            type_name: Note::TYPE.into(),
            verb,
            prior: Some(prior),
            observed,
            inputs: inputs(text),
            checkpoint: None,
            undoes: None,
        }
    }

    #[tokio::test]
    async fn an_update_tells_what_the_user_and_what_others_changed() {
        let (managed, told) = (managed(), Told::default());
        let observed = managed.object("1".into(), there()).unwrap();
        for (text, observed) in [
            ("new", None),
            ("sent", Some(observed.clone())),
            ("by hand", Some(observed)),
        ] {
            let operation = operation(Verb::Update, text, observed);
            let outcome = managed.one(&Cx::detached(), &told, &operation).await;
            assert!(matches!(outcome, Ok(Outcome::Done(_))));
        }
        let text = || vec!["text".to_owned()];
        assert_eq!(*told.lock().unwrap(), [text(), text(), text()]);
    }

    #[tokio::test]
    async fn a_lost_create_with_a_field_that_is_not_shown_is_ours() {
        let (managed, cx) = (managed(), Cx::detached());
        let told = Told::default();
        let sent = operation(Verb::Create, "by hand", None);
        let found = managed.locate(&cx, &told, &sent).await.unwrap();
        assert!(matches!(found, Located::Ours(_)), "{found:?}");
        let other = operation(Verb::Create, "mine", None);
        let found = managed.locate(&cx, &told, &other).await.unwrap();
        assert!(
            matches!(found, Located::Unsure { id: Some(_), .. }),
            "{found:?}"
        );
    }
}

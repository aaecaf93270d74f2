//! What can be wrong with a provider in what it says of itself, or hands to the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use fabrik_core::error::Result;
use fabrik_core::provider::{
    Cx, Instance, Keys, Located, Object, Operation, Outcome, Planned, Proposal, Provider,
    ProviderInfo, ReadRequest, TypeInfo,
};
use fabrik_core::value::{Path, Value};
use serde_json::json;

use super::has;

/// The provider, and a bug in what it says of itself or hands to the engine.
pub(crate) struct Broken {
    pub(super) info: ProviderInfo,
    pub(super) inner: Box<dyn Provider>,
    pub(super) bug: &'static str,
}

pub(super) fn misdeclare(kind: &mut TypeInfo, bug: &str) {
    let properties = &mut kind.schema["properties"];
    match bug {
        "no schema" => properties["title"]["type"] = json!("text"),
        "says nothing of a field" => {
            properties["title"]
                .as_object_mut()
                .unwrap()
                .remove("description");
        }
        "a wrong example" => properties["title"]["examples"] = json!([7]),
        "takes any field" => {
            kind.schema
                .as_object_mut()
                .unwrap()
                .remove("additionalProperties");
        }
        "an open password" => {
            properties["password"]
                .as_object_mut()
                .unwrap()
                .remove("x-fabrik");
        }
        "can be moved" => {
            properties["folder"]
                .as_object_mut()
                .unwrap()
                .remove("x-fabrik");
        }
        "cares for case" => {
            properties["shade"]
                .as_object_mut()
                .unwrap()
                .remove("x-fabrik");
        }
        "takes empty titles" => {
            properties["title"]
                .as_object_mut()
                .unwrap()
                .remove("minLength");
        }
        "an output called vars" => {
            kind.outputs["properties"]["vars"] = json!({"type": "string", "description": "It."});
        }
        "an output that is not there" => {
            kind.outputs["properties"]["size"] = json!({"type": "number", "description": "It."});
            kind.outputs["required"] = json!(["url", "size"]);
        }
        _ => {}
    }
    kind.fields = fabrik_core::provider::Fields::of_schema(&kind.schema);
    kind.output_fields = fabrik_core::provider::Fields::of_schema(&kind.outputs);
}

#[async_trait]
impl Provider for Broken {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn open(&self, cx: &Cx, config: &Value) -> Result<Arc<dyn Instance>> {
        let token = config
            .get("token")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Ok(Arc::new(BrokenInstance {
            token: token.to_owned(),
            inner: self.inner.open(cx, config).await?,
            bug: self.bug,
        }))
    }
}

struct BrokenInstance {
    inner: Arc<dyn Instance>,
    token: String,
    bug: &'static str,
}

static ASKED: AtomicU64 = AtomicU64::new(0);

#[async_trait]
impl Instance for BrokenInstance {
    fn facts(&self) -> Value {
        if has(self.bug, "counts in its facts") {
            let asked = ASKED.fetch_add(1, Ordering::Relaxed).to_string();
            return Value::map([("asked", Value::from(asked))]);
        }
        if has(self.bug, "tells its token") {
            return Value::map([("token", Value::from(self.token.as_str()))]);
        }
        self.inner.facts()
    }

    fn keys(&self, type_name: &str, inputs: &Value) -> Keys {
        self.inner.keys(type_name, inputs)
    }

    fn upgrade(&self, type_name: &str, from: u32, stored: Object) -> Result<Object> {
        self.inner.upgrade(type_name, from, stored)
    }

    async fn plan(&self, cx: &Cx, proposal: Proposal<'_>) -> Result<Planned> {
        self.inner.plan(cx, proposal).await
    }

    async fn read(&self, cx: &Cx, group: &[ReadRequest]) -> Vec<Result<Option<Object>>> {
        let mut answers = self.inner.read(cx, group).await;
        for (request, answer) in group.iter().zip(&mut answers) {
            let Ok(Some(object)) = answer else { continue };
            if &*request.type_name != "acme.note" {
                continue;
            }
            let title = Path::key("title");
            let sent = request.prior.inputs.at(&title);
            if has(self.bug, "cannot spell") {
                let text = object.inputs.at(&title).unwrap_or_default();
                let text = text.as_str().unwrap_or_default().to_owned();
                let ascii = |c: char| if c.is_ascii() { c } else { '?' };
                let text: String = text.chars().map(ascii).collect();
                object.inputs = object.inputs.with(&title, Value::from(text));
            }
            let drifted = sent.is_some() && object.inputs.at(&title) != sent;
            if has(self.bug, "sees more than there is") && drifted {
                object.inputs = object.inputs.with(&Path::key("body"), Value::from("else"));
            }
            if has(self.bug, "needs more than an id") && request.prior.inputs.is_null() {
                *answer = Ok(None);
            }
        }
        answers
    }

    async fn apply(&self, cx: &Cx, call: &[Operation]) -> Vec<Outcome> {
        let mut outcomes = self.inner.apply(cx, call).await;
        for outcome in &mut outcomes {
            if let Outcome::Done(object) = outcome
                && has(self.bug, "keeps its token")
            {
                object.private = self.token.clone().into_bytes();
            }
        }
        outcomes
    }

    async fn locate(&self, cx: &Cx, call: &[Operation]) -> Vec<Result<Located>> {
        if has(self.bug, "finds nothing") {
            return call.iter().map(|_| Ok(Located::Absent)).collect();
        }
        self.inner.locate(cx, call).await
    }

    async fn lookup(&self, cx: &Cx, type_name: &str, inputs: &Value) -> Result<Object> {
        self.inner.lookup(cx, type_name, inputs).await
    }

    async fn list(&self, cx: &Cx, type_name: &str) -> Result<Vec<Object>> {
        self.inner.list(cx, type_name).await
    }
}

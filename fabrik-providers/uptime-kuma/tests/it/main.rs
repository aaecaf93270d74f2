//! The provider against the fake server, beyond what the conformance suite looks at.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod docs;
mod logins;
mod older;
mod pages;
mod real;
mod role;
#[path = "../support/mod.rs"]
mod support;
mod transport;
mod traps;

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::Error;
use fabrik_core::provider::{Cx, Instance, Object, OpId, Operation, Outcome, Provider as _, Verb};
use fabrik_core::value::from_json;
use fabrik_fakes::kuma::{Kuma, PASSWORD, USER};
use fabrik_provider_uptime_kuma::provider;
use serde_json::{Value as Json, json};

/// A configuration with other fields laid over it; null takes one out.
fn config(kuma: &Kuma, over: Json) -> Json {
    let mut config = json!({"url": kuma.url(), "username": USER, "password": PASSWORD});
    for (key, value) in over.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    config
}

async fn open_with(cx: &Cx, config: Json) -> Result<Arc<dyn Instance>, Error> {
    provider().open(cx, &from_json(&config)).await
}

async fn open(kuma: &Kuma) -> Arc<dyn Instance> {
    open_with(&Cx::detached(), config(kuma, json!({})))
        .await
        .unwrap()
}

fn operation(verb: Verb, type_name: &str, op: u128, inputs: Json) -> Operation {
    Operation {
        op: OpId(op),
        address: Address::resource("it").unwrap(),
        type_name: type_name.into(),
        verb,
        prior: None,
        observed: None,
        inputs: from_json(&inputs),
        checkpoint: None,
        undoes: None,
    }
}

async fn apply(instance: &Arc<dyn Instance>, operation: Operation) -> Result<Object, Error> {
    let mut outcomes = instance.apply(&Cx::detached(), &[operation]).await;
    match outcomes.pop().unwrap() {
        Outcome::Done(object) => Ok(object),
        Outcome::Gone => Ok(Object::default()),
        Outcome::Failed(error) => Err(error),
        Outcome::NotDone => panic!("not done"),
    }
}

async fn create(
    instance: &Arc<dyn Instance>,
    type_name: &str,
    inputs: Json,
) -> Result<Object, Error> {
    apply(instance, operation(Verb::Create, type_name, 7, inputs)).await
}

async fn update(
    instance: &Arc<dyn Instance>,
    type_name: &str,
    prior: &Object,
    inputs: Json,
) -> Result<Object, Error> {
    let mut operation = operation(Verb::Update, type_name, 8, inputs);
    operation.prior = Some(prior.clone());
    apply(instance, operation).await
}

async fn read(
    instance: &Arc<dyn Instance>,
    type_name: &str,
    id: &str,
) -> Result<Option<Object>, Error> {
    let request = fabrik_core::provider::ReadRequest {
        address: Address::resource("it").unwrap(),
        type_name: type_name.into(),
        prior: Object {
            id: id.to_owned(),
            ..Object::default()
        },
    };
    instance
        .read(&Cx::detached(), &[request])
        .await
        .pop()
        .unwrap()
}

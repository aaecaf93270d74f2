//! Services of a Compose text: the text, variables, and their deployment.

use std::sync::Arc;

use fabrik_compose::{Amounts, Deploy, File, Resources, write};
use fabrik_core::address::Address;
use fabrik_core::error::Result;
use fabrik_core::provider::typed::{Action as _, Resource as _};
use fabrik_core::role::Parts;
use fabrik_core::stack::Options;
use fabrik_core::value::Value;

use super::runtime::docker_size;
use super::{Inputs, at, invalid, place, plain};
use crate::deployment::Deployment;
use crate::env::Env;
use crate::service::Service;

/// What was made of a Compose text.
pub(super) struct Made {
    pub(super) server: Address,
    pub(super) service: Address,
    pub(super) deployment: Address,
}

/// Declares a service of a Compose text. Values of variables never stand in the text: it has
/// `${NAME}`, and Coolify fills that in.
pub(super) fn declare(
    name: &Value,
    own: &Value,
    file: &File,
    urls: Option<(&str, Value)>,
    variables: Inputs,
    parts: &mut Parts,
) -> Result<Made> {
    let mut inputs = Inputs::default();
    inputs.set("name", name.clone());
    let server = place(name, own, &mut inputs, parts)?;
    inputs.set("compose", write(file));
    if let Some((container, urls)) = urls {
        inputs.set("urls", Value::map([(container, urls)]));
    }
    let service = parts.add("stack", Service::TYPE, inputs.value())?;
    let id = Parts::output(&service, "uuid");
    let mut watched = vec![service.clone()];
    if !variables.0.is_empty() {
        let variables = Value::map([
            ("service", id.clone()),
            ("variables", variables.value()),
            ("mode", Value::from("exact")),
        ]);
        watched.push(parts.add("env", Env::TYPE, variables)?);
    }
    let deployment = parts.add(
        "deployment",
        Deployment::TYPE,
        Value::map([("service", id)]),
    )?;
    if let Some(part) = parts.part_mut(&deployment) {
        part.depends_on.clone_from(&watched);
        part.options = Arc::new(Options {
            run_when_changed: watched,
            ..part.options.as_ref().clone()
        });
    }
    Ok(Made {
        server,
        service,
        deployment,
    })
}

/// A text of the intent that a Compose text holds.
pub(super) fn known(intent: &Value, field: &str) -> Result<Option<String>> {
    let Some(value) = at(intent, field) else {
        return Ok(None);
    };
    plain(&value).map(Some).ok_or_else(|| {
        invalid(
            field,
            format!(
                "`{field}` must be known when the stack is planned: it stands in a Compose text"
            ),
        )
    })
}

/// The most a container may use.
pub(super) fn limits(intent: &Value) -> Result<Option<Deploy>> {
    let limits = Amounts {
        cpus: known(intent, "limits.cpu")?,
        memory: known(intent, "limits.memory")?.map(|text| docker_size(&text)),
        ..Amounts::default()
    };
    Ok((limits != Amounts::default()).then(|| Deploy {
        resources: Some(Resources {
            limits: Some(limits),
            reservations: None,
        }),
        ..Deploy::default()
    }))
}

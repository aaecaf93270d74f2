//! `kind: service`: a program that answers requests.

use serde_json::{Value as Json, json};

use super::schema::object;
use super::web::Launch;
use super::{backup, common, fields, normalise};
use crate::error::Result;
use crate::role::{Component, ComponentCx, ComponentOut};
use crate::value::Value;

/// `kind: service`: a program that answers requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Service;

/// What the runtime is told as it stands in the block.
const PASSED_ON: &[&str] = &[
    "source",
    "image",
    "command",
    "port",
    "domains",
    "redirects",
    "tls",
    "health",
    "limits",
    "replicas",
    "volumes",
    "files",
    "hooks",
    "strategy",
    "stop",
];

impl Component for Service {
    fn kind(&self) -> &'static str {
        "service"
    }

    fn schema(&self) -> Json {
        let mut schema = object(
            "A program that answers requests.",
            &[
                ("source", fields::source()),
                ("image", fields::image()),
                ("build", fields::build(fields::secrets())),
                ("command", fields::start()),
                ("port", fields::port()),
                ("domains", fields::domains()),
                ("redirects", fields::redirects()),
                ("tls", fields::tls()),
                ("env", fields::env()),
                ("secrets", fields::secrets()),
                ("health", fields::health()),
                ("limits", fields::limits()),
                ("replicas", fields::replicas()),
                ("volumes", fields::volumes()),
                ("files", fields::files()),
                ("hooks", fields::hooks()),
                ("strategy", fields::strategy()),
                ("stop", fields::stop()),
                ("monitor", fields::monitor()),
                ("dns", fields::dns()),
                ("backup", fields::backup()),
            ],
            &[],
        );
        schema["x-fabrik"] = json!({"shorthands": {"domain": fields::domain()}});
        schema
    }

    fn normalise(&self, block: Value) -> Value {
        normalise::block(
            block,
            &[
                ("source", normalise::source),
                ("build", normalise::build),
                ("domains", normalise::domains),
                ("redirects", normalise::redirects),
                ("tls", normalise::tls),
                ("env", normalise::env),
                ("secrets", normalise::secrets),
                ("health", normalise::health),
                ("limits", normalise::limits),
                ("volumes", normalise::volumes),
                ("files", normalise::files),
                ("strategy", normalise::strategy),
                ("stop", normalise::stop),
                ("monitor", normalise::monitor),
                ("dns", normalise::enabled),
                ("backup", backup::long),
            ],
        )
    }

    fn expand(&self, block: &Value, cx: &mut dyn ComponentCx) -> Result<ComponentOut> {
        common::check_known(block)?;
        common::check_program(self.kind(), block)?;
        let mut launch = Launch::new(self.kind(), block, PASSED_ON, cx);
        launch.program(block)?;
        launch.run()
    }
}

#[cfg(test)]
mod tests;

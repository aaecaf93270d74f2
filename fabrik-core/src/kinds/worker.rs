//! `kind: worker`: a program that runs and answers nobody.

use serde_json::Value as Json;

use super::schema::object;
use super::web::Launch;
use super::{common, fields, normalise};
use crate::error::Result;
use crate::role::{Component, ComponentCx, ComponentOut};
use crate::value::Value;

/// `kind: worker`: a program that runs and answers nobody, such as one that works off a queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worker;

/// What the runtime is told as it stands in the block.
const PASSED_ON: &[&str] = &[
    "source", "image", "command", "health", "limits", "replicas", "volumes", "files", "hooks",
    "strategy", "stop",
];

impl Component for Worker {
    fn kind(&self) -> &'static str {
        "worker"
    }

    fn schema(&self) -> Json {
        object(
            "A program that runs and answers nobody.",
            &[
                ("source", fields::source()),
                ("image", fields::image()),
                ("build", fields::build(fields::secrets())),
                ("command", fields::start()),
                ("env", fields::env()),
                ("secrets", fields::secrets()),
                ("health", fields::health_by_command()),
                ("limits", fields::limits()),
                ("replicas", fields::replicas()),
                ("volumes", fields::volumes()),
                ("files", fields::files()),
                ("hooks", fields::hooks()),
                ("strategy", fields::strategy()),
                ("stop", fields::stop()),
            ],
            &[],
        )
    }

    fn normalise(&self, block: Value) -> Value {
        normalise::block(
            block,
            &[
                ("source", normalise::source),
                ("build", normalise::build),
                ("env", normalise::env),
                ("secrets", normalise::secrets),
                ("health", normalise::health_by_command),
                ("limits", normalise::limits),
                ("volumes", normalise::volumes),
                ("files", normalise::files),
                ("strategy", normalise::strategy),
                ("stop", normalise::stop),
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{FakeCx, block, check_intent};
    use crate::role::{DNS, MONITOR, PlayerFacts, RUNTIME};

    #[test]
    fn a_worker_asks_for_no_name_and_no_watching() {
        let facts = PlayerFacts {
            wants_dns: true,
            ends_tls: true,
        };
        let mut cx = FakeCx::new("apps.jobs", facts).with(DNS).with(MONITOR);
        let worker = block(
            &Worker,
            &json!({
                "image": "acme/api:1",
                "command": "celery -A app worker",
                "secrets": ["KEY"],
                "health": "celery inspect ping",
                "replicas": 2,
            }),
        );
        let out = Worker.expand(&worker, &mut cx).unwrap();
        let intent = cx.played()[0][2].clone();
        check_intent(RUNTIME, &intent);
        assert_eq!(cx.plays.len(), 1, "{:?}", cx.plays);
        assert_eq!(intent["kind"], "worker");
        assert_eq!(intent["health"], json!({"command": "celery inspect ping"}));
        assert_eq!(cx.checks(), json!([]));
        assert!(out.url.is_null());
        assert_eq!(out.version.as_str(), Some("acme/api:1"));
        assert_eq!(out.logs.unwrap().as_str(), "apps.jobs.run");
    }

    #[test]
    fn a_worker_needs_something_to_run() {
        let mut cx = FakeCx::new("apps.jobs", PlayerFacts::default());
        let worker = block(&Worker, &json!({"replicas": 1}));
        let error = Worker.expand(&worker, &mut cx).unwrap_err();
        assert_eq!(
            error.message(),
            "a worker needs something to run: `image`, `source` or `command`"
        );
    }
}

//! `kind: cron`: a program that runs at certain times.

use serde_json::Value as Json;

use super::schema::object;
use super::web::Launch;
use super::{common, fields, normalise, schedule};
use crate::error::Result;
use crate::role::{Component, ComponentCx, ComponentOut};
use crate::value::Value;

/// `kind: cron`: a program that runs at certain times and ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cron;

/// What the runtime is told as it stands in the block.
const PASSED_ON: &[&str] = &[
    "source", "image", "command", "schedule", "timezone", "limits", "volumes", "files", "hooks",
];

impl Component for Cron {
    fn kind(&self) -> &'static str {
        "cron"
    }

    fn schema(&self) -> Json {
        object(
            "A program that runs at certain times and ends.",
            &[
                ("schedule", fields::schedule()),
                ("timezone", fields::timezone()),
                ("source", fields::source()),
                ("image", fields::image()),
                ("build", fields::build(fields::secrets())),
                ("command", fields::start()),
                ("env", fields::env()),
                ("secrets", fields::secrets()),
                ("limits", fields::limits()),
                ("volumes", fields::volumes()),
                ("files", fields::files()),
                ("hooks", fields::hooks()),
            ],
            &["schedule"],
        )
    }

    fn normalise(&self, block: Value) -> Value {
        normalise::block(
            block,
            &[
                ("schedule", schedule::long),
                ("source", normalise::source),
                ("build", normalise::build),
                ("env", normalise::env),
                ("secrets", normalise::secrets),
                ("limits", normalise::limits),
                ("volumes", normalise::volumes),
                ("files", normalise::files),
            ],
        )
    }

    fn expand(&self, block: &Value, cx: &mut dyn ComponentCx) -> Result<ComponentOut> {
        common::check_known(block)?;
        common::check_program(self.kind(), block)?;
        if let Some(text) = block.get("schedule").and_then(Value::as_str) {
            schedule::check(text).map_err(|problem| common::invalid("schedule", problem))?;
        }
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
    use crate::role::{PlayerFacts, RUNTIME};

    #[test]
    fn names_of_schedules_become_fields() {
        let mut cx = FakeCx::new("apps.nightly", PlayerFacts::default());
        let cron = block(
            &Cron,
            &json!({
                "source": "acme/api",
                "schedule": "@daily",
                "timezone": "Europe/Berlin",
                "command": "python -m app.report",
            }),
        );
        Cron.expand(&cron, &mut cx).unwrap();
        let intent = cx.played()[0][2].clone();
        check_intent(RUNTIME, &intent);
        assert_eq!(intent["kind"], "cron");
        assert_eq!(intent["schedule"], "0 0 * * *");
        assert_eq!(intent["timezone"], "Europe/Berlin");
    }

    #[test]
    fn a_schedule_that_never_comes_is_refused_at_its_field() {
        for (text, problem) in [
            ("0 3 * *", "has 4 fields"),
            ("61 * * * *", "`61` is no minute"),
            ("0 0 * FOO *", "`FOO` is no month"),
        ] {
            let mut cx = FakeCx::new("apps.x", PlayerFacts::default());
            let cron = block(&Cron, &json!({"schedule": text, "command": "true"}));
            let error = Cron.expand(&cron, &mut cx).unwrap_err();
            assert_eq!(error.field_path().unwrap().to_string(), "schedule");
            assert!(error.message().contains(problem), "{text}: {error}");
        }
    }
}

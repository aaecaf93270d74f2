//! `kind: static`: files to serve.

use serde_json::{Value as Json, json};

use super::schema::object;
use super::web::Launch;
use super::{common, fields, normalise};
use crate::error::Result;
use crate::role::{Component, ComponentCx, ComponentOut};
use crate::value::Value;

/// `kind: static`: files to serve, as they are or after a build.
#[derive(Clone, Copy, Debug, Default)]
pub struct Static;

/// What the runtime is told as it stands in the block.
const PASSED_ON: &[&str] = &[
    "source",
    "domains",
    "redirects",
    "tls",
    "spa",
    "not_found",
    "headers",
];

impl Component for Static {
    fn kind(&self) -> &'static str {
        "static"
    }

    fn schema(&self) -> Json {
        let mut schema = object(
            "Files to serve, as they are or after a build.",
            &[
                ("source", fields::source()),
                ("build", fields::build(fields::secrets())),
                ("domains", fields::domains()),
                ("redirects", fields::redirects()),
                ("tls", fields::tls()),
                ("spa", fields::spa()),
                ("not_found", fields::not_found()),
                ("headers", fields::headers()),
                ("monitor", fields::monitor()),
                ("dns", fields::dns()),
            ],
            &["source"],
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
                ("headers", normalise::headers),
                ("monitor", normalise::monitor),
                ("dns", normalise::enabled),
            ],
        )
    }

    fn expand(&self, block: &Value, cx: &mut dyn ComponentCx) -> Result<ComponentOut> {
        common::check_known(block)?;
        if block.get("source").is_none() {
            return Err(common::invalid("", "a static site needs a `source`"));
        }
        common::check_source(block)?;
        if block.get("spa").and_then(Value::as_bool) == Some(true)
            && block.get("not_found").is_some()
        {
            return Err(common::invalid(
                "not_found",
                "with `spa`, paths without a file give `index.html`: `not_found` is never shown",
            ));
        }
        let mut launch = Launch::new(self.kind(), block, PASSED_ON, cx);
        if let Some(build) = common::build(block)? {
            launch.intent("build", build);
        }
        launch.run()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{FakeCx, block, check_intent};
    use super::*;
    use crate::role::{DNS, PlayerFacts, RUNTIME};

    #[test]
    fn a_folder() {
        let mut cx = FakeCx::new("apps.www", PlayerFacts::default());
        cx.runtime(&json!({"url": "http://www.localhost:8080"}));
        let site = block(&Static, &json!({"source": "./site"}));
        Static.expand(&site, &mut cx).unwrap();
        assert_eq!(
            cx.played(),
            json!([["runtime", "", {"kind": "static", "name": "www", "source": {"path": "./site"}}]])
        );
        assert_eq!(
            cx.checks()[0]["spec"],
            json!({"url": "http://www.localhost:8080/"})
        );
    }

    #[test]
    fn a_built_site_on_a_platform() {
        let facts = PlayerFacts {
            wants_dns: true,
            ends_tls: true,
        };
        let mut cx = FakeCx::new("apps.www", facts).with(DNS);
        cx.runtime_refs(&["url", "ingress"]);
        let site = block(
            &Static,
            &json!({
                "source": {"repo": "acme/site", "tag": "v2"},
                "build": {"command": "npm run build", "output": "dist"},
                "domain": "example.com",
                "spa": true,
                "headers": {"X-Frame-Options": "DENY"},
            }),
        );
        let out = Static.expand(&site, &mut cx).unwrap();
        let intent = cx.played()[0][2].clone();
        assert_eq!(
            intent,
            json!({
                "kind": "static",
                "name": "www",
                "source": {"repo": "acme/site", "tag": "v2"},
                "build": {"command": "npm run build", "output": "dist"},
                "domains": [{"name": "example.com"}],
                "spa": true,
                "headers": {"/*": {"X-Frame-Options": "DENY"}},
            })
        );
        check_intent(RUNTIME, &intent);
        assert_eq!(out.version.as_str(), Some("v2"));
        assert_eq!(out.outputs["host"].as_str(), Some("example.com"));
    }

    #[test]
    fn contradictions() {
        let mut cx = FakeCx::new("apps.www", PlayerFacts::default());
        let site = block(
            &Static,
            &json!({"source": ".", "spa": true, "not_found": "404.html"}),
        );
        let error = Static.expand(&site, &mut cx).unwrap_err();
        assert_eq!(error.field_path().unwrap().to_string(), "not_found");
    }
}

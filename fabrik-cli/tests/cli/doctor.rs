//! What `fabrik doctor` says of configured providers: whole outputs, from the secrets on.

use fabrik_cli::App;
use fabrik_core::error::Result;
use fabrik_core::provider::typed::ProviderBuilder;
use fabrik_core::provider::{Cx, Health};
use fabrik_provider_memory::{Behaviour, Cloud, provider};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::context::TestContext;

const SPEC: &str = "fabrik: 1
id: shop
providers:
  memory: { token: \"${secrets.TOKEN}\" }
secrets: { TOKEN: { required: true } }
resources:
  - { id: a, type: memory.note, spec: { title: hello } }
";

/// The checks of secrets and providers; those before have paths in them.
fn told(cloud: &Cloud, token: &str, code: u8) -> String {
    let mut context = TestContext::with_spec(SPEC);
    context.env.insert("TOKEN".into(), token.into());
    let app = App::bare().provider(provider(cloud.clone()));
    let out = context.run_app(&app, &["doctor"]).code(code).out;
    assert!(!out.contains(token), "{out}");
    between(&out, "\nsecrets")
}

/// From a line on, without this machine's time at the end.
fn between(out: &str, from: &str) -> String {
    let (begin, end) = (out.find(from), out.rfind("\nclock "));
    out[begin.unwrap() + 1..end.unwrap()].to_owned()
}

fn cloud(lacks: &[&str]) -> Cloud {
    let cloud = Cloud::new();
    cloud.behave(Behaviour {
        token: Some("correct-horse".into()),
        lacks: lacks.iter().map(|name| (*name).to_owned()).collect(),
        ..Behaviour::default()
    });
    cloud
}

#[test]
fn a_provider_that_is_well() {
    insta::assert_snapshot!(told(&cloud(&[]), "correct-horse", 0));
}

#[test]
fn a_token_that_lacks_a_permission() {
    insta::assert_snapshot!(told(&cloud(&["things:write"]), "correct-horse", 1));
}

#[test]
fn a_token_that_is_wrong() {
    insta::assert_snapshot!(told(&cloud(&[]), "battery-staple", 1));
}

/// Where Acme is.
#[derive(Deserialize, JsonSchema)]
struct Config {}

async fn connect(_: &Cx, _: Config) -> Result<()> {
    Ok(())
}

#[test]
fn everything_a_provider_can_say() {
    let acme = ProviderBuilder::new("acme", "2.0.0", connect)
        .doctor(async |_: &Cx, (): &()| {
            vec![
                Health::ok(
                    "service",
                    "acme 4.1 at https://acme.test, answered in 12 ms",
                ),
                Health::warn("token", "expires in 3 days")
                    .hint("make a new one at Acme: Settings, Tokens"),
                Health::permissions(&["dns:read", "dns:edit"], &["dns:edit"]),
                Health::fail(
                    "clock",
                    "the service's clock is 412 s ahead of this machine's\u{1b}[31m",
                ),
            ]
        })
        .build();
    let context = TestContext::with_spec("fabrik: 1\nid: shop\nproviders: { acme: {} }\n");
    let app = App::bare().provider(acme);
    let out = context.run_app(&app, &["doctor"]).code(1).out;
    insta::assert_snapshot!(between(&out, "\nacme"));
    let json = context.run_app(&app, &["doctor", "--json"]).code(1).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let checks = json["checks"].as_array().unwrap();
    let token = checks
        .iter()
        .find(|check| check["name"] == "acme token")
        .unwrap();
    assert_eq!(token["status"], "warn");
    assert_eq!(token["fix"], "make a new one at Acme: Settings, Tokens");
}

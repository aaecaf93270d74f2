//! What fixtures cannot say well.

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::kinds;
use fabrik_core::provider::{Cx, Registry};
use fabrik_core::spec::{LoadRequest, Source, load};
use fabrik_core::verify::{CheckFailure, Checker, Checkers};
use serde_json::{Value as Json, json};

use crate::doubles;
use crate::fixtures::{folder, load_file, render};

/// The doubles with the real kinds.
fn real() -> Registry {
    let mut registry = doubles::registry();
    for kind in kinds::all() {
        registry.register_component(kind);
    }
    registry
}

#[test]
fn the_kinds_of_the_core_load_in_their_short_forms() {
    let registry = real();
    let text = "
fabrik: 1
id: shop
on: demo
providers: { demo: { token: \"${secrets.T}\" } }
secrets: { T: ~ }
apps:
  api:
    kind: service
    image: x:1.4
    port: 8000
    domain: api.example.com
    env: { A: 012, B: true }
    secrets: [KEY, { name: OTHER, as: ALIAS, generate: 40 }]
    health: { path: /up, interval: 10 }
    demo: { server: main }
    verify: { http: /up }
  www: { kind: static, source: ./site, domain: example.com, build: { command: make, secrets: [BUILD] } }
";
    let loaded = load(&LoadRequest::new(&registry, "shop.yaml", text.as_bytes()));
    let said = render(&loaded.diagnostics);
    let stack = loaded.stack.unwrap_or_else(|| panic!("{said}"));
    let run = stack
        .resources
        .values()
        .find(|part| &*part.type_name == "demo.app" && part.address.matches("apps.api"))
        .expect("a runtime part");
    let inputs = format!("{:?}", run.inputs);
    assert!(
        inputs.contains("\"A\": \"012\""),
        "raw text is kept: {inputs}"
    );
    assert!(
        inputs.contains("\"interval\": \"10s\""),
        "a number of seconds stays one: {inputs}"
    );
    let check = stack
        .checks
        .iter()
        .find(|check| &*check.name == "apps.api.http")
        .expect("a check");
    assert_eq!(
        format!("{:?}", check.spec),
        "{\"url\": ${apps.api.run.url}/up}"
    );

    let published = fabrik_core::spec::schema(&registry);
    let validator = jsonschema::validator_for(&published).unwrap();
    let mut found = Vec::new();
    let node = fabrik_core::spec::parse::parse(text, 0, &mut found).unwrap();
    let written = fabrik_core::value::to_wire(&node.plain_value()).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(&written)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn checks_of_one_app_are_told_apart() {
    let registry = real();
    let text = "fabrik: 1
id: shop
on: demo
providers: { demo: { token: x } }
apps:
  api:
    kind: service
    image: x:1
    port: 8000
    domain: api.example.com
    health: /up
    verify:
      - { http: / }
      - { http: /other }
      - { name: health, http: /third }
";
    let loaded = load(&LoadRequest::new(&registry, "shop.yaml", text.as_bytes()));
    let said = render(&loaded.diagnostics);
    let stack = loaded.stack.unwrap_or_else(|| panic!("{said}"));
    let names: Vec<&str> = stack
        .checks
        .iter()
        .filter(|check| &*check.kind == "http")
        .map(|check| &*check.name)
        .collect();
    let wanted = [
        "apps.api.health",
        "apps.api.http",
        "apps.api.http-2",
        "apps.api.health-2",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn mistakes_in_short_forms_of_the_kinds_point_at_what_was_written() {
    let registry = real();
    let text = "fabrik: 1\nid: t\nkind: service\nimage: x\nhealth: up\nlimits: { memori: 1Gi }\nport: http\n";
    let loaded = load(&LoadRequest::new(&registry, "t.yaml", text.as_bytes()));
    let said = render(&loaded.diagnostics);
    for place in ["t.yaml:5:9", "t.yaml:6:11", "t.yaml:7:7"] {
        assert!(said.contains(place), "{place} in\n{said}");
    }
}

/// A check of its own kind.
struct Ping;

#[async_trait]
impl Checker for Ping {
    fn kind(&self) -> &'static str {
        "ping"
    }

    fn schema(&self) -> Json {
        json!({
            "type": "object",
            "properties": {"host": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
            "required": ["host"],
            "additionalProperties": false,
        })
    }

    fn subject(&self) -> Option<&'static str> {
        Some("host")
    }

    async fn check(&self, _: &Cx, _: &Json) -> Result<String, CheckFailure> {
        Ok(String::new())
    }
}

#[test]
fn checks_are_checked_by_what_the_program_has() {
    let registry = doubles::registry();
    let checkers = Checkers::new().with(Ping);
    let loads = |text: &str| {
        let mut request = LoadRequest::new(&registry, "t.yaml", text.as_bytes());
        request.checkers = Some(&checkers);
        let loaded = load(&request);
        (render(&loaded.diagnostics), loaded.stack)
    };
    let (said, stack) = loads("fabrik: 1\nid: t\nverify: [{ ping: example.com, count: 3 }]\n");
    assert_eq!(&*stack.expect(&said).checks[0].kind, "ping");
    let (said, _) = loads(
        "fabrik: 1\nid: t\nverify:\n  - { ping: [a], count: 0 }\n  - { ping: a, cuont: 1 }\n",
    );
    for place in ["t.yaml:4:13", "t.yaml:4:25", "t.yaml:5:16"] {
        assert!(said.contains(place), "{place} in\n{said}");
    }
}

#[test]
fn the_nearest_value_of_a_variable_wins() {
    let registry = Registry::new();
    let text = "fabrik: 1\nid: t\nvars: { a: base, b: base, c: base, d: base, e: base }\n\
                environments: { prod: { vars: { b: env, c: env, d: env, e: env } } }\n\
                outputs: { all: \"${vars.a} ${vars.b} ${vars.c} ${vars.d} ${vars.e}\" }\n";
    let mut request = LoadRequest::new(&registry, "t.yaml", text.as_bytes());
    request.env = Some("prod");
    request.overlays.push(Source {
        name: "t.prod.yaml",
        bytes: b"vars: { c: overlay, d: overlay, e: overlay }\n",
    });
    request.var_files.push(Source {
        name: "vars.yaml",
        bytes: b"d: file\ne: file\n",
    });
    request.vars.push(("e".to_owned(), "line".to_owned()));
    let stack = load(&request).into_stack().expect("it loads");
    assert_eq!(
        stack.outputs["all"].as_str(),
        Some("base env overlay file line")
    );
    assert_eq!(&*stack.env, "prod");
}

#[test]
fn the_value_of_a_secret_is_never_repeated() {
    let registry = doubles::registry();
    for path in folder("invalid") {
        let loaded = load_file(&path, &registry);
        for item in &loaded.diagnostics.items {
            let said = format!("{} {:?} {:?}", item.summary, item.help, item.causes);
            for secret in ["hunter2", "sk_live"] {
                assert!(!said.contains(secret), "{}: {said}", path.display());
            }
        }
    }
}

#[test]
fn choices_and_sources_are_in_the_stack() {
    let registry = doubles::registry();
    let text = "fabrik: 1\nid: t\napps: { web: { kind: service, image: x } }\n";
    let mut request = LoadRequest::new(&registry, "t.yaml", text.as_bytes());
    request
        .choices
        .insert("apps.web.runtime".into(), "local".into());
    let stack = load(&request).into_stack().expect("it loads");
    assert_eq!(
        stack.choices.get("apps.web.runtime"),
        Some(&Arc::from("local"))
    );
    let origin = stack
        .resources
        .values()
        .next()
        .and_then(|part| part.origin.clone());
    let place = stack
        .sources
        .position(origin.expect("a place").span)
        .expect("in the file");
    assert_eq!((place.line, place.column), (3, 9));
}

/// Twenty thousand here, because tests are not optimised: `--release` takes about a second for a
/// hundred thousand.
#[test]
fn many_resources_load_in_linear_time() {
    let registry = doubles::registry();
    let mut text = String::from("fabrik: 1\nid: big\nresources:\n");
    for at in 0..20_000_usize {
        text.push_str(&format!(
            "  - id: r{at}\n    type: demo.record\n    spec: {{ zone: \"${{r{}.fqdn}}\", name: h{at}, values: [10.0.0.1], ttl: 300 }}\n",
            at + 1,
        ));
    }
    text.push_str("  - { id: r20000, type: demo.record, spec: { zone: z, name: last } }\n");
    let started = std::time::Instant::now();
    let stack = load(&LoadRequest::new(&registry, "big.yaml", text.as_bytes()))
        .into_stack()
        .expect("it loads");
    assert_eq!(stack.resources.len(), 20_001);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

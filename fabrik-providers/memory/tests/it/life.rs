//! The life of every type.

use fabrik_core::error::ErrorKind::{Auth, Invalid};
use fabrik_core::plan::Action;
use fabrik_core::provider::{Cx, Lost, Provider as _};
use fabrik_core::state::RunResult;
use fabrik_core::value::Value;
use fabrik_provider_memory::{Behaviour, Cloud, What, provider};
use serde_json::{Value as Json, json};

use crate::world::{World, actions, at, having, refer, stack, thing, with};

#[tokio::test]
async fn a_note_lives() {
    let world = World::new();
    let note = |body: &str| {
        let inputs = json!({"folder": "a", "title": "t", "body": body, "tags": ["x", "y"]});
        with(
            thing("n", "note", &inputs),
            "secret",
            Value::secret("hunter2-hunter2"),
        )
    };
    world.settle(&stack([note("1")])).await;
    let first = world.cloud.of("memory.note")[0].clone();
    assert_eq!(first.inputs["secret"], "hunter2-hunter2");
    let other_order = with(
        note("1"),
        "tags",
        Value::list([Value::from("y"), Value::from("x")]),
    );
    assert!(world.plan(&stack([other_order])).await.is_empty());
    world.settle(&stack([note("2")])).await;
    let second = world.cloud.of("memory.note")[0].clone();
    assert_eq!((second.id.as_str(), second.rev), (first.id.as_str(), 2));
    assert_eq!(second.inputs["secret"], "hunter2-hunter2");
    world.cloud.tamper(&first.id, "body", json!("by hand"));
    assert_eq!(
        actions(&world.plan(&stack([note("2")])).await),
        [("n".into(), Action::Update)]
    );
    world.settle(&stack([note("2")])).await;
    let moved = with(note("2"), "folder", Value::from("b"));
    let plan = world.plan(&stack([moved.clone()])).await;
    assert_eq!(
        actions(&plan),
        [("n".into(), Action::Replace { create_first: true })]
    );
    world.settle(&stack([moved.clone()])).await;
    assert_eq!(world.cloud.of("memory.note").len(), 1);
    world.cloud.remove(&world.cloud.of("memory.note")[0].id);
    assert_eq!(
        actions(&world.plan(&stack([moved.clone()])).await),
        [("n".into(), Action::Create)]
    );
    world.settle(&stack([moved.clone()])).await;
    world.destroy(&stack([moved])).await;
    assert!(world.cloud.things().is_empty());
}

#[tokio::test]
async fn names_are_found_taken_and_adopted() {
    let world = World::new();
    world
        .cloud
        .plant("memory.name", json!({"name": "shop", "value": "theirs"}));
    let name = || thing("n", "name", &json!({"name": "Shop", "value": "mine"}));
    let plan = world.plan(&stack([name()])).await;
    let finding = &plan.findings[0].finding;
    assert!(
        finding.blocking && finding.adopt.as_deref() == Some("name/shop"),
        "{finding:?}"
    );
    let adopted = having(name(), |options| options.adopt = true);
    world.settle(&stack([adopted])).await;
    assert_eq!(world.texts("memory.name", "value"), ["mine"]);
    assert_eq!(world.cloud.of("memory.name").len(), 1);
}

#[tokio::test]
async fn small_types_live() {
    let world = World::new();
    let wanted = stack([
        thing("k", "keyed", &json!({"name": "a", "value": "1"})),
        thing("b", "blob", &json!({"name": "a", "parts": 2})),
        with(
            thing("z", "null", &json!({})),
            "values.a",
            refer("b", "url"),
        ),
        thing("x", "name", &json!({"name": "a"})),
    ]);
    let report = world.settle(&wanted).await;
    assert_eq!(report.end.created, 4);
    assert!(world.cloud.of("memory.blob")[0].sealed);
    let steps: Vec<What> = world
        .cloud
        .log()
        .iter()
        .filter(|entry| entry.kind == "memory.blob")
        .map(|entry| entry.what)
        .collect();
    assert_eq!(steps, [What::Create, What::Part, What::Part, What::Seal]);
    world.destroy(&wanted).await;
    assert!(world.cloud.things().is_empty());
}

#[tokio::test]
async fn children_go_with_their_note() {
    let world = World::new();
    let child = |id: &str| {
        let child = thing(id, "child", &json!({"within": "resources.n", "text": id}));
        with(child, "note", refer("n", "id"))
    };
    let wanted = stack([
        thing("n", "note", &json!({"title": "t"})),
        child("a"),
        child("b"),
    ]);
    world.settle(&wanted).await;
    assert_eq!(world.cloud.things().len(), 3);
    let before = world.cloud.writes();
    world.destroy(&wanted).await;
    assert!(world.cloud.things().is_empty());
    assert_eq!(world.cloud.writes() - before, 1, "one delete takes all");
}

#[tokio::test]
async fn actions_and_lookups() {
    let world = World::new();
    let note = |body: &str| {
        thing(
            "n",
            "note",
            &json!({"folder": "f", "title": "t", "body": body}),
        )
    };
    let flush = || {
        having(thing("f", "flush", &json!({"cache": "c"})), |options| {
            options.run_when_changed = vec![at("n")];
        })
    };
    world.settle(&stack([note("1"), flush()])).await;
    let flushed = || {
        let log = world.cloud.log();
        log.iter().filter(|entry| entry.what == What::Run).count()
    };
    assert_eq!(flushed(), 1);
    world.settle(&stack([note("2"), flush()])).await;
    assert_eq!(flushed(), 2);
    let mut wanted = stack([
        note("2"),
        flush(),
        thing("l", "latest", &json!({"folder": "f"})),
    ]);
    wanted.output("title", refer("l", "title"));
    let report = world.apply(&wanted).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    assert_eq!(report.output("title").unwrap().as_str(), Some("t"));
}

#[tokio::test]
async fn accounts_and_tokens() {
    let cloud = Cloud::new();
    cloud.behave(Behaviour {
        token: Some("good-token".into()),
        ..Behaviour::default()
    });
    let provider = provider(cloud);
    let open = async |config: &Json| {
        let config = fabrik_core::value::from_json(config);
        let opened = provider.open(&Cx::detached(), &config).await;
        opened
            .map(|instance| instance.facts())
            .map_err(|error| error.kind())
    };
    assert_eq!(open(&json!({})).await.unwrap_err(), Auth);
    assert_eq!(
        open(&json!({"token": "bad-token"})).await.unwrap_err(),
        Auth
    );
    assert_eq!(open(&json!({"tokens": 1})).await.unwrap_err(), Invalid);
    let facts = open(&json!({"token": "good-token", "account": "b"}))
        .await
        .unwrap();
    assert_eq!(facts.get("account").and_then(Value::as_str), Some("b"));
}

/// Every field of every schema has a description.
fn described(schema: &Json, at: &str) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        assert!(
            field.get("description").is_some(),
            "{at}.{name} has no description"
        );
        described(field, &format!("{at}.{name}"));
    }
}

#[test]
fn schemas_tell_everything() {
    let provider = provider(Cloud::new());
    let info = provider.info();
    described(&info.config, "config");
    assert_eq!(info.types.len(), 13);
    assert_eq!(info.max_in_flight, 512);
    for info in &info.types {
        described(&info.schema, &info.name);
        described(&info.outputs, &info.name);
        assert!(!info.description.is_empty(), "{}", info.name);
    }
    let lost = |name: &str| info.type_named(name).unwrap().lost;
    assert_eq!(lost("memory.note"), Lost::Mark);
    assert_eq!(lost("memory.name"), Lost::Name);
    assert_eq!(lost("memory.keyed"), Lost::Key);
}

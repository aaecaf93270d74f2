//! Compose files: written from a spec, and checked.

use fabrik_cli::App;

use crate::context::TestContext;

const SPEC: &str = r#"fabrik: 1
id: shop
on: coolify
providers: {coolify: {endpoint: "https://panel.example.com", token: "${secrets.COOLIFY_API_TOKEN}"}}
secrets: [STRIPE_KEY, COOLIFY_API_TOKEN]
apps:
  api:
    kind: service
    image: acme/api:1.5
    port: 8000
    domain: api.example.com
    env: {LEVEL: info, DATABASE_URL: "${apps.db.url}", PRICE: "$5"}
    secrets: [STRIPE_KEY]
    health: /health
    limits: {memory: 256Mi}
    monitor: false
  www: {kind: static, source: ./site}
  db: {kind: database, engine: postgres, version: 16, backup: true, limits: {memory: 512Mi}}
"#;

#[test]
fn an_app_is_written_with_its_database_and_without_secrets() {
    let mut context = TestContext::with_spec(SPEC);
    context
        .env
        .insert("STRIPE_KEY".to_owned(), "canary-never-shown".to_owned());
    context.write("site/index.html", "hello");
    let ran = context
        .run_app(&App::new(), &["export", "compose", "api"])
        .code(0);
    insta::assert_snapshot!(ran.all());
    assert!(!ran.all().contains("canary"));
    // Its own linter has nothing to say.
    context.write("compose.yaml", &ran.out);
    let ran = context.run(&["lint", "compose.yaml", "--strict"]).code(0);
    assert!(ran.err.contains("nothing to mend"), "{}", ran.all());

    let all = context
        .run_app(&App::new(), &["export", "compose", "--json"])
        .code(0);
    let all: serde_json::Value = serde_json::from_str(&all.out).unwrap();
    assert!(
        all["compose"]
            .as_str()
            .unwrap()
            .contains("dockerfile_inline")
    );
    assert_eq!(all["needs"].as_object().unwrap().len(), 2);
    let ran = context.run_app(&App::new(), &["export", "compose", "apj"]);
    assert!(ran.err.contains("did you mean `api`?"), "{}", ran.all());
}

#[test]
fn what_is_wrong_is_shown_where_it_stands() {
    let context = TestContext::new();
    context.write(
        "compose.yaml",
        "services:\n  web:\n    image: nginx\n    ports: [\"8080:80\"]\n    environment:\n      DB_PASSWORD: canary-in-file\n    restart: always\n    healthcheck: {test: [CMD, ok]}\n    mem_limit: 64m\n",
    );
    let ran = context.run(&["lint", "compose.yaml"]).code(0);
    insta::assert_snapshot!(ran.all());
    context.run(&["lint", "compose.yaml", "--strict"]).code(65);
    context.write("bad.yaml", "services:\n  web:\n    imge: nginx:1\n");
    let ran = context.run(&["lint", "bad.yaml"]).code(65);
    assert!(ran.err.contains("did you mean `image`?"), "{}", ran.all());
    let ran = context.run(&["lint", "bad.yaml", "--json"]).code(65);
    assert!(ran.out.contains("\"line\": 3"), "{}", ran.out);
    context.write("fabrik.yaml", "fabrik: 1\nid: x\n");
    let ran = context.run(&["lint", "fabrik.yaml"]);
    assert!(
        ran.err.contains("fabrik validate fabrik.yaml"),
        "{}",
        ran.all()
    );
    let ran = context.run(&["explain", "cmp206"]).code(0);
    assert!(
        ran.out.contains("an image that changes by itself"),
        "{}",
        ran.out
    );
}

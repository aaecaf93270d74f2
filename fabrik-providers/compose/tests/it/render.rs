//! From intents to files that the linter likes.

use fabrik_compose::wordpress::WordPress;
use fabrik_compose::{App, Command, lint, render, write};
use fabrik_core::address::Address;
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::value::{Path, Value, from_json};
use serde_json::{Value as Json, json};

use crate::support::read;

fn app(name: &str, role: &str, intent: &Json) -> App {
    App {
        name: name.to_owned(),
        address: Some(Address::parse(&format!("apps.{name}.intent")).expect("an address")),
        role: role.to_owned(),
        intent: from_json(intent),
    }
}

fn output(name: &str, path: &str) -> Value {
    let address = Address::parse(&format!("apps.{name}.intent")).expect("an address");
    Value::from(Expr::from(Reference::output(address, Path::parse(path))))
}

fn stack() -> Vec<App> {
    let mut api = app(
        "api",
        "runtime",
        &json!({
            "kind": "service", "name": "api", "image": "ghcr.io/acme/api:1.5", "port": 8000,
            "command": "run --price $5",
            "domains": [{"name": "api.example.com"}],
            "health": {"path": "/health", "interval": "10s", "retries": 3},
            "limits": {"cpu": 0.5, "memory": "256Mi"},
            "volumes": [{"name": "data", "path": "/data"}],
            "files": [{"path": "/etc/api.conf", "content": "price = $5\n", "mode": "0440"}],
            "replicas": 2,
            "stop": {"grace": "45s", "signal": "SIGINT"},
            "hooks": {"pre_deploy": "migrate"},
        }),
    );
    let env = Value::map([
        ("LEVEL", Value::from("info")),
        ("PRICE", Value::from("$5")),
        ("DATABASE_URL", output("db", "url")),
        ("CACHE", output("cache", "url")),
        (
            "KEY",
            Value::from(Expr::from(Reference::secret("STRIPE_KEY"))),
        ),
        ("CLEAR", Value::secret("never-written")),
        (
            "LINE",
            Value::from(Expr::Concat(vec![
                Expr::Literal(Value::from("a$b ")),
                Expr::from(Reference::secret("STRIPE_KEY")),
            ])),
        ),
        (
            "BUCKET",
            Value::from(Expr::from(Reference::output(
                Address::parse("resources.media").expect("an address"),
                Path::key("endpoint"),
            ))),
        ),
    ]);
    api.intent = api.intent.with(&Path::key("env"), env);
    let limits = json!({"memory": "128Mi"});
    vec![
        api,
        app(
            "jobs",
            "runtime",
            &json!({"kind": "worker", "name": "jobs", "image": "acme/api:1", "command": ["celery", "worker"], "limits": limits, "health": {"command": "celery ping"}}),
        ),
        app(
            "nightly",
            "runtime",
            &json!({"kind": "cron", "name": "nightly", "image": "acme/api:1", "command": "report", "schedule": "0 3 * * *", "limits": limits}),
        ),
        app(
            "www",
            "runtime",
            &json!({"kind": "static", "name": "www", "source": {"repo": "acme/site", "branch": "main", "path": "web"}, "spa": true, "headers": {"/*": {"X-Frame-Options": "DENY"}}, "limits": limits}),
        ),
        app(
            "db",
            "database",
            &json!({"engine": "postgres", "name": "shop", "version": "16", "limits": limits}),
        ),
        app(
            "cache",
            "database",
            &json!({"engine": "redis", "name": "cache", "limits": limits}),
        ),
    ]
}

#[test]
fn a_whole_stack_is_one_file_without_secrets() {
    let rendered = render(Some("shop"), &stack()).unwrap();
    let text = write(&rendered.file);
    assert_eq!(read(&text).file, rendered.file, "{text}");
    let findings = lint(&rendered.file);
    assert!(findings.is_empty(), "{findings:#?}\n{text}");
    assert!(!text.contains("never-written"));

    let api = &rendered.file.services["api"];
    let env = |name: &str| api.environment[name].as_deref().unwrap();
    assert_eq!(env("PRICE"), "$$5");
    assert_eq!(
        env("DATABASE_URL"),
        "postgres://shop:${DB_PASSWORD:?}@db:5432/shop"
    );
    assert_eq!(env("CACHE"), "redis://:${CACHE_PASSWORD:?}@cache:6379/0");
    assert_eq!(env("KEY"), "${STRIPE_KEY:?}");
    assert_eq!(env("CLEAR"), "${API_CLEAR:?}");
    assert_eq!(env("LINE"), "a$$b ${STRIPE_KEY:?}");
    assert_eq!(env("BUCKET"), "${MEDIA_ENDPOINT:?}");
    assert_eq!(
        api.command,
        Some(Command::list(["/bin/sh", "-c", "run --price $$5"]))
    );
    assert_eq!(
        rendered.file.configs["api-file1"].content.as_deref(),
        Some("price = $$5\n")
    );
    let waits: Vec<&str> = api.depends_on.keys().map(String::as_str).collect();
    assert_eq!(waits, ["cache", "db"]);
    let names: Vec<&str> = rendered.needs.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "API_CLEAR",
            "CACHE_PASSWORD",
            "DB_PASSWORD",
            "MEDIA_ENDPOINT",
            "STRIPE_KEY"
        ]
    );
    // Exactly what the text asks for.
    let asked: Vec<String> = read(&text).variables().into_keys().collect();
    assert_eq!(asked, names);

    let www = rendered.file.services["www"].build.as_ref().unwrap();
    assert_eq!(
        www.context.as_deref(),
        Some("https://github.com/acme/site.git#main:web")
    );
    let conf = rendered.file.configs["www-nginx"]
        .content
        .as_deref()
        .unwrap();
    assert!(
        conf.contains("try_files $$uri $$uri/ /index.html;"),
        "{conf}"
    );
    let nightly = &rendered.file.services["nightly"];
    assert_eq!(nightly.profiles, ["cron"]);
    assert_eq!(nightly.restart.as_deref(), Some("no"));
    for part in ["`hooks` of `api`", "run --rm nightly", "x-domains"] {
        assert!(
            rendered.notes.iter().any(|note| note.contains(part)),
            "{part}: {:#?}",
            rendered.notes
        );
    }
}

#[test]
fn what_compose_cannot_run_is_said_at_its_field() {
    for (intent, field, text) in [
        (
            json!({"kind": "service", "name": "x", "command": "run"}),
            "source",
            "a `source`",
        ),
        (
            json!({"kind": "service", "name": "x", "source": {"path": "."}, "build": {"pack": "nixpacks"}}),
            "build.pack",
            "by Dockerfile",
        ),
        (
            json!({"kind": "static", "name": "x", "source": {"path": "."}, "build": {"command": "make"}}),
            "build.command",
            "there is none that runs",
        ),
        (
            json!({"kind": "static", "name": "x", "source": {"path": "."}, "redirects": [{"from": "/a", "to": "/b\"; evil"}]}),
            "redirects[0]",
            "take for its own",
        ),
        (json!({"kind": "odd", "name": "x"}), "kind", "kind `odd`"),
    ] {
        let error = render(None, &[app("x", "runtime", &intent)]).unwrap_err();
        assert_eq!(error.field_path().unwrap().to_string(), field);
        assert!(error.message().contains(text), "{error}");
    }
    let error = render(
        None,
        &[app(
            "x",
            "database",
            &json!({"engine": "oracle", "name": "x"}),
        )],
    )
    .unwrap_err();
    assert!(
        error.hint_text().unwrap().contains("postgres, mysql"),
        "{error:?}"
    );
}

#[test]
fn wordpress_has_nothing_to_mend() {
    let file = WordPress::default().file();
    let text = write(&file);
    assert_eq!(read(&text).file, file, "{text}");
    let findings = lint(&file);
    assert!(findings.is_empty(), "{findings:#?}");
    let wanted: Vec<String> = read(&text).variables().into_keys().collect();
    assert_eq!(wanted, ["WORDPRESS_DB_PASSWORD"]);
}

#[test]
fn wordpress_begins_its_installation_without_a_password_in_the_file() {
    let wordpress = WordPress {
        php: Some("8.3".to_owned()),
        install: true,
        ..WordPress::default()
    };
    let file = wordpress.file();
    assert!(lint(&file).is_empty());
    let text = write(&file);
    assert_eq!(read(&text).file, file, "{text}");
    let image = file.services["wordpress"].image.as_deref();
    assert_eq!(image, Some("wordpress:6.8-php8.3-apache"));
    // Only what is asked for is a variable of the file; the shell's own are escaped.
    let wanted: Vec<String> = read(&text).variables().into_keys().collect();
    let mut asked = fabrik_compose::wordpress::INSTALL.to_vec();
    asked.push("WORDPRESS_DB_PASSWORD");
    asked.sort_unstable();
    assert_eq!(wanted, asked);
}

use std::sync::Arc;
use std::time::Duration;

use fabrik_cli::output::Style;
use fabrik_cli::output::plan::{PlanStyle, plan_json, render};
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::plan::{
    Action, Drift, OutputChange, Plan, PlannedFinding, PlannedGroup, Reason, SecretUse,
};
use fabrik_core::provider::{Finding, Undo};
use fabrik_core::stack::{AppInfo, CheckDecl, Stack};
use fabrik_core::state::RunKind;
use fabrik_core::value::{Path, Value};

use super::support::{CANARY, address, change, declare, plan, set, turn, unset, visible};

fn reference(at: &str, path: &str) -> Value {
    Value::from(Expr::from(Reference::output(
        address(at),
        Path::parse(path),
    )))
}

fn check(name: &str, kind: &str, key: &str, value: Value) -> CheckDecl {
    CheckDecl {
        name: name.into(),
        kind: kind.into(),
        spec: Value::map([(key, value)]),
        within: Duration::from_secs(60),
        interval: Duration::from_secs(2),
        stable_for: Duration::ZERO,
        concerns: Vec::new(),
        span: None,
    }
}

fn shop() -> Stack {
    let mut stack = Stack::new("shop").env("production");
    stack.apps.push(AppInfo {
        address: address("apps.api"),
        kind: "service".into(),
        version: Value::from("1.5"),
        url: Value::from("https://api.example.com"),
        logs: None,
    });
    declare(
        &mut stack,
        "resources.zone",
        "cloudflare.zone",
        Value::map::<&str>([]),
    );
    stack.checks = vec![
        check(
            "apps.api.http",
            "http",
            "url",
            Value::from("https://api.example.com/healthz"),
        ),
        check(
            "apps.api.tls",
            "tls",
            "host",
            Value::from("api.example.com"),
        ),
        check(
            "apps.api.dns",
            "dns",
            "name",
            Value::from("api.example.com"),
        ),
        check(
            "apps.api.up",
            "container",
            "resource",
            reference("apps.api.app", "id"),
        ),
    ];
    stack
}

/// The plan of the mock-up: an app that changes and a bucket that is replaced.
pub(super) fn typical() -> Plan {
    let mut plan = plan(shop());
    let mut dns = change(
        "apps.api.dns",
        "cloudflare.dns_record",
        Action::Create,
        Reason::New,
    );
    dns.diff = vec![
        set("type", "A"),
        set("name", "api.example.com"),
        set("content", "203.0.113.9"),
    ];
    let mut app = change(
        "apps.api.app",
        "coolify.application",
        Action::Update,
        Reason::Changed,
    );
    app.id = Some("dk3x".into());
    app.unchanged = 14;
    app.diff = vec![
        turn("image", "ghcr.io/acme/api:1.4", "ghcr.io/acme/api:1.5"),
        turn("env.LOG_LEVEL", "info", "debug"),
        set("env.REDIS_URL", reference("apps.cache", "url")),
        turn(
            "secrets.STRIPE_KEY",
            Value::secret(CANARY),
            Value::secret(format!("{CANARY}2")),
        ),
        unset("env.OLD", "yes"),
    ];
    let mut bucket = change(
        "resources.media",
        "r2.bucket",
        Action::Replace {
            create_first: false,
        },
        Reason::FieldForcesReplacement(Path::key("location")),
    );
    bucket.undo = Undo::None;
    bucket.data_loss = true;
    let mut location = turn("location", "weur", "eeur");
    location.forces_replacement = true;
    location.place = Some("fabrik.yaml:41".into());
    bucket.diff = vec![location];
    plan.changes = vec![dns, app, bucket];
    let drifted = turn("interval", 60_i64, 30_i64);
    plan.drift.push(Drift {
        address: address("apps.api.monitor"),
        type_name: "uptime_kuma.monitor".into(),
        missing: false,
        diff: vec![drifted],
        restored: false,
    });
    plan.secrets = vec![
        SecretUse {
            name: "STRIPE_KEY".into(),
            origin: "environment variable STRIPE_KEY".into(),
        },
        SecretUse {
            name: "JWT_KEY".into(),
            origin: "to be generated".into(),
        },
    ];
    plan.outputs.push(OutputChange {
        name: "url".into(),
        before: None,
        after: Some(Value::from("https://api.example.com")),
    });
    plan
}

/// Every way an attribute can change.
fn attributes() -> Plan {
    let mut plan = plan(Stack::new("shop"));
    let mut app = change(
        "resources.app",
        "coolify.service",
        Action::Update,
        Reason::Conflict,
    );
    app.reasons.push(Reason::Drifted);
    let old = "services:\n  web:\n    image: a:1\n    ports: [80]\n  db:\n    image: pg:16\n";
    let mut conflict = turn("env.LEVEL", "trace", "debug");
    conflict.last_sent = Some(Value::from("info"));
    let mut wide = turn("labels.日本語", "古い値", "新しい値");
    wide.place = Some("fabrik.yaml:7".into());
    let long = "abcdefghij".repeat(30);
    app.diff = vec![
        turn("compose", old, old.replace("a:1", "a:2")),
        turn(
            "policy",
            r#"{"allow":["a","b"],"n":1}"#,
            r#"{"allow":["a","c"],"n":1}"#,
        ),
        turn("same", r#"{"a":1}"#, r#"{ "a": 1 }"#),
        turn("formatted", r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#),
        turn("script", "a b\nc\n", "a  b\nc"),
        conflict,
        wide,
        turn("token", Value::from("public-old"), Value::secret(CANARY)),
        turn("plain_again", Value::secret(CANARY), Value::from(CANARY)),
        turn(
            "login",
            Value::map([("user", Value::from("a")), ("pass", Value::secret(CANARY))]),
            Value::map([
                ("user", Value::from("a")),
                ("pass", Value::secret("other-secret-1")),
            ]),
        ),
        turn("blob", format!("{long}1.4"), format!("{long}1.5")),
        turn("bell", "a\u{1b}[31mred", "b\u{7}"),
        turn("host", "old.example.com", reference("resources.db", "host")),
        turn("count", 2_i64, 10_i64),
        turn(
            "tags",
            Value::list(["a", "b"].map(Value::from)),
            Value::list(["a", "c"].map(Value::from)),
        ),
        turn(
            "rules",
            Value::list((0..6_i64).map(|port| {
                Value::map([("port", Value::from(port)), ("name", Value::from("a rule"))])
            })),
            Value::list((1..7_i64).map(|port| {
                Value::map([("port", Value::from(port)), ("name", Value::from("a rule"))])
            })),
        ),
        unset("motd", "line one\nline two\n"),
        set("banner", "hello\nworld\n"),
        set(
            "dsn",
            Value::from(Expr::Concat(vec![
                Expr::Literal("postgres://".into()),
                Expr::Ref(Reference::secret("DB_PASSWORD")),
                Expr::Ref(Reference::output(
                    address("resources.db"),
                    Path::key("host"),
                )),
            ])),
        ),
        set("key", Value::from(Expr::from(Reference::secret("API_KEY")))),
    ];
    app.unchanged = 1;
    plan.changes.push(app);
    plan
}

/// Every action.
fn actions() -> Plan {
    let mut plan = plan(Stack::new("shop"));
    let mut first = change(
        "resources.vm",
        "cloud.server",
        Action::Replace { create_first: true },
        Reason::NotUpdatable,
    );
    first.diff = vec![turn("size", "s", "m")];
    first.undo = Undo::Partial;
    let mut second = change(
        "resources.disk",
        "cloud.volume",
        Action::Replace {
            create_first: false,
        },
        Reason::ContainerReplaced(address("resources.vm")),
    );
    second.data_loss = true;
    let mut delete = change(
        "resources.mx[\"mx1\"]",
        "cloudflare.dns_record",
        Action::Delete,
        Reason::Removed,
    );
    delete.id = Some("372e67954025e0ba6aaa6d586b9e0b59".into());
    delete.pulled_forward = true;
    let mut adopt = change(
        "resources.zone",
        "cloudflare.zone",
        Action::Adopt,
        Reason::Exists,
    );
    adopt.diff = vec![turn("plan", "free", "pro")];
    let mut import = change(
        "resources.dns2",
        "cloudflare.dns_record",
        Action::Import,
        Reason::Exists,
    );
    import.id = Some("023e105f4ecef8ad9ca31a8372d0c353".into());
    let moved = change(
        "apps.web.dns",
        "cloudflare.dns_record",
        Action::Move {
            from: address("resources.web_dns"),
        },
        Reason::Renamed,
    );
    let mut forget = change(
        "resources.old",
        "r2.bucket",
        Action::Forget,
        Reason::Removed,
    );
    forget.id = Some("old-media".into());
    let mut run = change(
        "resources.migrate",
        "postgres.migration",
        Action::Run,
        Reason::Triggered(address("resources.vm")),
    );
    run.undo = Undo::None;
    let mut accept = change(
        "apps.web.monitor",
        "uptime_kuma.monitor",
        Action::Accept,
        Reason::Drifted,
    );
    accept.diff = vec![turn("interval", 60_i64, 30_i64)];
    let mut maybe = change(
        "modules.eu.apps.web.route",
        "coolify.domain",
        Action::Update,
        Reason::DependencyReplaced(address("resources.vm")),
    );
    maybe.may_become = vec![Action::Replace { create_first: true }];
    maybe.diff = vec![turn("target", "10.0.0.1", reference("resources.vm", "ip"))];
    let mut read = change(
        "resources.image",
        "registry.image",
        Action::Read,
        Reason::New,
    );
    read.diff = vec![set("name", reference("resources.vm", "image"))];
    plan.changes = vec![
        first, second, delete, adopt, import, moved, forget, run, accept, maybe, read,
    ];
    plan.skipped = 4;
    plan.note = Some("api 1.5".into());
    plan
}

fn findings() -> Plan {
    let mut plan = typical();
    plan.changes.truncate(1);
    plan.groups = vec![
        PlannedGroup {
            key: "example.com".into(),
            instance: "cloudflare".into(),
            changes: 12,
            calls: 1,
        },
        PlannedGroup {
            key: "example.org".into(),
            instance: "cloudflare".into(),
            changes: 3,
            calls: 2,
        },
        PlannedGroup {
            key: "alone".into(),
            instance: "cloudflare".into(),
            changes: 1,
            calls: 1,
        },
    ];
    plan.drift[0].restored = true;
    plan.drift.push(Drift {
        address: address("resources.gone"),
        type_name: "r2.bucket".into(),
        missing: true,
        diff: Vec::new(),
        restored: true,
    });
    let finding = |blocking, message: &str| PlannedFinding {
        address: address("apps.api.dns"),
        finding: Finding {
            blocking,
            message: message.into(),
            hint: None,
            field: None,
            adopt: None,
        },
        place: None,
    };
    let mut blocking = finding(
        true,
        "a record of this name exists already and points to 198.51.100.7, which Fabrik did not make",
    );
    blocking.finding.hint = Some("delete it, or let Fabrik take it over".into());
    blocking.finding.field = Some(Path::key("name"));
    blocking.finding.adopt = Some("372e67".into());
    blocking.place = Some("fabrik.yaml:8".into());
    plan.findings = vec![
        finding(false, "the token expires\u{1b}[2J in 3 days"),
        blocking,
    ];
    plan
}

fn destroy() -> Plan {
    let mut plan = plan(Stack::new("shop").env("production"));
    plan.kind = RunKind::Destroy;
    plan.unchanged = 0;
    for (at, type_name, data) in [
        ("apps.api.app", "coolify.application", false),
        ("apps.api.dns", "cloudflare.dns_record", false),
        ("resources.pg", "coolify.database", true),
        ("resources.media", "r2.bucket", true),
        ("resources.mx[\"mx1\"]", "r2.bucket", true),
        ("resources.logs", "r2.bucket", true),
    ] {
        let mut delete = change(at, type_name, Action::Delete, Reason::Destroyed);
        delete.id = Some(format!("id-of-{}", at.len()));
        delete.data_loss = data;
        delete.undo = if data { Undo::None } else { Undo::Full };
        plan.changes.push(delete);
    }
    plan.allow_data_loss = vec!["resources.logs".into()];
    plan
}

fn empty() -> Plan {
    plan(Stack::new("shop").env("production"))
}

/// A plan at every width without colour, and with colour.
fn sizes(plan: &Plan) -> String {
    let mut out = String::new();
    for width in [80, 100, 200] {
        out.push_str(&format!("══ {width} columns\n"));
        let text = render(plan, &PlanStyle::new(Style::plain(width)));
        for line in text.lines().filter(|line| !line.starts_with("Plan:")) {
            assert!(
                fabrik_cli::output::text::width(line) <= width,
                "too wide for {width}: {line}"
            );
            assert_eq!(line.trim_end(), line, "blanks at the end");
        }
        out.push_str(&text);
    }
    out.push_str("══ colour\n");
    out.push_str(&visible(&render(plan, &PlanStyle::new(Style::colored(80)))));
    out
}

#[test]
fn a_typical_plan() {
    insta::assert_snapshot!(sizes(&typical()));
}

#[test]
fn every_kind_of_attribute_change() {
    insta::assert_snapshot!(sizes(&attributes()));
}

#[test]
fn every_action() {
    insta::assert_snapshot!(sizes(&actions()));
}

#[test]
fn groups_findings_and_drift() {
    insta::assert_snapshot!(sizes(&findings()));
}

#[test]
fn destroy_stops_before_data_is_lost() {
    insta::assert_snapshot!(sizes(&destroy()));
}

#[test]
fn nothing_to_do() {
    insta::assert_snapshot!(sizes(&empty()));
}

#[test]
fn everything_in_full() {
    let style = PlanStyle {
        full: true,
        show_unchanged: true,
        took: Some(Duration::from_millis(1900)),
        ..PlanStyle::new(Style::plain(80))
    };
    insta::assert_snapshot!(render(&typical(), &style) + &render(&attributes(), &style));
}

#[test]
fn machine_form() {
    let text = |plan: &Plan| serde_json::to_string_pretty(&plan_json(plan)).unwrap();
    insta::assert_snapshot!(text(&typical()) + "\n" + &text(&actions()));
}

/// Plans for the canary.
pub(super) fn all() -> Vec<Plan> {
    let mut plans = vec![
        typical(),
        attributes(),
        actions(),
        findings(),
        destroy(),
        empty(),
    ];
    // Expressions keep literals: a secret among them must stay hidden too.
    let mut plan = plan(Stack::new("shop"));
    let mut late = change("resources.a", "x.y", Action::Create, Reason::New);
    late.diff = vec![
        set(
            "dsn",
            Value::from(Expr::Concat(vec![
                Expr::Literal(Value::secret(CANARY)),
                Expr::Ref(Reference::output(address("resources.b"), Path::key("id"))),
            ])),
        ),
        set("list", Value::list([Value::secret(CANARY)])),
        set(
            "map",
            Value::map([("k", Value::map([("p", Value::secret(CANARY))]))]),
        ),
        set("long", Value::list((0..40).map(|_| Value::secret(CANARY)))),
    ];
    late.diff[1].last_sent = Some(Value::list([Value::secret(CANARY)]));
    plan.outputs.push(OutputChange {
        name: "dsn".into(),
        before: Some(Value::secret(CANARY)),
        after: Some(Value::list([Value::secret(CANARY)])),
    });
    let mut stack = Stack::clone(&plan.stack);
    stack
        .checks
        .push(check("c", "http", "url", Value::secret(CANARY)));
    plan.stack = Arc::new(stack);
    plan.changes.push(late);
    plans.push(plan);
    plans
}

use super::*;
use crate::error::ErrorKind;
use crate::kinds::testing::{FakeCx, block, check_intent};
use crate::role::{DNS, MONITOR, PlayerFacts, RUNTIME};
use crate::value::{from_json, to_wire_masked};

const PUBLIC: PlayerFacts = PlayerFacts {
    wants_dns: true,
    ends_tls: true,
};

fn expand(cx: &mut FakeCx, json: &Json) -> Result<ComponentOut> {
    Service.expand(&block(&Service, json), cx)
}

#[test]
fn a_short_block_on_a_local_runtime() {
    let mut cx = FakeCx::new("apps.hello", PlayerFacts::default());
    cx.runtime(
        &json!({"url": "http://hello.localhost:8080", "host": "hello.localhost", "port": 8080}),
    );
    let out = expand(
        &mut cx,
        &json!({"source": "./hello", "command": "python3 app.py", "health": "/up"}),
    )
    .unwrap();
    assert_eq!(
        cx.played(),
        json!([["runtime", "", {
            "kind": "service",
            "name": "hello",
            "source": {"path": "./hello"},
            "command": "python3 app.py",
            "health": {"path": "/up"},
        }]])
    );
    assert_eq!(
        cx.checks(),
        json!([{
            "name": "apps.hello.health",
            "kind": "http",
            "spec": {"url": "http://hello.localhost:8080/up"},
            "within": "1m",
            "concerns": ["apps.hello.run"],
        }])
    );
    assert_eq!(out.url.as_str(), Some("http://hello.localhost:8080"));
    assert_eq!(
        to_wire_masked(&Value::map(out.outputs.clone())),
        json!({"name": "hello", "url": "http://hello.localhost:8080", "host": "hello.localhost", "port": 8080})
    );
    assert_eq!(out.logs.unwrap().as_str(), "apps.hello.run");
}

#[test]
fn the_whole_block_reaches_the_runtime() {
    let mut cx = FakeCx::new("apps.api", PUBLIC).with(DNS).with(MONITOR);
    cx.runtime_refs(&["url", "ingress"]);
    let out = expand(
        &mut cx,
        &json!({
            "image": "ghcr.io/acme/api:1.4",
            "command": ["./api", "--serve"],
            "port": 8000,
            "domain": "api.example.com",
            "domains": ["www.example.com"],
            "redirects": {"old.example.com": "https://api.example.com"},
            "tls": {"min_version": 1.3},
            "env": {"LOG_LEVEL": "info", "WORKERS": 4, "DEBUG": false},
            "secrets": ["STRIPE_KEY", {"name": "JWT_KEY", "as": "APP_JWT"}],
            "health": {"path": "/healthz", "status": 204, "interval": 5, "timeout": "3s", "start_period": "30s"},
            "limits": {"cpu": 0.5, "memory": "512Mi"},
            "replicas": 2,
            "volumes": ["data:/data"],
            "files": {"/etc/app.conf": "x"},
            "hooks": {"pre_deploy": "alembic upgrade head"},
            "strategy": "rolling",
            "stop": {"grace": 20},
            "monitor": {"interval": 60, "notify": ["telegram"]},
            "build": {"args": {"N": 1}, "secrets": ["NPM_TOKEN"]},
        }),
    )
    .unwrap();
    let plays = cx.played();
    assert_eq!(
        plays[0][2],
        json!({
            "kind": "service",
            "name": "api",
            "image": "ghcr.io/acme/api:1.4",
            "command": ["./api", "--serve"],
            "port": 8000,
            "domains": [{"name": "api.example.com"}, {"name": "www.example.com"}],
            "redirects": [{"from": "old.example.com", "to": "https://api.example.com"}],
            "tls": {"min_version": "1.3"},
            "env": {
                "LOG_LEVEL": "info", "WORKERS": "4", "DEBUG": "false",
                "STRIPE_KEY": "${secrets.STRIPE_KEY}", "APP_JWT": "${secrets.JWT_KEY}",
            },
            "health": {"path": "/healthz", "status": [204], "interval": "5s", "timeout": "3s", "start_period": "30s"},
            "limits": {"cpu": 0.5, "memory": "512Mi"},
            "replicas": 2,
            "volumes": [{"name": "data", "path": "/data"}],
            "files": [{"path": "/etc/app.conf", "content": "x"}],
            "hooks": {"pre_deploy": "alembic upgrade head"},
            "strategy": {"type": "rolling"},
            "stop": {"grace": "20s"},
            "build": {"args": {"N": "1"}, "secrets": {"NPM_TOKEN": "${secrets.NPM_TOKEN}"}},
        })
    );
    let dns =
        |name: &str| json!({"name": name, "target": "${apps.api.run.ingress}", "kind": "address"});
    assert_eq!(
        plays.as_array().unwrap()[1..],
        [
            json!(["dns", "dns-api-example-com", dns("api.example.com")]),
            json!(["dns", "dns-www-example-com", dns("www.example.com")]),
            json!(["dns", "dns-old-example-com", dns("old.example.com")]),
            json!(["monitor", "monitor", {
                "name": "api",
                "url": "${apps.api.run.url}/healthz",
                "interval": "60s",
                "notify": ["telegram"],
            }]),
        ]
    );
    check_intent(RUNTIME, &plays[0][2]);
    check_intent(DNS, &plays[1][2]);
    check_intent(MONITOR, &plays[4][2]);
    let checks = cx.checks();
    assert_eq!(
        checks[0],
        json!({
            "name": "apps.api.health",
            "kind": "http",
            "spec": {"url": "${apps.api.run.url}/healthz", "status": [204], "timeout": "3s"},
            "within": "3m30s",
            "concerns": ["apps.api.run"],
        })
    );
    let names: Vec<_> = checks
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "apps.api.health",
            "apps.api.tls",
            "apps.api.tls-www-example-com",
            "apps.api.tls-old-example-com",
            "apps.api.dns",
            "apps.api.dns-www-example-com",
            "apps.api.dns-old-example-com",
        ]
    );
    assert_eq!(checks[4]["spec"], json!({"name": "api.example.com"}));
    assert_eq!(
        checks[4]["concerns"],
        json!(["apps.api.dns-api-example-com"])
    );
    assert_eq!(out.version.as_str(), Some("ghcr.io/acme/api:1.4"));
    let env = &cx.plays[0]
        .2
        .get("env")
        .unwrap()
        .get("STRIPE_KEY")
        .unwrap()
        .clone();
    let waits = crate::expr::references(env);
    assert!(
        matches!(&waits[0].target, crate::expr::Target::Secret(name) if &**name == "STRIPE_KEY")
    );
}

#[test]
fn monitors_are_made_where_somebody_can() {
    let url = json!({"url": "http://x.localhost"});
    let run = |has: bool, monitor: Json| {
        let mut cx = FakeCx::new("apps.x", PlayerFacts::default());
        if has {
            cx = cx.with(MONITOR);
        }
        cx.runtime(&url);
        let result = expand(&mut cx, &json!({"command": "x", "monitor": monitor}));
        result.map(|_| cx.plays.len() - 1)
    };
    assert_eq!(run(true, Json::Null).unwrap(), 1, "by default");
    assert_eq!(run(false, Json::Null).unwrap(), 0);
    assert_eq!(run(true, json!(false)).unwrap(), 0);
    assert_eq!(run(true, json!(true)).unwrap(), 1);
    assert!(
        run(false, json!(true)).is_err(),
        "asked for, but nobody can"
    );
}

#[test]
fn dns_can_be_turned_off_and_needs_an_ingress() {
    let spec = |dns: Json| json!({"image": "x:1", "domain": "a.example.com", "dns": dns});
    let mut cx = FakeCx::new("apps.x", PUBLIC).with(DNS);
    cx.runtime(&json!({"url": "https://a.example.com", "ingress": "edge.example.net"}));
    expand(&mut cx, &spec(json!({"ttl": 300}))).unwrap();
    assert_eq!(
        cx.played()[1],
        json!(["dns", "dns-a-example-com", {"name": "a.example.com", "target": "edge.example.net", "kind": "host", "ttl": 300}])
    );
    let mut cx = FakeCx::new("apps.x", PUBLIC);
    cx.runtime(&json!({"url": "https://a.example.com"}));
    expand(&mut cx, &spec(json!(false))).unwrap();
    assert_eq!(cx.plays.len(), 1);
    let mut cx = FakeCx::new("apps.x", PUBLIC).with(DNS);
    cx.runtime(&json!({"url": "https://a.example.com"}));
    let error = expand(&mut cx, &spec(Json::Null)).unwrap_err();
    assert_eq!(error.field_path().unwrap().to_string(), "domains");
    // Nobody plays dns: the way out is told.
    let mut cx = FakeCx::new("apps.x", PUBLIC);
    cx.runtime(&json!({"url": "https://a.example.com", "ingress": "203.0.113.9"}));
    let error = expand(&mut cx, &spec(Json::Null)).unwrap_err();
    assert!(
        error.hint_text().unwrap().contains("dns: false"),
        "{error:?}"
    );
}

#[test]
fn known_records_are_checked_by_value() {
    let mut cx = FakeCx::new("apps.x", PUBLIC).with(DNS);
    cx.runtime(&json!({"ingress": "203.0.113.9"}));
    cx.outputs.insert(
        DNS,
        from_json(&json!({"name": "a.b", "type": "A", "values": ["203.0.113.9"]})),
    );
    expand(&mut cx, &json!({"image": "x:1", "domain": "a.b"})).unwrap();
    let checks = cx.checks();
    let dns = checks
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["kind"] == "dns")
        .unwrap();
    assert_eq!(
        dns["spec"],
        json!({"name": "a.b", "type": "A", "values": ["203.0.113.9"]})
    );
    assert!(
        checks
            .as_array()
            .unwrap()
            .iter()
            .all(|check| check["kind"] != "http"),
        "without a URL there is nothing to ask"
    );
}

#[test]
fn mistakes_point_at_their_field() {
    for (json, field, part) in [
        (json!({}), "", "needs something to run"),
        (json!({"image": "x", "source": "./y"}), "image", "not both"),
        (json!({"source": {}}), "source", "`path` or `repo`"),
        (
            json!({"source": {"path": "x", "branch": "main"}}),
            "source.branch",
            "repository",
        ),
        (
            json!({"source": {"repo": "a/b", "branch": "m", "tag": "t"}}),
            "source.tag",
            "one of",
        ),
        (
            json!({"image": "x", "backup": true}),
            "backup",
            "nothing to back up",
        ),
        (
            json!({"image": "x", "env": {"A": "1"}, "secrets": ["A"]}),
            "secrets[0]",
            "twice",
        ),
        (
            json!({"image": "x", "secrets": ["B", {"name": "C", "as": "B"}]}),
            "secrets[1]",
            "twice",
        ),
    ] {
        let mut cx = FakeCx::new("apps.x", PlayerFacts::default());
        cx.runtime(&json!({"url": "http://x"}));
        let error = expand(&mut cx, &json).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let at = error
            .field_path()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert_eq!(at, field, "{json}");
        assert!(error.message().contains(part), "{json}: {error:?}");
    }
}

#[test]
fn health_can_be_off_or_a_command() {
    for health in [json!(false), json!({"command": ["true"]})] {
        let mut cx = FakeCx::new("apps.x", PlayerFacts::default());
        cx.runtime(&json!({"url": "http://x.localhost"}));
        expand(&mut cx, &json!({"image": "x:1", "health": health})).unwrap();
        assert_eq!(cx.checks(), json!([]));
    }
}

#[test]
fn what_decides_about_parts_must_be_known() {
    let later = crate::role::Parts::output(
        &crate::address::Address::parse("resources.zone").unwrap(),
        "x",
    );
    for (field, at) in [
        ("secrets", "secrets"),
        ("monitor", "monitor.enabled"),
        ("health", "health.path"),
    ] {
        let block = Service.normalise(Value::map([
            ("image", "x:1".into()),
            (field, later.clone()),
        ]));
        let mut cx = FakeCx::new("apps.x", PlayerFacts::default());
        let error = Service.expand(&block, &mut cx).unwrap_err();
        assert_eq!(error.field_path().unwrap().to_string(), at);
    }
    // A name may come later.
    let block = Service.normalise(Value::map([("image", "x:1".into()), ("domain", later)]));
    let mut cx = FakeCx::new("apps.x", PUBLIC).with(DNS);
    cx.runtime(&json!({"ingress": "203.0.113.9"}));
    Service.expand(&block, &mut cx).unwrap();
    assert_eq!(cx.plays[1].1, "dns-1");
}

#[test]
fn a_wildcard_beside_its_domain() {
    let mut cx = FakeCx::new("apps.x", PUBLIC).with(DNS);
    cx.runtime(&json!({"ingress": "203.0.113.9"}));
    expand(
        &mut cx,
        &json!({"image": "x:1", "domains": ["a.b", "*.a.b"]}),
    )
    .unwrap();
    assert_eq!(cx.plays[2].1, "dns-wildcard-a-b");
    assert_eq!(
        cx.checks().as_array().unwrap().len(),
        2,
        "only the plain name is checked"
    );
}

#[test]
fn elements_of_for_each_have_their_own_names() {
    let mut cx = FakeCx::new("modules.eu.apps.api[\"Blue.1\"]", PlayerFacts::default());
    cx.runtime(&json!({}));
    expand(&mut cx, &json!({"image": "x:1"})).unwrap();
    assert_eq!(cx.played()[0][2]["name"], "api-blue-1");
}

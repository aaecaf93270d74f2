use fabrik_checks::{CheckerConfig, checkers};
use serde_json::{Value as Json, json};

/// Every field has a description; they feed the docs and editors.
#[test]
fn schemas_are_complete() {
    let checkers = checkers(CheckerConfig::default());
    for kind in checkers.kinds() {
        let checker = checkers.get(kind).unwrap();
        let schema = checker.schema();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        assert_eq!(schema["additionalProperties"], json!(false), "{kind}");
        assert!(schema["description"].is_string(), "{kind}: {schema:#}");
        let fields = schema["properties"].as_object().unwrap();
        for (name, field) in fields {
            assert!(field["description"].is_string(), "{kind}.{name}: {field}");
        }
        assert!(fields.contains_key(checker.subject().unwrap()), "{kind}");
    }
}

#[test]
fn the_schema_takes_what_the_checker_takes() {
    let checkers = checkers(CheckerConfig::default());
    let valid =
        |kind: &str, spec: Json| jsonschema::is_valid(&checkers.get(kind).unwrap().schema(), &spec);
    assert!(valid(
        "http",
        json!({"url": "http://x", "status": 200, "timeout": "5s"})
    ));
    assert!(valid(
        "http",
        json!({"url": "http://x", "status": [200, 204], "json": {"/a": 1}})
    ));
    assert!(!valid("http", json!({"url": "http://x", "status": 99})));
    assert!(!valid("http", json!({"url": "http://x", "path": "/"})));
    assert!(!valid("http", json!({})));
    assert!(valid(
        "dns",
        json!({"name": "a.b", "type": "AAAA", "values": []})
    ));
    assert!(!valid("dns", json!({"name": "a.b", "type": "aaaa"})));
    assert!(valid("tls", json!({"name": "a.b", "min_days": 14})));
    assert!(valid("tcp", json!({"address": "a.b:1", "timeout": 3})));
}

#[tokio::test]
async fn what_is_not_valid_fails_for_good() {
    for (kind, spec, part) in [
        ("http", json!({"uri": "x"}), "unknown field `uri`"),
        ("http", json!({"url": "ftp://x"}), "no http or https URL"),
        ("http", json!({"url": "nonsense"}), "no URL"),
        ("http", json!({"url": "http://x", "status": []}), "empty"),
        (
            "http",
            json!({"url": "http://x", "headers": {"a b": "c"}}),
            "no header name",
        ),
        ("tcp", json!({"address": "x"}), "no address"),
        ("tls", json!({"name": "a b"}), "no address"),
        ("dns", json!({"name": "a..b"}), "no domain name"),
        (
            "dns",
            json!({"name": "a.b", "type": "A", "values": ["x"]}),
            "`x` is no address",
        ),
        (
            "dns",
            json!({"name": "a.b", "type": "MX"}),
            "no name server to ask",
        ),
    ] {
        let failure = super::support::check(kind, spec.clone()).await.unwrap_err();
        assert!(failure.fatal, "{kind} {spec}: {failure:?}");
        assert!(failure.seen.contains(part), "{kind} {spec}: {failure:?}");
    }
}

//! `cloudflare.dns_record`.

use fabrik_core::plan::Action;
use fabrik_core::stack::Options;
use fabrik_core::value::Value;
use serde_json::{Value as Json, json};

use super::world::{Stage, actions, adopting, options, record, refer, resource, with};

/// The values of a record set at the service, sorted.
fn values(stage: &Stage, zone: &str, name: &str, kind: &str) -> Vec<String> {
    let mut found: Vec<String> = stage
        .cloud
        .record_set(zone, name, kind)
        .iter()
        .map(|record| record["content"].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_lives() {
    let (stage, zone) = Stage::with_zone();
    let www = |values: &[&str]| {
        record(
            "www",
            &json!({"name": "www", "type": "A", "values": values}),
        )
    };
    let stack = stage.stack([www(&["192.0.2.1", "192.0.2.2"])]);
    stage.settle(&stack).await;
    assert_eq!(stage.writes(), 1, "one batch");
    assert_eq!(
        values(&stage, &zone, "www.example.com", "A"),
        ["192.0.2.1", "192.0.2.2"]
    );
    let before = stage.cloud.record_set(&zone, "www.example.com", "A");
    let comment = before[0]["comment"].as_str().unwrap();
    assert!(comment.starts_with("fabrik:v1:"), "{comment}");

    // One value stays, one takes another content in place.
    stage.cloud.clear_log();
    let stack = stage.stack([www(&["192.0.2.2", "192.0.2.3"])]);
    stage.settle(&stack).await;
    assert_eq!(stage.writes(), 1);
    assert_eq!(
        values(&stage, &zone, "www.example.com", "A"),
        ["192.0.2.2", "192.0.2.3"]
    );
    let ids = |records: &[Json]| {
        let mut ids: Vec<String> = records
            .iter()
            .map(|record| record["id"].to_string())
            .collect();
        ids.sort();
        ids
    };
    let after = stage.cloud.record_set(&zone, "www.example.com", "A");
    assert_eq!(ids(&before), ids(&after));

    // Fewer, more, other ways.
    stage.settle(&stage.stack([www(&["192.0.2.3"])])).await;
    assert_eq!(values(&stage, &zone, "www.example.com", "A"), ["192.0.2.3"]);
    let proxied = record(
        "www",
        &json!({"name": "www", "type": "A", "values": ["192.0.2.3", "192.0.2.4"],
            "proxied": true, "comment": "the shop"}),
    );
    let stack = stage.stack([proxied]);
    stage.settle(&stack).await;
    for record in stage.cloud.record_set(&zone, "www.example.com", "A") {
        assert_eq!(
            (&record["proxied"], &record["ttl"]),
            (&json!(true), &json!(1))
        );
        let comment = record["comment"].as_str().unwrap();
        assert!(comment.starts_with("the shop | fabrik:v1:"), "{comment}");
    }
    // What is no longer set becomes again what it is by itself.
    stage.settle(&stage.stack([www(&["192.0.2.3"])])).await;
    let record = &stage.cloud.record_set(&zone, "www.example.com", "A")[0];
    assert_eq!(record["proxied"], false);
    assert!(
        record["comment"]
            .as_str()
            .unwrap()
            .starts_with("fabrik:v1:")
    );
    stage.destroy(&stage.stack([www(&["192.0.2.3"])])).await;
    assert!(stage.cloud.records(&zone).is_empty());
}

/// Every type, in a spelling that is not the canonical one: the plan after it is empty.
#[tokio::test(flavor = "multi_thread")]
async fn spellings_are_no_changes() {
    let (stage, zone) = Stage::with_zone();
    let long = "x".repeat(700);
    let sets = [
        ("A", "A.Example.COM.", json!(["192.0.2.1"])),
        ("AAAA", "aaaa", json!(["2001:DB8:0::1"])),
        ("CNAME", "bücher", json!(["Other.Example.ORG."])),
        (
            "MX",
            "@",
            json!(["10 Mail.example.com.", "20 mail2.example.com"]),
        ),
        ("MX", "nomail", json!(["0 ."])),
        (
            "TXT",
            "txt",
            json!([
                "\"v=spf1 \" \"-all\"",
                "a \"quoted\" word",
                "back\\slash",
                long,
                "é ü"
            ]),
        ),
        ("NS", "sub", json!(["NS1.example.net.", "ns2.example.net"])),
        ("DS", "sub", json!(["2371 13 2 ABCDEF"])),
        ("SRV", "_sip._tcp", json!(["1 2 5060 SIP.example.com."])),
        (
            "CAA",
            "@",
            json!(["0 ISSUE letsencrypt.org", "0 iodef mailto:a@example.com"]),
        ),
        ("HTTPS", "https", json!(["1 . alpn=h3,h2"])),
        ("SVCB", "_dns", json!(["0 other.example.com."])),
        ("TLSA", "_443._tcp", json!(["3 1 1 ABCD EF"])),
        ("SSHFP", "host", json!(["4 2 ABCDEF"])),
        (
            "NAPTR",
            "naptr",
            json!(["10 100 S SIP+D2U \"\" _sip._udp.example.com."]),
        ),
        ("LOC", "loc", json!(["51 30 12.748 n 0 7 39.611 w 0.00m"])),
        ("URI", "_http._tcp", json!(["10 1 https://example.com/a"])),
        ("PTR", "ptr", json!(["Host.example.com."])),
        ("CERT", "cert", json!(["1 2 8 aGVs bG8="])),
        ("DNSKEY", "key", json!(["257 3 13 aGVsbG8="])),
        ("SMIMEA", "smime", json!(["3 1 1 ABCDEF"])),
        ("OPENPGPKEY", "pgp", json!(["aGVs bG8="])),
    ];
    let declare = || {
        sets.iter().enumerate().map(|(at, (kind, name, values))| {
            let mut declared = record(
                &format!("r{at}"),
                &json!({"name": name, "type": kind, "values": values, "ttl": 300}),
            );
            if *kind == "DS" {
                declared.depends_on = vec![super::world::at("r6")];
            }
            declared
        })
    };
    let stack = stage.stack(declare());
    stage.settle(&stack).await;
    assert_eq!(
        stage.cloud.records(&zone).len(),
        sets.iter()
            .map(|set| set.2.as_array().unwrap().len())
            .sum::<usize>()
    );
    assert_eq!(
        values(&stage, &zone, "xn--bcher-kva.example.com", "CNAME"),
        ["other.example.org"]
    );
    stage.destroy(&stack).await;
    assert!(
        stage.cloud.records(&zone).is_empty(),
        "{:#?}",
        stage.cloud.records(&zone)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_shown_and_repaired() {
    let (stage, zone) = Stage::with_zone();
    let stack = stage.stack([record(
        "www",
        &json!({"name": "www", "type": "A", "values": ["192.0.2.1", "192.0.2.2"], "ttl": 300}),
    )]);
    stage.settle(&stack).await;
    let first = |stage: &Stage| {
        let found = &stage.cloud.record_set(&zone, "www.example.com", "A")[0];
        found["id"].as_str().unwrap().to_owned()
    };
    // One of the records has another ttl.
    stage
        .cloud
        .edit_record(&first(&stage), &json!({"ttl": 600}));
    let plan = stage.plan(&stack).await;
    assert_eq!(actions(&plan), [("www".into(), Action::Update)]);
    let paths: Vec<String> = plan.drift[0]
        .diff
        .iter()
        .map(|diff| diff.path.to_string())
        .collect();
    assert_eq!(paths, ["ttl"]);
    stage.settle(&stack).await;
    // A human adds a value, which makes it another set.
    stage.cloud.add_record(
        &zone,
        &json!({"name": "www", "type": "A", "content": "192.0.2.99", "ttl": 300}),
    );
    assert_eq!(
        actions(&stage.plan(&stack).await),
        [("www".into(), Action::Update)]
    );
    stage.settle(&stack).await;
    assert_eq!(
        values(&stage, &zone, "www.example.com", "A"),
        ["192.0.2.1", "192.0.2.2"]
    );
    // A human's comment is nobody's business here, and stays.
    stage
        .cloud
        .edit_record(&first(&stage), &json!({"comment": "mine"}));
    stage.empty(&stack).await;
    // All gone.
    for record in stage.cloud.records(&zone) {
        stage.cloud.remove_record(record["id"].as_str().unwrap());
    }
    assert_eq!(
        actions(&stage.plan(&stack).await),
        [("www".into(), Action::Create)]
    );
    stage.settle(&stack).await;
    // Gone between the plan and its deletion.
    for record in stage.cloud.records(&zone) {
        stage.cloud.remove_record(record["id"].as_str().unwrap());
    }
    stage.destroy(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_not_taken_silently() {
    let (stage, zone) = Stage::with_zone();
    let foreign =
        json!({"name": "www", "type": "A", "content": "192.0.2.50", "comment": "by hand"});
    stage.cloud.add_record(&zone, &foreign);
    let www = || {
        record(
            "www",
            &json!({"name": "WWW.example.com.", "type": "A", "values": ["192.0.2.1"]}),
        )
    };
    let (_, message, hint) = stage.finding(&stage.stack([www()])).await;
    assert_eq!(
        message,
        "an object of that name exists already (`example.com/www.example.com/A`), and it was not made by this stack"
    );
    assert!(hint.contains("adopt: true"), "{hint}");
    assert_eq!(
        values(&stage, &zone, "www.example.com", "A"),
        ["192.0.2.50"]
    );
    // Adopted, it takes the wanted value, in place.
    let stack = stage.stack([adopting(www())]);
    assert_eq!(
        actions(&stage.plan(&stack).await),
        [("www".into(), Action::Adopt)]
    );
    stage.settle(&stack).await;
    assert_eq!(values(&stage, &zone, "www.example.com", "A"), ["192.0.2.1"]);
    assert_eq!(stage.cloud.records(&zone)[0]["comment"], "by hand");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_imported_by_its_id() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.add_record(
        &zone,
        &json!({"name": "@", "type": "MX", "content": "mail.example.com", "priority": 10}),
    );
    let import = |id: &str| {
        let declared = record(
            "mx",
            &json!({"name": "@", "type": "MX", "values": ["10 mail.example.com"]}),
        );
        stage.stack([options(
            declared,
            Options {
                import: Some(id.into()),
                ..Options::default()
            },
        )])
    };
    let stack = import("example.com/@/MX");
    assert_eq!(
        actions(&stage.plan(&stack).await),
        [("mx".into(), Action::Import)]
    );
    stage.settle(&stack).await;
    assert_eq!(stage.writes(), 0, "it is as wanted already");
    let other = Stage {
        engine: super::world::engine(),
        ..stage
    };
    let error = other
        .try_plan(&import_of(&other, "example.com/x/MX"))
        .await
        .unwrap_err();
    assert_eq!(
        error.message(),
        "resources.mx: there is no `cloudflare.dns_record` with id `example.com/x/MX` to import"
    );
    let error = other
        .try_plan(&import_of(&other, "023e105f4ecef8ad9ca31a8372d0c353"))
        .await
        .unwrap_err();
    assert!(
        error.hint_text().unwrap().contains("`ZONE/NAME/TYPE`"),
        "{error:?}"
    );
}

fn import_of(stage: &Stage, id: &str) -> fabrik_core::stack::Stack {
    let declared = record(
        "mx",
        &json!({"name": "@", "type": "MX", "values": ["10 mail.example.com"]}),
    );
    let import = Options {
        import: Some(id.into()),
        ..Options::default()
    };
    stage.stack([options(declared, import)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_makes_way_for_another() {
    let (stage, zone) = Stage::with_zone();
    let www = |kind: &str, value: &str| {
        record(
            "www",
            &json!({"name": "www", "type": kind, "values": [value]}),
        )
    };
    stage.settle(&stage.stack([www("A", "192.0.2.1")])).await;
    stage
        .settle(&stage.stack([www("CNAME", "other.example.org")]))
        .await;
    assert_eq!(stage.cloud.records(&zone).len(), 1);
    // Also when the new record stands at another address.
    let other = record(
        "other",
        &json!({"name": "www", "type": "AAAA", "values": ["2001:db8::1"]}),
    );
    stage.settle(&stage.stack([other])).await;
    assert_eq!(
        values(&stage, &zone, "www.example.com", "AAAA"),
        ["2001:db8::1"]
    );
    assert_eq!(stage.cloud.records(&zone).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_follow_their_zone() {
    let stage = Stage::new();
    stage.cloud.add_zone("other.example");
    let zone = resource(
        "zone",
        "cloudflare.zone",
        &json!({"name": "example.com", "on_destroy": "delete"}),
    );
    let www = record(
        "www",
        &json!({"name": "www", "type": "A", "values": ["192.0.2.1"]}),
    );
    let www = with(www, "zone", refer("zone", "id"));
    let apex = resource(
        "apex",
        "cloudflare.dns_record",
        &json!({"name": "@", "type": "A", "values": ["192.0.2.1"]}),
    );
    let apex = with(apex, "zone", refer("zone", "name"));
    let stack = stage.stack([zone, www, apex]);
    stage.settle(&stack).await;
    let id = stage.cloud.zone_id("example.com").unwrap();
    assert_eq!(stage.cloud.records(&id).len(), 2);
    stage.destroy(&stack).await;
    assert_eq!(stage.cloud.zone_names(), ["other.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_zone_is_found_from_the_name() {
    let (stage, zone) = Stage::with_zone();
    let below = stage.cloud.add_zone("sub.example.com");
    let declare = |name: &str| {
        resource(
            "www",
            "cloudflare.dns_record",
            &json!({"name": name, "type": "A", "values": ["192.0.2.1"]}),
        )
    };
    stage
        .settle(&stage.stack([declare("www.sub.example.com")]))
        .await;
    assert_eq!(
        (
            stage.cloud.records(&zone).len(),
            stage.cloud.records(&below).len()
        ),
        (0, 1)
    );
    stage
        .settle(&stage.stack([declare("www.example.com")]))
        .await;
    assert_eq!(
        (
            stage.cloud.records(&zone).len(),
            stage.cloud.records(&below).len()
        ),
        (1, 0)
    );
    let (field, message, hint) = stage
        .finding(&stage.stack([declare("www.example.org")]))
        .await;
    assert_eq!(field, "zone");
    assert_eq!(
        message,
        "the API token sees no zone `www.example.org`, nor one that holds it"
    );
    assert!(hint.contains("`Zone:Read`"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_other_products_are_left_alone() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.add_read_only(
        &zone,
        &json!({"name": "@", "type": "MX", "content": "route1.mx.cloudflare.net", "priority": 5}),
    );
    let stack = stage.stack([record(
        "mx",
        &json!({"name": "@", "type": "MX", "values": ["10 mail.example.com"]}),
    )]);
    stage.settle(&stack).await;
    assert_eq!(stage.cloud.record_set(&zone, "example.com", "MX").len(), 2);
    stage.destroy(&stack).await;
    assert_eq!(stage.cloud.records(&zone).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_marks_there_are_none() {
    let (mut stage, zone) = Stage::with_zone();
    stage.config["marks"] = json!(false);
    let stack = stage.stack([record(
        "www",
        &json!({"name": "www", "type": "A", "values": ["192.0.2.1"]}),
    )]);
    stage.settle(&stack).await;
    assert_eq!(stage.cloud.records(&zone)[0]["comment"], Json::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_no_value_is_not_told() {
    let (stage, _) = Stage::with_zone();
    let declared = record("a", &json!({"name": "a", "type": "A", "values": []}));
    let secret = Value::list([Value::secret("no-address-at-all")]);
    let stack = stage.stack([with(declared, "values", secret)]);
    let (field, message, _) = stage.finding(&stack).await;
    assert_eq!(field, "values[0]");
    assert_eq!(
        message,
        "`(secret)` is no value of a record of type A: it must be an IPv4 address"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_value_stays_one() {
    let (stage, zone) = Stage::with_zone();
    let declared = record("txt", &json!({"name": "txt", "type": "TXT", "values": []}));
    let declared = with(
        declared,
        "values",
        Value::list([Value::secret("\"verify=\" \"0123456789\"")]),
    );
    let stack = stage.stack([declared]);
    let plan = stage.plan(&stack).await;
    let shown = format!("{plan:?}");
    let leak = shown
        .find("0123456789")
        .map(|at| &shown[at.saturating_sub(400)..at]);
    assert_eq!(leak, None);
    stage.settle(&stack).await;
    assert_eq!(
        stage.cloud.records(&zone)[0]["content"],
        "\"verify=0123456789\""
    );
}

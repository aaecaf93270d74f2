use fabrik_testkit::serve::Request;
use serde_json::{Value as Json, json};

use super::state::{Plan, State};
use super::{ACCOUNT, TOKEN, routes, zones};

struct Api(State);

impl Api {
    fn new() -> (Api, String) {
        let mut state = State::new();
        let zone = zones::add(&mut state, "example.com", ACCOUNT, "full");
        (Api(state), zone)
    }

    /// Status and body.
    fn ask(&mut self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let request = Request {
            method: method.parse().unwrap(),
            path: format!("/client/v4{path}"),
            query: pairs
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
            headers: [(
                "authorization".parse().unwrap(),
                format!("Bearer {TOKEN}").parse().unwrap(),
            )]
            .into_iter()
            .collect(),
            body: body.to_string().into_bytes().into(),
        };
        let reply = routes::answer(&mut self.0, &request);
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    fn get(&mut self, path: &str) -> Json {
        let (status, body) = self.ask("GET", path, &json!({}));
        assert_eq!(status, 200, "{body}");
        body
    }

    /// The codes of a refusal, the inner ones last.
    fn refused(&mut self, method: &str, path: &str, body: &Json) -> Vec<u64> {
        let (status, reply) = self.ask(method, path, body);
        assert!(status >= 400 && reply["success"] == false, "{reply}");
        let error = &reply["errors"][0];
        let mut codes = vec![error["code"].as_u64().unwrap()];
        for inner in error["error_chain"].as_array().into_iter().flatten() {
            codes.push(inner["code"].as_u64().unwrap());
        }
        codes
    }
}

fn record(name: &str, kind: &str, content: &str) -> Json {
    json!({"name": name, "type": kind, "content": content})
}

#[test]
fn records_come_back_in_the_services_form() {
    let (mut api, zone) = Api::new();
    let path = format!("/zones/{zone}/dns_records");
    let (_, made) = api.ask("POST", &path, &record("WWW", "CNAME", "Other.Example.ORG."));
    assert_eq!(made["result"]["name"], "www.example.com");
    assert_eq!(made["result"]["content"], "other.example.org");
    assert_eq!(made["result"]["ttl"], 1);
    let srv = json!({"name": "_sip._tcp", "type": "SRV",
        "data": {"priority": 1, "weight": 2, "port": 3, "target": "sip.example.com"}});
    let (_, made) = api.ask("POST", &path, &srv);
    assert_eq!(
        made["result"]["data"]["port"].to_string(),
        "3.0",
        "numbers are floats"
    );
    let proxied =
        json!({"name": "p", "type": "A", "content": "192.0.2.1", "proxied": true, "ttl": 300});
    let (_, made) = api.ask("POST", &path, &proxied);
    assert_eq!(
        made["result"]["ttl"], 1,
        "the ttl of a proxied record is automatic"
    );
}

#[test]
fn what_cannot_stand_together_is_refused() {
    let (mut api, zone) = Api::new();
    let path = format!("/zones/{zone}/dns_records");
    api.ask("POST", &path, &record("a", "A", "192.0.2.1"));
    // A second value is just added: that is what careless clients trip over.
    let (status, _) = api.ask("POST", &path, &record("a", "A", "192.0.2.2"));
    assert_eq!(status, 200);
    assert_eq!(
        api.refused("POST", &path, &record("a", "A", "192.0.2.1")),
        [81058]
    );
    assert_eq!(
        api.refused("POST", &path, &record("a", "CNAME", "b.example")),
        [81053]
    );
    assert_eq!(
        api.refused("POST", &path, &record("b", "A", "2001:db8::1")),
        [9005]
    );
    assert_eq!(
        api.refused("POST", &path, &record("b", "DS", "")),
        [1004, 9101]
    );
    assert_eq!(
        api.refused(
            "POST",
            &path,
            &json!({"name": "t", "type": "TXT", "content": "x", "proxied": true})
        ),
        [9004]
    );
    assert_eq!(
        api.refused(
            "POST",
            &path,
            &json!({"name": "t", "type": "TXT", "content": "x", "tags": ["a:b"]})
        ),
        [1004, 9300]
    );
    assert_eq!(
        api.refused("DELETE", &format!("{path}/nothing"), &json!({})),
        [81044]
    );
}

#[test]
fn a_batch_is_all_or_nothing_and_in_order() {
    let (mut api, zone) = Api::new();
    let path = format!("/zones/{zone}/dns_records");
    let (_, made) = api.ask("POST", &path, &record("a", "A", "192.0.2.1"));
    let id = made["result"]["id"].clone();
    let batch = format!("{path}/batch");
    // Deletes come first, so that the name is free for the post.
    let (status, done) = api.ask(
        "POST",
        &batch,
        &json!({
            "posts": [record("a", "CNAME", "b.example")], "deletes": [{"id": id}],
        }),
    );
    assert_eq!(status, 200, "{done}");
    assert_eq!(done["result"]["posts"][0]["type"], "CNAME");
    // One bad member undoes the others; only the first error is told.
    let codes = api.refused("POST", &batch, &json!({
        "posts": [record("c", "A", "192.0.2.1"), record("a", "A", "192.0.2.1"), record("d", "A", "x")],
    }));
    assert_eq!(codes, [81053]);
    assert_eq!(api.get(&path)["result_info"]["total_count"], 1);
    // A put sets back what it does not say, a patch does not.
    let full =
        json!({"name": "p", "type": "A", "content": "192.0.2.1", "proxied": true, "comment": "x"});
    let (_, made) = api.ask("POST", &path, &full);
    let id = made["result"]["id"].clone();
    api.ask(
        "POST",
        &batch,
        &json!({"patches": [{"id": id, "content": "192.0.2.2"}]}),
    );
    let (_, done) = api.ask(
        "POST",
        &batch,
        &json!({"puts": [{"id": id, "name": "p", "type": "A", "content": "192.0.2.3"}]}),
    );
    let put = &done["result"]["puts"][0];
    assert_eq!(
        (&put["proxied"], &put["comment"]),
        (&json!(false), &Json::Null)
    );
    let many: Vec<Json> = (0..201)
        .map(|n| record(&format!("m{n}"), "A", "192.0.2.1"))
        .collect();
    assert_eq!(
        api.refused("POST", &batch, &json!({"posts": many})),
        [1004, 9208]
    );
}

#[test]
fn plans_have_quotas() {
    let (mut api, zone) = Api::new();
    let path = format!("/zones/{zone}/dns_records");
    let many: Vec<Json> = (0..200)
        .map(|n| record(&format!("m{n}"), "A", "192.0.2.1"))
        .collect();
    let (status, _) = api.ask("POST", &format!("{path}/batch"), &json!({"posts": many}));
    assert_eq!(status, 200);
    assert_eq!(
        api.refused("POST", &path, &record("more", "A", "192.0.2.1")),
        [81045]
    );
    api.0.zones.get_mut(&zone).unwrap().plan = Plan::Pro;
    assert_eq!(
        api.ask("POST", &path, &record("more", "A", "192.0.2.1")).0,
        200
    );
    let page = api.get(&format!("{path}?per_page=50&page=5"));
    assert_eq!(
        page["result_info"],
        json!({"page": 5, "per_page": 50, "count": 1, "total_count": 201, "total_pages": 5})
    );
    assert_eq!(
        api.get(&path)["result_info"]["per_page"],
        100,
        "unless asked for"
    );
    assert_eq!(
        api.refused("GET", "/zones?per_page=51", &json!({})),
        [6003, 6107]
    );
}

#[test]
fn the_first_redirect_writes_the_phase_and_a_put_replaces_all() {
    let (mut api, zone) = Api::new();
    let entrypoint =
        format!("/zones/{zone}/rulesets/phases/http_request_dynamic_redirect/entrypoint");
    assert_eq!(api.refused("GET", &entrypoint, &json!({})), [10003]);
    let rule = |name: &str| {
        json!({"action": "redirect", "expression": "true", "ref": name,
        "action_parameters": {"from_value": {"status_code": 301, "target_url": {"value": "https://a.example"}}}})
    };
    let (_, made) = api.ask("PUT", &entrypoint, &json!({"rules": [rule("a")]}));
    let ruleset = made["result"]["id"].as_str().unwrap().to_owned();
    let rules = format!("/zones/{zone}/rulesets/{ruleset}/rules");
    api.ask("POST", &rules, &rule("b"));
    assert_eq!(api.refused("POST", &rules, &rule("b")), [20119]);
    assert_eq!(
        api.get(&entrypoint)["result"]["rules"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    api.ask("PUT", &entrypoint, &json!({"rules": [rule("c")]}));
    assert_eq!(
        api.get(&entrypoint)["result"]["rules"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn zones_are_pending_until_they_were_checked_often_enough() {
    let (mut api, _) = Api::new();
    api.0.activate_after = 2;
    assert_eq!(
        api.refused(
            "POST",
            "/zones",
            &json!({"name": "Example.com", "account": {"id": ACCOUNT}})
        ),
        [1061]
    );
    let (_, made) = api.ask(
        "POST",
        "/zones",
        &json!({"name": "bücher.example", "account": {"id": ACCOUNT}}),
    );
    let path = format!("/zones/{}", made["result"]["id"].as_str().unwrap());
    for status in ["pending", "active"] {
        api.ask("PUT", &format!("{path}/activation_check"), &json!({}));
        assert_eq!(api.get(&path)["result"]["status"], status);
    }
    assert_eq!(
        api.refused("PATCH", &path, &json!({"paused": true, "type": "full"})),
        [1016]
    );
    assert_eq!(
        api.get("/zones?name=xn--bcher-kva.example")["result_info"]["count"],
        1
    );
}

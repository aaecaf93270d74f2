//! Zones and purges of their caches.

use fabrik_testkit::serve::{Reply, Request};
use serde_json::{Value as Json, json};

use super::envelope::{Refusal, ok};
use super::routes::paged;
use super::state::{Plan, State, Token, Zone};
use super::{ACCOUNT, names, settings, tokens};

pub(super) fn add(state: &mut State, name: &str, account: &str, kind: &str) -> String {
    let id = state.id();
    let zone = Zone {
        id: id.clone(),
        name: name.trim_end_matches('.').to_lowercase(),
        account: account.to_owned(),
        kind: kind.to_owned(),
        status: "pending",
        paused: false,
        plan: state.plan,
        checks: 0,
        records: std::collections::BTreeMap::new(),
        settings: settings::start(),
        ruleset: None,
        quota: None,
    };
    state.zones.insert(id.clone(), zone);
    id
}

/// A zone as the API shows it.
pub(super) fn shown(zone: &Zone) -> Json {
    let pages = if zone.plan == Plan::Free { 3 } else { 20 };
    json!({
        "id": zone.id,
        "name": zone.name,
        "status": zone.status,
        "paused": zone.paused,
        "type": zone.kind,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": ["ns1.registrar.example", "ns2.registrar.example"],
        "original_registrar": "registrar, inc. (id: 1)",
        "plan": {"id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "name": "A plan", "legacy_id": zone.plan.legacy_id()},
        "account": {"id": zone.account, "name": "An account"},
        "meta": {"page_rule_quota": pages, "phishing_detected": false},
        "activated_on": (zone.status == "active").then_some("2026-01-01T00:00:00.000000Z"),
    })
}

pub(super) fn list(state: &State, token: &Token, request: &Request) -> Result<Reply, Refusal> {
    let wanted = request.param("name").map(names::host);
    let account = request.param("account.id");
    let found = state.zones.values().filter(|zone| {
        tokens::sees(token, &zone.id)
            && wanted
                .as_ref()
                .is_none_or(|name| names::host(&zone.name) == *name)
            && account.is_none_or(|account| zone.account == account)
    });
    let found: Vec<Json> = found.map(shown).collect();
    paged(&found, request, 20, 50, true)
}

pub(super) fn create(state: &mut State, token: &Token, body: &Json) -> Result<Reply, Refusal> {
    if tokens::need(token, "Zone:Edit").is_err() {
        let text = "Requires permission \"com.cloudflare.api.account.zone.create\" to create zones for the selected account";
        return Err(Refusal::new(0, text).status(403));
    }
    let name = body["name"].as_str().unwrap_or_default();
    let account = body["account"]["id"].as_str().unwrap_or(ACCOUNT);
    if account != ACCOUNT {
        return Err(Refusal::new(1068, "Permission denied").status(403));
    }
    let stored = names::host(name);
    if !stored.contains('.') || stored.contains(char::is_whitespace) {
        return Err(Refusal::new(
            1099,
            format!("{name} is not a valid domain name."),
        ));
    }
    if stored.ends_with(".invalid") {
        let text = format!("{name} is not a registered domain");
        return Err(Refusal::new(1049, text));
    }
    let kind = body["type"].as_str().unwrap_or("full");
    if !["full", "partial", "secondary", "internal"].contains(&kind) {
        return Err(Refusal::new(1024, "Invalid zone type."));
    }
    if state
        .zones
        .values()
        .any(|zone| names::host(&zone.name) == stored)
    {
        return Err(Refusal::new(1061, format!("{name} already exists")));
    }
    let id = add(state, name, account, kind);
    Ok(ok(&shown(&state.zones[&id])))
}

pub(super) fn edit(state: &mut State, id: &str, body: &Json) -> Result<Reply, Refusal> {
    let fields: Vec<&str> = body
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    let [field] = fields.as_slice() else {
        return Err(Refusal::new(
            1016,
            "Only one zone property can be changed at a time",
        ));
    };
    let Some(zone) = state.zones.get_mut(id) else {
        return Err(Refusal::new(1001, "Invalid zone identifier").status(404));
    };
    match (*field, &body[*field]) {
        ("paused", Json::Bool(paused)) => zone.paused = *paused,
        ("type", Json::String(kind)) if zone.plan == Plan::Free && kind != "full" => {
            let text = "Your zone must be on a Business plan or higher for a partial setup";
            return Err(Refusal::new(1117, text).status(403));
        }
        ("type", Json::String(kind)) => zone.kind.clone_from(kind),
        _ => return Err(Refusal::new(1015, "Invalid zone property")),
    }
    Ok(ok(&shown(zone)))
}

pub(super) fn check(state: &mut State, id: &str) -> Reply {
    let after = state.activate_after;
    if let Some(zone) = state.zones.get_mut(id) {
        zone.checks += 1;
        if after > 0 && zone.checks >= after {
            zone.status = "active";
        }
    }
    ok(&json!({"id": id}))
}

pub(super) fn purge(state: &mut State, id: &str, body: &Json) -> Result<Reply, Refusal> {
    let ways = ["purge_everything", "files", "hosts", "tags", "prefixes"];
    let used: Vec<&str> = ways
        .into_iter()
        .filter(|way| !body[way].is_null())
        .collect();
    let [way] = used.as_slice() else {
        let text = "Request must contain exactly one of \"purge_everything\", \"files\", \"tags\", \"hosts\" or \"prefixes\"";
        return Err(Refusal::new(1012, text));
    };
    let count = body[*way].as_array().map_or(0, Vec::len);
    let plan = state.zones[id].plan;
    if ["hosts", "tags", "prefixes"].contains(way) && plan != Plan::Enterprise {
        let text = "Only enterprise zones can purge by tag, host or prefix.";
        return Err(Refusal::new(1107, text));
    }
    if count > 30 {
        return Err(Refusal::new(
            1094,
            format!("A purge takes at most 30 {way} at a time."),
        ));
    }
    state.purges.push(body.clone());
    Ok(ok(&json!({"id": id})))
}

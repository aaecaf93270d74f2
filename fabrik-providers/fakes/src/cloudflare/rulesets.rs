//! The ruleset of the phase of single redirects.

use fabrik_testkit::serve::Reply;
use serde_json::{Value as Json, json};

use super::envelope::{Refusal, ok};
use super::state::{Ruleset, State};

const PHASE: &str = "http_request_dynamic_redirect";

/// A rule without what only the service knows.
pub(super) fn bare(rule: &Json) -> Json {
    let mut bare = rule.clone();
    if let Some(map) = bare.as_object_mut() {
        // A rule without a reference of its own has its id there.
        if map.get("ref") == map.get("id") {
            map.remove("ref");
        }
        for key in ["id", "version", "last_updated"] {
            map.remove(key);
        }
    }
    bare
}

pub(super) fn answer(
    state: &mut State,
    zone: &str,
    method: &str,
    path: &[&str],
    body: &Json,
) -> Result<Reply, Refusal> {
    match (method, path) {
        ("GET", ["phases", PHASE, "entrypoint"]) => shown(state, zone).map(|found| ok(&found)),
        ("PUT", ["phases", PHASE, "entrypoint"]) => {
            let given = body["rules"].as_array().cloned().unwrap_or_default();
            let kept = state.zones[zone].rules().to_vec();
            let mut rules = Vec::new();
            for rule in &given {
                rules.push(made(state, &rules, &kept, rule)?);
            }
            fits(state, zone, rules.len())?;
            put(state, zone, rules);
            shown(state, zone).map(|found| ok(&found))
        }
        ("POST", [ruleset, "rules"]) => {
            owned(state, zone, ruleset)?;
            let mut rules = state.zones[zone].rules().to_vec();
            let rule = made(state, &rules, &[], body)?;
            rules.push(rule);
            fits(state, zone, rules.len())?;
            put(state, zone, rules);
            shown(state, zone).map(|found| ok(&found))
        }
        ("PATCH", [ruleset, "rules", id]) => {
            owned(state, zone, ruleset)?;
            let mut rules = state.zones[zone].rules().to_vec();
            let at = rules
                .iter()
                .position(|rule| rule["id"] == *id)
                .ok_or_else(no_rule)?;
            let mut wanted = rules[at].clone();
            for (key, value) in body.as_object().into_iter().flatten() {
                wanted[key] = value.clone();
            }
            check(&wanted)?;
            rules[at] = wanted;
            put(state, zone, rules);
            shown(state, zone).map(|found| ok(&found))
        }
        ("DELETE", [ruleset, "rules", id]) => {
            owned(state, zone, ruleset)?;
            let mut rules = state.zones[zone].rules().to_vec();
            let at = rules
                .iter()
                .position(|rule| rule["id"] == *id)
                .ok_or_else(no_rule)?;
            rules.remove(at);
            put(state, zone, rules);
            shown(state, zone).map(|found| ok(&found))
        }
        _ => Err(Refusal::new(7000, "No route for that URI").status(404)),
    }
}

/// As a human does it.
pub(super) fn add_by_hand(state: &mut State, zone: &str, rule: &Json) -> String {
    let mut rules = state.zones[zone].rules().to_vec();
    let rule = made(state, &rules, &[], rule);
    let rule = rule.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    let id = rule["id"].as_str().unwrap_or_default().to_owned();
    rules.push(rule);
    put(state, zone, rules);
    id
}

fn no_rule() -> Refusal {
    Refusal::new(10004, "could not find rule").status(404)
}

fn owned(state: &State, zone: &str, ruleset: &str) -> Result<(), Refusal> {
    let found = state.zones[zone].ruleset.as_ref();
    if found.is_some_and(|found| found.id == ruleset) {
        return Ok(());
    }
    Err(Refusal::new(10003, "could not find ruleset").status(404))
}

fn fits(state: &State, zone: &str, count: usize) -> Result<(), Refusal> {
    let most = state.zones[zone].plan.redirects();
    if count <= most {
        return Ok(());
    }
    let text = format!("exceeded maximum number of rules in the {PHASE} phase: {most}");
    Err(Refusal::new(20217, text))
}

fn shown(state: &State, zone: &str) -> Result<Json, Refusal> {
    let Some(ruleset) = &state.zones[zone].ruleset else {
        let text = format!("could not find entrypoint ruleset in the {PHASE} phase");
        return Err(Refusal::new(10003, text).status(404));
    };
    Ok(json!({
        "id": ruleset.id,
        "kind": "zone",
        "name": "default",
        "phase": PHASE,
        "version": ruleset.version.to_string(),
        "rules": ruleset.rules,
    }))
}

fn put(state: &mut State, zone: &str, rules: Vec<Json>) {
    let fresh = state.id();
    if let Some(zone) = state.zones.get_mut(zone) {
        let old = zone.ruleset.take();
        let version = old.as_ref().map_or(1, |old| old.version + 1);
        let id = old.map_or(fresh, |old| old.id);
        zone.ruleset = Some(Ruleset { id, version, rules });
    }
}

/// A rule as it is stored. One that is given with the id or reference of one that is there stays that.
fn made(state: &mut State, beside: &[Json], kept: &[Json], given: &Json) -> Result<Json, Refusal> {
    check(given)?;
    let same = |rule: &&Json| {
        (!given["id"].is_null() && rule["id"] == given["id"])
            || (!given["ref"].is_null() && rule["ref"] == given["ref"])
    };
    let id = match kept.iter().find(same) {
        Some(rule) => rule["id"].clone(),
        None => json!(state.id()),
    };
    let mut rule = given.clone();
    if rule["ref"].is_null() {
        rule["ref"] = id.clone();
    }
    if beside.iter().any(|other| other["ref"] == rule["ref"]) {
        return Err(Refusal::new(
            20119,
            "the ref of a rule must be unique in its ruleset",
        ));
    }
    if rule["enabled"].is_null() {
        rule["enabled"] = json!(true);
    }
    if rule["description"].is_null() {
        rule["description"] = json!("");
    }
    rule["id"] = id;
    rule["version"] = json!("1");
    rule["last_updated"] = json!(state.now());
    Ok(rule)
}

fn check(rule: &Json) -> Result<(), Refusal> {
    if rule["action"] != "redirect" {
        return Err(Refusal::new(
            20015,
            format!("action is not allowed in the {PHASE} phase"),
        ));
    }
    let expression = rule["expression"].as_str().unwrap_or_default();
    let depth = expression.chars().try_fold(0_i32, |depth, c| match c {
        '(' => Some(depth + 1),
        ')' if depth == 0 => None,
        ')' => Some(depth - 1),
        _ => Some(depth),
    });
    let known = ["http.", "ip.", "ssl", "true", "cf.", "not ", "("];
    let begins = known.iter().any(|known| expression.starts_with(known));
    if depth != Some(0) || !begins {
        let text = format!(
            "'{expression}' is not a valid value for expression because the expression is invalid: Filter parsing error (1:1)"
        );
        return Err(Refusal::new(20127, text));
    }
    let value = &rule["action_parameters"]["from_value"];
    let target = &value["target_url"];
    let given = [&target["value"], &target["expression"]];
    if given.iter().filter(|given| given.is_string()).count() != 1 {
        return Err(Refusal::new(
            20128,
            "exactly one of target_url.value and target_url.expression is required",
        ));
    }
    let status = value["status_code"].as_f64().unwrap_or(0.0);
    if ![301.0, 302.0, 303.0, 307.0, 308.0].contains(&status) {
        return Err(Refusal::new(
            20129,
            "status_code is not a redirect status code",
        ));
    }
    Ok(())
}

//! From request to reply.

use fabrik_testkit::serve::{Reply, Request};
use serde_json::{Value as Json, json};

use super::envelope::{Refusal, ok, page};
use super::state::{State, Token};
use super::{batch, records, rulesets, settings, tokens, zones};

/// What one request does.
pub(super) fn answer(state: &mut State, request: &Request) -> Reply {
    if !request.path.starts_with("/client/v4/") {
        return Reply::html(404, "<!DOCTYPE html><html><title>Not found</title></html>");
    }
    if state.refusals > 0 {
        state.refusals -= 1;
        let reply = Refusal::new(
            971,
            "Please wait and consider throttling your request speed",
        )
        .status(429)
        .reply();
        return reply.header("retry-after", &state.retry_after);
    }
    state.requests += 1;
    let left = 1200_u32.saturating_sub(state.requests);
    let reply = route(state, request).unwrap_or_else(|refusal| refusal.reply());
    reply
        .header("ratelimit", &format!("\"default\";r={left};t=300"))
        .header("ratelimit-policy", "\"default\";q=1200;w=300")
        .header("cf-ray", &format!("{:016x}-FAKE", state.requests))
}

fn route(state: &mut State, request: &Request) -> Result<Reply, Refusal> {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().skip(2).map(String::as_str).collect();
    let method = request.method.as_str();
    match (method, path.as_slice()) {
        ("GET", ["user", "tokens", "verify"]) => return Ok(tokens::verify(state, request, None)),
        ("GET", ["accounts", account, "tokens", "verify"]) => {
            return Ok(tokens::verify(state, request, Some(account)));
        }
        _ => {}
    }
    let token = tokens::of(state, request)?;
    match (method, path.as_slice()) {
        ("GET", ["zones"]) => zones::list(state, &token, request),
        ("POST", ["zones"]) => zones::create(state, &token, &body(request)?),
        (_, ["zones", zone, rest @ ..]) => in_zone(state, &token, request, zone, rest),
        _ => Err(no_route()),
    }
}

fn in_zone(
    state: &mut State,
    token: &Token,
    request: &Request,
    zone: &str,
    rest: &[&str],
) -> Result<Reply, Refusal> {
    let hex = zone.len() == 32 && zone.chars().all(|c| c.is_ascii_hexdigit());
    if !hex {
        let text = "Could not route to the path, perhaps your object identifier is invalid?";
        return Err(Refusal::new(7003, text)
            .status(404)
            .chain(7000, "No route for that URI"));
    }
    let named = token
        .zones
        .as_ref()
        .is_none_or(|zones| zones.contains(zone));
    if !state.zones.contains_key(zone) || !named {
        // One cannot tell a zone of somebody else from one that does not exist.
        let missing = Refusal::new(1001, "Invalid zone identifier").status(404);
        return Err(if state.zones.contains_key(zone) {
            Refusal::new(9109, "Unauthorized to access requested resource").status(403)
        } else {
            missing
        });
    }
    let method = request.method.as_str();
    let may = |scope: &str| tokens::need(token, scope);
    match (method, rest) {
        ("GET", []) => {
            may("Zone:Read")?;
            Ok(ok(&zones::shown(&state.zones[zone])))
        }
        ("PATCH", []) => {
            may("Zone:Edit")?;
            zones::edit(state, zone, &body(request)?)
        }
        ("DELETE", []) => {
            may("Zone:Edit")?;
            state.zones.remove(zone);
            Ok(ok(&json!({"id": zone})))
        }
        ("PUT", ["activation_check"]) => {
            may("Zone:Edit")?;
            Ok(zones::check(state, zone))
        }
        ("GET", ["dns_records"]) => {
            may("DNS:Read")?;
            records::list(state, zone, request)
        }
        ("POST", ["dns_records"]) => {
            may("DNS:Edit")?;
            records::add(state, zone, &body(request)?).map(|made| ok(&made))
        }
        ("POST", ["dns_records", "batch"]) => {
            may("DNS:Edit")?;
            batch::run(state, zone, &body(request)?)
        }
        ("GET", ["dns_records", id]) => {
            may("DNS:Read")?;
            let found = state.zones[zone].records.get(*id);
            found.map(ok).ok_or_else(records::missing)
        }
        ("PATCH" | "PUT", ["dns_records", id]) => {
            may("DNS:Edit")?;
            let whole = method == "PUT";
            records::change(state, zone, id, &body(request)?, whole).map(|made| ok(&made))
        }
        ("DELETE", ["dns_records", id]) => {
            may("DNS:Edit")?;
            records::remove(state, zone, id).map(|gone| ok(&gone))
        }
        ("GET", ["settings"]) if state.settings_at_once => {
            may("Zone Settings:Read")?;
            Ok(settings::all(&state.zones[zone]))
        }
        ("GET", ["settings", id]) => {
            may("Zone Settings:Read")?;
            settings::one(&state.zones[zone], id)
        }
        ("PATCH", ["settings", id]) => {
            may("Zone Settings:Edit")?;
            settings::edit(state, zone, id, &body(request)?)
        }
        ("POST", ["purge_cache"]) => {
            may("Cache Purge:Purge")?;
            zones::purge(state, zone, &body(request)?)
        }
        (_, ["rulesets", rest @ ..]) => {
            let read = method == "GET";
            may(if read {
                "Single Redirect:Read"
            } else {
                "Single Redirect:Edit"
            })?;
            let body = if read || method == "DELETE" {
                Json::Null
            } else {
                body(request)?
            };
            rulesets::answer(state, zone, method, rest, &body)
        }
        _ => Err(no_route()),
    }
}

fn no_route() -> Refusal {
    Refusal::new(7000, "No route for that URI").status(404)
}

fn body(request: &Request) -> Result<Json, Refusal> {
    let body = request.json().filter(Json::is_object);
    body.ok_or_else(|| Refusal::new(9207, "Request body is invalid."))
}

/// One page of a list as the request asks. More than there may be on one is refused, or cut.
pub(super) fn paged(
    items: &[Json],
    request: &Request,
    usual: usize,
    most: usize,
    strict: bool,
) -> Result<Reply, Refusal> {
    let number = |name: &str, otherwise: usize| match request.param(name) {
        None => Ok(otherwise),
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Refusal::new(9207, format!("{name} must be a positive integer."))),
    };
    let per_page = number("per_page", usual)?;
    if strict && per_page > most {
        return Err(Refusal::new(6003, "Invalid request headers")
            .chain(6107, format!("per_page must be at most {most}")));
    }
    Ok(page(items, number("page", 1)?, per_page.min(most)))
}

//! From the service's refusals to errors that say what to do.

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::value::Path;
use fabrik_http::Reply;

use crate::api::{Refusal, Refusals};

/// The error in a reply; `None` when there is none, or none in the service's own form.
pub(crate) fn to_error(reply: &Reply) -> Option<Error> {
    if reply.is_html() {
        return None;
    }
    let refusals: Refusals = serde_json::from_slice(reply.bytes()).ok()?;
    if reply.status() < 300 && refusals.success != Some(false) {
        return None;
    }
    // A failure of the service itself: what it did is not known, whatever it says.
    if reply.status() >= 500 || refusals.errors.is_empty() {
        return None;
    }
    let codes = codes(&refusals.errors);
    let words = reply.clean(&words(&refusals.errors));
    let error = meaning(reply, &codes, &words);
    Some(error.context("code", codes_text(&codes)))
}

/// Every code, outermost first.
fn codes(refusals: &[Refusal]) -> Vec<u64> {
    let mut codes = Vec::new();
    for refusal in refusals {
        codes.push(refusal.code);
        codes.extend(self::codes(&refusal.error_chain));
    }
    codes
}

fn codes_text(codes: &[u64]) -> String {
    let codes: Vec<String> = codes.iter().map(u64::to_string).collect();
    codes.join(", ")
}

/// Every message; the useful one is mostly the innermost.
fn words(refusals: &[Refusal]) -> String {
    let texts = refusals.iter().map(|refusal| {
        let below = words(&refusal.error_chain);
        let own = refusal.message.trim().trim_end_matches('.');
        if below.is_empty() {
            own.to_owned()
        } else {
            format!("{own}: {below}")
        }
    });
    let texts: Vec<String> = texts.collect();
    texts.join("; ")
}

fn meaning(reply: &Reply, codes: &[u64], words: &str) -> Error {
    let operation = reply.operation();
    let has = |wanted: &[u64]| codes.iter().any(|code| wanted.contains(code));
    let lower = words.to_lowercase();
    if reply.status() == 429 {
        return Error::new(ErrorKind::RateLimited, format!("Cloudflare asks to slow down: {words}"))
            .hint("1,200 requests in 5 minutes are allowed per token; wait 5 minutes, or run fewer things with this token");
    }
    if has(&[6111, 9106, 6003]) && !has(&[6107]) {
        return bad_token(format!("the API token is malformed: {words}"));
    }
    let bad = codes.first() == Some(&1000) || lower.contains("invalid access token");
    if reply.status() == 401 || bad {
        return bad_token(format!("Cloudflare does not accept the API token: {words}"));
    }
    if has(&[1015, 1107, 1117]) {
        return Error::new(
            ErrorKind::Unsupported,
            format!("the zone's plan does not allow this: {words}"),
        )
        .hint("take it out of the spec, or put the zone on a plan that has it");
    }
    if reply.status() == 403 {
        return lacking(operation, words);
    }
    if has(&[1061]) {
        return Error::new(ErrorKind::Conflict, format!("the zone exists already: {words}"))
            .field(Path::key("name"))
            .hint("take it over with `adopt: true`; when another account has it, it must be removed there first");
    }
    if has(&[81053, 81054, 81055, 81056]) {
        return Error::new(ErrorKind::Conflict, format!("another record is in the way: {words}"))
            .field(Path::key("name"))
            .hint("a CNAME stands alone at its name, and so do NS records; remove the other record or take it over with `fabrik import`");
    }
    if has(&[81057, 81058]) {
        return Error::new(
            ErrorKind::Conflict,
            format!("the record exists already: {words}"),
        )
        .field(Path::key("values"))
        .hint(
            "it was made outside Fabrik meanwhile; plan again, and take it over with `adopt: true`",
        );
    }
    if has(&[81045]) {
        return Error::new(ErrorKind::Quota, format!("the zone cannot hold more records: {words}"))
            .hint("a free zone holds 200 records (1,000 when it was made before September 2024), a paid one 3,500: remove records or change the plan");
    }
    if has(&[20217]) {
        return Error::new(
            ErrorKind::Quota,
            format!("the zone cannot hold more redirect rules: {words}"),
        )
        .hint("remove rules, or put the zone on a bigger plan");
    }
    if has(&[9300]) || lower.contains("quota") {
        let error = Error::new(
            ErrorKind::Quota,
            format!("a quota of the zone is reached: {words}"),
        );
        let error = if lower.contains("tags") {
            error.field(Path::key("tags"))
        } else {
            error
        };
        return error
            .hint("free zones have no tags at all; use fewer, or put the zone on a bigger plan");
    }
    if lower.contains("comment") {
        return Error::new(
            ErrorKind::Quota,
            format!("the comment is too long for the zone's plan: {words}"),
        )
        .field(Path::key("comment"))
        .hint("comments have at most 100 characters on the free plan and 500 on paid ones");
    }
    if reply.status() == 404 || has(&[81044, 7003, 1001, 10003]) {
        return Error::new(
            ErrorKind::NotFound,
            format!("Cloudflare has no such thing: {words}"),
        )
        .hint("it may have been deleted, or the token may not be allowed to see it");
    }
    invalid(codes, &lower, words)
}

fn bad_token(message: String) -> Error {
    Error::new(ErrorKind::Auth, message)
        .field(Path::key("token"))
        .hint("set `token` of the provider (or CLOUDFLARE_API_TOKEN) to an API token, not to the global key; make one in the dashboard under \"API Tokens\"")
}

/// A 403: the service does not say what is missing, so the request has to.
fn lacking(operation: &str, words: &str) -> Error {
    let permission = permission(operation);
    Error::new(
        ErrorKind::Permission,
        format!("the API token lacks the permission `{permission}`, or is not for this zone: {words}"),
    )
    .hint(format!(
        "add `{permission}` to the token in the dashboard under \"API Tokens\", for this zone; a token made in the last two minutes may not work everywhere yet"
    ))
}

/// The permission a request needs, as the dashboard calls it.
pub(crate) fn permission(operation: &str) -> &'static str {
    let (method, route) = operation.split_once(' ').unwrap_or(("GET", operation));
    let reads = method == "GET";
    if route.contains("/dns_records") {
        return if reads { "DNS:Read" } else { "DNS:Edit" };
    }
    if route.contains("/settings") {
        return if reads {
            "Zone Settings:Read"
        } else {
            "Zone Settings:Edit"
        };
    }
    if route.contains("/rulesets") {
        return if reads {
            "Single Redirect:Read"
        } else {
            "Single Redirect:Edit"
        };
    }
    if route.contains("/purge_cache") {
        return "Cache Purge:Purge";
    }
    if reads { "Zone:Read" } else { "Zone:Edit" }
}

fn invalid(codes: &[u64], lower: &str, words: &str) -> Error {
    let field = if lower.contains("ttl") {
        Some("ttl")
    } else if lower.contains("proxied") {
        Some("proxied")
    } else if lower.contains("dns name") || lower.contains("domain") {
        Some("name")
    } else if lower.contains("expression") {
        Some("expression")
    } else if codes.iter().any(|code| (9000..9300).contains(code)) || lower.contains("content") {
        Some("values")
    } else {
        None
    };
    let error = Error::new(
        ErrorKind::Invalid,
        format!("Cloudflare refuses the request: {words}"),
    );
    match field {
        Some(field) => error
            .field(Path::key(field))
            .hint(format!("correct `{field}` in the spec")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_called_as_in_the_dashboard() {
        for (operation, name) in [
            ("GET /zones", "Zone:Read"),
            ("POST /zones", "Zone:Edit"),
            ("GET /zones/{zone}/dns_records", "DNS:Read"),
            ("POST /zones/{zone}/dns_records/batch", "DNS:Edit"),
            (
                "PATCH /zones/{zone}/settings/{setting}",
                "Zone Settings:Edit",
            ),
            (
                "PUT /zones/{zone}/rulesets/phases/x/entrypoint",
                "Single Redirect:Edit",
            ),
            ("POST /zones/{zone}/purge_cache", "Cache Purge:Purge"),
        ] {
            assert_eq!(permission(operation), name, "{operation}");
        }
    }
}

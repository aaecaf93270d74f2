//! Tokens: what they may do, and how that is refused.

use fabrik_testkit::serve::{Reply, Request};
use serde_json::json;

use super::ACCOUNT;
use super::envelope::{Refusal, ok};
use super::state::{State, Token};

pub(super) fn add(state: &mut State, value: &str, scopes: &[&str]) {
    let token = Token {
        id: state.id(),
        status: "active",
        scopes: scopes.iter().map(ToString::to_string).collect(),
        zones: None,
        of_account: false,
    };
    state.tokens.insert(value.to_owned(), token);
}

/// The token of a request, whatever its status.
fn presented<'a>(state: &'a State, request: &Request) -> Result<Option<&'a Token>, Refusal> {
    let malformed = || {
        Refusal::new(6003, "Invalid request headers")
            .chain(6111, "Invalid format for Authorization header")
    };
    let Some(header) = request.header("authorization") else {
        return Err(Refusal::new(
            9106,
            "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
        ));
    };
    let value = header.strip_prefix("Bearer ").ok_or_else(malformed)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if value.len() < 8 || !value.chars().all(fits) {
        return Err(malformed());
    }
    Ok(state.tokens.get(value))
}

/// The token of a request that may be used.
pub(super) fn of(state: &State, request: &Request) -> Result<Token, Refusal> {
    match presented(state, request)? {
        Some(token) if token.status == "active" => Ok(token.clone()),
        _ => Err(Refusal::new(9109, "Invalid access token").status(403)),
    }
}

/// Refuses what the token may not do. The service does not say what is missing.
pub(super) fn need(token: &Token, scope: &str) -> Result<(), Refusal> {
    let edit = scope.replace(":Read", ":Edit");
    if token.scopes.contains(scope) || token.scopes.contains(&edit) {
        return Ok(());
    }
    Err(Refusal::new(10000, "Authentication error").status(403))
}

/// Whether the token sees a zone.
pub(super) fn sees(token: &Token, zone: &str) -> bool {
    let named = token
        .zones
        .as_ref()
        .is_none_or(|zones| zones.contains(zone));
    named && need(token, "Zone:Read").is_ok()
}

/// `GET /user/tokens/verify` and `GET /accounts/{id}/tokens/verify`.
pub(super) fn verify(state: &State, request: &Request, account: Option<&str>) -> Reply {
    let invalid = || Refusal::new(1000, "Invalid API Token").status(401).reply();
    match presented(state, request) {
        Err(refusal) => refusal.reply(),
        Ok(None) => invalid(),
        Ok(Some(token)) if token.of_account != (account == Some(ACCOUNT)) => invalid(),
        Ok(Some(token)) => ok(&json!({"id": token.id, "status": token.status})),
    }
}

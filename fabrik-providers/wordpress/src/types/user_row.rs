//! What accounts have in common.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Verb;
use fabrik_core::value::Path;
use serde_json::{Map, Value as Json, json};

use crate::content::{Write, ids, is_open};
use crate::request::Survey;

/// Refuses a login that WordPress would change.
pub(crate) fn login(login: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || " _.-@".contains(c);
    if is_open(login) || (login.chars().all(good) && login.trim() == login && login.len() <= 60) {
        return Ok(());
    }
    Err(
        Error::new(ErrorKind::Invalid, format!("`{login}` cannot be a login"))
            .field(Path::key("login"))
            .hint("use letters, digits and `_ . - @`, at most 60"),
    )
}

/// The operation that writes an account. Only what differs from the row is sent: WordPress would
/// take further roles away, and tell people of what did not change.
pub(crate) fn write<S>(write: &Write<'_, S>, mut set: Map<String, Json>) -> Result<Json> {
    let mut op = json!({"kind": "user", "do": write.word()});
    if write.verb != Verb::Create {
        op["id"] = json!(ids::check(write.id)?);
    }
    if write.verb == Verb::Delete {
        return Ok(op);
    }
    if let Some(raw) = write.raw {
        op["expect"] = raw["hash"].clone();
        set.remove("login");
        set.retain(|field, value| match field.as_str() {
            "role" => raw["roles"] != json!([value]),
            "password" => true,
            field => raw[field] != *value,
        });
    }
    op["set"] = Json::Object(set);
    Ok(op)
}

/// The account of a login or address.
pub(crate) fn named(login: &str, email: &str, survey: &Survey) -> Option<String> {
    let mut users = survey.users.iter();
    users
        .find(|user| {
            user.login.eq_ignore_ascii_case(login) || user.email.eq_ignore_ascii_case(email)
        })
        .map(|user| user.id.clone())
}

/// The first role of a row.
pub(crate) fn role(raw: &Json) -> String {
    raw["roles"][0].as_str().unwrap_or_default().to_owned()
}

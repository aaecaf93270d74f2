//! Answers that say no.

use fabrik_core::error::{Effect, Error, ErrorKind};
use serde_json::Value as Json;

/// The longest message that is shown.
const LONGEST: usize = 2000;

/// A server's `{ok: false, msg}`.
///
/// Messages are English in version 1, and keys of translations or English in version 2; errors of
/// the database come as they are, with the whole statement. So nothing is decided by them but what
/// cannot be told otherwise, and statements are cut off: they hold what was sent, secrets included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    event: &'static str,
    text: String,
    /// A second factor is asked for (logins only).
    pub(crate) token_required: bool,
}

/// The answer to an event: the first part of the ack, or a refusal.
pub(crate) type Answer = Result<Json, Refusal>;

impl Refusal {
    /// One that nobody said.
    pub(crate) fn none() -> Refusal {
        Refusal {
            event: "",
            text: String::new(),
            token_required: false,
        }
    }

    /// Tells a refusal from an answer.
    pub(crate) fn split(event: &'static str, answer: Json) -> Answer {
        let flag = |key: &str| answer.get(key).and_then(Json::as_bool);
        if flag("tokenRequired") == Some(true) {
            return Err(Refusal {
                event,
                text: "a token is required".to_owned(),
                token_required: true,
            });
        }
        if flag("ok") != Some(false) {
            return Ok(answer);
        }
        let text = answer.get("msg").and_then(Json::as_str).unwrap_or_default();
        Err(Refusal {
            event,
            text: plain(text),
            token_required: false,
        })
    }

    /// What the server said, without statements of its database.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The database was busy: SQLite's one writer, or a pool that was used up.
    pub(crate) fn is_busy(&self) -> bool {
        [
            "SQLITE_BUSY",
            "database is locked",
            "acquiring a connection",
            "ER_LOCK",
            "ECONNREFUSED",
        ]
        .iter()
        .any(|sign| self.text.contains(sign))
    }

    /// Too many logins within a minute. Both versions say it in the same words.
    pub(crate) fn is_rate_limit(&self) -> bool {
        self.text.to_ascii_lowercase().contains("too frequent")
    }

    /// The connection has lost its login.
    pub(crate) fn is_logged_out(&self) -> bool {
        self.text.contains("not logged in")
    }

    /// A wrong one-time code rather than a wrong password. (`Invalid Token` in both versions,
    /// `authInvalidToken` in version 2.)
    pub(crate) fn is_wrong_code(&self) -> bool {
        self.text.to_ascii_lowercase().contains("token")
    }

    /// The name is taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.text.contains("UNIQUE constraint") || self.text.contains("ER_DUP_ENTRY")
    }

    /// An id refers to something that is not there.
    pub(crate) fn is_reference(&self) -> bool {
        self.text.contains("FOREIGN KEY") || self.text.contains("foreign key")
    }

    /// As an error. What was refused had no effect, unless its caller knows better.
    pub(crate) fn error(&self) -> Error {
        let said = if self.text.is_empty() {
            "no reason".to_owned()
        } else {
            format!("\"{}\"", self.text)
        };
        let error = if self.is_busy() {
            Error::new(
                ErrorKind::Unavailable,
                format!("the server's database is busy: {said}"),
            )
            .hint("it goes by itself; SQLite takes one writer at a time")
        } else if self.is_logged_out() {
            Error::new(ErrorKind::Auth, "the server has ended the login")
                .hint("run it again; when it stays so, check `username` and `password`")
        } else if self.is_reference() {
            Error::new(
                ErrorKind::Invalid,
                format!("an id refers to something the server does not have: {said}"),
            )
            .hint("refer to the resource (`${resources.NAME.id}`) rather than writing its id")
        } else if self.is_taken() {
            Error::new(ErrorKind::Conflict, format!("the name is taken: {said}"))
                .hint("choose another name, or import what is there")
        } else {
            Error::new(ErrorKind::Invalid, format!("the server refused: {said}"))
        };
        error.effect(Effect::None).operation(self.event)
    }
}

/// A message without statements. It is left as it is or left out, never cut: half a secret would
/// not be known for one when secrets are removed from it.
fn plain(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let is_statement = [
        "insert into",
        "update `",
        "delete from",
        "select ",
        " values (",
    ]
    .iter()
    .any(|sign| lower.contains(sign));
    if is_statement {
        let reason = text.rsplit_once(" - ").map(|(_, reason)| reason);
        let is_code = |reason: &&str| reason.starts_with("SQLITE_") || reason.starts_with("ER_");
        return reason
            .filter(is_code)
            .unwrap_or("an error of the database")
            .to_owned();
    }
    if text.len() > LONGEST {
        return format!("a message of {} bytes", text.len());
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(text: &str) -> Refusal {
        Refusal::split("add", json!({"ok": false, "msg": text})).unwrap_err()
    }

    #[test]
    fn statements_never_reach_an_error() {
        let text = "insert into `monitor` (`basic_auth_pass`) values ('hunter2') - SQLITE_CONSTRAINT: FOREIGN KEY constraint failed";
        let error = refusal(text).error();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(error.message().contains("FOREIGN KEY constraint failed"));
        let odd = refusal("INSERT INTO x VALUES ('hunter2')").error();
        assert!(!format!("{odd:?}").contains("hunter2"), "{odd:?}");
        let long = refusal(&format!("bad: {}hunter2", "x".repeat(3000))).error();
        assert!(long.message().contains("a message of 3012 bytes"), "{long}");
    }

    #[test]
    fn kinds_are_told_apart() {
        for (text, kind, temporary) in [
            (
                "update `monitor` set `name` = 'x' - SQLITE_BUSY: database is locked",
                ErrorKind::Unavailable,
                true,
            ),
            (
                "insert into `status_page` (`slug`) values ('a') - SQLITE_CONSTRAINT: UNIQUE constraint failed: status_page.slug",
                ErrorKind::Conflict,
                false,
            ),
            ("You are not logged in.", ErrorKind::Auth, false),
            (
                "Accepted status codes are not all strings",
                ErrorKind::Invalid,
                false,
            ),
            ("", ErrorKind::Invalid, false),
        ] {
            let error = refusal(text).error();
            assert_eq!(
                (error.kind(), error.is_temporary()),
                (kind, temporary),
                "{text}"
            );
            assert_eq!(error.effect_of(), Effect::None);
        }
        assert_eq!(Refusal::split("needSetup", json!(true)), Ok(json!(true)));
    }
}

//! What a configured provider finds when it is asked how its service is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How good something is that was looked at; each is worse than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but not well or not for long: a token that expires in three days.
    Warn,
    /// Plans or runs will fail.
    Fail,
}

/// One thing a provider looked at in [`super::Instance::examine`]: what, how it is, what to do.
/// `fabrik doctor` prints each as a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What was looked at, in a word or two: `token`, `permissions`, `version`, `clock`.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// How it is, in words: `lacks DNS:Edit`.
    pub text: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Health {
    /// Something that is as it should be.
    pub fn ok(name: impl Into<String>, text: impl Into<String>) -> Health {
        Health::new(name, Verdict::Ok, text)
    }

    /// Something that works, but not well or not for long.
    pub fn warn(name: impl Into<String>, text: impl Into<String>) -> Health {
        Health::new(name, Verdict::Warn, text)
    }

    /// Something that makes plans or runs fail.
    pub fn fail(name: impl Into<String>, text: impl Into<String>) -> Health {
        Health::new(name, Verdict::Fail, text)
    }

    /// A failed look: the error's words, causes and hint.
    pub fn error(name: impl Into<String>, error: &Error) -> Health {
        let mut text = error.to_string();
        for cause in error.causes() {
            text.push_str(": ");
            text.push_str(cause);
        }
        Health {
            hint: error.hint_text().map(str::to_owned),
            ..Health::fail(name, text)
        }
    }

    /// Permissions that are needed, and those that are there: names exactly the missing ones.
    pub fn permissions<S: AsRef<str>>(needed: &[S], missing: &[S]) -> Health {
        let list = |names: &[S]| {
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            names.join(", ")
        };
        if missing.is_empty() {
            return Health::ok("permissions", format!("has {}", list(needed)));
        }
        Health::fail("permissions", format!("lacks {}", list(missing)))
            .hint(format!("give the token: {}", list(missing)))
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Health {
        self.hint = Some(hint.into());
        self
    }

    fn new(name: impl Into<String>, verdict: Verdict, text: impl Into<String>) -> Health {
        Health {
            name: name.into(),
            verdict,
            text: text.into(),
            hint: None,
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_error_tells_its_causes_and_what_to_do() {
        let error = Error::new(ErrorKind::Unavailable, "nobody answers")
            .operation("GET /me")
            .cause("connection refused")
            .hint("is it running?");
        let health = Health::error("service", &error);
        assert_eq!(health.verdict, Verdict::Fail);
        assert_eq!(
            health.to_string(),
            "service: GET /me: nobody answers: connection refused"
        );
        assert_eq!(health.hint.as_deref(), Some("is it running?"));
    }

    #[test]
    fn the_missing_permission_is_named() {
        let fine = Health::permissions(&["read", "write"], &[]);
        assert_eq!(
            (fine.verdict, &*fine.text),
            (Verdict::Ok, "has read, write")
        );
        let lacking = Health::permissions(&["read", "write"], &["write"]);
        assert_eq!(lacking.verdict, Verdict::Fail);
        assert_eq!(lacking.text, "lacks write");
    }
}

//! Environment variables given to a process.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The value of one variable. `Debug` shows whether it is secret, never the value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvValue {
    value: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    secret: bool,
}

impl EnvValue {
    /// The text of the value.
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// Whether the value is masked in log lines that the agent hands out.
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

impl fmt::Debug for EnvValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secret {
            "<secret>"
        } else {
            "<redacted>"
        })
    }
}

/// An environment: names and values. `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Env(BTreeMap<String, EnvValue>);

impl Env {
    /// An environment without variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable whose value may be seen.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a variable whose value is masked in log lines handed out by the agent.
    #[must_use]
    pub fn with_secret(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set_secret(name, value);
        self
    }

    /// Sets a variable whose value may be seen.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(
            name.into(),
            EnvValue {
                value: value.into(),
                secret: false,
            },
        );
    }

    /// Sets a variable whose value is masked in log lines handed out by the agent.
    pub fn set_secret(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(
            name.into(),
            EnvValue {
                value: value.into(),
                secret: true,
            },
        );
    }

    /// The variables in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &EnvValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there is no variable.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same names, with secret values left out (empty).
    pub(crate) fn without_secrets(&self) -> Self {
        let mut copy = self.clone();
        for value in copy.0.values_mut().filter(|value| value.secret) {
            value.value.clear();
        }
        copy
    }

    /// Replaces every secret value of some length in `text` by `***`.
    pub(crate) fn mask(&self, text: &str) -> String {
        /// Shorter values would mask ordinary words.
        const SHORTEST: usize = 6;
        let mut masked = text.to_owned();
        for value in self
            .0
            .values()
            .filter(|value| value.secret && value.value.len() >= SHORTEST)
        {
            masked = masked.replace(&value.value, "***");
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::Env;

    #[test]
    fn debug_shows_names_and_no_values() {
        let env = Env::new()
            .with("MODE", "production")
            .with_secret("TOKEN", "hunter2-hunter2");
        let shown = format!("{env:?}");
        assert!(shown.contains("MODE") && shown.contains("TOKEN"), "{shown}");
        assert!(
            !shown.contains("production") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn masks_secret_values_only() {
        let env = Env::new()
            .with("MODE", "production")
            .with_secret("TOKEN", "hunter2-hunter2");
        assert_eq!(env.mask("production hunter2-hunter2!"), "production ***!");
    }
}

//! The provider's configuration.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::secrets::Secret;
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::Deserialize;

/// Monitors, notifications, status pages and maintenances of an Uptime Kuma server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KumaConfig {
    /// Where the browser shows Uptime Kuma: `https://status.example.com`.
    #[schemars(length(min = 1), extend("x-fabrik" = {"env": "UPTIME_KUMA_URL"}))]
    pub url: String,
    /// Who logs in.
    #[serde(default)]
    #[schemars(length(min = 1), extend("x-fabrik" = {"env": "UPTIME_KUMA_USERNAME"}))]
    pub username: Option<String>,
    /// The password.
    #[serde(default)]
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "UPTIME_KUMA_PASSWORD"}))]
    pub password: Option<Secret>,
    /// For two-factor logins: the key the authenticator app was given (base32), from which codes
    /// are made, or one six-digit code.
    #[serde(default)]
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "UPTIME_KUMA_TOTP"}))]
    pub totp: Option<Secret>,
    /// A stored login (the JWT a login gives) instead of user name and password; a changed password
    /// ends it.
    #[serde(default)]
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "UPTIME_KUMA_TOKEN"}))]
    pub token: Option<Secret>,
}

impl KumaConfig {
    /// Whether there is a way to log in.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] with the field that is missing.
    pub(crate) fn check(&self) -> Result<()> {
        let is_set = |secret: &Option<Secret>| secret.as_ref().is_some_and(|text| !text.is_empty());
        if is_set(&self.token) {
            return Ok(());
        }
        let missing = |field: &'static str, env: &str| {
            Err(
                Error::new(ErrorKind::Auth, format!("`{field}` is missing: nobody can log in"))
                    .field(Path::key(field))
                    .hint(format!(
                        "set `{field}` in the provider's configuration, for instance from the variable {env}"
                    )),
            )
        };
        if self.username.as_ref().is_none_or(String::is_empty) {
            return missing("username", "UPTIME_KUMA_USERNAME");
        }
        if !is_set(&self.password) {
            return missing("password", "UPTIME_KUMA_PASSWORD");
        }
        Ok(())
    }
}

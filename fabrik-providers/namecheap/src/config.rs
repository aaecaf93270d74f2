//! How to reach the service.

use std::collections::BTreeMap;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::secrets::Secret;
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where the API answers.
const PRODUCTION: &str = "https://api.namecheap.com";
/// Where the sandbox's does: another account, other keys, other domains.
const SANDBOX: &str = "https://api.sandbox.namecheap.com";

/// An account at Namecheap, through its API or through a proxy before it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The user whose API key it is.
    #[schemars(extend("x-fabrik" = {"env": "NAMECHEAP_API_USER"}))]
    pub api_user: Option<String>,
    /// The API key: Profile > Tools > API Access.
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "NAMECHEAP_API_KEY"}))]
    pub api_key: Option<Secret>,
    /// The user whose domains these are; `api_user` unless set.
    pub user_name: Option<String>,
    /// The IPv4 address that requests come from. It must be allow-listed at Profile > Tools > API
    /// Access. Not needed behind a proxy that adds it.
    #[schemars(extend("x-fabrik" = {"env": "NAMECHEAP_CLIENT_IP"}))]
    pub client_ip: Option<String>,
    /// Whether to use the sandbox.
    pub sandbox: bool,
    /// Another address, such as that of a proxy with an allow-listed address of its own. With or
    /// without `/xml.response` at its end.
    #[schemars(extend("x-fabrik" = {"env": "NAMECHEAP_API_URL"}))]
    pub endpoint: Option<String>,
    /// A token for that proxy, sent as `Authorization: Bearer …`.
    #[schemars(extend("x-fabrik" = {"sensitive": true}))]
    pub bearer: Option<Secret>,
    /// Further headers for that proxy.
    #[schemars(extend("x-fabrik" = {"sensitive": true}))]
    pub headers: BTreeMap<String, Secret>,
    /// Whether to write domains although they hold records that the API shows and cannot write (SRV
    /// records, dynamic DNS, those of private e-mail). These records are lost then.
    pub drop_unwritable: bool,
}

impl Config {
    /// The address that `/xml.response` is below.
    pub(crate) fn base(&self) -> String {
        let address = match (&self.endpoint, self.sandbox) {
            (Some(endpoint), _) => endpoint.trim(),
            (None, true) => SANDBOX,
            (None, false) => PRODUCTION,
        };
        let address = address.trim_end_matches('/');
        let address = address.strip_suffix("/xml.response").unwrap_or(address);
        address.trim_end_matches('/').to_owned()
    }

    /// Whether something stands before the service that may add user, key and address.
    fn is_proxied(&self) -> bool {
        self.endpoint.is_some() && (self.bearer.is_some() || !self.headers.is_empty())
    }

    /// What is missing or contradicts itself.
    ///
    /// # Errors
    /// At the field.
    pub(crate) fn check(&self) -> Result<()> {
        if self.sandbox && self.endpoint.is_some() {
            return Err(Error::new(
                ErrorKind::Invalid,
                "`sandbox` and `endpoint` exclude each other",
            )
            .field(Path::key("sandbox"))
            .hint("leave one of them out"));
        }
        if self.endpoint.is_none() && (self.bearer.is_some() || !self.headers.is_empty()) {
            return Err(Error::new(
                ErrorKind::Invalid,
                "`bearer` and `headers` are for a proxy, and there is no `endpoint`",
            )
            .field(Path::key("endpoint"))
            .hint("set `endpoint` to the proxy's address"));
        }
        if self.is_proxied() {
            return Ok(());
        }
        let filled = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let missing = |field: &'static str, env: &str, what: &str| {
            Err(Error::new(
                ErrorKind::Auth,
                format!("`{field}` of Namecheap is missing: {what}"),
            )
            .field(Path::key(field))
            .hint(format!(
                "set `{field}` (or {env}); a proxy that adds it needs `bearer` or `headers`"
            )))
        };
        if !filled(&self.api_user) {
            return missing(
                "api_user",
                "NAMECHEAP_API_USER",
                "the user whose API key it is",
            );
        }
        if self.api_key.as_ref().is_none_or(Secret::is_empty) {
            return missing("api_key", "NAMECHEAP_API_KEY", "the API key");
        }
        if !filled(&self.client_ip) {
            return missing(
                "client_ip",
                "NAMECHEAP_CLIENT_IP",
                "the IPv4 address that requests come from",
            );
        }
        Ok(())
    }
}

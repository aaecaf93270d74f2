//! The provider's configuration.

use fabrik_core::secrets::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// Zones, DNS records, settings, redirects and cache of Cloudflare, through an API token.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudflareConfig {
    /// The API's address. Change it for tests and proxies only.
    #[serde(default = "endpoint")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"same": "url"}))]
    pub endpoint: String,
    /// An API token (not the global key): made in the dashboard under "My Profile" or "Manage
    /// Account", "API Tokens".
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "CLOUDFLARE_API_TOKEN"}))]
    pub token: Secret,
    /// The account in which zones are made, by id (32 hexadecimal digits). Needed only when zones are
    /// made and the token sees none yet, or when an account owns the token.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"), extend("x-fabrik" = {"env": "CLOUDFLARE_ACCOUNT_ID"}))]
    pub account: Option<String>,
    /// Whether records carry a mark of Fabrik at the end of their comment. It tells people who made
    /// them, and finds a record again whose reply was lost.
    #[serde(default = "yes")]
    pub marks: bool,
}

fn endpoint() -> String {
    "https://api.cloudflare.com/client/v4".to_owned()
}

fn yes() -> bool {
    true
}

//! How to reach a server.

use fabrik_core::secrets::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// A PowerDNS authoritative server, through its HTTP API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the server's web server, without `/api/v1`: `http://127.0.0.1:8081`.
    #[schemars(length(min = 1))]
    pub endpoint: String,
    /// The API key: what `api-key` is set to in the server's `pdns.conf`.
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "POWERDNS_API_KEY"}))]
    pub api_key: Secret,
    /// The server's name in its API. Always `localhost`, except behind a proxy for several servers.
    #[serde(default = "localhost")]
    #[schemars(length(min = 1))]
    pub server: String,
}

fn localhost() -> String {
    "localhost".to_owned()
}

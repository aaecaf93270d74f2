//! What a spec says of Acme below `providers`.

use fabrik_core::secrets::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// Notes in folders, kept by Acme.
// The text above is what `fabrik docs acme` begins with; those below explain the fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where Acme's API is.
    #[serde(default = "endpoint")]
    pub endpoint: String,
    /// The token. Make one in Acme under Settings, Tokens, with the scopes `notes:read` and
    /// `notes:write`.
    // A `Secret` shows itself nowhere. `env` names the variable it is taken from when the spec
    // does not set it.
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "ACME_TOKEN"}))]
    pub token: Secret,
}

fn endpoint() -> String {
    "https://api.acme.example/v1".to_owned()
}

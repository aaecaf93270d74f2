//! What a spec says of Acme below `providers`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// Notes as files in a folder.
// The text above is what `fabrik docs acme` begins with; those below explain the fields. A field
// that holds a credential is a `fabrik_core::secrets::Secret`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder: one that is there.
    // The variable it is taken from when the spec does not set it.
    #[schemars(extend("x-fabrik" = {"env": "ACME_FOLDER"}))]
    pub folder: PathBuf,
}

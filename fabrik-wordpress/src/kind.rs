//! `kind: wordpress`.

use fabrik_core::error::Result;
use fabrik_core::role::{Component, ComponentCx, ComponentOut};
use fabrik_core::value::Value;
use serde_json::Value as Json;

use crate::{expand, normalise, schema};

/// `kind: wordpress`: a site, from its look to its last page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wordpress;

impl Component for Wordpress {
    fn kind(&self) -> &'static str {
        "wordpress"
    }

    fn schema(&self) -> Json {
        schema::block()
    }

    fn normalise(&self, block: Value) -> Value {
        normalise::block(block)
    }

    fn expand(&self, block: &Value, cx: &mut dyn ComponentCx) -> Result<ComponentOut> {
        expand::expand(block, cx)
    }
}

//! Ways to a site.

mod cli;
pub(crate) mod rest;

use async_trait::async_trait;
use fabrik_core::error::Result;
use fabrik_core::provider::Cx;

pub use cli::Cli;
pub use rest::Rest as RestApi;

use crate::request::{Reply, Request};

/// A way to a site. It carries a request there and the reply back; what to write is decided before.
///
/// *Behaviour*
/// - A refusal by the site is a [`Reply`] that is not `ok`; an error is for what came between.
/// - An error of a request that writes states its effect; where that is unknown, the caller sends a
///   request with [`Request::void`], which finds out.
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    /// Sends a request.
    async fn call(&self, cx: &Cx, request: &Request) -> Result<Reply>;

    /// What it is, for messages: `WP-CLI on this machine`.
    fn name(&self) -> String;

    /// The shell behind it, for what is no content: plugins, themes, files.
    fn cli(&self) -> Option<&Cli> {
        None
    }
}

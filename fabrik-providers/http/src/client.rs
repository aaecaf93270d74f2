//! The client.

use std::sync::Arc;

use fabrik_core::error::Result;
use fabrik_core::provider::Cx;
use http::Method;

use crate::clocks::Clocks;
use crate::config::HttpConfig;
use crate::layers;
use crate::request::Request;
use crate::transport::{Transport, Wire};

/// A client of one service. Cheap to clone; clones share connections, budget and slots.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: HttpConfig,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clocks: Arc<Clocks>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.0.config).finish()
    }
}

impl Client {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// When a certificate of [`HttpConfig::root_certificate`] cannot be read.
    pub fn new(config: HttpConfig) -> Result<Client> {
        let wire = Arc::new(Wire::new(&config)?);
        Ok(Client::over(config, wire))
    }

    /// A client whose requests are sent by something else: an embedder's own HTTP client, a test.
    /// All layers but the wire remain.
    pub fn over(config: HttpConfig, wire: Arc<dyn Transport>) -> Client {
        let clocks = Arc::new(Clocks::default());
        let transport = layers::around(&config, wire, clocks.clone());
        Client(Arc::new(Inner {
            config,
            transport,
            clocks,
        }))
    }

    /// The address its routes are below.
    pub fn base(&self) -> &str {
        self.0.config.base.as_str()
    }

    /// A request of any method. `route` is a template such as `/zones/{zone}`.
    pub fn request<'a>(&'a self, cx: &'a Cx, method: Method, route: &'a str) -> Request<'a> {
        Request::new(self, cx, method, route)
    }

    /// A GET request.
    pub fn get<'a>(&'a self, cx: &'a Cx, route: &'a str) -> Request<'a> {
        self.request(cx, Method::GET, route)
    }

    /// A POST request.
    pub fn post<'a>(&'a self, cx: &'a Cx, route: &'a str) -> Request<'a> {
        self.request(cx, Method::POST, route)
    }

    /// A PUT request.
    pub fn put<'a>(&'a self, cx: &'a Cx, route: &'a str) -> Request<'a> {
        self.request(cx, Method::PUT, route)
    }

    /// A PATCH request. Like POST, it is not repeated unless [`Request::idempotent`] says so.
    pub fn patch<'a>(&'a self, cx: &'a Cx, route: &'a str) -> Request<'a> {
        self.request(cx, Method::PATCH, route)
    }

    /// A DELETE request.
    pub fn delete<'a>(&'a self, cx: &'a Cx, route: &'a str) -> Request<'a> {
        self.request(cx, Method::DELETE, route)
    }
}

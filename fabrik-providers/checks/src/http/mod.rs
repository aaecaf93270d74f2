//! `http`: a URL answers as expected.

mod exchange;
mod expect;
mod spec;

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::provider::Cx;
use fabrik_core::verify::{CheckFailure, Checker};
use serde_json::Value as Json;

use crate::field;
use crate::network::Network;
use crate::trust::Trust;

use exchange::Exchange;
use spec::Spec;

/// The checker of `http`.
pub(crate) struct Http {
    trust: Arc<Trust>,
    network: Arc<Network>,
    user_agent: String,
}

impl Http {
    pub(crate) fn new(trust: Arc<Trust>, network: Arc<Network>, user_agent: String) -> Http {
        Http {
            trust,
            network,
            user_agent,
        }
    }
}

#[async_trait]
impl Checker for Http {
    fn kind(&self) -> &'static str {
        "http"
    }

    fn schema(&self) -> Json {
        field::schema::<Spec>()
    }

    fn subject(&self) -> Option<&'static str> {
        Some("url")
    }

    async fn check(&self, cx: &Cx, spec: &Json) -> Result<String, CheckFailure> {
        let spec: Spec = field::spec("http", spec)?;
        let start = cx.clock().now();
        let answer = Exchange::new(&spec, &self.trust, &self.network, &self.user_agent, cx)?
            .run()
            .await?;
        expect::judge(&spec, &answer)?;
        let took = cx.clock().now().duration_since(start).as_millis();
        Ok(format!("{} in {took} ms", answer.title()))
    }
}

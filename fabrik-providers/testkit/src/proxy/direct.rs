//! No TCP: the proxy sits between the engine and the provider's instance.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::{
    Cx, Instance, Keys, Located, LogLine, LogOptions, Object, Operation, Outcome, Planned,
    Proposal, Provider, ProviderInfo, ReadRequest,
};
use fabrik_core::role::Player;
use fabrik_core::value::Value;

use super::hub::{Hub, Met};
use super::rules::Exchange;

pub(super) fn wrap(hub: Arc<Hub>, provider: Arc<dyn Provider>) -> Arc<dyn Provider> {
    Arc::new(Between { hub, provider })
}

struct Between {
    hub: Arc<Hub>,
    provider: Arc<dyn Provider>,
}

#[async_trait]
impl Provider for Between {
    fn info(&self) -> &ProviderInfo {
        self.provider.info()
    }

    async fn open(&self, cx: &Cx, config: &Value) -> Result<Arc<dyn Instance>> {
        let instance = self.provider.open(cx, config).await?;
        Ok(Arc::new(Guarded {
            hub: self.hub.clone(),
            instance,
        }))
    }

    fn players(&self) -> Vec<Arc<dyn Player>> {
        self.provider.players()
    }
}

struct Guarded {
    hub: Arc<Hub>,
    instance: Arc<dyn Instance>,
}

impl Guarded {
    /// One call, with the fault it meets. The error is what a transport would give.
    async fn call<A: Send + 'static>(
        &self,
        kind: &str,
        path: &str,
        write: bool,
        call: impl Future<Output = A> + Send + 'static,
    ) -> Result<A> {
        let exchange = Exchange {
            number: 0,
            connection: 1,
            kind: kind.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            write,
            status: None,
            fault: None,
        };
        let (ticket, fault) = self.hub.begin(exchange);
        let lost = || {
            Error::new(ErrorKind::Unavailable, "the reply was lost (injected)")
                .effect(Effect::Unknown)
        };
        match self.hub.carry(fault, Box::pin(call)).await {
            Met::Answer(answer) => {
                ticket.answered(200);
                Ok(answer)
            }
            Met::Instead(answer) => {
                ticket.answered(answer.status);
                let refused = (400..500).contains(&answer.status);
                Err(if refused {
                    Error::new(ErrorKind::Invalid, "refused (injected)").effect(Effect::None)
                } else {
                    lost()
                })
            }
            Met::Part(..) | Met::Stale | Met::Cut => Err(lost()),
        }
    }
}

#[async_trait]
impl Instance for Guarded {
    fn facts(&self) -> Value {
        self.instance.facts()
    }

    fn keys(&self, type_name: &str, inputs: &Value) -> Keys {
        self.instance.keys(type_name, inputs)
    }

    fn upgrade(&self, type_name: &str, from: u32, stored: Object) -> Result<Object> {
        self.instance.upgrade(type_name, from, stored)
    }

    async fn plan(&self, cx: &Cx, proposal: Proposal<'_>) -> Result<Planned> {
        // It borrows, so it has no task of its own; it changes nothing either.
        self.instance.plan(cx, proposal).await
    }

    async fn read(&self, cx: &Cx, group: &[ReadRequest]) -> Vec<Result<Option<Object>>> {
        let path = group
            .first()
            .map_or("", |request| &*request.type_name)
            .to_owned();
        let (instance, cx, asked) = (self.instance.clone(), cx.clone(), group.to_vec());
        let call = async move { instance.read(&cx, &asked).await };
        match self.call("read", &path, false, call).await {
            Ok(answers) => answers,
            Err(error) => group.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn apply(&self, cx: &Cx, call: &[Operation]) -> Vec<Outcome> {
        let path = call.first().map_or_else(String::new, |operation| {
            format!("{} {}", operation.verb.word(), operation.type_name)
        });
        let (instance, cx, asked) = (self.instance.clone(), cx.clone(), call.to_vec());
        let work = async move { instance.apply(&cx, &asked).await };
        match self.call("apply", &path, true, work).await {
            Ok(outcomes) => outcomes,
            Err(error) => call
                .iter()
                .map(|_| Outcome::Failed(error.clone()))
                .collect(),
        }
    }

    async fn locate(&self, cx: &Cx, call: &[Operation]) -> Vec<Result<Located>> {
        let path = call
            .first()
            .map_or("", |operation| &*operation.type_name)
            .to_owned();
        let (instance, cx, asked) = (self.instance.clone(), cx.clone(), call.to_vec());
        let work = async move { instance.locate(&cx, &asked).await };
        match self.call("locate", &path, false, work).await {
            Ok(found) => found,
            Err(error) => call.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn lookup(&self, cx: &Cx, type_name: &str, inputs: &Value) -> Result<Object> {
        let (instance, cx) = (self.instance.clone(), cx.clone());
        let (name, inputs) = (type_name.to_owned(), inputs.clone());
        let work = async move { instance.lookup(&cx, &name, &inputs).await };
        self.call("lookup", type_name, false, work).await?
    }

    async fn list(&self, cx: &Cx, type_name: &str) -> Result<Vec<Object>> {
        let (instance, cx, name) = (self.instance.clone(), cx.clone(), type_name.to_owned());
        let work = async move { instance.list(&cx, &name).await };
        self.call("list", type_name, false, work).await?
    }

    async fn logs(
        &self,
        cx: &Cx,
        request: &ReadRequest,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        self.instance.logs(cx, request, options).await
    }

    async fn close(&self) {
        self.instance.close().await;
    }
}

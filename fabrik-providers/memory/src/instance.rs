//! A configured provider: from the engine's lists of operations to requests of the cloud.

use async_trait::async_trait;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::{
    Cx, Health, Instance, Keys, Located, LogLine, LogOptions, Object, Operation, Outcome,
    ReadRequest, Verb,
};
use fabrik_core::value::Value;

use crate::cloud::PERMISSIONS;
use crate::link::{Link, unexpected};
use crate::ops::{blob, group, null, single};
use crate::protocol::{Answer, Ask, Query, Thing, Write, Written};
use crate::types;

pub(crate) struct MemoryInstance {
    pub(crate) link: Link,
    pub(crate) account: String,
}

impl MemoryInstance {
    /// Things that a query finds.
    pub(crate) async fn find(&self, query: Query) -> Result<Vec<Option<Thing>>> {
        let account = self.account.clone();
        match self.link.ask(Ask::Read { account, query }).await? {
            Answer::Things(things) => Ok(things),
            other => Err(unexpected(other)),
        }
    }

    /// Changes things in one request.
    pub(crate) async fn write(
        &self,
        call: Vec<Write>,
        atomic: bool,
        group: Option<String>,
    ) -> Result<Vec<Written>> {
        let (account, members) = (self.account.clone(), call.len());
        let ask = Ask::Write {
            account,
            call,
            atomic,
            group,
        };
        match self.link.ask(ask).await? {
            Answer::Written(written) if written.len() == members => Ok(written),
            other => Err(unexpected(other).effect(Effect::Unknown)),
        }
    }

    /// Changes one thing.
    pub(crate) async fn write_one(&self, write: Write) -> Result<Option<Thing>> {
        match self.write(vec![write], false, None).await?.pop() {
            Some(Written::Done(thing)) => Ok(Some(*thing)),
            Some(Written::Gone) => Ok(None),
            Some(Written::Failed(report)) => Err(Error::from(report.as_ref())),
            Some(Written::NotDone) | None => Err(Error::new(
                ErrorKind::Misbehaved,
                "the cloud left a request out",
            )),
        }
    }
}

#[async_trait]
impl Instance for MemoryInstance {
    fn facts(&self) -> Value {
        Value::map([("account", Value::from(self.account.as_str()))])
    }

    async fn examine(&self, _: &Cx) -> Vec<Health> {
        let needed = PERMISSIONS.map(str::to_owned);
        match self.link.ask(Ask::Examine {}).await {
            Ok(Answer::Lacks(missing)) => vec![
                Health::ok("service", "answers"),
                Health::permissions(&needed, &missing),
            ],
            Ok(other) => vec![Health::error("service", &unexpected(other))],
            Err(error) => vec![Health::error("service", &error)],
        }
    }

    fn keys(&self, type_name: &str, inputs: &Value) -> Keys {
        types::keys(type_name, inputs)
    }

    async fn read(&self, _: &Cx, group: &[ReadRequest]) -> Vec<Result<Option<Object>>> {
        if group
            .iter()
            .all(|request| &*request.type_name == "memory.null")
        {
            return group
                .iter()
                .map(|request| Ok(Some(null::read(request))))
                .collect();
        }
        group::read(self, group).await
    }

    async fn apply(&self, cx: &Cx, call: &[Operation]) -> Vec<Outcome> {
        let Some(first) = call.first() else {
            return Vec::new();
        };
        let kind = &*first.type_name;
        if types::group_field(kind).is_some() || kind == "memory.batch" {
            return group::apply(self, call).await;
        }
        let mut outcomes = Vec::with_capacity(call.len());
        for operation in call {
            let cx = cx.for_op(operation.op);
            let outcome = match (kind, operation.verb) {
                ("memory.null", _) => Ok(null::apply(operation)),
                ("memory.blob", Verb::Create) => blob::create(self, &cx, operation).await,
                _ => single::apply(self, operation).await,
            };
            outcomes.push(outcome.unwrap_or_else(Outcome::Failed));
        }
        outcomes
    }

    async fn locate(&self, cx: &Cx, call: &[Operation]) -> Vec<Result<Located>> {
        let mut found = Vec::with_capacity(call.len());
        for operation in call {
            found.push(match &*operation.type_name {
                "memory.blob" => blob::locate(self, &cx.for_op(operation.op), operation).await,
                "memory.null" => Ok(Located::Absent),
                _ => single::locate(self, operation).await,
            });
        }
        found
    }

    async fn lookup(&self, _: &Cx, type_name: &str, inputs: &Value) -> Result<Object> {
        single::lookup(self, type_name, inputs).await
    }

    async fn list(&self, _: &Cx, type_name: &str) -> Result<Vec<Object>> {
        let kind = type_name.to_owned();
        let found = self.find(Query::Of { kind, field: None }).await?;
        Ok(found
            .into_iter()
            .flatten()
            .map(|thing| single::object(&thing))
            .collect())
    }

    async fn logs(
        &self,
        _: &Cx,
        request: &ReadRequest,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        let ids = Query::Ids(vec![request.prior.id.clone()]);
        let Some(thing) = self.find(ids).await?.pop().flatten() else {
            let message = format!("there is no `{}`", request.prior.id);
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        // One line for each change.
        let from: u64 = options
            .after
            .as_deref()
            .and_then(|at| at.parse().ok())
            .unwrap_or(0);
        let lines = (from + 1..=thing.rev).map(|rev| LogLine {
            stream: "log".to_owned(),
            text: format!("revision {rev} of {}", thing.id),
            cursor: rev.to_string(),
        });
        let lines: Vec<LogLine> = lines.collect();
        let skip = options
            .tail
            .map_or(0, |tail| lines.len().saturating_sub(tail));
        Ok(lines.into_iter().skip(skip).collect())
    }
}

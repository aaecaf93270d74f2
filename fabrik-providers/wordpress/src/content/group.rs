//! All content in one call.

use async_trait::async_trait;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::Groups;
use fabrik_core::provider::{Cx, Object, OpId, Operation, Outcome, ReadRequest, Verb};
use fabrik_core::value::Value;
use serde_json::{Value as Json, json};

use super::{AnyContent, Kept, links, values};
use crate::request::Request;
use crate::site::{Failure, Site};

/// How often a write is decided anew because somebody wrote meanwhile.
const TRIES: usize = 3;

/// Reads and writes content of all types in one call.
pub(crate) struct Together(pub(crate) Vec<Box<dyn AnyContent>>);

/// A member of a call, ready to be sent.
struct Member<'a> {
    content: &'a dyn AnyContent,
    inputs: Value,
    op: Json,
    former: Kept,
}

impl Together {
    fn content(&self, type_name: &str) -> Result<&dyn AnyContent> {
        let found = self
            .0
            .iter()
            .find(|content| content.type_name() == type_name);
        found.map(|content| &**content).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("`{type_name}` is no type of content"),
            )
        })
    }

    /// What is there now of objects that are about to be changed: from the look before the write, or
    /// from one of its own.
    async fn rows(
        &self,
        cx: &Cx,
        site: &Site,
        call: &[Operation],
        again: bool,
    ) -> Result<Vec<Option<Json>>> {
        let mut rows: Vec<Option<Json>> = call.iter().map(|_| None).collect();
        let mut asked = Vec::new();
        let mut ops = Vec::new();
        for (at, operation) in call.iter().enumerate() {
            let content = self.content(&operation.type_name)?;
            if operation.verb != Verb::Update || !content.looks() {
                continue;
            }
            let seen = operation.observed.as_ref().filter(|_| !again);
            rows[at] = seen.and_then(|object| Kept::read(&object.private).raw);
            if rows[at].is_none() {
                let prior = operation.prior.as_ref().map(|prior| &prior.inputs);
                ops.push(content.read(operation.id()?, prior.unwrap_or(&Value::Null))?);
                asked.push(at);
            }
        }
        if !ops.is_empty() {
            let found = site.read(cx, ops).await?;
            for (at, row) in asked.into_iter().zip(found) {
                rows[at] = Some(row).filter(|row| !row.is_null());
            }
        }
        Ok(rows)
    }

    fn member(
        &self,
        at: usize,
        call: &[Operation],
        row: Option<&Json>,
        nonce: &str,
    ) -> Result<Member<'_>> {
        let operation = &call[at];
        let content = self.content(&operation.type_name)?;
        let inputs = links::inputs(at, call, nonce)?;
        if operation.verb == Verb::Update && content.looks() && row.is_none() {
            let id = operation.id()?;
            return Err(Error::new(ErrorKind::NotFound, format!("`{id}` is gone")));
        }
        let mut op = content.write(operation, &inputs, row)?;
        op["op"] = json!(operation.op.to_string());
        if let Some(undone) = operation.undoes {
            op["undoes"] = json!(undone.to_string());
        }
        let former = operation.prior.as_ref();
        Ok(Member {
            content,
            inputs,
            op,
            former: former.map_or_else(Kept::default, |prior| Kept::read(&prior.private)),
        })
    }

    async fn attempt(
        &self,
        cx: &Cx,
        site: &Site,
        call: &[Operation],
        again: bool,
    ) -> Result<Vec<Outcome>, Failure> {
        let rows = self.rows(cx, site, call, again).await?;
        let mut request = Request::write(Vec::new())?;
        let mut members = Vec::with_capacity(call.len());
        for (at, row) in rows.iter().enumerate() {
            let member = self.member(at, call, row.as_ref(), &request.nonce);
            members.push(member.map_err(|error| Failure {
                at: Some(at),
                error: error.effect(Effect::None),
                changed: false,
            })?);
        }
        request.ops = members.iter().map(|member| member.op.clone()).collect();
        let secrets = members
            .iter()
            .flat_map(|member| member.content.secrets(&member.inputs))
            .collect();
        let ops: Vec<OpId> = call.iter().map(|operation| operation.op).collect();
        let nonce = request.nonce.clone();
        let results = site.write(cx, request, &ops, secrets).await?;
        Ok(call
            .iter()
            .zip(&members)
            .zip(&results)
            .map(|((operation, member), result)| {
                outcome(operation, member, result, &results, &nonce).unwrap_or_else(Outcome::Failed)
            })
            .collect())
    }
}

fn outcome(
    operation: &Operation,
    member: &Member<'_>,
    result: &Json,
    results: &[Json],
    nonce: &str,
) -> Result<Outcome> {
    if operation.verb == Verb::Delete {
        return Ok(Outcome::Gone);
    }
    let inputs = links::filled(&member.inputs, results, nonce);
    Ok(Outcome::Done(Object {
        id: super::ids::of(result),
        outputs: member.content.outputs(result, &inputs)?,
        inputs,
        hidden: Vec::new(),
        private: Kept::after(result, &member.former, &values::sent(&member.op)).bytes(),
    }))
}

#[async_trait]
impl Groups<Site> for Together {
    fn takes(&self, type_name: &str) -> bool {
        self.content(type_name)
            .is_ok_and(|content| !content.apart())
    }

    fn reads(&self, type_name: &str) -> bool {
        self.content(type_name).is_ok()
    }

    async fn read(
        &self,
        cx: &Cx,
        site: &Site,
        group: &[ReadRequest],
    ) -> Vec<Result<Option<Object>>> {
        let mut answers: Vec<Result<Option<Object>>> = group.iter().map(|_| Ok(None)).collect();
        let (mut asked, mut ops) = (Vec::new(), Vec::new());
        for (at, request) in group.iter().enumerate() {
            let content = self.content(&request.type_name);
            match content.and_then(|content| content.read(&request.prior.id, &request.prior.inputs))
            {
                Ok(op) => {
                    asked.push(at);
                    ops.push(op);
                }
                Err(error) => answers[at] = Err(error),
            }
        }
        if ops.is_empty() {
            return answers;
        }
        match site.read(cx, ops).await {
            Ok(rows) => {
                for (at, row) in asked.into_iter().zip(rows) {
                    if row.is_null() {
                        continue;
                    }
                    let request = &group[at];
                    answers[at] = self
                        .content(&request.type_name)
                        .and_then(|content| content.object(&row, &request.prior.inputs))
                        .map(Some);
                }
            }
            Err(error) => asked
                .into_iter()
                .for_each(|at| answers[at] = Err(error.clone())),
        }
        answers
    }

    async fn apply(&self, cx: &Cx, site: &Site, call: &[Operation]) -> Vec<Outcome> {
        let mut tries = 0;
        let failure = loop {
            match self.attempt(cx, site, call, tries > 0).await {
                Ok(outcomes) => return outcomes,
                Err(failure) => {
                    tries += 1;
                    if !failure.changed || tries == TRIES {
                        break failure;
                    }
                }
            }
        };
        let Failure { at, error, .. } = failure;
        (0..call.len())
            .map(|member| {
                if at.is_none_or(|at| at == member) {
                    Outcome::Failed(error.clone())
                } else {
                    Outcome::NotDone
                }
            })
            .collect()
    }
}

//! Planning: read state, open providers, look at what is there, decide.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Engine, PlanOptions, Refresh};
use crate::apply::Emitter;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::index::Index;
use crate::plan::planner::{Planner, assemble};
use crate::plan::refresh::refresh;
use crate::plan::{Plan, SecretUse, steps};
use crate::provider::{Cx, StopSignal};
use crate::session::{Known, KnownObject, Session};
use crate::stack::Stack;
use crate::state::{Revision, Row, RowStatus, RunKind, Snapshot};
use crate::value::share::Quick;

/// From how many resources on work that can be done beside other work is.
const MANY: usize = 4096;

impl Engine {
    /// Plans: shows what applying would do. Changes nothing anywhere.
    ///
    /// Behaviour:
    /// - an unchanged stack whose services are as they were gives an empty plan;
    /// - what applying the plan does is what it shows, or less; more stops the run;
    /// - findings that would make it fail half-way are in [`Plan::findings`].
    ///
    /// # Errors
    /// Of state, of providers that cannot be reached, and [`ErrorKind::Invalid`] for references
    /// that wait for each other.
    pub async fn plan(&self, stack: Arc<Stack>, options: &PlanOptions) -> Result<Plan> {
        let snapshot = self.0.store.load().await?;
        self.plan_from(stack, &snapshot, options).await
    }

    /// Plans to bring back what was declared at an earlier revision. Secrets, checks, outputs and
    /// provider configurations are those of `current`.
    ///
    /// # Errors
    /// As [`Engine::plan`], and [`ErrorKind::NotFound`] for a revision that never was.
    pub async fn plan_rollback(
        &self,
        revision: Revision,
        current: Arc<Stack>,
        options: &PlanOptions,
    ) -> Result<Plan> {
        let snapshot = self.0.store.load().await?;
        let mut stack = current.as_ref().clone();
        stack.resources = self.0.store.declared_at(revision).await?;
        stack.moved.clear();
        let names: Vec<Arc<str>> = stack
            .resources
            .values()
            .map(|declared| declared.instance.clone())
            .collect();
        for name in names {
            stack.use_instance(&name);
        }
        stack.outputs.retain(|_, value| {
            crate::expr::references(value)
                .iter()
                .all(|reference| match &reference.target {
                    crate::expr::Target::Resource(address) => stack.resources.contains_key(address),
                    _ => true,
                })
        });
        let options = PlanOptions {
            note: options
                .note
                .clone()
                .or_else(|| Some(format!("back to revision {revision}"))),
            ..options.clone()
        };
        let mut plan = self.plan_from(Arc::new(stack), &snapshot, &options).await?;
        plan.kind = RunKind::Rollback;
        Ok(plan)
    }

    async fn plan_from(
        &self,
        stack: Arc<Stack>,
        snapshot: &Snapshot,
        options: &PlanOptions,
    ) -> Result<Plan> {
        let stop = options.stop.clone().unwrap_or_else(StopSignal::never);
        let cx = Cx::new(self.0.clock.clone(), stop);
        let configs = self.configs(&stack, snapshot);
        let mut session = Session::new(self.0.clone(), cx, configs);
        let result = self
            .plan_with(&mut session, &stack, snapshot, options)
            .await;
        session.close().await;
        result
    }

    async fn plan_with(
        &self,
        session: &mut Session,
        stack: &Arc<Stack>,
        snapshot: &Snapshot,
        options: &PlanOptions,
    ) -> Result<Plan> {
        let mut names: BTreeSet<Arc<str>> = BTreeSet::new();
        let index = Index::new(stack, &mut |declared| {
            if !names.contains(&declared.instance) {
                names.insert(declared.instance.clone());
            }
            session
                .type_info(&declared.type_name)
                .map(drop)
                .map_err(|error| error.operation(declared.address.to_string()))
        })?;
        let digest = self.digest_beside(stack);
        let mut known = self.known(stack, snapshot).await?;
        // Configurations may refer to what state knows.
        for row in snapshot
            .rows
            .iter()
            .filter(|row| row.status == RowStatus::Current)
        {
            self.0.redactor.learn(&row.object.inputs);
            self.0.redactor.learn(&row.object.outputs);
            known.objects.insert(
                row.address.clone(),
                KnownObject::settled(row.object.clone()),
            );
        }
        names.extend(snapshot.rows.iter().map(|row| row.instance.clone()));
        session.open(names, &known).await?;
        let snapshot = &self.upgraded(snapshot, session)?;

        let rows = self.rows_to_read(stack, snapshot, options, &known)?;
        let emitter = Emitter::new(self.0.clone(), options.events.clone());
        let observed = refresh(session, &rows, &|body| emitter.emit(body)).await?;
        let read = observed.len();

        let secrets = self.secret_uses(stack, snapshot)?;
        let known = Known {
            objects: std::collections::HashMap::with_capacity_and_hasher(
                stack.resources.len(),
                Quick::default(),
            ),
            ..known
        };
        let mut planner = Planner {
            session,
            stack,
            index: &index,
            snapshot,
            observed,
            options,
            known,
        };
        let changes = planner.run().await?;
        let spec = digest.await?;
        let mut plan = assemble(&planner, changes, spec, read);
        plan.secrets = secrets;
        let Planner { session, .. } = planner;
        steps::build(&mut plan, snapshot, session, &index)?;
        Ok(plan)
    }

    /// The digest of what the stack declares; of much it is made on another thread, while planning
    /// goes on.
    fn digest_beside(&self, stack: &Arc<Stack>) -> impl Future<Output = Result<String>> + use<> {
        let (engine, stack) = (self.clone(), stack.clone());
        let many = stack.resources.len() >= MANY;
        let beside = many.then(|| {
            let (engine, stack) = (engine.clone(), stack.clone());
            tokio::task::spawn_blocking(move || engine.spec_digest(&stack))
        });
        async move {
            match beside {
                Some(beside) => beside
                    .await
                    .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?,
                None => engine.spec_digest(&stack),
            }
        }
    }

    fn secret_uses(&self, stack: &Stack, snapshot: &Snapshot) -> Result<Vec<SecretUse>> {
        let found = self.find_secrets(stack, snapshot)?;
        let uses = found.into_iter().map(|(name, secret)| SecretUse {
            name,
            origin: secret.origin.to_string(),
        });
        Ok(uses.collect())
    }

    /// Rows stored by older versions of their types, brought up to date.
    pub(crate) fn upgraded(&self, snapshot: &Snapshot, session: &Session) -> Result<Snapshot> {
        let old = |row: &Row| {
            session
                .type_info(&row.type_name)
                .is_ok_and(|info| info.version != row.version)
        };
        let mut snapshot = snapshot.clone();
        if !snapshot.rows.iter().any(old) {
            return Ok(snapshot);
        }
        let rows: Vec<Row> = snapshot
            .rows
            .iter()
            .filter(|row| old(row))
            .cloned()
            .collect();
        for mut row in rows {
            let info = session.type_info(&row.type_name)?;
            if row.version > info.version {
                return Err(Error::new(
                    ErrorKind::Newer,
                    format!(
                        "{} was stored by a newer `{}` (version {}, this program has {})",
                        row.address, row.type_name, row.version, info.version
                    ),
                )
                .hint("use the newer program"));
            }
            let opened = session.instance(&row.instance)?;
            row.object =
                opened
                    .instance
                    .upgrade(&row.type_name, row.version, row.object.clone())?;
            row.version = info.version;
            snapshot.rows.put(row);
        }
        Ok(snapshot)
    }

    fn rows_to_read<'a>(
        &self,
        stack: &Stack,
        snapshot: &'a Snapshot,
        options: &PlanOptions,
        known: &Known,
    ) -> Result<Vec<&'a Row>> {
        let readable = |row: &Row| {
            !row.object.id.is_empty()
                && matches!(row.status, RowStatus::Current | RowStatus::Retired)
                && self
                    .0
                    .registry
                    .type_info(&row.type_name)
                    .is_ok_and(|info| info.mode == crate::provider::Mode::Managed)
        };
        match options.refresh {
            Refresh::None => Ok(Vec::new()),
            Refresh::All => Ok(snapshot.rows.iter().filter(|row| readable(row)).collect()),
            Refresh::Changed => {
                let mut rows = Vec::new();
                for row in snapshot.rows.iter().filter(|row| readable(row)) {
                    let same = match stack.resources.get(&row.address) {
                        Some(declared) => known.resolve(&declared.inputs)? == row.object.inputs,
                        None => false,
                    };
                    if !same || options.destroy {
                        rows.push(row);
                    }
                }
                Ok(rows)
            }
        }
    }
}

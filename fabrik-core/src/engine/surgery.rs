//! Changes of state alone: import, move, remove, secrets; each a run of its own in history. While a
//! run is open, what it left in doubt can be settled, as part of that run.

use std::sync::Arc;

use super::Engine;
use crate::address::Address;
use crate::apply::{Emitter, Journal};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{Cx, LogLine, LogOptions, Object, OpId, ReadRequest, StopSignal};
use crate::session::{KnownObject, Session};
use crate::stack::{Declared, Stack};
use crate::state::{
    Change, EntryKind, Lease, Row, RowStatus, RunEnd, RunKind, RunResult, RunStart, Snapshot,
};
use crate::value::Value;

/// What a surgery does: its entries, and addresses whose declaration changes.
type Cuts = (Vec<(EntryKind, Vec<Change>)>, Vec<Address>);

impl Engine {
    /// Takes an existing object into state under an address that the stack declares. The next plan
    /// shows where it differs.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown address or id, [`ErrorKind::Conflict`] when the address
    /// has an object already.
    pub async fn import(&self, stack: Arc<Stack>, address: &Address, id: &str) -> Result<Row> {
        let declared = declared(&stack, address)?;
        let snapshot = self.0.store.load().await?;
        let mut session = self
            .session_of(&stack, &snapshot, &declared.instance)
            .await?;
        let info = session.type_info(&declared.type_name)?.clone();
        let request = ReadRequest {
            address: address.clone(),
            type_name: declared.type_name.clone(),
            prior: Object {
                id: id.to_owned(),
                ..Default::default()
            },
        };
        let instance = session.instance(&declared.instance)?.instance.clone();
        let answers =
            crate::session::catch(instance.read(&session.cx, std::slice::from_ref(&request)))
                .await
                .ok_or_else(crate::session::panicked)?;
        let found = answers
            .into_iter()
            .next()
            .unwrap_or(Ok(None))
            .map_err(|error| session.clean(error))?;
        let object = found.ok_or_else(|| {
            let message = format!("there is no `{}` with id `{id}`", declared.type_name);
            let error = Error::new(ErrorKind::NotFound, message);
            match &*info.import_id {
                "" => error,
                shape => error.hint(format!("its ids have the shape `{shape}`")),
            }
        })?;
        let object = session.mark(&info, object, &Value::Null);
        session.close().await;
        let row = Row {
            oid: OpId(self.0.entropy.id()?),
            address: address.clone(),
            type_name: declared.type_name.clone(),
            version: info.version,
            instance: declared.instance.clone(),
            status: RowStatus::Current,
            declared: None,
            object,
            deps: crate::plan::planner::dependencies_with_instance(declared, &stack),
            options: declared.options.clone(),
            adopted: true,
            triggered_by: None,
        };
        let instances = self.config_changes(&stack);
        let put = row.clone();
        self.surgery(&format!("import {address} {id}"), move |snapshot| {
            let mut changes = instances;
            for old in snapshot
                .rows
                .iter()
                .filter(|old| old.address == put.address)
            {
                match old.status {
                    RowStatus::Current => {
                        return Err(Error::new(
                            ErrorKind::Conflict,
                            format!("{} has an object already: `{}`", put.address, old.object.id),
                        )
                        .hint(format!("`fabrik state rm {}` forgets it", put.address)));
                    }
                    // The user found what was in doubt.
                    RowStatus::Unsure => changes.push(Change::Remove(old.oid)),
                    _ => {}
                }
            }
            changes.push(Change::Put(Box::new(put.clone())));
            let kind = EntryKind::State {
                address: put.address.clone(),
                what: "imported".into(),
                before: None,
            };
            Ok((vec![(kind, changes)], vec![put.address.clone()]))
        })
        .await?;
        Ok(row)
    }

    /// What the service has of an address's type and this stack does not: what can be imported.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown address, [`ErrorKind::Unsupported`] when the type
    /// cannot be listed.
    pub async fn importable(&self, stack: Arc<Stack>, address: &Address) -> Result<Vec<Object>> {
        let declared = declared(&stack, address)?;
        let snapshot = self.0.store.load().await?;
        let mut session = self
            .session_of(&stack, &snapshot, &declared.instance)
            .await?;
        let info = session.type_info(&declared.type_name)?.clone();
        let instance = session.instance(&declared.instance)?.instance.clone();
        let listed = crate::session::guard(instance.list(&session.cx, &declared.type_name))
            .await
            .map_err(|error| session.clean(error));
        session.close().await;
        let ours = |object: &Object| {
            snapshot.rows.iter().any(|row| {
                row.type_name == declared.type_name
                    && row.instance == declared.instance
                    && row.object.id == object.id
            })
        };
        Ok(listed?
            .into_iter()
            .filter(|object| !ours(object))
            .map(|object| session.mark(&info, object, &Value::Null))
            .collect())
    }

    /// A session with one configured provider opened.
    async fn session_of(
        &self,
        stack: &Arc<Stack>,
        snapshot: &Snapshot,
        instance: &Arc<str>,
    ) -> Result<Session> {
        let mut known = self.known(stack, snapshot).await?;
        for row in &snapshot.rows {
            if row.status == RowStatus::Current {
                self.0.redactor.learn(&row.object.inputs);
                let object = KnownObject::settled(row.object.clone());
                known.objects.insert(row.address.clone(), object);
            }
        }
        let cx = Cx::new(self.0.clock.clone(), StopSignal::never());
        let mut session = Session::new(self.0.clone(), cx, self.configs(stack, snapshot));
        session.open([instance.clone()], &known).await?;
        Ok(session)
    }

    /// Gives objects another address: `from` may be a prefix. Returns how many moved.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when nothing has that address, [`ErrorKind::Conflict`] when the new
    /// one is taken.
    pub async fn move_state(&self, from: &str, to: &str) -> Result<usize> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.surgery(&format!("state mv {from} {to}"), move |snapshot| {
            let mut cuts = Vec::new();
            let mut touched = Vec::new();
            for row in snapshot
                .rows
                .iter()
                .filter(|row| row.address.matches(&from))
            {
                let new = Address::parse(&format!("{to}{}", &row.address.as_str()[from.len()..]))?;
                let taken = snapshot
                    .rows
                    .iter()
                    .any(|other| other.address == new && other.status == RowStatus::Current);
                if taken {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        format!("{new} has an object already"),
                    ));
                }
                let moved = Row {
                    address: new.clone(),
                    ..row.clone()
                };
                let kind = EntryKind::State {
                    address: new.clone(),
                    what: format!("moved from {}", row.address),
                    before: Some(Box::new(row.clone())),
                };
                cuts.push((kind, vec![Change::Put(Box::new(moved))]));
                touched.extend([row.address.clone(), new]);
            }
            if cuts.is_empty() {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("state has nothing at `{from}`"),
                ));
            }
            Ok((cuts, touched))
        })
        .await
    }

    /// Forgets objects without deleting them. Returns their addresses.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when nothing matches.
    pub async fn remove_state(&self, globs: &[String]) -> Result<Vec<Address>> {
        let wanted = globs.to_vec();
        let removed = Arc::new(std::sync::Mutex::new(Vec::new()));
        let out = removed.clone();
        self.surgery(&format!("state rm {}", globs.join(" ")), move |snapshot| {
            let mut cuts = Vec::new();
            let mut touched = Vec::new();
            for row in &snapshot.rows {
                if wanted.iter().any(|glob| row.address.matches(glob)) {
                    let kind = EntryKind::State {
                        address: row.address.clone(),
                        what: "forgotten".into(),
                        before: Some(Box::new(row.clone())),
                    };
                    cuts.push((kind, vec![Change::Remove(row.oid)]));
                    touched.push(row.address.clone());
                }
            }
            if cuts.is_empty() {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("state has nothing at `{}`", wanted.join("`, `")),
                ));
            }
            out.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .clone_from(&touched);
            Ok((cuts, touched))
        })
        .await?;
        Ok(Arc::try_unwrap(removed)
            .map(|list| list.into_inner().unwrap_or_default())
            .unwrap_or_default())
    }

    /// Keeps a value for a secret, encrypted; it wins over generating, not over the environment.
    ///
    /// # Errors
    /// Of the store.
    pub async fn set_secret(&self, name: &str, value: Value) -> Result<()> {
        self.put_secret("set", name, value).await
    }

    /// `verb` is what history calls it.
    async fn put_secret(&self, verb: &str, name: &str, value: Value) -> Result<()> {
        let name: Arc<str> = name.into();
        let value = value.into_secret();
        self.0.redactor.learn(&value);
        self.surgery(&format!("secrets {verb} {name}"), move |_| {
            let kind = EntryKind::SecretMade(name.clone());
            Ok((
                vec![(kind, vec![Change::PutSecret(name.clone(), value.clone())])],
                Vec::new(),
            ))
        })
        .await?;
        Ok(())
    }

    /// Makes a new value for a generated secret. What uses it changes with the next apply.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when none was generated.
    pub async fn rotate_secret(&self, name: &str, length: usize) -> Result<()> {
        let snapshot = self.0.store.load().await?;
        if !snapshot.secrets.contains_key(name) {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("no value is kept for a secret `{name}`"),
            )
            .hint("only generated secrets are kept; others are changed where they come from"));
        }
        let value = crate::secrets::generate_secret(length, &*self.0.entropy)?;
        self.put_secret("rotate", name, value).await
    }

    /// Log lines of a resource's object.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such object, [`ErrorKind::Unsupported`] when its type
    /// has no logs.
    pub async fn logs(
        &self,
        stack: Arc<Stack>,
        address: &Address,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        let snapshot = self.0.store.load().await?;
        let row = snapshot
            .rows
            .iter()
            .find(|row| row.address == *address && row.status == RowStatus::Current)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{address} has no object yet")))?
            .clone();
        let mut session = self.session_of(&stack, &snapshot, &row.instance).await?;
        let request = ReadRequest {
            address: address.clone(),
            type_name: row.type_name.clone(),
            prior: row.object.clone(),
        };
        let instance = session.instance(&row.instance)?.instance.clone();
        let lines = crate::session::guard(instance.logs(&session.cx, &request, options))
            .await
            .map_err(|error| session.clean(error))?;
        session.close().await;
        let redactor = &self.0.redactor;
        Ok(lines
            .into_iter()
            .map(|line| LogLine {
                text: crate::secrets::printable(&redactor.clean(&line.text)),
                ..line
            })
            .collect())
    }

    /// A run that changes only state, under the lock.
    async fn surgery(
        &self,
        note: &str,
        cut: impl FnOnce(&Snapshot) -> Result<Cuts> + Send,
    ) -> Result<usize> {
        let events = Emitter::new(self.0.clone(), None);
        let lease = self.lock(&events, &StopSignal::never()).await?;
        let guard = self.keep(&lease);
        let result = self.operate(&lease, note, cut, events).await;
        drop(guard);
        _ = self.0.store.release(&lease).await;
        result
    }

    async fn operate(
        &self,
        lease: &Lease,
        note: &str,
        cut: impl FnOnce(&Snapshot) -> Result<Cuts> + Send,
        events: Emitter,
    ) -> Result<usize> {
        let snapshot = self.0.store.load().await?;
        let (cuts, touched) = cut(&snapshot)?;
        let count = cuts.len();
        if let Some(open) = snapshot.unfinished() {
            if !all_in_doubt(&snapshot, &touched) {
                return Err(interrupted(open));
            }
            // What could not be found out about the open run is said by the user. It is recorded
            // as part of that run, which goes on with it.
            let mut journal = Journal::new(
                self.0.clone(),
                lease.clone(),
                &snapshot,
                open,
                events,
                Vec::new(),
            );
            for (kind, changes) in cuts {
                journal.push(said(kind, note), changes, None);
            }
            journal.commit().await?;
            return Ok(count);
        }
        let run = snapshot.last_run + 1;
        let mut journal = Journal::new(
            self.0.clone(),
            lease.clone(),
            &snapshot,
            run,
            events,
            Vec::new(),
        );
        let holder = &self.0.holder;
        let start = RunStart {
            kind: RunKind::State,
            who: holder.who.clone(),
            host: holder.host.clone(),
            command: self.0.redactor.clean(&holder.command),
            fabrik: env!("CARGO_PKG_VERSION").to_owned(),
            base: snapshot.revision,
            on_failure: crate::stack::OnFailure::Keep,
            plan: String::new(),
            note: Some(note.to_owned()),
        };
        journal.push(EntryKind::RunStarted(Box::new(start)), Vec::new(), None);
        for (kind, changes) in cuts {
            journal.push(kind, changes, None);
        }
        let revision = snapshot.revision + u64::from(!touched.is_empty());
        let mut changes = Vec::new();
        if !touched.is_empty() {
            let outputs = snapshot
                .outputs
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            changes.push(Change::Revision(revision, outputs));
            for address in touched {
                let declared = journal
                    .current(&address)
                    .map(|row| Box::new(row.as_declared()));
                changes.push(Change::Declared(revision, address, declared));
            }
        }
        let end = RunEnd {
            result: RunResult::Succeeded,
            revision,
            created: 0,
            updated: 0,
            deleted: 0,
            millis: journal.millis(),
            error: None,
            left: Vec::new(),
        };
        journal.push(EntryKind::RunEnded(Box::new(end)), changes, None);
        journal.commit().await?;
        Ok(count)
    }
}

fn declared<'a>(stack: &'a Stack, address: &Address) -> Result<&'a Declared> {
    stack.resources.get(address).ok_or_else(|| {
        let message = format!("the spec declares no {address}");
        let error = Error::new(ErrorKind::NotFound, message);
        let names = stack.resources.keys().map(Address::as_str);
        match crate::diagnostic::did_you_mean(address.as_str(), names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("declare it first, then import"),
        }
    })
}

/// Whether all there is at some addresses is in doubt.
fn all_in_doubt(snapshot: &Snapshot, addresses: &[Address]) -> bool {
    !addresses.is_empty()
        && addresses.iter().all(|address| {
            let mut rows = snapshot.rows.iter().filter(|row| row.address == *address);
            rows.clone().next().is_some() && rows.all(|row| row.status == RowStatus::Unsure)
        })
}

/// An entry of an open run that settles a doubt. There is nothing to go back to, so it keeps no row.
fn said(kind: EntryKind, note: &str) -> EntryKind {
    match kind {
        EntryKind::State { address, what, .. } => EntryKind::State {
            address,
            what: format!("{what} (`{note}`)"),
            before: None,
        },
        other => other,
    }
}

fn interrupted(open: u64) -> Error {
    Error::new(ErrorKind::Conflict, format!("run {open} was interrupted")).hint(
        "`fabrik apply --resume` goes on with it, a plain `fabrik apply` closes it; until then only what is in doubt can be imported or forgotten",
    )
}

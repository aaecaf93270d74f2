//! What plan, apply and recovery share: the lock, secrets, provider configurations.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::Engine;
use crate::apply::{Emitter, Journal};
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventBody;
use crate::provider::{Stop, StopSignal};
use crate::secrets::{FoundSecret, generate_secret};
use crate::session::Known;
use crate::stack::{InstanceDecl, SecretDecl, Stack};
use crate::state::{Change, EntryKind, KeepAlive, Lease, Snapshot, acquire, keep_alive};
use crate::value::Value;

impl Engine {
    /// Takes the stack's lock, waiting as the policy says.
    pub(crate) async fn lock(&self, events: &Emitter, stop: &StopSignal) -> Result<Lease> {
        let mut shown = None;
        let mut on_wait = |held: &crate::state::HeldLease| {
            if shown != Some(held.token) {
                shown = Some(held.token);
                events.emit(EventBody::LockWait { held: held.clone() });
            }
        };
        let inner = &self.0;
        let mut stop = stop.clone();
        tokio::select! {
            lease = acquire(
                &**inner.store.inner(), &inner.holder, &inner.lock, &*inner.clock, &*inner.liveness, &mut on_wait,
            ) => lease,
            () = stop.reached(Stop::Graceful) => {
                Err(Error::new(ErrorKind::Cancelled, "stopped while waiting for the lock"))
            }
        }
    }

    /// Keeps the lock alive until the guard is dropped.
    pub(crate) fn keep(&self, lease: &Lease) -> KeepAlive {
        keep_alive(
            self.0.store.inner().clone(),
            lease.clone(),
            &self.0.lock,
            self.0.clock.clone(),
        )
    }

    /// What references find besides resources: secrets and other stacks.
    pub(crate) async fn known(&self, stack: &Stack, snapshot: &Snapshot) -> Result<Known> {
        let mut known = Known::default();
        for (name, secret) in self.find_secrets(stack, snapshot)? {
            if let Some(value) = &secret.value {
                self.0.redactor.learn(value);
            }
            known.secrets.insert(name, secret.value);
        }
        // Those that left the spec are still referred to by what is to be taken back.
        for (name, value) in &snapshot.secrets {
            if !known.secrets.contains_key(name) {
                self.0.redactor.learn(value);
                known.secrets.insert(name.clone(), Some(value.clone()));
            }
        }
        for name in &stack.reads_stacks {
            if let Some(outputs) = self.0.store.outputs_of(name, &stack.env).await? {
                let outputs = Value::map(outputs);
                self.0.redactor.learn(&outputs);
                known.stacks.insert(name.clone(), outputs);
            }
        }
        Ok(known)
    }

    /// Looks for every declared secret.
    pub(crate) fn find_secrets(
        &self,
        stack: &Stack,
        snapshot: &Snapshot,
    ) -> Result<BTreeMap<Arc<str>, FoundSecret>> {
        let declared: Vec<&SecretDecl> = stack.secrets.values().collect();
        if declared.is_empty() {
            return Ok(BTreeMap::new());
        }
        (self.0.secrets)(&declared, snapshot.secrets.clone())
            .map_err(|error| error.with_sources(&stack.sources))
    }

    /// Generates secrets that were found nowhere, kept from now on.
    pub(crate) fn make_secrets(
        &self,
        stack: &Stack,
        journal: &mut Journal,
        known: &mut Known,
    ) -> Result<()> {
        for (name, decl) in &stack.secrets {
            if !matches!(known.secrets.get(name), Some(None)) {
                continue;
            }
            let value = generate_secret(decl.length, &*self.0.entropy)?;
            self.0.redactor.learn(&value);
            known.secrets.insert(name.clone(), Some(value.clone()));
            journal.push(
                EntryKind::SecretMade(name.clone()),
                vec![Change::PutSecret(name.clone(), value)],
                Some(EventBody::Secret {
                    name: name.clone(),
                    origin: "generated now".to_owned(),
                }),
            );
        }
        Ok(())
    }

    /// Provider configurations: the stack's, and those state remembers for what left the stack.
    pub(crate) fn configs(
        &self,
        stack: &Stack,
        snapshot: &Snapshot,
    ) -> BTreeMap<Arc<str>, InstanceDecl> {
        let mut configs = stack.instances.clone();
        for (key, value) in &snapshot.meta {
            let Some(name) = key.strip_prefix("instance.") else {
                continue;
            };
            if configs.contains_key(name) {
                continue;
            }
            let provider = value
                .get("provider")
                .and_then(Value::as_str)
                .unwrap_or(name);
            let config = value
                .get("config")
                .cloned()
                .unwrap_or_else(|| Value::map::<&str>([]));
            let name: Arc<str> = name.into();
            configs.insert(
                name.clone(),
                InstanceDecl {
                    name,
                    provider: provider.into(),
                    config,
                },
            );
        }
        configs
    }

    /// Remembers provider configurations, so that destroy works from state.
    pub(crate) fn config_changes(&self, stack: &Stack) -> Vec<Change> {
        stack
            .instances
            .values()
            .map(|instance| {
                let value = Value::map([
                    ("provider", Value::from(instance.provider.as_ref())),
                    ("config", instance.config.clone()),
                ]);
                Change::PutMeta(format!("instance.{}", instance.name).into(), value)
            })
            .collect()
    }

    /// A digest of what a stack declares: equal digests mean the same wishes.
    pub(crate) fn spec_digest(&self, stack: &Stack) -> Result<String> {
        let mut digest = Sha256::new();
        let mut text = Vec::new();
        for declared in stack.resources.values() {
            let mut inputs = declared.inputs.clone();
            // A clear secret has no stored form; its keyed fingerprint stands for it.
            // One that is not known yet is told apart by its expression.
            if inputs.has_secret() {
                let cipher = self.0.store.cipher();
                inputs = inputs.rewrite(&mut |node| match &node {
                    Value::Secret(inner) if inner.has_unknown() => Ok(Value::clone(inner)),
                    Value::Secret(_) => cipher.fingerprint(&node).map(Value::from),
                    _ => Ok::<_, Error>(node),
                })?;
            }
            let parts = (
                &declared.address,
                &declared.type_name,
                &declared.instance,
                &inputs,
                &declared.depends_on,
                &declared.options,
            );
            text.clear();
            serde_json::to_writer(&mut text, &parts)
                .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
            digest.update(&text);
        }
        Ok(crate::hex::encode(&digest.finalize()))
    }
}

//! Who is told about a run.
//!
//! The engine tells nobody itself: it says whom, and the program sends what it sees fit.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::stack::{Channel, Stack, Told, Via};
use crate::state::RunResult;
use crate::value::Value;

/// A channel that is to be told about a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Its name.
    pub channel: Arc<str>,
    /// How it is reached.
    pub via: Via,
    /// Where: a URL, which is a secret, or a command.
    pub to: Value,
}

impl Engine {
    /// The channels of a stack's `notify` that are to be told about a run that came to `result` and
    /// had to do with the resources at `touched`. What cannot be found out of one channel is an error
    /// of that one alone.
    ///
    /// # Errors
    /// When state cannot be read or a secret cannot be found; see [`Engine::plan`].
    pub async fn notices(
        &self,
        stack: &Stack,
        touched: &BTreeSet<Address>,
        result: RunResult,
    ) -> Result<Vec<Result<Notice>>> {
        let told: Vec<&Channel> = stack
            .notify
            .iter()
            .filter(|channel| is_told(channel, touched, result))
            .collect();
        if told.is_empty() {
            return Ok(Vec::new());
        }
        let snapshot = self.0.store.load().await?;
        let known = self.known(stack, &snapshot).await?;
        let notice = |channel: &Channel| {
            let to = known.resolve(&channel.to)?;
            if to.has_unknown() {
                let name = &channel.name;
                let message = format!("where the channel `{name}` leads is not known here");
                return Err(Error::new(ErrorKind::Invalid, message)
                    .hint("give it a secret or a variable: outputs of resources come too late"));
            }
            Ok(Notice {
                channel: channel.name.clone(),
                via: channel.via,
                to,
            })
        };
        Ok(told.into_iter().map(notice).collect())
    }
}

fn is_told(channel: &Channel, touched: &BTreeSet<Address>, result: RunResult) -> bool {
    let outcome = match result {
        RunResult::Succeeded => Told::Succeeded,
        _ => Told::Failed,
    };
    let wants = channel.on.is_empty() || channel.on.contains(&outcome);
    let concerned = channel.apps.is_empty()
        || channel
            .apps
            .iter()
            .any(|app| touched.iter().any(|address| is_of(address, app)));
    wants && concerned
}

/// Whether a resource is a part of an app, or of one of its `for_each` elements.
fn is_of(address: &Address, app: &Address) -> bool {
    let rest = address.as_str().strip_prefix(app.as_str());
    rest.is_some_and(|rest| rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_told_what_concerns_them() {
        let at = |text: &str| Address::parse(text).unwrap();
        let channel = |on: &[Told], apps: &[&str]| Channel {
            name: "ops".into(),
            via: Via::Webhook,
            to: Value::Null,
            on: on.to_vec(),
            apps: apps.iter().map(|app| at(app)).collect(),
        };
        let touched = BTreeSet::from([at("apps.api.service"), at("apps.shop[\"eu\"].service")]);
        for (on, apps, result, told) in [
            (&[][..], &[][..], RunResult::Succeeded, true),
            (&[Told::Failed], &[], RunResult::Succeeded, false),
            (&[Told::Failed], &[], RunResult::RolledBack, true),
            (&[Told::Succeeded], &[], RunResult::CheckFailed, false),
            (&[], &["apps.api"], RunResult::Succeeded, true),
            (&[], &["apps.shop"], RunResult::Succeeded, true),
            (&[], &["apps.ap"], RunResult::Succeeded, false),
            (&[], &["apps.web", "apps.api"], RunResult::Stuck, true),
        ] {
            assert_eq!(
                is_told(&channel(on, apps), &touched, result),
                told,
                "{on:?} {apps:?}"
            );
        }
    }
}

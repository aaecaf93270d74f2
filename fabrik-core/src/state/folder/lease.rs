//! The lock as objects: each grant is an object of its own, put only when absent.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::objects;
use crate::error::Result;
use crate::state::{HeldLease, Holder, refuse};

/// The lock of one stack.
///
/// `TOKEN.held` is the grant, `TOKEN.beat` the last heartbeat, `TOKEN.end` says it was released or
/// broken. The greatest token counts.
pub(super) struct Locks {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Grant {
    holder: Holder,
    since: jiff::Timestamp,
}

/// The greatest token, and its holder unless it ended.
pub(super) struct Current {
    pub(super) token: u64,
    pub(super) held: Option<HeldLease>,
}

impl Locks {
    pub(super) fn of(stack: &Path) -> Locks {
        Locks {
            folder: stack.join("lease"),
        }
    }

    fn name(&self, token: u64, what: &str) -> PathBuf {
        self.folder.join(format!("{token:020}.{what}"))
    }

    pub(super) fn current(&self) -> Result<Current> {
        loop {
            let token = self.tokens()?.pop().unwrap_or(0);
            let held = if token == 0 || objects::exists(&self.name(token, "end"))? {
                None
            } else {
                let Some(grant) = objects::get::<Grant>(&self.name(token, "held"))? else {
                    // A later grant cleared it away.
                    continue;
                };
                let beat = objects::get(&self.name(token, "beat"))?.unwrap_or(0);
                Some(HeldLease {
                    holder: grant.holder,
                    token,
                    beat,
                    since: grant.since,
                })
            };
            return Ok(Current { token, held });
        }
    }

    fn tokens(&self) -> Result<Vec<u64>> {
        let names = objects::list(&self.folder)?;
        Ok(names
            .iter()
            .filter_map(|name| name.strip_suffix(".held")?.parse().ok())
            .collect())
    }

    /// Refuses unless the token is that of the current holder.
    pub(super) fn check(&self, token: u64) -> Result<HeldLease> {
        match self.current()?.held {
            Some(held) if held.token == token => Ok(held),
            other => Err(refuse::lease_lost(other.as_ref())),
        }
    }

    /// Grants the token, unless somebody was quicker.
    pub(super) fn grant(
        &self,
        token: u64,
        holder: &Holder,
        since: jiff::Timestamp,
    ) -> Result<bool> {
        let holder = holder.clone();
        objects::put_new(&self.name(token, "held"), Grant { holder, since })
    }

    pub(super) fn beat(&self, token: u64, beat: u64) -> Result<()> {
        objects::put(&self.name(token, "beat"), beat)
    }

    pub(super) fn end(&self, token: u64) -> Result<()> {
        objects::put_new(&self.name(token, "end"), true).map(drop)
    }

    /// Clears away what is left of grants before the token.
    pub(super) fn clear_before(&self, token: u64) -> Result<()> {
        for name in objects::list(&self.folder)? {
            let number = name.split('.').next().and_then(|text| text.parse().ok());
            if number.is_some_and(|number: u64| number < token) {
                objects::remove(&self.folder.join(name))?;
            }
        }
        Ok(())
    }
}

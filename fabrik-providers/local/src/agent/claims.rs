//! Which operation made what, so that a thing that somebody else made is never taken for one's own.

use crate::agent::Agent;
use crate::agent::table::Table;
use crate::error::Error;
use crate::names;
use crate::protocol::Kind;

/// The operations that made things, by kind and name.
pub(crate) type Claims = Table<String>;

/// What a claim is stored under.
pub(crate) fn key(kind: Kind, name: &str) -> String {
    format!("{}/{name}", kind.word())
}

impl Agent {
    /// Notes that an operation is about to make a thing. Refused when the thing exists and another
    /// operation made it.
    pub(super) async fn claim(&self, kind: Kind, name: &str, op_id: &str) -> Result<(), Error> {
        names::check_op_id(op_id)?;
        let exists = self.exists(kind, name).await?;
        let wanted = op_id.to_owned();
        let change = |holder: Option<String>| {
            if exists && holder.as_deref() != Some(&wanted) {
                return Err(Error::Taken {
                    what: format!("{} `{name}`", kind.word()),
                });
            }
            Ok(Some(wanted))
        };
        self.claims.change(&key(kind, name), change).await
    }

    /// Forgets who made a thing that is gone.
    pub(super) async fn unclaim(&self, kind: Kind, name: &str) -> Result<(), Error> {
        self.claims.remove(&key(kind, name)).await
    }

    async fn exists(&self, kind: Kind, name: &str) -> Result<bool, Error> {
        Ok(match kind {
            Kind::Service => match self.registry.get(name) {
                Some(service) => !service.is_ending() && !service.is_empty().await,
                None => false,
            },
            Kind::Site => self.sites.info(name).is_some(),
            Kind::Route => self.route(name).await.is_some(),
            Kind::Bucket => self.bucket(name).await?.is_some(),
            Kind::Monitor => self.monitors.get(name).await.is_some(),
            Kind::Database => self.database(name).await.is_some(),
            Kind::Job => self.jobs.get(name).await.is_some(),
            Kind::Name => self.hosts.get(name).await.is_some(),
        })
    }
}

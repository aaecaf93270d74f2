//! Where everything lies in the state directory.
//!
//! The directory has mode 0700. Service records hold the environment of the processes, secret
//! values included, so that an agent can start them again after a crash: those files have mode
//! 0600 and go with the service.
//!
//! ```text
//! agent.lock            held by the running agent; says which process it is
//! agent.sock            its socket, mode 0600
//! agent.json            what must stay the same over restarts: the HTTP port
//! agent.log             what the agent's own process wrote
//! routes.json           the routes
//! monitors.json         monitors and what they saw
//! names.json            registered names
//! claims.json           which operation made what
//! databases.json        databases, their ports and passwords
//! databases/NAME/       data of a database
//! jobs.json             jobs and what became of their runs
//! backups/NAME/         backups that have no other place; they outlive their job
//! scratch/NAME/         what a backup under way has written
//! made-dirs/            folders that were made for files of the user
//! services/NAME.json    one record per service
//! sites/NAME/           site.json and one directory per kept content
//! buckets/NAME/         objects
//! logs/services/NAME/   GENERATION-INSTANCE.log of a service
//! logs/jobs/NAME/       RUN-0.log of a job
//! logs/access.log       one JSON line per request
//! ```

use std::path::{Path, PathBuf};

/// The paths of one state directory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("agent.lock")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.root.join(SOCKET)
    }

    pub(crate) fn agent_record(&self) -> PathBuf {
        self.root.join("agent.json")
    }

    pub(crate) fn agent_log(&self) -> PathBuf {
        self.root.join("agent.log")
    }

    pub(crate) fn routes(&self) -> PathBuf {
        self.root.join("routes.json")
    }

    pub(crate) fn monitors(&self) -> PathBuf {
        self.root.join("monitors.json")
    }

    pub(crate) fn host_names(&self) -> PathBuf {
        self.root.join("names.json")
    }

    pub(crate) fn claims(&self) -> PathBuf {
        self.root.join("claims.json")
    }

    pub(crate) fn made_dirs(&self) -> PathBuf {
        self.root.join("made-dirs")
    }

    pub(crate) fn services(&self) -> PathBuf {
        self.root.join("services")
    }

    pub(crate) fn service(&self, name: &str) -> PathBuf {
        self.services().join(format!("{name}.json"))
    }

    pub(crate) fn sites(&self) -> PathBuf {
        self.root.join("sites")
    }

    pub(crate) fn site(&self, name: &str) -> PathBuf {
        self.sites().join(name)
    }

    pub(crate) fn buckets(&self) -> PathBuf {
        self.root.join("buckets")
    }

    pub(crate) fn bucket(&self, name: &str) -> PathBuf {
        self.buckets().join(name)
    }

    pub(crate) fn databases_record(&self) -> PathBuf {
        self.root.join("databases.json")
    }

    pub(crate) fn databases(&self) -> PathBuf {
        self.root.join("databases")
    }

    pub(crate) fn database(&self, name: &str) -> PathBuf {
        self.databases().join(name)
    }

    pub(crate) fn jobs(&self) -> PathBuf {
        self.root.join("jobs.json")
    }

    /// Where backups of a job go that says no other place.
    pub(crate) fn backups(&self, name: &str) -> PathBuf {
        self.root.join("backups").join(name)
    }

    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.root.join("scratch").join(name)
    }

    /// Logs of one job.
    pub(crate) fn job_logs(&self, name: &str) -> PathBuf {
        self.logs().join("jobs").join(name)
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Logs of one service.
    pub(crate) fn service_logs(&self, name: &str) -> PathBuf {
        self.logs().join("services").join(name)
    }

    pub(crate) fn access_log(&self) -> PathBuf {
        self.logs().join("access.log")
    }
}

/// File name of the socket.
pub(crate) const SOCKET: &str = "agent.sock";

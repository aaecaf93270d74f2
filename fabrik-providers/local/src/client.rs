//! Talking to the agent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::error::Error;
use crate::launch::{self, AgentLaunch};
use crate::layout::SOCKET;
use crate::model::{
    AgentStatus, BucketInfo, DatabaseInfo, DatabaseSpec, GenerationInfo, JobInfo, JobRun, JobSpec,
    LogChunk, LogQuery, MonitorInfo, MonitorSpec, NameInfo, RouteInfo, RouteSpec, ServiceInfo,
    ServiceSpec, SiteInfo, SiteSpec,
};
use crate::protocol::{Answer, Ask, Hello, Kind, MAX_LINE, PROTOCOL_VERSION};
use crate::socket;

/// How often a request is made when the agent has to be launched for it.
const ATTEMPTS: usize = 3;

/// A handle on the agent of one state directory. Cheap to clone; every call opens a connection of
/// its own, so calls may run side by side and may be dropped at any time: what the agent has begun
/// it finishes.
///
/// Every call may be repeated: putting what is there and removing what is not both succeed. One
/// that came from [`ensure_agent`](crate::ensure_agent) launches the agent again when it is gone
/// and repeats the call.
#[derive(Clone, Debug)]
pub struct Client {
    state_dir: PathBuf,
    launch: Option<Arc<AgentLaunch>>,
}

impl Client {
    /// A handle that only talks to an agent that already runs.
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            launch: None,
        }
    }

    pub(crate) fn launching(launch: AgentLaunch) -> Self {
        Self {
            state_dir: launch.state_dir.clone(),
            launch: Some(Arc::new(launch)),
        }
    }

    /// The state directory of the agent.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Asks the agent who it is. Never launches one, and works with agents of other versions.
    pub async fn hello(&self) -> Result<Hello, Error> {
        match self.ask_once(&Ask::Hello {}).await? {
            Answer::Hello(hello) => Ok(hello),
            other => Err(unexpected(other)),
        }
    }

    /// Everything the agent holds.
    pub async fn status(&self) -> Result<AgentStatus, Error> {
        match self.ask(Ask::Status {}).await? {
            Answer::Status(status) => Ok(*status),
            other => Err(unexpected(other)),
        }
    }

    /// One service, or `None` if there is none of this name.
    pub async fn service(&self, name: &str) -> Result<Option<ServiceInfo>, Error> {
        match self.ask(Ask::Service { name: name.into() }).await? {
            Answer::Service(info) => Ok(info.map(|info| *info)),
            other => Err(unexpected(other)),
        }
    }

    /// Starts a new generation of a service, waits until it is healthy, and switches to it.
    ///
    /// An operation id makes at most one generation: while it is being started, a second call
    /// waits for the same one; later, a call returns that generation even if another is live by
    /// then. A generation that failed its health gate leaves nothing, so the same id tries again.
    pub async fn deploy_service(
        &self,
        name: &str,
        op_id: &str,
        spec: &ServiceSpec,
    ) -> Result<GenerationInfo, Error> {
        self.generation(Ask::DeployService {
            name: name.into(),
            op_id: op_id.into(),
            spec: Box::new(spec.clone()),
        })
        .await
    }

    /// Deploys the spec of a kept generation again, as a new generation.
    pub async fn rollback_service(
        &self,
        name: &str,
        op_id: &str,
        generation: u64,
    ) -> Result<GenerationInfo, Error> {
        self.generation(Ask::Rollback {
            name: name.into(),
            op_id: op_id.into(),
            generation,
        })
        .await
    }

    /// Stops a service and removes all that belongs to it, its logs included unless they are to
    /// be kept.
    pub async fn remove_service(&self, name: &str, keep_logs: bool) -> Result<(), Error> {
        self.done(Ask::RemoveService {
            name: name.into(),
            keep_logs,
        })
        .await
    }

    /// One route, or `None` if there is none of this name.
    pub async fn route(&self, name: &str) -> Result<Option<RouteInfo>, Error> {
        match self.ask(Ask::Route { name: name.into() }).await? {
            Answer::Route(info) => Ok(info),
            other => Err(unexpected(other)),
        }
    }

    /// Sets a route, in place of one of the same name.
    pub async fn put_route(&self, name: &str, spec: &RouteSpec) -> Result<RouteInfo, Error> {
        match self
            .ask(Ask::PutRoute {
                name: name.into(),
                spec: spec.clone(),
            })
            .await?
        {
            Answer::Route(Some(info)) => Ok(info),
            other => Err(unexpected(other)),
        }
    }

    /// Removes a route.
    pub async fn remove_route(&self, name: &str) -> Result<(), Error> {
        self.done(Ask::RemoveRoute { name: name.into() }).await
    }

    /// One static site, or `None` if there is none of this name.
    pub async fn site(&self, name: &str) -> Result<Option<SiteInfo>, Error> {
        match self.ask(Ask::Site { name: name.into() }).await? {
            Answer::Site(info) => Ok(info),
            other => Err(unexpected(other)),
        }
    }

    /// Copies a folder and serves the copy from then on.
    pub async fn deploy_site(&self, name: &str, spec: &SiteSpec) -> Result<SiteInfo, Error> {
        match self
            .ask(Ask::DeploySite {
                name: name.into(),
                spec: spec.clone(),
            })
            .await?
        {
            Answer::Site(Some(info)) => Ok(info),
            other => Err(unexpected(other)),
        }
    }

    /// Removes a static site and its copies.
    pub async fn remove_site(&self, name: &str) -> Result<(), Error> {
        self.done(Ask::RemoveSite { name: name.into() }).await
    }

    /// One bucket, or `None` if there is none of this name.
    pub async fn bucket(&self, name: &str) -> Result<Option<BucketInfo>, Error> {
        match self.ask(Ask::Bucket { name: name.into() }).await? {
            Answer::Bucket(info) => Ok(info),
            other => Err(unexpected(other)),
        }
    }

    /// Makes a bucket if it is not there.
    pub async fn put_bucket(&self, name: &str) -> Result<BucketInfo, Error> {
        match self.ask(Ask::PutBucket { name: name.into() }).await? {
            Answer::Bucket(Some(info)) => Ok(info),
            other => Err(unexpected(other)),
        }
    }

    /// Removes a bucket; with `force` also one that holds objects.
    pub async fn remove_bucket(&self, name: &str, force: bool) -> Result<(), Error> {
        self.done(Ask::RemoveBucket {
            name: name.into(),
            force,
        })
        .await
    }

    /// Notes that an operation is about to make a thing of this name. Fails with
    /// [`Error::Taken`] when the thing exists and another operation made it: what somebody else
    /// made is not to be overwritten by a create.
    pub async fn claim(&self, kind: Kind, name: &str, op_id: &str) -> Result<(), Error> {
        self.done(Ask::Claim {
            kind,
            name: name.into(),
            op_id: op_id.into(),
        })
        .await
    }

    /// One monitor, or `None` if there is none of this name.
    pub async fn monitor(&self, name: &str) -> Result<Option<MonitorInfo>, Error> {
        match self.ask(Ask::Monitor { name: name.into() }).await? {
            Answer::Monitor(info) => Ok(info),
            other => Err(unexpected(other)),
        }
    }

    /// Sets a monitor, in place of one of the same name; what it saw is kept as long as the URL
    /// stays.
    pub async fn put_monitor(&self, name: &str, spec: &MonitorSpec) -> Result<MonitorInfo, Error> {
        match self
            .ask(Ask::PutMonitor {
                name: name.into(),
                spec: spec.clone(),
            })
            .await?
        {
            Answer::Monitor(Some(info)) => Ok(info),
            other => Err(unexpected(other)),
        }
    }

    /// Removes a monitor.
    pub async fn remove_monitor(&self, name: &str) -> Result<(), Error> {
        self.done(Ask::RemoveMonitor { name: name.into() }).await
    }

    /// One database, or `None` if there is none of this name.
    pub async fn database(&self, name: &str) -> Result<Option<DatabaseInfo>, Error> {
        match self.ask(Ask::Database { name: name.into() }).await? {
            Answer::Database(info) => Ok(info.map(|info| *info)),
            other => Err(unexpected(other)),
        }
    }

    /// Makes a database and waits until it answers, or starts it again when it is down.
    pub async fn put_database(
        &self,
        name: &str,
        op_id: &str,
        spec: &DatabaseSpec,
    ) -> Result<DatabaseInfo, Error> {
        let ask = Ask::PutDatabase {
            name: name.into(),
            op_id: op_id.into(),
            spec: spec.clone(),
        };
        match self.ask(ask).await? {
            Answer::Database(Some(info)) => Ok(*info),
            other => Err(unexpected(other)),
        }
    }

    /// Stops a database and removes its data.
    pub async fn remove_database(&self, name: &str) -> Result<(), Error> {
        self.done(Ask::RemoveDatabase { name: name.into() }).await
    }

    /// One job, or `None` if there is none of this name; that of a backup begins with `@`.
    pub async fn job(&self, name: &str) -> Result<Option<JobInfo>, Error> {
        match self.ask(Ask::Job { name: name.into() }).await? {
            Answer::Job(info) => Ok(info.map(|info| *info)),
            other => Err(unexpected(other)),
        }
    }

    /// Sets a job, in place of one of the same name. What became of its runs is kept, and one that
    /// is under way goes on as it began.
    pub async fn put_job(&self, name: &str, spec: &JobSpec) -> Result<JobInfo, Error> {
        let ask = Ask::PutJob {
            name: name.into(),
            spec: Box::new(spec.clone()),
        };
        match self.ask(ask).await? {
            Answer::Job(Some(info)) => Ok(*info),
            other => Err(unexpected(other)),
        }
    }

    /// Removes a job and its logs; a run that is under way is ended.
    pub async fn remove_job(&self, name: &str) -> Result<(), Error> {
        self.done(Ask::RemoveJob { name: name.into() }).await
    }

    /// Runs a job now, whatever its schedule says, and waits for the end. Not while it runs. Unlike
    /// other calls, repeating it does it again.
    pub async fn run_job(&self, name: &str) -> Result<JobRun, Error> {
        match self.ask_once(&Ask::RunJob { name: name.into() }).await? {
            Answer::Run(run) => Ok(run),
            other => Err(unexpected(other)),
        }
    }

    /// Reads logs of a job's last runs.
    pub async fn job_logs(&self, name: &str, query: &LogQuery) -> Result<LogChunk, Error> {
        let ask = Ask::JobLogs {
            name: name.into(),
            query: query.clone(),
        };
        match self.ask(ask).await? {
            Answer::Logs(chunk) => Ok(chunk),
            other => Err(unexpected(other)),
        }
    }

    /// Registers a name under `localhost`, in place of one of the same name.
    pub async fn put_name(&self, name: &str, target: &str) -> Result<NameInfo, Error> {
        match self
            .ask(Ask::PutName {
                name: name.into(),
                target: target.into(),
            })
            .await?
        {
            Answer::Name(info) => Ok(info),
            other => Err(unexpected(other)),
        }
    }

    /// Removes the registration of a name.
    pub async fn remove_name(&self, name: &str) -> Result<(), Error> {
        self.done(Ask::RemoveName { name: name.into() }).await
    }

    /// Reads logs of a service. Following is reading again with the cursor of the last answer.
    pub async fn logs(&self, service: &str, query: &LogQuery) -> Result<LogChunk, Error> {
        match self
            .ask(Ask::Logs {
                service: service.into(),
                query: query.clone(),
            })
            .await?
        {
            Answer::Logs(chunk) => Ok(chunk),
            other => Err(unexpected(other)),
        }
    }

    /// Ends the agent; succeeds if none runs. Its services go on by themselves unless they are to
    /// be stopped too; in both cases the next agent takes them up again.
    pub async fn shutdown(&self, stop_services: bool) -> Result<(), Error> {
        match self.ask_once(&Ask::Shutdown { stop_services }).await {
            Ok(Answer::Done {}) | Err(Error::Unreachable { .. }) => Ok(()),
            Ok(other) => Err(unexpected(other)),
            Err(error) => Err(error),
        }
    }

    async fn generation(&self, ask: Ask) -> Result<GenerationInfo, Error> {
        match self.ask(ask).await? {
            Answer::Generation(info) => Ok(*info),
            other => Err(unexpected(other)),
        }
    }

    async fn done(&self, ask: Ask) -> Result<(), Error> {
        match self.ask(ask).await? {
            Answer::Done {} => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    /// Asks, launching the agent as often as needed where the handle may do so.
    async fn ask(&self, ask: Ask) -> Result<Answer, Error> {
        let mut attempt = 1;
        loop {
            match (self.ask_once(&ask).await, &self.launch) {
                (Err(Error::Unreachable { .. } | Error::Lost { .. }), Some(launch))
                    if attempt < ATTEMPTS =>
                {
                    launch::start(launch).await?;
                    attempt += 1;
                }
                (result, _) => return result,
            }
        }
    }

    async fn ask_once(&self, ask: &Ask) -> Result<Answer, Error> {
        let unreachable = |error: std::io::Error| Error::Unreachable {
            socket: self.state_dir.join(SOCKET),
            reason: error.to_string(),
        };
        let lost = |reason: String| Error::Lost { reason };
        let mut line = serde_json::to_vec(&Line {
            v: PROTOCOL_VERSION,
            ask,
        })
        .map_err(|error| Error::system("write the request", error))?;
        line.push(b'\n');
        let mut stream = socket::connect(&self.state_dir)
            .await
            .map_err(unreachable)?;
        stream
            .write_all(&line)
            .await
            .map_err(|error| lost(error.to_string()))?;
        let mut reply = Vec::new();
        BufReader::new(stream)
            .take(MAX_LINE)
            .read_until(b'\n', &mut reply)
            .await
            .map_err(|error| lost(error.to_string()))?;
        if !reply.ends_with(b"\n") {
            return Err(lost("the connection was closed".into()));
        }
        match serde_json::from_slice(&reply) {
            Ok(Answer::Error(error)) => Err(error),
            Ok(answer) => Ok(answer),
            Err(error) => Err(Error::system("read the reply of the agent", error)),
        }
    }
}

/// A request by reference.
#[derive(serde::Serialize)]
struct Line<'a> {
    v: u32,
    ask: &'a Ask,
}

fn unexpected(answer: Answer) -> Error {
    drop(answer);
    Error::system("read the reply of the agent", "it answers another question")
}

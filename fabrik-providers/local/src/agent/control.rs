//! Answering the requests that come over the socket.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::agent::Agent;
use crate::error::Error;
use crate::model::NameInfo;
use crate::names;
use crate::protocol::{Answer, Ask, Hello, Kind, MAX_LINE, PROTOCOL_VERSION, Request, Version};

/// Time in which a client must have sent its request.
const PATIENCE: Duration = Duration::from_secs(30);

/// Accepts clients until the agent ends.
pub(crate) async fn serve(agent: Arc<Agent>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let agent = Arc::clone(&agent);
                // Counted before anything else happens, so that the agent does not end meanwhile.
                let ticket = agent.activity.begin();
                tokio::spawn(async move {
                    if let Err(error) = connection(&agent, stream).await {
                        tracing::debug!(%error, "a client went away");
                    }
                    drop(ticket);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a client");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(agent: &Arc<Agent>, stream: UnixStream) -> std::io::Result<()> {
    if agent.closing.load(Ordering::SeqCst) {
        // Without an answer, the client launches the next agent and asks again.
        return Ok(());
    }
    let (input, mut output) = stream.into_split();
    let mut line = Vec::new();
    let mut input = BufReader::new(input).take(MAX_LINE);
    timeout(PATIENCE, input.read_until(b'\n', &mut line)).await??;
    if line.is_empty() {
        return Ok(());
    }
    let answer = match parse(&line) {
        Ok(ask) => agent.answer(ask).await.unwrap_or_else(Answer::Error),
        Err(error) => Answer::Error(error),
    };
    let mut reply = serde_json::to_vec(&answer)?;
    reply.push(b'\n');
    output.write_all(&reply).await?;
    output.shutdown().await
}

fn parse(line: &[u8]) -> Result<Ask, Error> {
    let invalid = |error: serde_json::Error| Error::invalid("request", error.to_string());
    let version: Version = serde_json::from_slice(line).map_err(invalid)?;
    let request: Result<Request, _> = serde_json::from_slice(line);
    let mismatch = Error::VersionMismatch {
        agent: PROTOCOL_VERSION,
        client: version.v,
    };
    match request {
        Ok(Request {
            ask: ask @ (Ask::Hello {} | Ask::Shutdown { .. }),
            ..
        }) => Ok(ask),
        _ if version.v != PROTOCOL_VERSION => Err(mismatch),
        Ok(request) => Ok(request.ask),
        Err(error) => Err(invalid(error)),
    }
}

impl Agent {
    async fn answer(self: &Arc<Self>, ask: Ask) -> Result<Answer, Error> {
        Ok(match ask {
            Ask::Hello {} => Answer::Hello(Hello {
                protocol: PROTOCOL_VERSION,
                pid: std::process::id(),
                version: self.version.clone(),
                more: std::collections::BTreeMap::new(),
            }),
            Ask::Status {} => Answer::Status(Box::new(self.status().await?)),
            Ask::Service { name } => Answer::Service(self.service_info(&name).await.map(Box::new)),
            Ask::DeployService { name, op_id, spec } => {
                Answer::Generation(Box::new(self.deploy_service(&name, &op_id, *spec).await?))
            }
            Ask::Rollback {
                name,
                op_id,
                generation,
            } => Answer::Generation(Box::new(self.rollback(&name, &op_id, generation).await?)),
            Ask::RemoveService { name, keep_logs } => {
                self.remove_service(&name, keep_logs).await?;
                self.unclaim(Kind::Service, &name).await?;
                Answer::Done {}
            }
            Ask::Route { name } => Answer::Route(self.route(&name).await),
            Ask::PutRoute { name, spec } => {
                self.routes.put(&name, &spec).await?;
                Answer::Route(self.route(&name).await)
            }
            Ask::RemoveRoute { name } => {
                self.routes.remove(&name).await?;
                self.unclaim(Kind::Route, &name).await?;
                Answer::Done {}
            }
            Ask::Site { name } => Answer::Site(self.sites.info(&name)),
            Ask::DeploySite { name, spec } => {
                Answer::Site(Some(self.sites.deploy(&name, spec).await?))
            }
            Ask::RemoveSite { name } => {
                self.sites.remove(&name).await?;
                self.unclaim(Kind::Site, &name).await?;
                Answer::Done {}
            }
            Ask::Bucket { name } => Answer::Bucket(self.bucket(&name).await?),
            Ask::PutBucket { name } => Answer::Bucket(Some(self.put_bucket(&name).await?)),
            Ask::RemoveBucket { name, force } => {
                self.remove_bucket(&name, force).await?;
                self.unclaim(Kind::Bucket, &name).await?;
                Answer::Done {}
            }
            Ask::Claim { kind, name, op_id } => {
                self.claim(kind, &name, &op_id).await?;
                Answer::Done {}
            }
            Ask::Monitor { name } => Answer::Monitor(self.monitors.get(&name).await),
            Ask::PutMonitor { name, spec } => {
                self.monitors.put(&name, spec).await?;
                Answer::Monitor(self.monitors.get(&name).await)
            }
            Ask::RemoveMonitor { name } => {
                self.monitors.remove(&name).await?;
                self.unclaim(Kind::Monitor, &name).await?;
                Answer::Done {}
            }
            Ask::Database { name } => Answer::Database(self.database(&name).await.map(Box::new)),
            Ask::PutDatabase { name, op_id, spec } => {
                let made = self.put_database(&name, &op_id, spec).await?;
                Answer::Database(Some(Box::new(made)))
            }
            Ask::RemoveDatabase { name } => {
                self.remove_database(&name).await?;
                self.unclaim(Kind::Database, &name).await?;
                Answer::Done {}
            }
            Ask::Job { name } => Answer::Job(self.jobs.get(&name).await.map(Box::new)),
            Ask::PutJob { name, spec } => {
                self.jobs.put(&name, *spec).await?;
                Answer::Job(self.jobs.get(&name).await.map(Box::new))
            }
            Ask::RemoveJob { name } => {
                self.jobs.remove(&name).await?;
                self.unclaim(Kind::Job, &name).await?;
                Answer::Done {}
            }
            Ask::RunJob { name } => Answer::Run(self.jobs.run_now(&name).await?),
            Ask::JobLogs { name, query } => Answer::Logs(self.jobs.read_log(&name, query).await?),
            Ask::PutName { name, target } => {
                let name = names::local_host("name", &name)?;
                self.hosts.put(&name, target.clone()).await?;
                Answer::Name(NameInfo { name, target })
            }
            Ask::RemoveName { name } => {
                self.hosts.remove(&name).await?;
                self.unclaim(Kind::Name, &name).await?;
                Answer::Done {}
            }
            Ask::Logs { service, query } => {
                let what = || Error::NotFound {
                    what: format!("service `{service}`"),
                };
                let service = self.registry.get(&service).ok_or_else(what)?;
                Answer::Logs(service.read_logs(query).await?)
            }
            Ask::Shutdown { stop_services } => {
                self.shut_down(stop_services).await;
                Answer::Done {}
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::error::Error;
    use crate::protocol::Ask;

    #[test]
    fn other_versions_may_ask_who_it_is_and_end_it() {
        assert!(matches!(
            parse(br#"{"v":99,"ask":{"hello":{}}}"#),
            Ok(Ask::Hello {})
        ));
        let shutdown = parse(br#"{"v":99,"ask":{"shutdown":{"stop_services":false}}}"#);
        assert!(matches!(
            shutdown,
            Ok(Ask::Shutdown {
                stop_services: false
            })
        ));
        for line in [
            &br#"{"v":99,"ask":{"status":{}}}"#[..],
            br#"{"v":99,"ask":{"dance":{}}}"#,
        ] {
            let mismatch = Error::VersionMismatch {
                agent: 1,
                client: 99,
            };
            assert_eq!(parse(line).unwrap_err(), mismatch);
        }
        assert!(matches!(parse(b"hello"), Err(Error::Invalid { .. })));
    }
}

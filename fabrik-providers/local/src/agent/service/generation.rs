//! One generation of a service: its processes, and the gate they must pass.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::agent::balance::Pool;
use crate::agent::instance::{Instance, Member, View};
use crate::agent::procfs;
use crate::agent::shared::raised;
use crate::error::Error;
use crate::model::{InstanceInfo, InstanceState, Port, ServiceSpec};
use crate::records::RunRecord;

/// How many log lines come with a failed gate.
const LOG_LINES: usize = 20;

/// A generation whose processes run.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) number: u64,
    pub(crate) spec: Arc<ServiceSpec>,
    pub(crate) pool: Arc<Pool>,
    instances: Vec<Instance>,
    service: String,
    member: Member,
}

impl Generation {
    /// Starts the processes of a generation, or takes up those of `runs` that still run.
    pub(crate) fn start(service: &str, member: &Member, runs: &[RunRecord]) -> Arc<Self> {
        let instances = (0..member.spec.instances)
            .map(|index| {
                let run = runs.iter().find(|run| run.index == index).cloned();
                Instance::supervise(
                    Member {
                        index,
                        ..member.clone()
                    },
                    run,
                )
            })
            .collect();
        Arc::new(Self {
            number: member.generation,
            spec: Arc::clone(&member.spec),
            pool: Arc::clone(&member.pool),
            instances,
            service: service.to_owned(),
            member: member.clone(),
        })
    }

    pub(crate) fn info(&self) -> Vec<InstanceInfo> {
        self.instances.iter().map(Instance::info).collect()
    }

    /// Waits until every process is healthy. `hurry` gives up at once.
    pub(crate) async fn gate(&self, mut hurry: watch::Receiver<bool>) -> Result<(), Error> {
        let deadline = Instant::now() + self.spec.health.deadline;
        let all = async {
            for instance in &self.instances {
                self.passes(instance.view(), deadline).await?;
            }
            Ok(())
        };
        let exits = async {
            loop {
                for instance in &self.instances {
                    if let Some(reason) = gave_up(&instance.view().borrow()) {
                        return reason;
                    }
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            result = all => result,
            reason = exits => Err(self.failure(reason).await),
            () = raised(&mut hurry) => Err(Error::Interrupted {
                reason: format!("`{}` is being removed, or the agent ends", self.service),
            }),
        }
    }

    async fn passes(
        &self,
        mut view: watch::Receiver<View>,
        deadline: Instant,
    ) -> Result<(), Error> {
        let healthy = view.wait_for(|view| view.state == InstanceState::Healthy);
        if let Ok(Ok(_)) = timeout_at(deadline, healthy).await {
            return Ok(());
        }
        let now = view.borrow().clone();
        let reason = gave_up(&now).unwrap_or_else(|| {
            let seconds = self.spec.health.deadline.as_secs_f32();
            let missing = now
                .missing
                .unwrap_or_else(|| "it was not probed yet".to_owned());
            format!("not within {seconds} s: {missing}")
        });
        Err(self.failure(reason).await)
    }

    /// The error of a failed gate, with what helps to find the cause. Called while the processes
    /// still run, so that it can be seen where they listen.
    async fn failure(&self, reason: String) -> Error {
        let views: Vec<View> = self
            .instances
            .iter()
            .map(|instance| instance.view().borrow().clone())
            .collect();
        let groups: Vec<u32> = views.iter().filter_map(|view| view.pid).collect();
        let expected = match self.spec.port {
            Port::Fixed(port) => Some(port),
            Port::Auto => views.iter().find_map(|view| view.port),
            Port::None => None,
        };
        let (logs, number) = (self.member.logs.clone(), self.number);
        let gather = move || {
            let pids = procfs::all()
                .filter(|stat| groups.contains(&stat.group))
                .map(|stat| stat.pid)
                .collect::<Vec<_>>();
            (
                procfs::listening_ports(pids),
                logs.last_lines(number, LOG_LINES),
            )
        };
        let (listening_ports, lines) = tokio::task::spawn_blocking(gather)
            .await
            .unwrap_or_default();
        Error::HealthGate {
            service: self.service.clone(),
            generation: self.number,
            reason,
            logs: lines.iter().map(|line| self.spec.env.mask(line)).collect(),
            expected_port: expected,
            listening_ports,
        }
    }

    /// Stops all processes and waits until they are gone.
    pub(crate) async fn stop(&self) {
        for instance in &self.instances {
            instance.stop();
        }
        for instance in &self.instances {
            instance.stopped().await;
        }
    }

    /// Leaves the processes to themselves.
    pub(crate) fn abandon(&self) {
        for instance in &self.instances {
            instance.abandon();
        }
    }
}

/// Why an instance will not become healthy any more.
fn gave_up(view: &View) -> Option<String> {
    matches!(view.state, InstanceState::Exited | InstanceState::CrashLoop).then(|| {
        let exit = view.last_exit.clone().unwrap_or_else(|| "ended".to_owned());
        if exit.starts_with("could not") {
            exit
        } else {
            format!("its process {exit}")
        }
    })
}

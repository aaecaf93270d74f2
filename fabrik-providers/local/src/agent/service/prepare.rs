//! What is done before a generation is started: installing, building, migrating.

use tokio::sync::watch;

use super::Service;
use crate::agent::process::{Process, Start};
use crate::agent::shared::raised;
use crate::error::Error;
use crate::marks;
use crate::model::{Command, ServiceSpec};

/// How many log lines come with a failed command.
const LOG_LINES: usize = 20;

impl Service {
    /// Runs the commands of a spec one after another, while the generation before goes on serving.
    /// What they write goes into the new generation's log.
    pub(super) async fn prepare(&self, number: u64, spec: &ServiceSpec) -> Result<(), Error> {
        for command in &spec.prepare {
            self.logs.note(number, 0, &format!("running {command}"));
            if let Err(reason) = self.run_one(number, spec, command).await {
                let lines = self.logs.last_lines(number, LOG_LINES);
                return Err(Error::Prepare {
                    service: self.name.clone(),
                    command: command.to_string(),
                    reason,
                    logs: lines.iter().map(|line| spec.env.mask(line)).collect(),
                });
            }
        }
        Ok(())
    }

    async fn run_one(
        &self,
        number: u64,
        spec: &ServiceSpec,
        command: &Command,
    ) -> Result<(), String> {
        let mark = marks::new_run().map_err(|error| error.to_string())?;
        let log = self
            .logs
            .open(number, 0)
            .map_err(|error| error.to_string())?;
        let mut process = Process::start(Start {
            command,
            dir: &spec.dir,
            base_env: &self.shared.base_env,
            env: &spec.env,
            port: None,
            agent_mark: &self.shared.mark,
            run_mark: &mark,
            log,
        })
        .map_err(|error| {
            let why = Process::not_started(command, &spec.dir, &error);
            format!("could not be run: {why}")
        })?;
        let mut hurry: watch::Receiver<bool> = self.hurry.subscribe();
        let exit = tokio::select! {
            exit = process.ended() => Some(exit),
            () = raised(&mut hurry) => None,
        };
        // Also what it left in the background: the generation's own processes come later.
        process.kill_rest().await;
        match exit {
            Some(exit) if exit.success => Ok(()),
            Some(exit) => Err(exit.text),
            None => Err("was interrupted".to_owned()),
        }
    }
}

//! Jobs: they run when their time comes, never twice at once, whatever becomes of the agent.

use std::time::Duration;

use fabrik_provider_local::{
    AgentLaunch, Client, Command, Env, JobInfo, JobSpec, LogQuery, Task, ensure_agent,
    stored_job_logs, stored_status,
};

use crate::helper::{FAST, WORLD};
use crate::world::{PATIENCE, World, is_running, kill_process, launch, processes_with, until};

/// An agent for which a minute takes a second.
struct Fast {
    dir: tempfile::TempDir,
    client: Client,
    launch: AgentLaunch,
}

impl Fast {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut launch = launch(dir.path(), &dir.path().join("state"), PATIENCE);
        launch.env.push((FAST.into(), "1".into()));
        let client = ensure_agent(launch.clone()).await.unwrap();
        Self {
            dir,
            client,
            launch,
        }
    }

    /// A job of every minute.
    async fn put(&self, line: &str) {
        let spec = program(self.dir.path(), line);
        self.client.put_job("nightly", &spec).await.unwrap();
    }

    async fn job(&self) -> JobInfo {
        self.client.job("nightly").await.unwrap().unwrap()
    }

    async fn until(&self, so: impl Fn(&JobInfo) -> bool) -> JobInfo {
        let waited = async {
            loop {
                let job = self.job().await;
                if so(&job) {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waited).await;
        waited.expect("the job never got there")
    }
}

impl Drop for Fast {
    fn drop(&mut self) {
        let world = format!("{WORLD}={}", self.dir.path().display());
        for _ in 0..3 {
            processes_with(&world).into_iter().for_each(kill_process);
        }
    }
}

fn program(dir: &std::path::Path, line: &str) -> JobSpec {
    JobSpec {
        schedule: "* * * * *".to_owned(),
        timezone: String::new(),
        task: Task::Program {
            command: Command::Shell(line.to_owned()),
            prepare: Vec::new(),
            dir: dir.to_owned(),
            env: Env::new().with_secret("TOKEN", "very-secret-token"),
        },
        spec_hash: String::new(),
    }
}

/// Notes it when two run at once.
const ALONE: &str = "mkdir lock || echo twice > twice; sleep 2.5; rmdir lock";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_by_its_schedule_and_keeps_its_logs() {
    let fast = Fast::new().await;
    fast.put("echo with $TOKEN; test ! -e broken").await;
    assert!(fast.job().await.next.is_some());
    let job = fast.until(|job| job.runs >= 2 && job.last.is_some()).await;
    assert!(job.last.as_ref().unwrap().success, "{job:?}");
    assert_eq!(job.failures, 0);
    std::fs::write(fast.dir.path().join("broken"), "").unwrap();
    let job = fast.until(|job| job.failures > 0).await;
    assert_eq!(job.last.unwrap().text, "ended with exit code 1");
    let log = fast.client.job_logs("nightly", &LogQuery::default()).await;
    let lines: Vec<String> = log
        .unwrap()
        .lines
        .into_iter()
        .map(|line| line.text)
        .collect();
    assert!(lines.contains(&"with ***".to_owned()), "{lines:?}");
    assert!(lines.contains(&"[fabrik] ended with exit code 1".to_owned()));
    // What is stored tells the same, and no secret.
    let state = fast.dir.path().join("state");
    let stored = stored_status(&state).unwrap().jobs.remove(0);
    assert!(stored.next.is_none() && stored.runs > 0);
    assert!(!format!("{stored:?}").contains("very-secret"));
    let lines = stored_job_logs(&state, "nightly", &LogQuery::default())
        .unwrap()
        .lines;
    assert!(lines.iter().all(|line| !line.text.contains("very-secret")));
    fast.client.remove_job("nightly").await.unwrap();
    assert!(!state.join("jobs.json").exists() && !state.join("logs/jobs/nightly").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_never_runs_twice_at_once() {
    let fast = Fast::new().await;
    fast.put(ALONE).await;
    fast.until(|job| job.running_since.is_some()).await;
    let error = fast.client.run_job("nightly").await.unwrap_err();
    assert!(error.to_string().contains("runs already"), "{error}");
    let job = fast
        .until(|job| job.last.as_ref().is_some_and(|last| last.number == 2))
        .await;
    // Each took several of its minutes.
    assert!(job.last.unwrap().success);
    assert!(!fast.dir.path().join("twice").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_outlives_its_agent_and_is_not_doubled() {
    let fast = Fast::new().await;
    fast.put(ALONE).await;
    let job = fast.until(|job| job.running_since.is_some()).await;
    assert_eq!(job.runs, 1);
    until("it works", || fast.dir.path().join("lock").exists()).await;
    let agent = fast.client.hello().await.unwrap().pid;
    kill_process(agent);
    until("the agent is gone", || !is_running(agent)).await;
    assert!(fast.dir.path().join("lock").exists());
    ensure_agent(fast.launch.clone()).await.unwrap();
    let job = fast.job().await;
    assert!(job.running_since.is_some() && job.runs == 1, "{job:?}");
    let job = fast.until(|job| job.last.is_some()).await;
    let last = job.last.unwrap();
    assert_eq!(last.number, 1);
    assert!(
        last.text.contains("the agent was started anew"),
        "{}",
        last.text
    );
    fast.until(|job| job.runs == 2).await;
    assert!(!fast.dir.path().join("twice").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_job_ends_its_run() {
    let world = World::new().await;
    let line = "trap '' HUP; echo $$ > pid; sleep 1000";
    let spec = program(world.path(), line);
    world.client.put_job("nightly", &spec).await.unwrap();
    let client = world.client.clone();
    let run = tokio::spawn(async move { client.run_job("nightly").await });
    until("it runs", || world.path().join("pid").exists()).await;
    world.client.remove_job("nightly").await.unwrap();
    let run = run.await.unwrap().unwrap();
    assert_eq!((run.success, run.text.as_str()), (false, "was ended"));
    assert_eq!(world.processes().len(), 1, "the agent");
    assert!(world.client.job("nightly").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_run_is_refused() {
    let world = World::new().await;
    for (change, says) in [
        (
            (|spec: &mut JobSpec| spec.timezone = "Mars/Base".to_owned()) as fn(&mut JobSpec),
            "invalid timezone: `Mars/Base` is no time zone that this machine knows, such as `Europe/Berlin`",
        ),
        (
            |spec| spec.schedule = "0 25 * * *".to_owned(),
            "invalid schedule: `25` in `0 25 * * *` is not between 0 and 23",
        ),
        (
            |spec| {
                if let Task::Program { dir, .. } = &mut spec.task {
                    *dir = "/no/such".into();
                }
            },
            "invalid dir: there is no folder `/no/such`",
        ),
        (
            |spec| {
                if let Task::Program { prepare, .. } = &mut spec.task {
                    *prepare = vec![Command::Shell("echo not so; exit 3".into())];
                }
            },
            "`echo not so; exit 3` for `nightly` ended with exit code 3; its last lines:\n  [fabrik] running `echo not so; exit 3`\n  not so",
        ),
    ] {
        let mut spec = program(world.path(), "true");
        change(&mut spec);
        let error = world.client.put_job("nightly", &spec).await.unwrap_err();
        assert_eq!(error.to_string(), says);
        assert!(world.client.job("nightly").await.unwrap().is_none());
    }
    assert!(!world.state_dir().join("logs/jobs/nightly").exists());
    // One that is not there is said when it runs.
    let mut spec = program(world.path(), "");
    if let Task::Program { command, .. } = &mut spec.task {
        *command = Command::Argv(vec!["no-such-program".into()]);
    }
    world.client.put_job("nightly", &spec).await.unwrap();
    let run = world.client.run_job("nightly").await.unwrap();
    assert_eq!(
        run.text,
        "could not start: the command `no-such-program` was not found"
    );
}

//! The conformance suite. Everything is for real: an agent, files, processes. There is no TCP between
//! the engine and the provider, so faults lie there.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fabrik_core::error::Result;
use fabrik_core::provider::{Cx, Instance, Provider, ProviderInfo};
use fabrik_core::role::Player;
use fabrik_core::value::Value;
use fabrik_provider_local::{
    AgentConfig, AgentLaunch, AgentStatus, BackupSource, BackupSpec, Client, Command,
    DatabaseEngine, DatabaseSpec, Env, JobSpec, LocalSettings, MonitorSpec, Port, ServiceSpec,
    SiteSpec, Task, ensure_agent, hash_dir, provider, run_agent, stored_status,
};
use fabrik_testkit::{Target, Wire, suite};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// The first argument of this program as an agent; the state directory follows.
const AGENT: &str = "--as-an-agent";
/// The first argument of this program as a Redis server; its configuration follows.
const REDIS: &str = "--as-redis";

/// A machine: a project folder, and the agent's folder beside it.
struct Machine(TempDir);

impl Machine {
    fn start() -> Machine {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("site/index.html", "<h1>one</h1>"),
            ("other/index.html", "<h1>two</h1>"),
        ] {
            let path = dir.path().join("project").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        // A stand-in for Redis: this program.
        let programs = dir.path().join("bin");
        std::fs::create_dir(&programs).unwrap();
        let this = std::env::current_exe().unwrap();
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'Redis server v=7.0.15 sha=0'; else exec '{}' {REDIS} \"$1\"; fi\n",
            this.display()
        );
        for name in ["redis-server", "valkey-server"] {
            let path = programs.join(name);
            std::fs::write(&path, &script).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Machine(dir)
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    fn file(&self, id: &str) -> PathBuf {
        // An id is a path, relative to the project or absolute.
        self.0.path().join("project").join(id)
    }

    fn write(&self, id: &str, text: &str) {
        let path = self.file(id);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn watch(&self, name: &str, seconds: u64) {
        let spec = MonitorSpec {
            url: "http://127.0.0.1:9/by-hand".to_owned(),
            interval: Duration::from_secs(seconds),
        };
        self.by_hand(async |agent| drop(agent.put_monitor(name, &spec).await.unwrap()));
    }

    fn job(&self, name: &str) {
        let task = if name.starts_with('@') {
            Task::Backup(BackupSpec {
                source: BackupSource::Folders(vec![self.0.path().join("project/site")]),
                to: self.0.path().join("saved"),
                keep: 1,
                restic: false,
            })
        } else {
            Task::Program {
                command: Command::Shell("false".to_owned()),
                prepare: Vec::new(),
                dir: self.0.path().to_owned(),
                env: Env::new(),
            }
        };
        let spec = JobSpec {
            schedule: "7 7 7 7 *".to_owned(),
            timezone: String::new(),
            task,
            spec_hash: String::new(),
        };
        self.by_hand(async |agent| drop(agent.put_job(name, &spec).await.unwrap()));
    }

    fn name(&self, name: &str) {
        self.by_hand(async |agent| drop(agent.put_name(name, "127.0.0.9").await.unwrap()));
    }

    /// A human asks the agent. On a thread of its own: the suite's has a runtime already.
    fn by_hand(&self, ask: impl AsyncFnOnce(Client) + Send) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap()
                    .block_on(async {
                        let agent = ensure_agent(launch(&self.state())).await.unwrap();
                        ask(agent).await;
                    });
            });
        });
    }

    fn status(&self) -> AgentStatus {
        stored_status(&self.state()).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path(), found);
                } else {
                    found.push(entry.path());
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.0.path().join("project"), &mut found);
        found.retain(|path| !path.ends_with("index.html"));
        found.sort();
        found
    }
}

impl Target for Machine {
    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 9))
    }

    fn config(&self, _: SocketAddr) -> Json {
        json!({"state_dir": self.state().display().to_string()})
    }

    fn dump(&self) -> Json {
        let status = self.status();
        let files: Vec<(String, String)> = self
            .files()
            .iter()
            .map(|path| {
                let text = std::fs::read_to_string(path).unwrap_or_default();
                (path.display().to_string(), text)
            })
            .collect();
        json!({
            "files": files,
            "sites": status.sites.iter().map(|site| &site.name).collect::<Vec<_>>(),
            "routes": status.routes.iter().map(|route| &route.name).collect::<Vec<_>>(),
            "services": status.services.iter().map(|service| &service.name).collect::<Vec<_>>(),
            "buckets": status.buckets.iter().map(|bucket| &bucket.name).collect::<Vec<_>>(),
            "monitors": status.monitors.iter().map(|monitor| &monitor.name).collect::<Vec<_>>(),
            "databases": status.databases.iter().map(|database| &database.name).collect::<Vec<_>>(),
            "jobs": status.jobs.iter().map(|job| &job.name).collect::<Vec<_>>(),
            "names": status.names.iter().map(|name| &name.name).collect::<Vec<_>>(),
        })
    }

    fn count(&self, type_name: &str) -> usize {
        let status = self.status();
        match type_name {
            "local.file" => self.files().len(),
            "local.static_site" => status.sites.len(),
            "local.route" => status.routes.len(),
            "local.service" => status.services.len(),
            "local.bucket" => status.buckets.len(),
            "local.monitor" => status.monitors.len(),
            "local.database" => status.databases.len(),
            "local.cron" => status
                .jobs
                .iter()
                .filter(|job| !job.name.starts_with('@'))
                .count(),
            "local.backup" => status
                .jobs
                .iter()
                .filter(|job| job.name.starts_with('@'))
                .count(),
            _ => status.names.len(),
        }
    }

    fn wire(&self) -> Wire {
        Wire::Direct
    }
}

/// The provider, in the project folder beside the agent's folder of its configuration.
struct Placed(Box<dyn Provider>);

fn placed(base: &Path) -> Box<dyn Provider> {
    let settings = LocalSettings::new(base.join("state"), base.join("project"), |state, _| {
        launch(state)
    });
    Box::new(provider(settings))
}

/// This program as an agent.
fn launch(state: &Path) -> AgentLaunch {
    let mut launch = AgentLaunch::new(std::env::current_exe().unwrap(), state);
    launch.args = vec![AGENT.into(), state.into()];
    launch
}

#[async_trait]
impl Provider for Placed {
    fn info(&self) -> &ProviderInfo {
        self.0.info()
    }

    async fn open(&self, cx: &Cx, config: &Value) -> Result<Arc<dyn Instance>> {
        let state = config.get("state_dir").and_then(Value::as_str);
        let base = state.and_then(|state| Path::new(state).parent());
        placed(base.unwrap_or(Path::new("/nowhere")))
            .open(cx, config)
            .await
    }

    fn players(&self) -> Vec<Arc<dyn Player>> {
        self.0.players()
    }
}

/// Plays a Redis server: what the provider asks of one at its start.
fn redis(config: &Path) -> ExitCode {
    use std::io::{BufRead as _, BufReader, Write as _};
    let text = std::fs::read_to_string(config).unwrap();
    let word = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap().to_owned()
    };
    let listener = TcpListener::bind(format!("{}:{}", word("bind"), word("port"))).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut known = false;
        for line in BufReader::new(stream.try_clone().unwrap())
            .lines()
            .map_while(Result::ok)
        {
            let answer = match line.split_once(' ') {
                Some(("AUTH", password)) if password == word("requirepass") => {
                    known = true;
                    "+OK"
                }
                Some(("AUTH", _)) => {
                    "-WRONGPASS invalid username-password pair or user is disabled."
                }
                _ if !known => "-NOAUTH Authentication required.",
                _ => "+PONG",
            };
            let _ = write!(stream, "{answer}\r\n");
        }
    }
    ExitCode::SUCCESS
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == REDIS) {
        return redis(Path::new(&words[2]));
    }
    if words.get(1).is_some_and(|word| word == AGENT) {
        return agent(PathBuf::from(&words[2]));
    }
    let suite = suite("local", || Placed(placed(Path::new("/nowhere"))))
        .target(Machine::start)
        .waive(
            "C4",
            "there are no permissions: it is this user's own machine",
        )
        .waive("R12", "the agent's refusals are found before it is asked")
        .waive("L6", WHOLE)
        .waive("D4", WHOLE);
    let suite = suite
        .resource("local.file", |r| {
            r.minimal(json!({"path": "out/thing.txt", "content": "one"}))
                .maximal(json!({"path": "out/thing.txt", "content": "one", "mode": "0640"}))
                .update(json!({"content": "two", "mode": "0600"}))
                .replace("path", json!("out/other.txt"))
                .invalid("mode", json!("9"), "right form")
                .drift("content", |t, id| t.write(id, "by hand"))
                .gone(|t, id| std::fs::remove_file(t.file(id)).unwrap())
                .foreign(|t| t.write("out/thing.txt", "of a human"))
                .opaque_ids()
                .many(
                    12,
                    |n| json!({"path": format!("out/{n}.txt"), "content": "x"}),
                )
        })
        .resource("local.static_site", |r| {
            r.minimal(json!({"name": "thing", "source": "site"}))
                .maximal(json!({
                    "name": "thing", "source": "site", "spa": false, "not_found": "index.html",
                    "headers": {"/*": {"X-Frame-Options": "DENY"}}, "keep": 2,
                }))
                .waive("S5", FOUND_OUT)
                .waive("L16", "its texts are names, paths and programs")
                .variant(
                    "spa",
                    json!({"name": "thing", "source": "site", "spa": true}),
                )
                .update(json!({"source": "other", "keep": 5}))
                .replace("name", json!("other"))
                .invalid("name", json!(""), "empty")
                .drift("not_found", |t, id| {
                    t.by_hand(async |agent| {
                        let source = t.0.path().join("project/site");
                        let mut spec = SiteSpec::new(&source, hash_dir(&source).unwrap());
                        spec.not_found = Some("other.html".to_owned());
                        spec.headers = agent.site(id).await.unwrap().unwrap().headers;
                        spec.keep = 2;
                        agent.deploy_site(id, &spec).await.unwrap();
                    });
                })
                .gone(|t, id| t.by_hand(async |agent| agent.remove_site(id).await.unwrap()))
                .foreign(|t| {
                    t.by_hand(async |agent| {
                        let source = t.0.path().join("project/other");
                        let spec = SiteSpec::new(&source, hash_dir(&source).unwrap());
                        agent.deploy_site("thing", &spec).await.unwrap();
                    });
                })
                .opaque_ids()
                .many(
                    12,
                    |n| json!({"name": format!("site{n}"), "source": "site"}),
                )
        })
        .resource("local.bucket", |r| {
            r.minimal(json!({"name": "thing"}))
                .maximal(json!({"name": "thing"}))
                .replace("name", json!("other"))
                .invalid("name", json!(""), "empty")
                .waive("D1", "a bucket has nothing but its name")
                .waive("D2", "a bucket has nothing but its name")
                .gone(|t, id| t.by_hand(async |agent| agent.remove_bucket(id, true).await.unwrap()))
                .foreign(|t| {
                    t.by_hand(async |agent| drop(agent.put_bucket("thing").await.unwrap()));
                })
                .opaque_ids()
                .many(12, |n| json!({"name": format!("bucket{n}")}))
        })
        .resource("local.monitor", |r| {
            r.minimal(json!({"name": "thing", "url": "http://127.0.0.1:9/"}))
                .maximal(json!({"name": "thing", "url": "http://127.0.0.1:9/", "interval": "5m"}))
                .update(json!({"url": "http://127.0.0.1:9/x", "interval": "10m"}))
                .waive("L16", "it has no text but a name and an address")
                .replace("name", json!("other"))
                .invalid("interval", json!("soon"), "right form")
                .drift("url", |t, id| t.watch(id, 300))
                .gone(|t, id| t.by_hand(async |agent| agent.remove_monitor(id).await.unwrap()))
                .foreign(|t| t.watch("thing", 60))
                .opaque_ids()
                .many(
                    12,
                    |n| json!({"name": format!("m{n}"), "url": "http://127.0.0.1:9/"}),
                )
        })
        .resource("local.dns_name", |r| {
            r.minimal(json!({"name": "thing.localhost", "target": "127.0.0.1"}))
                .maximal(json!({"name": "thing.localhost", "target": "127.0.0.1"}))
                .update(json!({"target": "127.0.0.2"}))
                .replace("name", json!("other.localhost"))
                .invalid("name", json!("example.com"), "localhost")
                .drift("target", Machine::name)
                .gone(|t, id| t.by_hand(async |agent| agent.remove_name(id).await.unwrap()))
                .foreign(|t| t.name("thing.localhost"))
                .opaque_ids()
                .many(
                    12,
                    |n| json!({"name": format!("n{n}.localhost"), "target": "127.0.0.1"}),
                )
        });
    let suite = suite
        .resource("local.cron", |r| {
            r.minimal(json!({"name": "thing", "command": "true", "schedule": "0 3 * * *"}))
                .maximal(json!({
                    "name": "thing", "command": ["true", "x"], "schedule": "0 3 * * *", "timezone": "UTC",
                    "dir": "site", "env": {"A": "b"}, "prepare": ["true"], "watch": true, "ignore": ["a", "b"],
                }))
                .update(json!({"schedule": "0 4 * * *", "env": {"A": "c"}}))
                .waive("S5", FOUND_OUT)
                .waive("L16", "its texts are names, paths and programs")
                .replace("name", json!("other"))
                .invalid("schedule", json!("daily"), "short")
                .drift("schedule", |t, id| t.by_hand(async |agent| {
                    let mut spec = agent.job(id).await.unwrap().unwrap().spec;
                    "5 5 * * *".clone_into(&mut spec.schedule);
                    agent.put_job(id, &spec).await.unwrap();
                }))
                .gone(|t, id| t.by_hand(async |agent| agent.remove_job(id).await.unwrap()))
                .foreign(|t| t.job("thing"))
                .opaque_ids()
                .many(12, |n| json!({"name": format!("j{n}"), "command": "true", "schedule": "0 3 * * *"}))
        })
        .resource("local.backup", |r| {
            r.minimal(json!({"name": "thing", "folders": ["site"], "schedule": "0 3 * * *"}))
                .maximal(json!({
                    "name": "thing", "folders": ["site", "other"], "schedule": "0 3 * * *", "timezone": "UTC",
                    "keep": 3, "to": "saved", "restic": true,
                }))
                .also("db", "local.database", json!({"name": "db", "engine": "redis"}))
                .variant("database", json!({
                    "name": "thing", "database": "${resources.db.id}", "schedule": "0 3 * * *",
                }))
                .update(json!({"schedule": "0 4 * * *", "keep": 2}))
                .waive("L16", "its texts are names and paths")
                .replace("name", json!("other"))
                .invalid("keep", json!(0), "1")
                .drift("schedule", |t, id| t.by_hand(async |agent| {
                    let name = format!("@{id}");
                    let mut spec = agent.job(&name).await.unwrap().unwrap().spec;
                    "5 5 * * *".clone_into(&mut spec.schedule);
                    agent.put_job(&name, &spec).await.unwrap();
                }))
                .gone(|t, id| {
                    t.by_hand(async |agent| agent.remove_job(&format!("@{id}")).await.unwrap());
                })
                .foreign(|t| t.job("@thing"))
                .opaque_ids()
                .many(12, |n| json!({"name": format!("b{n}"), "folders": ["site"], "schedule": "0 3 * * *"}))
        })
        .resource("local.database", |r| {
            r.minimal(json!({"name": "thing", "engine": "redis"}))
                .maximal(json!({"name": "thing", "engine": "redis", "version": "7", "database": "inner"}))
                .waive("S5", FOUND_OUT)
                .waive("L5", "a database is replaced by every change, which plans as the loss of its data")
                .replace("name", json!("other"))
                .replace("engine", json!("valkey"))
                .replace("version", json!("7.0"))
                .replace("database", json!("another"))
                .invalid("name", json!(""), "empty")
                .waive("D1", "nothing of it can be changed from outside but that it runs, which `a_redis_keeps_its_data_too` tests")
                .waive("D2", "nothing of it can be changed from outside but that it runs, which `a_redis_keeps_its_data_too` tests")
                .gone(|t, id| t.by_hand(async |agent| agent.remove_database(id).await.unwrap()))
                .foreign(|t| t.by_hand(async |agent| {
                    let spec = DatabaseSpec {
                        engine: DatabaseEngine::Redis,
                        version: None,
                        database: "thing".to_owned(),
                    };
                    agent.put_database("thing", "by hand", &spec).await.unwrap();
                }))
                .opaque_ids()
                .many(6, |n| json!({"name": format!("d{n}"), "engine": "redis"}))
        });
    suite
        .resource("local.route", |r| {
            r.also("site", "local.static_site", json!({"name": "www", "source": "site"}))
                .also("program", "local.service", json!({"name": "www", "command": "exec sleep 600", "worker": true, "health": {"interval": "10ms"}}))
                .minimal(json!({"host": "thing.localhost", "site": "${resources.site.name}"}))
                .maximal(json!({
                    "host": "thing.localhost", "path": "/shop", "strip": true, "site": "${resources.site.name}",
                }))
                .variant("service", json!({"host": "thing.localhost", "service": "${resources.program.name}"}))
                .update(json!({"strip": false}))
                .replace("host", json!("other.localhost"))
                .replace("path", json!("/other"))
                .invalid("host", json!(""), "empty")
                .drift("strip", |t, id| t.by_hand(async |agent| {
                    let route = agent.route(id).await.unwrap().unwrap();
                    let mut spec = route.spec;
                    spec.strip_prefix = !spec.strip_prefix;
                    agent.put_route(id, &spec).await.unwrap();
                }))
                .gone(|t, id| t.by_hand(async |agent| agent.remove_route(id).await.unwrap()))
                .waive("L17", "a route of a human needs a site of a human; `two_routes_cannot_have_one_host` tests it")
                .opaque_ids()
                .many(12, |n| json!({"host": format!("r{n}.localhost"), "site": "${resources.site.name}"}))
        })
        .resource("local.service", |r| {
            r.minimal(worker("thing"))
                .maximal(json!({
                    "name": "thing", "command": ["sleep", "600"], "dir": "site", "worker": true,
                    "env": {"A": "b"}, "instances": 2, "restart": "on_failure", "drain": "1s", "keep": 1,
                    "health": {"interval": "10ms"}, "stop": {"grace": "1s", "signal": "SIGINT"}, "prepare": ["true"],
                    "watch": true, "ignore": ["a", "b"],
                }))
                .update(json!({"env": {"A": "c"}, "instances": 1}))
                .waive("S5", FOUND_OUT)
                .waive("L16", "its texts are names, paths and programs")
                .waive("L13", "left out, `stop` is as usual again, which the agent shows")
                .replace("name", json!("other"))
                .invalid("name", json!(""), "empty")
                .drift("instances", |t, id| t.by_hand(async |agent| {
                    let live = agent.service(id).await.unwrap().unwrap().live.unwrap();
                    let mut spec = live.spec;
                    spec.instances = 1;
                    agent.deploy_service(id, "by hand", &spec).await.unwrap();
                }))
                .gone(|t, id| t.by_hand(async |agent| agent.remove_service(id, false).await.unwrap()))
                .foreign(|t| t.by_hand(async |agent| {
                    let command = Command::Shell("exec sleep 600".to_owned());
                    let mut spec = ServiceSpec::new(command, t.0.path());
                    spec.port = Port::None;
                    spec.health.interval = Duration::from_millis(10);
                    agent.deploy_service("thing", "by hand", &spec).await.unwrap();
                }))
                .opaque_ids()
                .many(12, |n| worker(&format!("s{n}")))
        })
        .run()
}

/// Some fields are no user's.
const FOUND_OUT: &str = "`content`, `running` and the like are found out, not set";

/// Nothing of an object is anybody else's.
const WHOLE: &str = "every field that an object has is managed";

fn worker(name: &str) -> Json {
    json!({"name": name, "command": "exec sleep 600", "worker": true, "health": {"interval": "10ms"}})
}

fn agent(state: PathBuf) -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "a program, not the library")]
    let mut config = AgentConfig::new(state, std::time::SystemTime::now);
    config.port = 0;
    let programs = config.state_dir.with_file_name("bin");
    let path = format!("{}:/usr/bin:/bin", programs.display());
    config.base_env = Env::new().with("PATH", path);
    config.idle_exit = Duration::from_millis(500);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    match runtime.block_on(run_agent(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

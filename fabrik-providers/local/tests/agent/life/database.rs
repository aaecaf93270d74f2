//! `local.database`: with the programs of this machine where it has them; what is said where not is
//! tested everywhere.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fabrik_core::state::RunResult;
use fabrik_provider_local::DatabasePlayer;
use serde_json::json;

use super::roles::{expand, shown};
use super::{Stage, refer, resource, stack};

/// Where PostgreSQL's programs are.
pub(super) fn postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop()
}

/// What a statement gives.
pub(super) fn sql(bin: &Path, url: &str, statement: &str) -> String {
    let output = Command::new(bin.join("psql"))
        .args([
            "-X",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
            url,
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{problem}");
    text
}

pub(super) fn database(name: &str, engine: &str) -> fabrik_core::stack::Declared {
    resource(
        name,
        "local.database",
        &json!({"name": name, "engine": engine}),
    )
}

/// The URL that a stack gives.
pub(super) fn url_of(report: &fabrik_core::engine::RunReport) -> String {
    let url = report.output("url").unwrap();
    assert!(url.is_secret(), "a URL with a password is a secret");
    url.reveal().as_str().unwrap().to_owned()
}

#[test]
fn a_database_app_is_one_resource() {
    let intent = json!({"engine": "postgres", "name": "main_db", "version": "15"});
    let (parts, outputs) = expand(&DatabasePlayer, &intent, &json!({})).unwrap();
    assert_eq!(
        shown(&parts),
        json!([["apps.shop.database", "local.database",
            {"name": "shop", "engine": "postgres", "database": "main_db", "version": "15"}]])
    );
    for name in ["url", "host", "port", "user", "password", "id"] {
        assert!(outputs.get(name).is_some(), "{name}");
    }
    let redis = json!({"engine": "redis", "name": "cache"});
    let (_, outputs) = expand(&DatabasePlayer, &redis, &json!({})).unwrap();
    assert!(outputs.get("user").is_none() && outputs.get("url").is_some());
    let mongo = json!({"engine": "mongodb", "name": "docs"});
    let error = expand(&DatabasePlayer, &mongo, &json!({})).unwrap_err();
    assert_eq!(error.field_path().unwrap().to_string(), "engine");
    assert_eq!(
        error.message(),
        "the local provider runs postgres, redis and valkey, not mongodb"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_keeps_its_data_port_and_password() {
    let Some(bin) = postgres() else { return };
    let stage = Stage::new();
    let mut wanted = stack([database("main-db", "postgres")]);
    wanted.output("url", refer("main-db", "url"));
    let url = url_of(&stage.settle(&wanted).await);
    assert!(
        url.starts_with("postgres://main_db:"),
        "its user is named after it"
    );
    assert!(url.ends_with("/main_db"));
    sql(&bin, &url, "CREATE TABLE t AS SELECT 42 AS n");
    // A wrong password opens nothing.
    let wrong = url.replacen("main_db:", "main_db:x", 1);
    let refused = Command::new(bin.join("psql"))
        .args(["-c", "SELECT 1", &wrong])
        .output();
    assert!(!refused.unwrap().status.success());
    // Killed and all: the next apply has it run again, the same.
    let data = stage.state_dir().join("databases/main-db/data");
    let pid = std::fs::read_to_string(data.join("postmaster.pid")).unwrap();
    let pid: u32 = pid.lines().next().unwrap().parse().unwrap();
    stage.agent().shutdown(true).await.unwrap();
    crate::world::until("it is down", || !crate::world::is_running(pid)).await;
    let plan = stage.plan(&wanted).await;
    assert_eq!(plan.changes.len(), 1, "it has to run");
    assert_eq!(url_of(&stage.settle(&wanted).await), url);
    assert_eq!(sql(&bin, &url, "SELECT n FROM t"), "42");
    // The agent's death does not stop it.
    stage.kill_agent().await;
    assert_eq!(sql(&bin, &url, "SELECT n FROM t"), "42");
    assert_eq!(url_of(&stage.settle(&wanted).await), url);
    // No secret in what is stored of the run, and no way for others to read the data.
    let mode = stage.state_dir().join("databases.json").metadata().unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    // Its data goes only when that is allowed.
    let plan = stage.plan(&stack([])).await;
    assert!(plan.changes[0].data_loss);
    stage.destroy(&wanted).await;
    assert!(!data.exists());
    crate::world::until("nothing is left", || {
        stage.processes().is_empty() && !stage.state_dir().exists()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_not_there_is_told() {
    if postgres().is_none() {
        return;
    }
    let stage = Stage::new();
    let inputs = json!({"name": "db", "engine": "postgres", "version": "9.6"});
    let report = stage
        .apply(&stack([resource("db", "local.database", &inputs)]))
        .await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    let error = report.end.error.unwrap();
    assert!(
        error
            .message
            .starts_with("PostgreSQL 9 is not on this machine: there is "),
        "{}",
        error.message
    );
    let dir = stage.state_dir();
    assert!(!dir.join("databases/db").exists() && !dir.join("databases.json").exists());
}

/// One request in Redis's simple form, and the last line of the answer.
fn ask(url: &str, request: &str) -> String {
    use std::io::{BufRead as _, BufReader, Write as _};
    let rest = url.strip_prefix("redis://:").unwrap();
    let (password, rest) = rest.split_once('@').unwrap();
    let address = rest.strip_suffix("/0").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "AUTH {password}\r\n{request}\r\nQUIT\r\n").unwrap();
    let lines: Vec<String> = BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .collect();
    lines[lines.len() - 2].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_keeps_its_data_too() {
    let there = ["redis-server", "valkey-server"];
    if !there
        .iter()
        .any(|name| Path::new("/usr/bin").join(name).exists())
    {
        return;
    }
    let stage = Stage::new();
    let mut wanted = stack([database("cache", "redis")]);
    wanted.output("url", refer("cache", "url"));
    let url = url_of(&stage.settle(&wanted).await);
    assert_eq!(ask(&url, "SET a 42"), "+OK");
    stage.agent().shutdown(true).await.unwrap();
    assert_eq!(url_of(&stage.settle(&wanted).await), url);
    assert_eq!(ask(&url, "GET a"), "42");
    // The password is no argument that others see.
    let password = url.split(['@', ':']).nth(2).unwrap().to_owned();
    for pid in stage.processes() {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&words).contains(&password));
    }
    stage.destroy(&wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_are_missing_are_named_with_their_package() {
    if Path::new("/usr/bin/valkey-server").exists() {
        return;
    }
    let stage = Stage::new();
    let report = stage.apply(&stack([database("cache", "valkey")])).await;
    let error = report.end.error.unwrap();
    assert_eq!(error.message, "Valkey is not on this machine");
    assert_eq!(
        error.hint.as_deref(),
        Some(
            "install the package `valkey-server` (`apt install valkey-server` on Debian and Ubuntu), and apply again"
        )
    );
}

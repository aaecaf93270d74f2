//! PostgreSQL: a cluster of its own for each database, reached over loopback with a password.
//!
//! <https://www.postgresql.org/docs/current/app-initdb.html>,
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Access, DatabaseRecord, Programs, TOOL_PATIENCE};
use crate::agent::probe;
use crate::agent::shared::Shared;
use crate::agent::tool::{self, Tool};
use crate::error::Error;
use crate::model::{Command, StopSignal};
use crate::records;

/// Folders of which each version has one, and where the programs lie in it.
const VERSIONED: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
];
/// How long a dump may take.
const DUMP_PATIENCE: Duration = Duration::from_secs(6 * 3600);

/// The servers of all versions on this machine.
pub(super) fn servers(shared: &Shared) -> Vec<PathBuf> {
    let mut dirs = vec![PathBuf::from("/usr/local/pgsql/bin")];
    for (base, bin) in VERSIONED {
        let versions = records::names(Path::new(base)).unwrap_or_default();
        let ours = |name: &String| {
            base.ends_with("postgresql")
                || name.starts_with("postgresql@")
                || name.starts_with("pgsql-")
        };
        let versions = versions.iter().filter(|name| ours(name));
        dirs.extend(versions.map(|version| Path::new(base).join(version).join(bin)));
    }
    let mut found: Vec<PathBuf> = tool::find(shared, "postgres", &[])
        .into_iter()
        .chain(dirs.iter().map(|dir| dir.join("postgres")))
        // A link may lie beside others; the real one lies beside `initdb`.
        .filter_map(|path| path.canonicalize().ok())
        .filter(|path| path.with_file_name("initdb").is_file())
        .collect();
    found.sort();
    found.dedup();
    found
}

/// PostgreSQL refuses to run as root. In a user namespace of its own root is somebody else, and
/// still may read what is root's.
fn wrapped(shared: &Shared, words: Vec<String>) -> Result<Vec<String>, Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(words);
    }
    let Some(unshare) = tool::find(shared, "unshare", &[]) else {
        return Err(Error::Missing {
            program: "unshare".to_owned(),
            package: "util-linux".to_owned(),
        });
    };
    let before = ["--user", "--map-user=1000", "--map-group=1000", "--"];
    let mut all = vec![unshare.display().to_string()];
    all.extend(before.map(str::to_owned));
    all.extend(words);
    Ok(all)
}

/// Makes the cluster, its one user and its one database under another name first: a folder `data`
/// is a whole one.
pub(super) async fn make(
    programs: &Programs,
    shared: &Shared,
    home: &Path,
    record: &DatabaseRecord,
) -> Result<(), Error> {
    let (data, unfinished, password) = (home.join("data"), home.join("data.new"), home.join("pw"));
    if data.join("PG_VERSION").is_file() {
        return Ok(());
    }
    records::remove_tree(&unfinished)?;
    records::write_text(&password, record.password.expose())?;
    let shown = unfinished.display().to_string();
    let name = record.spec.database.as_str();
    let made = async {
        let user = format!("--username={name}");
        let pwfile = format!("--pwfile={}", password.display());
        let words = [
            &programs.other("initdb"),
            "-D",
            &shown,
            &user,
            &pwfile,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
        ];
        run(shared, home, &words, String::new()).await?;
        let words = [
            &programs.other("postgres"),
            "--single",
            "-D",
            &shown,
            "postgres",
        ];
        run(
            shared,
            home,
            &words,
            format!("CREATE DATABASE \"{name}\"\n"),
        )
        .await
    };
    let made = made.await;
    records::remove(&password)?;
    made?;
    fs::rename(&unfinished, &data).map_err(|error| Error::file("make", &data, error))
}

async fn run(shared: &Shared, home: &Path, words: &[&str], input: String) -> Result<(), Error> {
    let program = Path::new(words[0]).file_name().unwrap_or_default();
    let program = program.to_string_lossy().into_owned();
    let tool = Tool {
        words: wrapped(
            shared,
            words.iter().map(|word| (*word).to_owned()).collect(),
        )?,
        dir: home,
        env: BTreeMap::new(),
        input,
        patience: TOOL_PATIENCE,
    };
    tool.run(shared)
        .await
        .map(drop)
        .map_err(|failure| Error::Tool {
            program,
            reason: failure.text,
            logs: failure.lines,
        })
}

/// What runs the cluster, and the signal that ends it without waiting for clients.
pub(super) fn command(
    programs: &Programs,
    shared: &Shared,
    home: &Path,
    record: &DatabaseRecord,
) -> Result<(Command, StopSignal), Error> {
    let words = [
        programs.server.display().to_string(),
        "-D".to_owned(),
        home.join("data").display().to_string(),
        "-p".to_owned(),
        record.port.to_string(),
        "-c".to_owned(),
        "listen_addresses=127.0.0.1".to_owned(),
        // The address of a Unix socket is too short for many a state directory.
        "-c".to_owned(),
        "unix_socket_directories=".to_owned(),
    ];
    let command = Command::Argv(wrapped(shared, words.to_vec())?);
    Ok((command, StopSignal::Int))
}

/// Whether the server lets clients in: it asks them for the password then.
pub(super) async fn answers(record: &DatabaseRecord) -> Result<(), String> {
    let name = &record.spec.database;
    let mut message = Vec::new();
    // Protocol 3.0.
    message.extend(196_608_u32.to_be_bytes());
    for word in ["user", name, "database", name] {
        message.extend(word.as_bytes());
        message.push(0);
    }
    message.push(0);
    let length = u32::try_from(message.len() + 4).map_err(|error| error.to_string())?;
    let asked = async {
        let mut stream = probe::connect(record.port).await?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(&message).await?;
        stream.read_u8().await
    };
    match timeout(Duration::from_secs(5), asked).await {
        Ok(Ok(b'R')) => Ok(()),
        Ok(Ok(_)) => Err("it does not let clients in yet".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

/// A dump that `pg_restore` reads; its table of contents is read to be sure.
pub(super) async fn dump(access: &Access, shared: &Shared, file: &Path) -> Result<(), Error> {
    let (record, programs) = (&access.record, &access.programs);
    let (port, name, shown) = (
        record.port.to_string(),
        record.spec.database.clone(),
        file.display().to_string(),
    );
    let words = [
        &programs.other("pg_dump"),
        "--format=custom",
        "--no-password",
        "--host=127.0.0.1",
        "--port",
        &port,
        "--username",
        &name,
        "--dbname",
        &name,
        "--file",
        &shown,
    ];
    let dir = file.parent().unwrap_or(Path::new("/"));
    let tool = |words: &[&str], env| Tool {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        dir,
        env,
        input: String::new(),
        patience: DUMP_PATIENCE,
    };
    let env = BTreeMap::from([("PGPASSWORD", record.password.expose())]);
    tool(&words, env).run(shared).await?;
    let words = [&programs.other("pg_restore"), "--list", &shown];
    tool(&words, BTreeMap::new()).run(shared).await?;
    Ok(())
}

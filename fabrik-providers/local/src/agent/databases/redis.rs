//! Redis and Valkey: a server for each database, reached over loopback with a password.
//!
//! <https://redis.io/docs/latest/operate/oss_and_stack/management/config/>

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::{Access, DatabaseRecord, Programs, TOOL_PATIENCE};
use crate::agent::probe;
use crate::agent::shared::Shared;
use crate::agent::tool::{self, Tool};
use crate::error::Error;
use crate::model::{Command, StopSignal};
use crate::records;
use crate::socket::private_dir;

/// The server of this machine. Where Redis is wanted and Valkey is there, that does.
pub(super) fn servers(shared: &Shared, valkey_only: bool) -> Vec<PathBuf> {
    let names: &[&str] = if valkey_only {
        &["valkey-server"]
    } else {
        &["redis-server", "valkey-server"]
    };
    let others = ["/opt/homebrew/bin", "/usr/local/sbin", "/usr/sbin"].map(PathBuf::from);
    let found = names
        .iter()
        .find_map(|name| tool::find(shared, name, &others));
    found.into_iter().collect()
}

/// Writes the configuration, which holds the password and so is no argument.
pub(super) fn make(home: &Path, record: &DatabaseRecord) -> Result<(), Error> {
    let data = home.join("data");
    private_dir(&data).map_err(|error| Error::file("make", &data, error))?;
    let text = format!(
        "bind 127.0.0.1\nport {}\nrequirepass {}\ndir \"{}\"\nappendonly yes\ndaemonize no\nlogfile \"\"\n",
        record.port,
        record.password.expose(),
        data.display()
            .to_string()
            .replace('\\', "\\\\")
            .replace('"', "\\\""),
    );
    records::write_text(&home.join("server.conf"), &text)
}

/// What runs the server, and the signal that ends it.
pub(super) fn command(programs: &Programs, home: &Path) -> (Command, StopSignal) {
    let words = [&programs.server, &home.join("server.conf")];
    let words = words.map(|word| word.display().to_string()).to_vec();
    (Command::Argv(words), StopSignal::Term)
}

/// Whether the server lets clients in: while it loads its data it does not.
pub(super) async fn answers(record: &DatabaseRecord) -> Result<(), String> {
    let ask = format!("AUTH {}\r\nPING\r\n", record.password.expose());
    let asked = async {
        let mut stream = probe::connect(record.port).await?;
        stream.write_all(ask.as_bytes()).await?;
        // An answer to each.
        let mut lines = BufReader::new(stream).lines();
        lines.next_line().await?;
        lines.next_line().await
    };
    match timeout(Duration::from_secs(5), asked).await {
        Ok(Ok(Some(told))) if told == "+PONG" => Ok(()),
        Ok(Ok(_)) => Err("it does not let clients in yet".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

/// A dump such as the server itself writes, and reads when it is put into its folder.
pub(super) async fn dump(access: &Access, shared: &Shared, file: &Path) -> Result<(), Error> {
    let server = access.programs.server.file_name().unwrap_or_default();
    let client = server.to_string_lossy().replace("-server", "-cli");
    let words = [
        access.programs.other(&client),
        "-h".to_owned(),
        "127.0.0.1".to_owned(),
        "-p".to_owned(),
        access.record.port.to_string(),
        "--rdb".to_owned(),
        file.display().to_string(),
    ];
    let tool = Tool {
        words: words.to_vec(),
        dir: file.parent().unwrap_or(Path::new("/")),
        env: BTreeMap::from([("REDISCLI_AUTH", access.record.password.expose())]),
        input: String::new(),
        patience: TOOL_PATIENCE,
    };
    tool.run(shared).await?;
    let mut start = [0; 5];
    let whole = File::open(file).and_then(|mut file| file.read_exact(&mut start));
    match whole {
        Ok(()) if &start == b"REDIS" || &start == b"VALKE" => Ok(()),
        Ok(()) => Err(Error::file("read", file, "it is no dump")),
        Err(error) => Err(Error::file("read", file, error)),
    }
}

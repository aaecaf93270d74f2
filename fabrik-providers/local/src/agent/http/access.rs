//! The access log: one JSON line per request. Queries are left out, for they may hold secrets.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use tokio::sync::mpsc;

use crate::socket::private_dir;

/// Lines that may wait to be written; more are dropped, for requests come first.
const QUEUE: usize = 4096;
/// Size at which the file is put aside.
const MAX_BYTES: u64 = 10 * 1024 * 1024;

/// Where requests are noted.
#[derive(Clone, Debug)]
pub(crate) struct AccessLog {
    lines: mpsc::Sender<String>,
    clock: fn() -> SystemTime,
}

/// One request.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    pub(super) host: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) status: u16,
    /// Time until the answer began.
    pub(super) millis: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    request: &'a Entry<'a>,
}

impl AccessLog {
    /// Opens the log; the file is made with the first request.
    pub(crate) fn open(path: PathBuf, clock: fn() -> SystemTime) -> Self {
        let (lines, mut queue) = mpsc::channel::<String>(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while queue.recv_many(&mut batch, QUEUE).await > 0 {
                let (path, text) = (path.clone(), batch.concat());
                batch.clear();
                let written = tokio::task::spawn_blocking(move || append(&path, &text)).await;
                if let Ok(Err(error)) = written {
                    tracing::warn!(%error, "could not write the access log");
                }
            }
        });
        Self { lines, clock }
    }

    pub(super) fn note(&self, entry: &Entry<'_>) {
        let time = httpdate::fmt_http_date((self.clock)());
        if let Ok(mut line) = serde_json::to_string(&Line {
            time,
            request: entry,
        }) {
            line.push('\n');
            let _ = self.lines.try_send(line);
        }
    }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        private_dir(dir)?;
    }
    if path
        .metadata()
        .is_ok_and(|metadata| metadata.len() > MAX_BYTES)
    {
        std::fs::rename(path, path.with_added_extension("1"))?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

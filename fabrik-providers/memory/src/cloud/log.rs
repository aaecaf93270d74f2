//! What the cloud was asked to change, and what it did: for judging.

use std::fs::File;
use std::io::Write as _;

use serde::{Deserialize, Serialize};

use crate::protocol::What;

/// One change that the cloud made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Position in the log, from 1.
    pub seq: u64,
    /// Number of the request; members of a call share it.
    pub request: u64,
    /// What was done.
    pub what: What,
    /// The type.
    pub kind: String,
    /// The thing; empty for what leaves nothing.
    pub id: String,
    /// The operation; empty for what was planted.
    pub op: String,
    /// What the members of the request share, such as a zone.
    pub group: Option<String>,
    /// It found what an earlier request with the same key had made, and made nothing.
    pub again: bool,
}

/// The log, and its file if it has one.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Vec<LogEntry>,
    file: Option<File>,
}

impl Log {
    pub(crate) fn write_to(&mut self, file: File) {
        self.file = Some(file);
    }

    pub(crate) fn push(&mut self, mut entry: LogEntry) {
        entry.seq = self.entries.len() as u64 + 1;
        if let Some(file) = &mut self.file
            && let Ok(line) = serde_json::to_string(&entry)
        {
            // A judge that misses lines fails loudly by itself.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
        self.entries.push(entry);
    }

    pub(crate) fn entries(&self) -> &[LogEntry] {
        &self.entries
    }
}

//! Reading what processes wrote.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which part of a service's logs to read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogQuery {
    /// Only this generation; otherwise all that still have logs.
    pub generation: Option<u64>,
    /// Where an earlier read ended; lines after it are returned.
    pub cursor: Option<LogCursor>,
    /// Without a cursor: how many last lines to return. 0 means from the beginning.
    pub tail: usize,
}

/// Where a read ended. Opaque: hand it back to go on from there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogCursor(pub(crate) BTreeMap<String, u64>);

/// One line that a process wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// The generation of the process.
    pub generation: u64,
    /// Which of the generation's processes it was, from 0.
    pub instance: u32,
    /// The line without its end, secret values masked.
    pub text: String,
}

/// Lines, in the order in which each process wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogChunk {
    /// The lines.
    pub lines: Vec<LogLine>,
    /// Where the next read goes on.
    pub cursor: LogCursor,
    /// Whether there is more to read at once.
    pub more: bool,
}

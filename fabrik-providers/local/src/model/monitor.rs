//! A monitor: a URL that is asked for now and then.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;

/// What to watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorSpec {
    /// An `http://` URL. Names under `localhost` are this machine.
    pub url: String,
    /// Time between two looks.
    #[serde(with = "duration")]
    pub interval: Duration,
}

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// When, in seconds since 1970.
    pub at: u64,
    /// Whether it answered with a status below 400.
    pub up: bool,
    /// What was seen, in words.
    pub seen: String,
    /// How long it took.
    pub millis: u64,
}

/// A monitor and what it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorInfo {
    /// Its name.
    pub name: String,
    /// What it watches.
    pub spec: MonitorSpec,
    /// The last look; `None` before the first.
    pub last: Option<ProbeResult>,
    /// How often it looked.
    pub checks: u64,
    /// How often that failed.
    pub failures: u64,
    /// When it went up or down, in seconds since 1970; `None` before the first look.
    pub since: Option<u64>,
}

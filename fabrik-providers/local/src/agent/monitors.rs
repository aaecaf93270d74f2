//! Asking URLs now and then, and keeping what was seen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::Uri;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::agent::probe;
use crate::agent::shared::Shared;
use crate::agent::table::{Table, stored};
use crate::error::Error;
use crate::layout::Layout;
use crate::model::{MonitorInfo, MonitorSpec, ProbeResult};
use crate::names;

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How soon the first look comes: what is watched may only just have been made.
const FIRST: Duration = Duration::from_secs(2);
/// Shortest interval.
const SHORTEST: Duration = Duration::from_millis(100);

/// The monitors.
#[derive(Debug)]
pub(crate) struct Monitors {
    shared: Arc<Shared>,
    records: Table<MonitorRecord>,
    tasks: Mutex<HashMap<String, AbortHandle>>,
}

/// One entry of `monitors.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MonitorRecord {
    spec: MonitorSpec,
    last: Option<ProbeResult>,
    checks: u64,
    failures: u64,
    since: Option<u64>,
}

/// What is stored of monitors. Blocks on files.
pub(crate) fn all(layout: &Layout) -> Result<Vec<MonitorInfo>, Error> {
    let records = stored(&layout.monitors())?;
    Ok(records
        .into_iter()
        .map(|(name, record)| describe(name, record))
        .collect())
}

fn describe(name: String, record: MonitorRecord) -> MonitorInfo {
    MonitorInfo {
        name,
        spec: record.spec,
        last: record.last,
        checks: record.checks,
        failures: record.failures,
        since: record.since,
    }
}

impl Monitors {
    /// Takes up the stored monitors. Blocks on files.
    pub(crate) fn open(shared: &Arc<Shared>) -> Result<Self, Error> {
        Ok(Self {
            shared: Arc::clone(shared),
            records: Table::open(shared.layout.monitors(), shared)?,
            tasks: Mutex::default(),
        })
    }

    /// Begins to look.
    pub(crate) async fn start(self: &Arc<Self>) {
        for (name, record) in self.records.all().await {
            self.watch(&name, record.spec);
        }
    }

    /// Ends all looking.
    pub(crate) fn stop(&self) {
        for (_, task) in lock(&self.tasks).drain() {
            task.abort();
        }
    }

    pub(crate) async fn all(&self) -> Vec<MonitorInfo> {
        let records = self.records.all().await.into_iter();
        records
            .map(|(name, record)| describe(name, record))
            .collect()
    }

    pub(crate) async fn get(&self, name: &str) -> Option<MonitorInfo> {
        let record = self.records.get(name).await?;
        Some(describe(name.to_owned(), record))
    }

    pub(crate) async fn is_empty(&self) -> bool {
        self.records.all().await.is_empty()
    }

    /// Sets a monitor. What it saw is kept as long as the URL stays.
    pub(crate) async fn put(self: &Arc<Self>, name: &str, spec: MonitorSpec) -> Result<(), Error> {
        names::check("monitor", name)?;
        check(&spec)?;
        let wanted = spec.clone();
        let change = |before: Option<MonitorRecord>| {
            let kept = before.filter(|record| record.spec.url == wanted.url);
            Ok(Some(match kept {
                Some(record) => MonitorRecord {
                    spec: wanted,
                    ..record
                },
                None => MonitorRecord {
                    spec: wanted,
                    last: None,
                    checks: 0,
                    failures: 0,
                    since: None,
                },
            }))
        };
        self.records.change(name, change).await?;
        self.watch(name, spec);
        Ok(())
    }

    /// Removes a monitor and what it saw.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Error> {
        if let Some(task) = lock(&self.tasks).remove(name) {
            task.abort();
        }
        self.records.remove(name).await
    }

    fn watch(self: &Arc<Self>, name: &str, spec: MonitorSpec) {
        let (monitors, key) = (Arc::clone(self), name.to_owned());
        let task = tokio::spawn(async move {
            let mut pause = FIRST.min(spec.interval);
            loop {
                tokio::time::sleep(pause.max(SHORTEST)).await;
                let started = Instant::now();
                let seen = look(&spec.url).await;
                // On its own, so that ending the watch never breaks off a write.
                let (monitors, key, took) = (Arc::clone(&monitors), key.clone(), started.elapsed());
                let noted = tokio::spawn(async move { monitors.note(&key, seen, took).await });
                let _ = noted.await;
                pause = spec.interval.saturating_sub(started.elapsed());
            }
        });
        let before = lock(&self.tasks).insert(name.to_owned(), task.abort_handle());
        if let Some(before) = before {
            before.abort();
        }
    }

    async fn note(&self, name: &str, seen: Result<String, String>, took: Duration) {
        let now = (self.shared.clock)()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let up = seen.is_ok();
        let result = ProbeResult {
            at: now,
            up,
            seen: seen.unwrap_or_else(|error| error),
            millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        let change = |before: Option<MonitorRecord>| {
            Ok(before.map(|record| MonitorRecord {
                since: match &record.last {
                    Some(last) if last.up == up => record.since,
                    _ => Some(now),
                },
                checks: record.checks.saturating_add(1),
                failures: record.failures.saturating_add(u64::from(!up)),
                last: Some(result),
                spec: record.spec,
            }))
        };
        if let Err(error) = self.records.change(name, change).await {
            tracing::warn!(%error, name, "could not note what a monitor saw");
        }
    }
}

/// Whether a monitor can be kept.
fn check(spec: &MonitorSpec) -> Result<(), Error> {
    target(&spec.url).map_err(|message| Error::invalid("url", message))?;
    if spec.interval < SHORTEST {
        let message = format!("must be at least {} ms", SHORTEST.as_millis());
        return Err(Error::invalid("interval", message));
    }
    Ok(())
}

/// Host, port and URL of what is watched.
fn target(url: &str) -> Result<(String, u16, Uri), String> {
    let uri: Uri = url
        .parse()
        .map_err(|error| format!("`{url}` is no URL: {error}"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Ok((host.to_owned(), uri.port_u16().unwrap_or(80), uri))
        }
        (Some("https"), _) => Err(format!("`{url}`: only `http://` URLs can be watched")),
        _ => Err(format!("`{url}` must be an `http://` URL")),
    }
}

/// Looks once: what was seen, good or bad.
async fn look(url: &str) -> Result<String, String> {
    let (host, port, uri) = target(url)?;
    let asked = async {
        let stream = open(&host, port)
            .await
            .map_err(|error| format!("cannot connect to {host}:{port}: {error}"))?;
        let authority = uri
            .authority()
            .map_or(host.as_str(), http::uri::Authority::as_str);
        let path = uri
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        let status = probe::ask(stream, authority, path, "fabrik-monitor").await?;
        let seen = format!("answered with {status}");
        if status.as_u16() < 400 {
            Ok(seen)
        } else {
            Err(seen)
        }
    };
    match timeout(PATIENCE, asked).await {
        Ok(seen) => seen,
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Connects; names under `localhost` are this machine, without asking anyone.
async fn open(host: &str, port: u16) -> std::io::Result<TcpStream> {
    if names::is_local(host) {
        probe::connect(port).await
    } else {
        TcpStream::connect((host, port)).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn only_plain_http_is_watched() {
        let (host, port, uri) = target("http://shop.localhost:8080/up?x=1").unwrap();
        assert_eq!((host.as_str(), port), ("shop.localhost", 8080));
        assert_eq!(uri.path(), "/up");
        assert_eq!(target("http://[::1]/").unwrap().0, "::1");
        for bad in ["https://a.test/", "a.test", "ftp://a.test/", "http://"] {
            assert!(target(bad).is_err(), "{bad}");
        }
    }
}

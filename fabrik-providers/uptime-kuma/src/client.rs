//! The client: one connection at a time, made anew when it breaks, and calls over it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Progress};
use fabrik_core::secrets::Secret;
use serde_json::Value as Json;

use crate::address::Address;
use crate::config::KumaConfig;
use crate::connection::Connection;
use crate::dial;
use crate::lists::Lists;
use crate::login::login;
use crate::refusal::{Answer, Refusal};
use crate::version::Version;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);
/// How long a list may take that was asked for.
const LIST: Duration = Duration::from_secs(10);
/// How often what can be repeated is tried.
const ATTEMPTS: u32 = 4;

/// A connected server: the client that every type of the provider shares.
///
/// One websocket is open at a time. Reads are repeated on a fresh one when it breaks; writes go one
/// after another, because SQLite takes one writer at a time.
#[derive(Debug)]
pub struct Kuma {
    address: Address,
    config: KumaConfig,
    version: Version,
    /// The login of an earlier connection.
    token: Mutex<Option<Secret>>,
    connection: tokio::sync::Mutex<Option<Arc<Connection>>>,
    writing: tokio::sync::Mutex<()>,
    requests: AtomicU64,
    /// Slugs of status pages by id, beyond those told after the login.
    slugs: Mutex<BTreeMap<u64, String>>,
}

/// Why an event has no answer.
enum NoAnswer {
    /// It never left.
    NotSent(Error),
    /// It may have been carried out.
    Unknown(Error),
    /// The run is stopped.
    Stopped(Error),
}

impl NoAnswer {
    fn error(self) -> Error {
        match self {
            NoAnswer::NotSent(error) => error.effect(Effect::None),
            NoAnswer::Unknown(error) => error.effect(Effect::Unknown),
            NoAnswer::Stopped(error) => error,
        }
    }
}

impl Kuma {
    /// Connects and logs in.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for the configuration, [`ErrorKind::Auth`], [`ErrorKind::RateLimited`],
    /// [`ErrorKind::Unsupported`] for a release that is not known, [`ErrorKind::Unavailable`].
    pub async fn open(cx: &Cx, config: KumaConfig) -> Result<Kuma> {
        let address = Address::parse(&config.url)?;
        config.check()?;
        let mut kuma = Kuma {
            address,
            config,
            version: Version(0, 0, 0),
            token: Mutex::default(),
            connection: tokio::sync::Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            requests: AtomicU64::new(0),
            slugs: Mutex::default(),
        };
        let (connection, version) = kuma.connect(cx).await?;
        kuma.version = version;
        *kuma.connection.get_mut() = Some(Arc::new(connection));
        Ok(kuma)
    }

    /// The server's release, as `2.5.3`.
    pub fn release(&self) -> String {
        self.version.to_string()
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// The address of the web interface, without a `/` at the end.
    pub(crate) fn base(&self) -> String {
        self.address.base()
    }

    /// Connects and logs in; a connection that breaks meanwhile is made again, since that changed
    /// nothing.
    async fn connect(&self, cx: &Cx) -> Result<(Connection, Version)> {
        let mut attempt = 1;
        loop {
            match self.connect_once(cx).await {
                Err(error)
                    if attempt < ATTEMPTS
                        && error.is_temporary()
                        && error.kind() == ErrorKind::Unavailable =>
                {
                    cx.sleep(pause(attempt)).await?;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn connect_once(&self, cx: &Cx) -> Result<(Connection, Version)> {
        let connection = Connection::open(&self.address).await?;
        let known = self.lock_token().clone();
        let (version, token) =
            login(cx, &connection, &self.address, &self.config, known.as_ref()).await?;
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            *self.lock_token() = Some(token);
        }
        Ok((connection, version))
    }

    fn lock_token(&self) -> std::sync::MutexGuard<'_, Option<Secret>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open connection, made anew when there is none.
    async fn link(&self, cx: &Cx) -> Result<Arc<Connection>> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = held.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        *held = None;
        let (connection, _) = self.connect(cx).await?;
        Ok(held.insert(Arc::new(connection)).clone())
    }

    /// Leaves a connection; the next call makes another.
    async fn leave(&self, connection: &Arc<Connection>) {
        let mut held = self.connection.lock().await;
        if held
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, connection))
        {
            *held = None;
        }
    }

    /// One event and its answer.
    async fn exchange(
        &self,
        cx: &Cx,
        connection: &Arc<Connection>,
        event: &'static str,
        args: &[Json],
        attempt: u32,
    ) -> std::result::Result<Answer, NoAnswer> {
        let started = Instant::now();
        let mut stop = cx.stop().clone();
        let mut waiting = connection.send(event, args.to_vec());
        let outcome = tokio::select! {
            answer = waiting.answer() => match answer {
                Ok(answer) => Ok(Refusal::split(event, answer)),
                Err(lost) => {
                    let error = Error::new(ErrorKind::Unavailable, "the connection broke before the answer came")
                        .operation(event);
                    Err(if lost.sent { NoAnswer::Unknown(error) } else { NoAnswer::NotSent(error) })
                }
            },
            () = tokio::time::sleep(ANSWER) => Err(late(event, waiting.lost().sent)),
            () = stop.reached(fabrik_core::provider::Stop::Now) => {
                let effect = if waiting.lost().sent { Effect::Unknown } else { Effect::None };
                let error = Error::new(ErrorKind::Cancelled, "stopped on request").operation(event);
                Err(NoAnswer::Stopped(error.effect(effect)))
            }
        };
        if outcome.is_err() {
            self.leave(connection).await;
        }
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(
            event,
            attempt,
            millis,
            answered = outcome.is_ok(),
            "socket event"
        );
        cx.progress(Progress::Http {
            method: event.to_owned(),
            route: "/socket.io/".to_owned(),
            // Acks have no status.
            status: None,
            millis,
            attempt,
        });
        outcome
    }

    /// Asks for something. It is repeated when the connection breaks.
    pub(crate) async fn read(&self, cx: &Cx, event: &'static str, args: &[Json]) -> Result<Answer> {
        self.repeat(cx, event, args).await
    }

    /// Changes something in a way that can be repeated: setting, deleting. Writes go one after
    /// another.
    pub(crate) async fn set(&self, cx: &Cx, event: &'static str, args: &[Json]) -> Result<Answer> {
        let _alone = self.writing.lock().await;
        let mut attempt = 1;
        loop {
            let answer = self.repeat(cx, event, args).await?;
            match &answer {
                Err(refusal) if refusal.is_busy() && attempt < ATTEMPTS => {
                    cx.sleep(pause(attempt)).await?;
                    attempt += 1;
                }
                _ => return Ok(answer),
            }
        }
    }

    /// Makes something: sent once. When it cannot be known whether it was carried out, the error's
    /// effect is unknown.
    pub(crate) async fn make(&self, cx: &Cx, event: &'static str, args: &[Json]) -> Result<Answer> {
        let _alone = self.writing.lock().await;
        let mut attempt = 1;
        loop {
            let connection = self
                .link(cx)
                .await
                .map_err(|error| error.effect(Effect::None))?;
            match self.exchange(cx, &connection, event, args, attempt).await {
                Ok(answer) => return Ok(answer),
                Err(NoAnswer::NotSent(_)) if attempt < ATTEMPTS => {
                    cx.sleep(pause(attempt)).await?;
                    attempt += 1;
                }
                Err(other) => return Err(other.error()),
            }
        }
    }

    async fn repeat(&self, cx: &Cx, event: &'static str, args: &[Json]) -> Result<Answer> {
        let mut attempt = 1;
        loop {
            let failed = match self.link(cx).await {
                Ok(connection) => {
                    match self.exchange(cx, &connection, event, args, attempt).await {
                        Ok(Err(refusal)) if refusal.is_logged_out() && attempt < ATTEMPTS => {
                            self.leave(&connection).await;
                            attempt += 1;
                            continue;
                        }
                        Ok(answer) => return Ok(answer),
                        Err(NoAnswer::Stopped(error)) => return Err(error),
                        Err(other) => other.error(),
                    }
                }
                Err(error) => error.effect(Effect::None),
            };
            let is_late = failed.kind() == ErrorKind::Timeout;
            if attempt >= ATTEMPTS || is_late || failed.kind() != ErrorKind::Unavailable {
                return Err(failed);
            }
            cx.sleep(pause(attempt)).await?;
            attempt += 1;
        }
    }

    /// Every monitor, as it is now: one call.
    pub(crate) async fn monitors<T>(&self, cx: &Cx, look: impl Fn(&Lists) -> T) -> Result<T> {
        self.list(cx, "getMonitorList", |lists| lists.monitor_lists, look)
            .await
    }

    /// Every maintenance, as it is now: one call.
    pub(crate) async fn maintenances<T>(&self, cx: &Cx, look: impl Fn(&Lists) -> T) -> Result<T> {
        self.list(
            cx,
            "getMaintenanceList",
            |lists| lists.maintenance_lists,
            look,
        )
        .await
    }

    /// Asks for a list that comes as an event of its own.
    async fn list<T>(
        &self,
        cx: &Cx,
        event: &'static str,
        count: impl Fn(&Lists) -> u64,
        look: impl Fn(&Lists) -> T,
    ) -> Result<T> {
        let mut attempt = 1;
        loop {
            let connection = self.link(cx).await?;
            let before = count(&connection.lists());
            match self.exchange(cx, &connection, event, &[], attempt).await {
                Ok(Ok(_)) => {
                    if connection.told(LIST, |lists| count(lists) > before).await {
                        return Ok(look(&connection.lists()));
                    }
                    self.leave(&connection).await;
                }
                Ok(Err(refusal)) if refusal.is_logged_out() || refusal.is_busy() => {
                    self.leave(&connection).await;
                }
                Ok(Err(refusal)) => return Err(refusal.error()),
                Err(NoAnswer::Stopped(error)) => return Err(error),
                Err(_) => {}
            }
            if attempt >= ATTEMPTS {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    "the server does not send the list it was asked for",
                )
                .operation(event));
            }
            cx.sleep(pause(attempt)).await?;
            attempt += 1;
        }
    }

    /// What the server told by itself, up to now: one call. Lists of notifications and docker hosts
    /// cannot be asked for, but come with every change; an answered call means that what came
    /// before it is here.
    pub(crate) async fn told<T>(&self, cx: &Cx, look: impl Fn(&Lists) -> T) -> Result<T> {
        let mut attempt = 1;
        loop {
            let connection = self.link(cx).await?;
            match self
                .exchange(cx, &connection, "getTags", &[], attempt)
                .await
            {
                Ok(Ok(_)) => return Ok(look(&connection.lists())),
                Ok(Err(refusal)) if !refusal.is_logged_out() && !refusal.is_busy() => {
                    return Err(refusal.error());
                }
                Ok(Err(_)) => self.leave(&connection).await,
                Err(NoAnswer::Stopped(error)) => return Err(error),
                Err(other) if attempt >= ATTEMPTS => return Err(other.error()),
                Err(_) => {}
            }
            if attempt >= ATTEMPTS {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    "the server does not answer",
                ));
            }
            cx.sleep(pause(attempt)).await?;
            attempt += 1;
        }
    }

    /// What was told so far, without a call: for plans, where what is a moment old will do.
    pub(crate) async fn known<T>(&self, cx: &Cx, look: impl Fn(&Lists) -> T) -> Result<T> {
        Ok(look(&self.link(cx).await?.lists()))
    }

    /// The status pages there are now, slugs by id. The server tells them only after a login, so
    /// this makes a fresh connection.
    pub(crate) async fn pages<T>(&self, cx: &Cx, look: impl Fn(&Lists) -> T) -> Result<T> {
        *self.connection.lock().await = None;
        Ok(look(&self.link(cx).await?.lists()))
    }

    /// A status page's settings; `None` when there is none of that slug.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] also when the database was too busy to tell.
    pub(crate) async fn page(&self, cx: &Cx, slug: &str) -> Result<Option<Json>> {
        let mut attempt = 1;
        loop {
            match self.read(cx, "getStatusPage", &[Json::from(slug)]).await? {
                Ok(answer) => {
                    let config = crate::status_page::config_of(answer);
                    if let Some(id) = config["id"].as_u64() {
                        let mut slugs = self.slugs.lock().unwrap_or_else(PoisonError::into_inner);
                        slugs.insert(id, slug.to_owned());
                    }
                    return Ok(Some(config));
                }
                Err(refusal) if refusal.is_busy() && attempt < ATTEMPTS => {
                    cx.sleep(pause(attempt)).await?;
                    attempt += 1;
                }
                Err(refusal) if refusal.is_busy() => return Err(refusal.error()),
                Err(_) => return Ok(None),
            }
        }
    }

    /// The slug of a status page.
    pub(crate) async fn slug_of(&self, cx: &Cx, id: u64) -> Result<Option<String>> {
        let learned = {
            let slugs = self.slugs.lock().unwrap_or_else(PoisonError::into_inner);
            slugs.get(&id).cloned()
        };
        let told = |lists: &Lists| lists.pages.as_ref()?.get(&id).cloned();
        if let Some(slug) = learned.or(self.known(cx, told).await?) {
            return Ok(Some(slug));
        }
        self.pages(cx, told).await
    }

    /// What everybody can see of a status page. The server keeps it for five minutes by its whole
    /// address, so each time it is asked for by another.
    pub(crate) async fn public_page(&self, cx: &Cx, slug: &str) -> Result<Option<Json>> {
        let mut attempt = 1;
        loop {
            let number = self.requests.fetch_add(1, Ordering::Relaxed);
            let now = cx.clock().now().as_microsecond();
            let path = format!("/api/status-page/{slug}?fabrik={now}-{number}");
            let started = Instant::now();
            let found = dial::page(&self.address, &path).await;
            cx.progress(Progress::Http {
                method: "GET".to_owned(),
                route: "/api/status-page/{slug}".to_owned(),
                status: match &found {
                    Ok(Some(_)) => Some(200),
                    Ok(None) => Some(404),
                    Err(_) => None,
                },
                millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                attempt,
            });
            match found {
                Err(error) if error.is_temporary() && attempt < ATTEMPTS => {
                    cx.sleep(pause(attempt)).await?;
                    attempt += 1;
                }
                found => return found,
            }
        }
    }
}

fn late(event: &'static str, sent: bool) -> NoAnswer {
    let error = Error::new(
        ErrorKind::Timeout,
        format!("`{event}` was not answered within {} s", ANSWER.as_secs()),
    )
    .operation(event)
    .hint("raise `timeout` on the resource if the server is just slow");
    if sent {
        NoAnswer::Unknown(error)
    } else {
        NoAnswer::NotSent(error)
    }
}

/// A quarter of a second, doubling.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(250 << attempt.min(5) >> 1)
}

//! A stateful fake of Uptime Kuma, releases 1.23.17 and 2.5.3.
//!
//! It speaks engine.io 4 and socket.io 5 over websockets on a free loopback port, in a thread of its
//! own, and follows recorded sessions with the real servers and their sources: what a message is
//! refused with, which lists are pushed before or after an answer, which fields are columns. Public
//! status pages are answered over HTTP, with the real server's cache of five minutes.
//!
//! ```
//! use fabrik_fakes::kuma::{Kuma, Release};
//!
//! let kuma = Kuma::start(Release::V2);
//! assert!(kuma.url().starts_with("http://127.0.0.1:"));
//! assert_eq!(kuma.count("uptime_kuma.monitor"), 0);
//! ```

mod account;
mod events;
mod hosts;
mod maintenances;
mod monitors;
mod pages;
mod serve;
mod state;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::oneshot;

use state::State;

/// The user that every fake has, unless it was never set up.
pub const USER: &str = "admin";
/// The password of [`USER`].
pub const PASSWORD: &str = "Str0ng-Passw0rd!";

/// Which server it behaves as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// 1.23.17.
    V1,
    /// 2.5.3.
    V2,
}

impl Release {
    fn version(self) -> &'static str {
        match self {
            Release::V1 => "1.23.17",
            Release::V2 => "2.5.3",
        }
    }
}

/// What goes wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is cut before the event is carried out.
    CutBefore,
    /// It is carried out, and the connection is cut before the answer.
    CutAfter,
    /// The connection is cut at once; the event is carried out later.
    LandsLater(Duration),
    /// The answer comes later.
    Delay(Duration),
    /// It is refused with this message, and not carried out.
    Refuse(String),
    /// It is carried out, and refused with this message.
    RefuseAfter(String),
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct Kuma {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    release: Release,
    stop: Option<oneshot::Sender<()>>,
}

impl Kuma {
    /// A server of a release with the user [`USER`] and nothing else.
    ///
    /// # Panics
    /// When no loopback port or thread can be had.
    pub fn start(release: Release) -> Kuma {
        let kuma = Kuma::never_set_up(release);
        kuma.state().user = Some((USER.to_owned(), PASSWORD.to_owned()));
        kuma
    }

    /// A server of a release that has no user yet.
    ///
    /// # Panics
    /// When no loopback port or thread can be had.
    pub fn never_set_up(release: Release) -> Kuma {
        let listener =
            std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port on loopback");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("a bound socket");
        let state = Arc::new(Mutex::new(State::new(release)));
        let (stop, stopped) = oneshot::channel();
        let served = state.clone();
        std::thread::Builder::new()
            .name("kuma".to_owned())
            .spawn(move || serve::run(listener, served, stopped))
            .expect("a thread");
        Kuma {
            address,
            state,
            release,
            stop: Some(stop),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Which server it behaves as.
    pub fn release(&self) -> Release {
        self.release
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Says another release of itself after a login.
    pub fn set_version(&self, version: &str) {
        version.clone_into(&mut self.state().version);
    }

    /// Switches authentication off.
    pub fn disable_auth(&self) {
        self.state().auth = false;
    }

    /// Switches two-factor logins on: these codes are right, each once.
    pub fn two_factor(&self, codes: &[&str]) {
        self.state().codes = Some(codes.iter().map(|code| (*code).to_owned()).collect());
    }

    /// Changes the password, which ends stored logins.
    pub fn set_password(&self, password: &str) {
        let mut state = self.state();
        if let Some(user) = &mut state.user {
            password.clone_into(&mut user.1);
        }
    }

    /// As if somebody had logged in this often within the last minute.
    pub fn use_up_logins(&self, logins: usize) {
        self.state().logins += logins;
    }

    /// A minute goes by: all logins of the next one are there again.
    pub fn a_minute_later(&self) {
        self.state().logins = 0;
    }

    /// Sends pings this often, and leaves who does not answer within a second.
    pub fn ping_every(&self, interval: Duration) {
        self.state().ping = interval;
    }

    /// Pongs received so far.
    pub fn pongs(&self) -> usize {
        self.state().pongs
    }

    /// The next events of a name go wrong like this, one after another.
    pub fn fault(&self, event: &str, fault: Fault) {
        self.state().faults.push((event.to_owned(), fault));
    }

    /// Ends every connection, as a restart does.
    pub fn break_connections(&self) {
        let sockets = std::mem::take(&mut self.state().sockets);
        for socket in sockets.into_values() {
            // It may have ended already.
            _ = socket.out.send(state::Out::Close);
        }
    }

    /// Connections made so far.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// Events received so far, by name, in their order; public pages as `GET PATH`.
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        self.state().log.clear();
    }

    /// Everything there is.
    pub fn dump(&self) -> Json {
        let state = self.state();
        json!({
            "monitors": state.monitor_list(),
            "notifications": state.notification_list(),
            "tags": state.tags.values().collect::<Vec<_>>(),
            "docker_hosts": state.docker_hosts.values().collect::<Vec<_>>(),
            "maintenances": state.maintenance_dump(),
            "status_pages": state.page_dump(),
        })
    }

    /// How many objects of a type there are, by its name in Fabrik (`uptime_kuma.monitor`).
    pub fn count(&self, type_name: &str) -> usize {
        let state = self.state();
        match type_name.rsplit('.').next().unwrap_or_default() {
            "monitor" => state.monitors.len(),
            "notification" => state.notifications.len(),
            "tag" => state.tags.len(),
            "docker_host" => state.docker_hosts.len(),
            "maintenance" => state.maintenances.len(),
            "status_page" => state.pages.len(),
            _ => 0,
        }
    }

    /// Sends an event as somebody else who is logged in would, and gives the answer.
    pub fn by_hand(&self, event: &str, args: &[Json]) -> Json {
        let mut state = self.state();
        let (answer, after) = state.handle(None, event, args);
        for (name, data) in after {
            state.push(&name, &data);
        }
        answer
    }

    /// Changes one field of a monitor, as in the web interface.
    ///
    /// # Panics
    /// When there is no such monitor.
    pub fn edit_monitor(&self, id: &str, field: &str, value: Json) {
        let id: u64 = id.parse().expect("a monitor's id");
        let mut monitor = self.by_hand("getMonitor", &[json!(id)])["monitor"].clone();
        monitor[field] = value;
        let answer = self.by_hand("editMonitor", &[monitor]);
        assert_eq!(answer["ok"], true, "{answer}");
    }

    /// Adds a monitor, as in the web interface, and gives its id.
    ///
    /// # Panics
    /// When the fields are refused.
    pub fn add_monitor(&self, fields: Json) -> u64 {
        let mut monitor = json!({
            "type": "http", "name": "by hand", "url": "https://example.com", "interval": 60,
            "retryInterval": 60, "maxretries": 0, "accepted_statuscodes": ["200-299"],
            "notificationIDList": {},
        });
        if self.release == Release::V2 {
            monitor["conditions"] = json!([]);
        }
        for (key, value) in fields.as_object().into_iter().flatten() {
            monitor[key] = value.clone();
        }
        let answer = self.by_hand("add", &[monitor]);
        answer["monitorID"]
            .as_u64()
            .unwrap_or_else(|| panic!("{answer}"))
    }
}

impl Drop for Kuma {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended already.
            _ = stop.send(());
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

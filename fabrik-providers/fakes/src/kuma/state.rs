//! What the server keeps, and who listens.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde_json::{Map, Value as Json};
use tokio::sync::mpsc;

use super::{Fault, Release};

/// What is sent to a socket.
#[derive(Debug)]
pub(super) enum Out {
    Frame(String),
    After(Duration, String),
    Close,
}

/// A connected client.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) out: mpsc::UnboundedSender<Out>,
    pub(super) logged_in: bool,
}

/// An event that is told to everybody: its name and arguments.
pub(super) type Event = (String, Vec<Json>);

/// A group of a status page.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: u64,
    pub(super) page: u64,
    pub(super) name: String,
    /// Monitor, whether its link is shown, its own link.
    pub(super) monitors: Vec<(u64, bool, Option<String>)>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) release: Release,
    pub(super) version: String,
    pub(super) user: Option<(String, String)>,
    pub(super) codes: Option<Vec<String>>,
    pub(super) auth: bool,
    pub(super) logins: usize,
    pub(super) ping: Duration,
    pub(super) pongs: usize,
    pub(super) sockets: BTreeMap<u64, Socket>,
    pub(super) connections: usize,
    /// What a socket is told after the answer.
    rest: Vec<(u64, Event)>,
    pub(super) log: Vec<String>,
    pub(super) faults: Vec<(String, Fault)>,
    ids: HashMap<&'static str, u64>,
    /// Rows of the monitor table, by the names that the API has for its columns.
    pub(super) monitors: BTreeMap<u64, Map<String, Json>>,
    pub(super) monitor_notifications: BTreeSet<(u64, u64)>,
    /// Tag, monitor, value; the table takes the same row twice.
    pub(super) monitor_tags: Vec<(u64, u64, String)>,
    pub(super) tags: BTreeMap<u64, Json>,
    pub(super) notifications: BTreeMap<u64, Map<String, Json>>,
    pub(super) docker_hosts: BTreeMap<u64, Json>,
    pub(super) pages: BTreeMap<u64, Map<String, Json>>,
    pub(super) groups: Vec<Group>,
    /// Public pages as last answered, by their whole address.
    pub(super) page_cache: HashMap<String, Json>,
    pub(super) incidents: u64,
    pub(super) api_keys: Vec<Json>,
    pub(super) maintenances: BTreeMap<u64, Map<String, Json>>,
    pub(super) monitor_maintenances: BTreeSet<(u64, u64)>,
    pub(super) maintenance_pages: BTreeSet<(u64, u64)>,
}

impl State {
    pub(super) fn new(release: Release) -> State {
        State {
            release,
            version: release.version().to_owned(),
            user: None,
            codes: None,
            auth: true,
            logins: 0,
            ping: Duration::from_secs(25),
            pongs: 0,
            sockets: BTreeMap::new(),
            connections: 0,
            rest: Vec::new(),
            log: Vec::new(),
            faults: Vec::new(),
            ids: HashMap::new(),
            monitors: BTreeMap::new(),
            monitor_notifications: BTreeSet::new(),
            monitor_tags: Vec::new(),
            tags: BTreeMap::new(),
            notifications: BTreeMap::new(),
            docker_hosts: BTreeMap::new(),
            pages: BTreeMap::new(),
            groups: Vec::new(),
            page_cache: HashMap::new(),
            incidents: 0,
            api_keys: Vec::new(),
            maintenances: BTreeMap::new(),
            monitor_maintenances: BTreeSet::new(),
            maintenance_pages: BTreeSet::new(),
        }
    }

    pub(super) fn is_v1(&self) -> bool {
        self.release == Release::V1
    }

    /// The next id of a table; none is used twice.
    pub(super) fn next(&mut self, table: &'static str) -> u64 {
        let id = self.ids.entry(table).or_default();
        *id += 1;
        *id
    }

    /// Tells everybody who is logged in.
    pub(super) fn push(&self, name: &str, args: &[Json]) {
        for socket in self.sockets.values().filter(|socket| socket.logged_in) {
            // Who has gone is found out elsewhere.
            _ = socket.out.send(Out::Frame(event_frame(name, args)));
        }
    }

    /// Tells one.
    pub(super) fn tell(&self, socket: u64, name: &str, args: &[Json]) {
        if let Some(socket) = self.sockets.get(&socket) {
            _ = socket.out.send(Out::Frame(event_frame(name, args)));
        }
    }

    /// Tells one after the answer that is being made.
    pub(super) fn tell_after(&mut self, socket: u64, name: &str, args: Vec<Json>) {
        self.rest.push((socket, (name.to_owned(), args)));
    }

    /// Tells what was left for after the answer.
    pub(super) fn tell_rest(&mut self) {
        for (socket, (name, args)) in std::mem::take(&mut self.rest) {
            self.tell(socket, &name, &args);
        }
    }

    /// Takes the next fault of an event.
    pub(super) fn fault_of(&mut self, event: &str) -> Option<Fault> {
        let at = self.faults.iter().position(|(name, _)| name == event)?;
        Some(self.faults.remove(at).1)
    }
}

fn event_frame(name: &str, args: &[Json]) -> String {
    let mut items = vec![Json::from(name)];
    items.extend_from_slice(args);
    format!("42{}", Json::Array(items))
}

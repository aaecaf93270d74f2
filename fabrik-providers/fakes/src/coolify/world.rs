//! What a Coolify has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::deploy::{Deployment, Pace, Running};

/// What kind of thing an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A project.
    Project,
    /// An environment of a project.
    Environment,
    /// A server.
    Server,
    /// A private key.
    Key,
    /// An application.
    Application,
    /// A service: a compose stack.
    Service,
    /// A database of any engine.
    Database,
    /// A storage of an application, service or database.
    Storage,
    /// A scheduled task of an application or service.
    Task,
    /// A schedule of dumps of a database.
    Backup,
    /// An S3 storage.
    S3,
}

/// A version: `4.3.10`, or `4.0.0-beta.460`, which is before `4.0.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u32, u32, u32, u32);

impl Version {
    pub(super) const fn new(major: u32, minor: u32, patch: u32) -> Version {
        Version(major, minor, patch, u32::MAX)
    }

    fn parse(text: &str) -> Option<Version> {
        let (core, beta) = match text.split_once("-beta.") {
            Some((core, beta)) => (core, beta.parse().ok()?),
            None => (text, u32::MAX),
        };
        let mut parts = core.split('.').map(str::parse);
        Some(Version(
            parts.next()?.ok()?,
            parts.next()?.ok()?,
            parts.next()?.ok()?,
            beta,
        ))
    }
}

/// One object.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    /// The uuid of what it belongs to.
    pub(super) owner: String,
    pub(super) fields: Map<String, Json>,
    /// An application's nested settings.
    pub(super) settings: Map<String, Json>,
    /// It is to be deleted after so many further requests.
    pub(super) deleting: Option<usize>,
}

impl Row {
    pub(super) fn new(kind: Kind, owner: &str, fields: Json) -> Row {
        let fields = match fields {
            Json::Object(fields) => fields,
            _ => Map::new(),
        };
        Row {
            kind,
            owner: owner.to_owned(),
            fields,
            settings: Map::new(),
            deleting: None,
        }
    }

    pub(super) fn uuid(&self) -> String {
        self.text("uuid")
    }

    pub(super) fn text(&self, field: &str) -> String {
        self.fields
            .get(field)
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        self.fields.get(field).and_then(Json::as_bool) == Some(true)
    }

    pub(super) fn set(&mut self, field: &str, value: Json) {
        self.fields.insert(field.to_owned(), value);
    }

    /// As read, without the fields that only sensitive tokens see unless the token is one.
    pub(super) fn shown(&self, hidden: &[&str], sensitive: bool) -> Json {
        let mut fields = self.fields.clone();
        if !sensitive {
            for field in hidden {
                fields.remove(*field);
            }
        }
        Json::Object(fields)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) abilities: BTreeSet<String>,
    pub(super) is_member: bool,
}

impl Token {
    pub(super) fn can(&self, ability: &str) -> bool {
        self.abilities.contains("root") || self.abilities.contains(ability)
    }
}

#[derive(Clone)]
pub(super) struct Watch(pub(super) Arc<dyn Fn(&str, Option<&Running>) + Send + Sync>);

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

/// What a deployment comes to: the last lines of its log when it fails, nothing when it goes on.
#[derive(Clone)]
pub(super) struct Trial(
    pub(super) Arc<dyn Fn(&Running) -> Option<Result<(), Vec<String>>> + Send + Sync>,
);

/// What the program says in its log.
#[derive(Clone)]
pub(super) struct Said(pub(super) Arc<dyn Fn(&Running) -> String + Send + Sync>);

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trial")
    }
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Said")
    }
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) version: Version,
    pub(super) version_text: String,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) is_api_enabled: bool,
    pub(super) is_allowed: bool,
    pub(super) rate_limit: Option<usize>,
    pub(super) recent: Vec<Instant>,
    rows: Vec<Row>,
    /// Which server applications, services and databases are on.
    pub(super) on: BTreeMap<String, String>,
    /// Variables; the owner is the application, service or database.
    pub(super) variables: Vec<Row>,
    pub(super) deployments: Vec<Deployment>,
    pub(super) running: BTreeMap<String, Running>,
    pub(super) watch: Option<Watch>,
    pub(super) trial: Option<Trial>,
    pub(super) said: Option<Said>,
    pub(super) failing: BTreeMap<String, Vec<String>>,
    /// Services and databases that start: how many more looks it takes.
    pub(super) starting: BTreeMap<String, usize>,
    pub(super) is_queue_full: bool,
    pub(super) pace: Pace,
    pub(super) delete_delay: usize,
    pub(super) destroyed: Vec<String>,
    pub(super) bodies: Vec<(String, String, Json)>,
    pub(super) delay: Duration,
    count: u64,
    time: u64,
}

impl World {
    pub(super) fn new(version: &str) -> World {
        let abilities = [
            "read",
            "read:sensitive",
            "write",
            "write:sensitive",
            "deploy",
        ];
        let token = Token {
            abilities: abilities.map(str::to_owned).into(),
            is_member: false,
        };
        let mut world = World {
            version: Version::parse(version).expect("a version such as 4.3.10"),
            version_text: version.to_owned(),
            tokens: BTreeMap::from([(super::TOKEN.to_owned(), token)]),
            is_api_enabled: true,
            is_allowed: true,
            rate_limit: None,
            recent: Vec::new(),
            rows: Vec::new(),
            on: BTreeMap::new(),
            variables: Vec::new(),
            deployments: Vec::new(),
            running: BTreeMap::new(),
            watch: None,
            trial: None,
            said: None,
            failing: BTreeMap::new(),
            starting: BTreeMap::new(),
            is_queue_full: false,
            pace: Pace::default(),
            delete_delay: 2,
            destroyed: Vec::new(),
            bodies: Vec::new(),
            delay: Duration::ZERO,
            count: 0,
            time: 0,
        };
        world.add_server("main", "203.0.113.10");
        world
    }

    pub(super) fn is(&self, major: u32, minor: u32, patch: u32) -> bool {
        self.version >= Version::new(major, minor, patch)
    }

    /// 24 lower-case letters and digits, as Coolify makes them.
    pub(super) fn uuid(&mut self) -> String {
        self.count += 1;
        let mut state = self.count.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (0..24)
            .map(|at| {
                state ^= state >> 27;
                state = state.wrapping_mul(0x94D0_49BB_1331_11EB).wrapping_add(at);
                char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[(state >> 33) as usize % 36])
            })
            .collect()
    }

    pub(super) fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// A time; each is a second after the one before.
    pub(super) fn now(&mut self) -> String {
        self.time += 1;
        let (minutes, seconds) = (self.time / 60, self.time % 60);
        let (hours, minutes) = (minutes / 60 % 24, minutes % 60);
        format!("2026-08-22T{hours:02}:{minutes:02}:{seconds:02}.000000Z")
    }

    pub(super) fn add_server(&mut self, name: &str, ip: &str) -> String {
        let uuid = self.uuid();
        let id = self.number();
        let row = json!({
            "id": id, "uuid": uuid, "name": name, "ip": ip, "user": "root", "port": 22, "description": null,
            "is_reachable": true, "is_usable": true, "proxy": {"type": "TRAEFIK", "status": "running"},
            "settings": {"is_reachable": true, "is_usable": true, "is_build_server": false},
        });
        self.rows.push(Row::new(Kind::Server, "", row));
        uuid
    }

    pub(super) fn add(&mut self, kind: Kind, owner: &str, fields: Json) -> String {
        let (uuid, id, now) = (self.uuid(), self.number(), self.now());
        let mut row = Row::new(kind, owner, fields);
        for (field, value) in [
            ("uuid", json!(uuid)),
            ("id", json!(id)),
            ("created_at", json!(now)),
            ("updated_at", json!(now)),
        ] {
            row.set(field, value);
        }
        self.put(row);
        uuid
    }

    pub(super) fn rows(&self, kind: Kind) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.kind == kind)
    }

    pub(super) fn all(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn get(&self, kind: Kind, uuid: &str) -> Option<&Row> {
        self.rows(kind).find(|row| row.text("uuid") == uuid)
    }

    pub(super) fn get_mut(&mut self, kind: Kind, uuid: &str) -> Option<&mut Row> {
        self.rows
            .iter_mut()
            .find(|row| row.kind == kind && row.text("uuid") == uuid)
    }

    pub(super) fn put(&mut self, mut row: Row) {
        if matches!(row.kind, Kind::Application | Kind::Service | Kind::Database) {
            let id = self
                .get(Kind::Environment, &row.owner)
                .and_then(|environment| environment.fields.get("id").cloned());
            row.set("environment_id", id.unwrap_or_default());
        }
        self.rows.push(row);
    }

    /// The objects of a kind that belong to an owner.
    pub(super) fn of(&self, kind: Kind, owner: &str) -> Vec<&Row> {
        self.rows(kind).filter(|row| row.owner == owner).collect()
    }

    pub(super) fn remove(&mut self, kind: Kind, uuid: &str) {
        self.rows
            .retain(|row| row.kind != kind || row.text("uuid") != uuid);
        self.rows.retain(|row| row.owner != uuid);
        self.variables.retain(|row| row.owner != uuid);
        self.deployments
            .retain(|deployment| deployment.application != uuid);
        if self.running.remove(uuid).is_some()
            && let Some(Watch(watch)) = &self.watch
        {
            watch(uuid, None);
        }
    }

    /// The server something is on.
    pub(super) fn server_of(&self, row: &Row) -> String {
        self.on.get(&row.text("uuid")).cloned().unwrap_or_default()
    }

    /// The work of Coolify's queue between two requests: deletes that are due.
    pub(super) fn tick(&mut self) {
        let mut due = Vec::new();
        for row in &mut self.rows {
            if let Some(left) = &mut row.deleting {
                if *left == 0 {
                    due.push((row.kind, row.text("uuid")));
                } else {
                    *left -= 1;
                }
            }
        }
        for (kind, uuid) in due {
            self.remove(kind, &uuid);
        }
    }

    pub(super) fn dump(&self) -> Json {
        let clean = |row: &Row| {
            let mut fields = row.fields.clone();
            for field in ["created_at", "updated_at", "id", "environment_id", "status"] {
                fields.remove(field);
            }
            let about = json!({"kind": format!("{:?}", row.kind), "owner": row.owner, "fields": fields, "settings": row.settings});
            (row.text("uuid"), about)
        };
        let rows = self.rows.iter().filter(|row| row.deleting.is_none());
        json!({
            "objects": rows.map(clean).collect::<Map<_, _>>(),
            "variables": self.variables.iter().map(clean).collect::<Map<_, _>>(),
        })
    }
}

//! Coolify, versions 4.0.0 to 4.3.10: the HTTP API below `/api/v1`.
//!
//! It follows what Coolify's controllers do, not its API description: closed allow-lists per version
//! (422 "This field is not allowed."), trimmed strings, secrets that only sensitive tokens read,
//! queued deletes, deployments that take their time, ids of deployments that were never queued,
//! twins of variables for previews, compose texts that come back differently dumped.
//!
//! ```
//! use fabrik_fakes::coolify::Coolify;
//!
//! let coolify = Coolify::start("4.3.10");
//! assert!(coolify.url().starts_with("http://127.0.0.1:"));
//! assert!(coolify.log().is_empty());
//! ```

mod app;
mod check;
mod database;
mod deploy;
mod env;
mod fields;
mod project;
mod route;
mod service;
mod small;
mod world;
mod yaml;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fabrik_testkit::serve::{Logged, Server};
use serde_json::{Value as Json, json};

pub use deploy::{Pace, Running};
pub use world::Kind;
use world::{Token, World};

/// A running Coolify. It has one server (`main`, 203.0.113.10) and a token with every ability but
/// `root`.
#[derive(Debug)]
pub struct Coolify {
    server: Server,
    world: Arc<Mutex<World>>,
}

/// The token every fake knows from the start. It is as long as real ones, so that redaction works
/// on it as on them.
pub const TOKEN: &str = "1|fake4coolify0token0with0forty0characters0x";

impl Coolify {
    /// Starts one of a version: `4.0.0`, `4.1.2`, `4.2.0`, `4.3.10` or anything like these.
    ///
    /// # Panics
    /// When the version is no version or no port can be had.
    pub fn start(version: &str) -> Coolify {
        let world = Arc::new(Mutex::new(World::new(version)));
        let behind = world.clone();
        let server = Server::start(move |request| {
            let mut world = behind.lock().unwrap_or_else(PoisonError::into_inner);
            route::answer(&mut world, request)
        });
        Coolify { server, world }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `http://127.0.0.1:PORT`, without `/api/v1`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Every request answered so far.
    pub fn log(&self) -> Vec<Logged> {
        self.server.log()
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        self.server.clear_log();
    }

    /// Bodies of the writes it was sent, in order: method, route with `{}` for ids, body.
    pub fn bodies(&self) -> Vec<(String, String, Json)> {
        self.world().bodies.clone()
    }

    /// The uuid of the server that is there from the start.
    pub fn server_uuid(&self) -> String {
        self.world()
            .rows(Kind::Server)
            .next()
            .map(world::Row::uuid)
            .unwrap_or_default()
    }

    /// Adds a server and gives its uuid.
    pub fn add_server(&self, name: &str, ip: &str) -> String {
        self.world().add_server(name, ip)
    }

    /// Adds a project, with its environment `production`, and gives its uuid.
    pub fn add_project(&self, name: &str) -> String {
        project::add(&mut self.world(), name, None)
    }

    /// Adds an image application to a project's `production` as a human would, and gives its uuid.
    pub fn add_application(&self, project: &str, name: &str, image: &str) -> String {
        app::add(&mut self.world(), project, name, image)
    }

    /// Adds an object by hand, below an owner (a project for an environment, an application for its
    /// storages and tasks, a database for its schedules) and gives its uuid.
    pub fn add(&self, kind: Kind, owner: &str, fields: Json) -> String {
        self.world().add(kind, owner, fields)
    }

    /// The first object of a kind whose field has a value.
    pub fn find(&self, kind: Kind, field: &str, value: &str) -> Option<String> {
        let world = self.world();
        let mut rows = world.rows(kind);
        rows.find(|row| row.text(field) == value)
            .map(world::Row::uuid)
    }

    /// Adds a token of some abilities: `read`, `read:sensitive`, `write`, `deploy`, `root`.
    pub fn add_token(&self, token: &str, abilities: &[&str]) {
        let abilities = abilities.iter().map(ToString::to_string).collect();
        self.world().tokens.insert(
            token.to_owned(),
            Token {
                abilities,
                is_member: false,
            },
        );
    }

    /// Takes an ability from the token that is there from the start.
    pub fn drop_ability(&self, ability: &str) {
        if let Some(token) = self.world().tokens.get_mut(TOKEN) {
            token.abilities.remove(ability);
        }
    }

    /// Makes the owner of the first token a mere member of the team.
    pub fn make_member(&self) {
        if let Some(token) = self.world().tokens.get_mut(TOKEN) {
            token.is_member = true;
        }
    }

    /// Switches the API off or on.
    pub fn set_api(&self, enabled: bool) {
        self.world().is_api_enabled = enabled;
    }

    /// Lets only other addresses use the API, or all again.
    pub fn set_allowed(&self, allowed: bool) {
        self.world().is_allowed = allowed;
    }

    /// Sets how many requests a minute are answered; 429 beyond. Without limit unless set, so that
    /// many tests may share one.
    pub fn set_rate_limit(&self, per_minute: Option<usize>) {
        self.world().rate_limit = per_minute;
    }

    /// How deployments proceed.
    pub fn set_pace(&self, pace: Pace) {
        self.world().pace = pace;
    }

    /// The next deployment of an application fails, with these last lines of its log.
    pub fn fail_next_deployment(&self, application: &str, lines: &[&str]) {
        let lines = lines.iter().map(ToString::to_string).collect();
        self.world().failing.insert(application.to_owned(), lines);
    }

    /// Whether the deployment queue of the server is full.
    pub fn set_queue_full(&self, full: bool) {
        self.world().is_queue_full = full;
    }

    /// How many further requests a deleted application, service or database still answers.
    pub fn set_delete_delay(&self, requests: usize) {
        self.world().delete_delay = requests;
    }

    /// Whether the server can be reached by Coolify. When not, what is created there vanishes.
    pub fn set_reachable(&self, server: &str, reachable: bool) {
        if let Some(row) = self.world().get_mut(Kind::Server, server) {
            row.set("is_reachable", json!(reachable));
            row.set("is_usable", json!(reachable));
            row.set("settings", json!({"is_reachable": reachable, "is_usable": reachable, "is_build_server": false}));
        }
    }

    /// A field of an object, as a sensitive token would read it.
    pub fn get(&self, kind: Kind, uuid: &str, field: &str) -> Option<Json> {
        let world = self.world();
        let row = world.get(kind, uuid)?;
        row.fields
            .get(field)
            .or_else(|| row.settings.get(field))
            .cloned()
    }

    /// Changes a field by hand. A field that the application keeps in its settings is changed there.
    pub fn edit(&self, kind: Kind, uuid: &str, field: &str, value: Json) {
        let mut world = self.world();
        let now = world.now();
        if let Some(row) = world.get_mut(kind, uuid) {
            row.set("updated_at", json!(now));
            if row.settings.contains_key(field) {
                row.settings.insert(field.to_owned(), value);
            } else {
                row.set(field, value);
            }
        }
    }

    /// Removes an object by hand, at once.
    pub fn remove(&self, kind: Kind, uuid: &str) {
        self.world().remove(kind, uuid);
    }

    /// The uuids of a kind, in the order they were made.
    pub fn uuids(&self, kind: Kind) -> Vec<String> {
        self.world()
            .rows(kind)
            .filter(|row| row.deleting.is_none())
            .map(world::Row::uuid)
            .collect()
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.uuids(kind).len()
    }

    /// The variables of an application, service or database: key, value, whether for previews.
    pub fn variables(&self, owner: &str) -> Vec<(String, Option<String>, bool)> {
        env::listed(&self.world(), owner)
    }

    /// Sets a variable by hand.
    pub fn set_variable(&self, owner: &str, key: &str, value: &str) {
        env::by_hand(&mut self.world(), owner, key, value, false);
    }

    /// Adds a variable that Coolify itself owns.
    pub fn add_own_variable(&self, owner: &str, key: &str, value: &str) {
        env::by_hand(&mut self.world(), owner, key, value, true);
    }

    /// Removes a variable and its twin by hand.
    pub fn remove_variable(&self, owner: &str, key: &str) {
        self.world()
            .variables
            .retain(|row| row.owner != owner || row.text("key") != key);
    }

    /// What runs of an application, service or database: the configuration that its last successful
    /// deployment took.
    pub fn running(&self, uuid: &str) -> Option<Running> {
        self.world().running.get(uuid).cloned()
    }

    /// Calls a function whenever something else runs for a resource; `None` when it is gone. The
    /// function must not ask the fake.
    pub fn on_running(&self, watch: impl Fn(&str, Option<&Running>) + Send + Sync + 'static) {
        self.world().watch = Some(world::Watch(Arc::new(watch)));
    }

    /// Decides what deployments of applications come to, at their end: with lines, they fail, and the
    /// lines are the last of their log; with nothing, they go on and never end. The function must not
    /// ask the fake.
    pub fn on_deployment(
        &self,
        trial: impl Fn(&Running) -> Option<Result<(), Vec<String>>> + Send + Sync + 'static,
    ) {
        self.world().trial = Some(world::Trial(Arc::new(trial)));
    }

    /// What the programs of applications say in their logs. The function must not ask the fake.
    pub fn on_logs(&self, said: impl Fn(&Running) -> String + Send + Sync + 'static) {
        self.world().said = Some(world::Said(Arc::new(said)));
    }

    /// Deployments, in the order they were queued: uuid, application, status.
    pub fn deployments(&self) -> Vec<(String, String, String)> {
        let mut world = self.world();
        deploy::settle(&mut world);
        deploy::listed(&world)
    }

    /// Queues a deployment of an application as a human would.
    pub fn deploy_by_hand(&self, application: &str) -> Option<String> {
        deploy::queue(&mut self.world(), application, true).ok()
    }

    /// Volumes that were destroyed with what they belonged to.
    pub fn destroyed_volumes(&self) -> Vec<String> {
        self.world().destroyed.clone()
    }

    /// Everything there is, without times: for comparing before and after.
    pub fn dump(&self) -> Json {
        self.world().dump()
    }

    /// Replies are sent this much later.
    pub fn set_delay(&self, delay: Duration) {
        self.world().delay = delay;
    }
}

//! The server that a Coolify deploys to: what it deploys really runs there, behind a proxy that
//! really ends TLS.
//!
//! Each application that runs is a small HTTP server on loopback. It answers every path with what it
//! is: the version that was deployed, and its variables. It listens on the port that the program of
//! the host listens on, whatever port it was said to have; so a wrong port fails the health check of
//! its deployment, and otherwise gives `502 Bad Gateway`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fabrik_testkit::serve::{Reply, Server};
use serde_json::{Value as Json, json};

use crate::coolify::{Coolify, Running};
use crate::edge::Edge;

/// What every image and repository holds, here.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it listens: always here, or where `PORT` says when this is `None`.
    pub port: Option<u16>,
    /// What is wrong with it is so only in versions whose name ends like this; in all, when empty.
    pub wrong_in: String,
    /// Paths that answer with an error.
    pub broken: Vec<String>,
    /// Its health is not looked at where it runs.
    pub lenient: bool,
    /// The proxy does not learn of it.
    pub unrouted: bool,
    /// Its build never ends.
    pub endless: bool,
    /// Its build fails, with these last lines.
    pub unbuildable: Option<Vec<String>>,
}

impl Default for Program {
    fn default() -> Self {
        Program {
            port: Some(8000),
            wrong_in: String::new(),
            broken: Vec::new(),
            lenient: false,
            unrouted: false,
            endless: false,
            unbuildable: None,
        }
    }
}

/// A running host. Containers end with it.
#[derive(Debug)]
pub struct Host {
    edge: Arc<Edge>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    program: Program,
    containers: BTreeMap<String, Container>,
}

#[derive(Debug)]
struct Container {
    server: Server,
    what: Json,
    /// It is routed to here: elsewhere when nothing listens on the port it is said to have.
    target: SocketAddr,
}

impl Host {
    /// A host for what this Coolify deploys.
    pub fn of(coolify: &Coolify) -> Host {
        let edge = Arc::new(Edge::start());
        let state = Arc::new(Mutex::new(State::default()));
        let (on_edge, kept) = (edge.clone(), state.clone());
        coolify.on_running(move |uuid, running| {
            lock(&kept).runs(&on_edge, uuid, running);
        });
        let kept = state.clone();
        coolify.on_deployment(move |running| lock(&kept).program.try_out(running));
        let kept = state.clone();
        coolify.on_logs(move |running| {
            let lines = lock(&kept).program.says(running);
            lines.join("\n") + "\n"
        });
        Host { edge, state }
    }

    /// The proxy before what runs.
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// What deployments from now on hold.
    pub fn set_program(&self, program: Program) {
        lock(&self.state).program = program;
    }

    /// What runs: by each of its host names, what it is.
    pub fn dump(&self) -> Json {
        let state = lock(&self.state);
        let mut shown = BTreeMap::new();
        for container in state.containers.values() {
            for domain in container.what["domains"].as_array().into_iter().flatten() {
                let domain = domain.as_str().unwrap_or_default();
                let routed = self.edge.target(host_of(domain)) == Some(container.target);
                let mut what = container.what.clone();
                what["routed"] = json!(routed);
                shown.insert(domain.to_owned(), what);
            }
        }
        json!(shown)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The host name of a URL.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}

/// What identifies the version that runs.
fn version(running: &Running) -> String {
    match (&running.image, &running.git) {
        (Some(image), _) => image.clone(),
        (None, Some((repository, branch, commit))) if commit == "HEAD" => {
            format!("{repository}@{branch}")
        }
        (None, Some((repository, _, commit))) => format!("{repository}@{commit}"),
        (None, None) => running.compose.clone().unwrap_or_default(),
    }
}

impl Program {
    /// Whether what is wrong with the program is wrong with this version.
    fn is_wrong(&self, running: &Running) -> bool {
        version(running).ends_with(&self.wrong_in)
    }

    fn listens(&self, running: &Running) -> u16 {
        let told = || running.env.get("PORT")?.parse().ok();
        if !self.is_wrong(running) {
            return running.port.unwrap_or(80);
        }
        self.port.or_else(told).unwrap_or(3000)
    }

    fn says(&self, running: &Running) -> Vec<String> {
        vec![
            format!("starting {}", version(running)),
            format!(
                "INFO:     Uvicorn running on http://0.0.0.0:{} (Press CTRL+C to quit)",
                self.listens(running)
            ),
        ]
    }

    /// What a deployment comes to: its build, and its health where that is looked at.
    fn try_out(&self, running: &Running) -> Option<Result<(), Vec<String>>> {
        if !self.is_wrong(running) {
            return Some(Ok(()));
        }
        (!self.endless).then(|| self.start(running))
    }

    fn start(&self, running: &Running) -> Result<(), Vec<String>> {
        if let Some(lines) = &self.unbuildable {
            return Err(lines.clone());
        }
        let Some((path, port)) = running.health.as_ref().filter(|_| !self.lenient) else {
            return Ok(());
        };
        let listens = self.listens(running);
        let port = port.or(running.port).unwrap_or(80);
        let why = if port != listens {
            format!("wget: can't connect to remote host: Connection refused (localhost:{port})")
        } else if self.broken.contains(path) {
            "wget: server returned error: HTTP/1.1 500 Internal Server Error".to_owned()
        } else {
            return Ok(());
        };
        let mut lines = vec![
            format!("Healthcheck URL (inside the container): GET: http://localhost:{port}{path}"),
            "Attempt 10 of 10 | Healthcheck status: \"unhealthy\"".to_owned(),
            format!("Healthcheck logs: {why} | Return code: 1"),
            "New container is not healthy, rolling back to the old container.".to_owned(),
            "Container logs:".to_owned(),
        ];
        lines.extend(self.says(running));
        Err(lines)
    }
}

impl State {
    fn runs(&mut self, edge: &Edge, uuid: &str, running: Option<&Running>) {
        if let Some(old) = self.containers.remove(uuid) {
            edge.close(old.target);
            // Its requests under way end as they like.
            drop(old.server);
        }
        let Some(running) = running.filter(|running| !running.domains.is_empty()) else {
            return;
        };
        let what = json!({
            "message": "Hello", "version": version(running), "env": running.env,
            "port": running.port, "domains": running.domains,
        });
        let wrong = self.program.is_wrong(running);
        let shown = what.clone();
        let mut broken = self.program.broken.clone();
        broken.retain(|_| wrong);
        let server = Server::start(move |request| {
            let reply = if broken.contains(&request.path) {
                Reply::json(500, &json!({"error": "out of order"}))
            } else {
                Reply::json(200, &shown)
            };
            // One request a connection: the proxy looks at the first only.
            reply.header("connection", "close")
        });
        let target = if running.port == Some(self.program.listens(running)) {
            server.address()
        } else {
            // Nothing listens on that port of the container.
            SocketAddr::new(server.address().ip(), 1)
        };
        for domain in running
            .domains
            .iter()
            .filter(|_| !(wrong && self.program.unrouted))
        {
            edge.route(host_of(domain), target);
        }
        self.containers.insert(
            uuid.to_owned(),
            Container {
                server,
                what,
                target,
            },
        );
    }
}

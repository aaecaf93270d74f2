//! How the world is: what state says, what the agent holds, what it serves, and which files there
//! are; up to what has to differ when a thing is made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use fabrik_core::provider::OpId;
use fabrik_core::state::Row;
use fabrik_core::value::{Path as ValuePath, Value};
use fabrik_provider_local::{AgentStatus, GenerationState, ServiceInfo};
use serde_json::{Value as Json, json};

use super::stage::Stage;
use crate::support;

/// How the world is, item by item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture(BTreeMap<String, Seen>);

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    /// A row of state.
    Row(Box<Row>),
    /// An output.
    Output(Value),
    /// What the agent holds.
    Held(String),
    /// What a URL answers.
    Answer(String),
    /// Permissions and text of a file that is none of the example's.
    File(u32, String),
    /// How many processes of services run.
    Processes(usize),
}

impl Picture {
    /// Fails with what differs from how it should be.
    #[track_caller]
    pub(super) fn must_be(&self, wanted: &Picture, what: &str) {
        let names: BTreeSet<&String> = self.0.keys().chain(wanted.0.keys()).collect();
        let differing = names.into_iter().filter_map(|name| {
            let (is, should) = (self.0.get(name), wanted.0.get(name));
            (is != should).then(|| format!("{name}\n    is {is:?}\n    not {should:?}\n"))
        });
        let differing: String = differing.collect();
        assert!(differing.is_empty(), "{what}:\n{differing}");
    }
}

impl Stage {
    pub(super) async fn picture(&self) -> Picture {
        let snapshot = self.engine.store().load().await.unwrap();
        assert_eq!(snapshot.unfinished(), None, "a run is still open");
        let status = self.agent().status().await.ok();
        // An agent with nothing to do ends, and the next one may have another port.
        let port = status.as_ref().and_then(|status| status.listen.first());
        let port = port.map_or_else(String::new, |address| format!(":{}", address.port()));
        let mut seen = BTreeMap::new();
        for row in snapshot.rows {
            let name = format!("row {} {:?}", row.address, row.status);
            let mut row = up_to_ids(row);
            row.object.inputs = on_any_port(&row.object.inputs, &port);
            row.object.outputs = on_any_port(&row.object.outputs, &port);
            let twice = seen.insert(name, Seen::Row(Box::new(row)));
            assert_eq!(twice, None, "two objects at one address");
        }
        for (name, value) in snapshot.outputs {
            let value = on_any_port(&value, &port);
            seen.insert(format!("output {name}"), Seen::Output(value));
        }
        if let Some(status) = &status {
            held(status, &port, &mut seen);
            answers(status, &port, &mut seen);
        }
        self.files(&mut seen);
        let processes = self.processes(status.as_ref());
        seen.insert("processes".into(), Seen::Processes(processes));
        Picture(seen)
    }

    fn files(&self, seen: &mut BTreeMap<String, Seen>) {
        let project = self.place.dir();
        walk(&project, &mut |path| {
            let name = path.strip_prefix(&project).unwrap();
            if support::root()
                .join("examples")
                .join(self.case.folder)
                .join(name)
                .exists()
                || name == Path::new("greeter-program")
            {
                return;
            }
            let mode = path.metadata().unwrap().permissions().mode();
            let text = std::fs::read_to_string(path).unwrap();
            seen.insert(format!("file {}", name.display()), Seen::File(mode, text));
        });
    }

    /// Waits until as many run as the agent wants: those of before may have requests to answer.
    fn processes(&self, status: Option<&AgentStatus>) -> usize {
        let services = status.into_iter().flat_map(|status| &status.services);
        let wanted = services
            .filter_map(|service| service.live.as_ref())
            .map(|live| live.instances.len())
            .sum();
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let mut running = self.place.processes();
            running.retain(|line| !line.contains(" agent local "));
            if running.len() == wanted {
                return wanted;
            }
            assert!(Instant::now() < until, "{wanted} wanted, not {running:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn walk(folder: &Path, see: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, see);
        } else {
            see(&path);
        }
    }
}

/// A row without what a thing made anew may have otherwise: who made it, and, of a service, the
/// number of its version and where its processes listen.
fn up_to_ids(mut row: Row) -> Row {
    row.oid = OpId(0);
    // Known only of what was read back.
    row.object.hidden.clear();
    let varying: &[&str] = match &*row.type_name {
        "local.service" => &["generation", "port", "ports", "url"],
        // Once it was looked at it is that of the file as it is, which is here itself.
        "local.file" => &["sha256"],
        _ => &[],
    };
    for path in varying {
        row.object.outputs = row.object.outputs.without(&ValuePath::key(*path));
    }
    row
}

/// A value with `:PORT` in place of the agent's port.
fn on_any_port(value: &Value, port: &str) -> Value {
    let changed = value.rewrite(&mut |node| {
        Ok::<_, std::convert::Infallible>(match &node {
            Value::Str(text) if !port.is_empty() => Value::from(text.replace(port, ":PORT")),
            _ => node,
        })
    });
    changed.unwrap_or_else(|never| match never {})
}

fn held(status: &AgentStatus, port: &str, seen: &mut BTreeMap<String, Seen>) {
    let mut put = |kind: &str, name: &str, held: Json| {
        let held = held.to_string().replace(port, ":PORT");
        seen.insert(format!("{kind} {name}"), Seen::Held(held));
    };
    for service in &status.services {
        put("service", &service.name, serving(service));
    }
    for site in &status.sites {
        let mut shown = json!(site);
        // Earlier contents are kept for a rollback, those of a run that failed too.
        shown["kept"] = Json::Null;
        put("site", &site.name, shown);
    }
    for route in &status.routes {
        put("route", &route.name, json!(route));
    }
    for bucket in &status.buckets {
        put("bucket", &bucket.name, json!(bucket));
    }
    for monitor in &status.monitors {
        put("monitor", &monitor.name, json!(monitor.spec));
    }
    for name in &status.names {
        put("name", &name.name, json!(name));
    }
}

fn serving(service: &ServiceInfo) -> Json {
    let pending = service
        .others
        .iter()
        .filter(|other| other.state == GenerationState::Pending);
    json!({
        "live": service.live.as_ref().map(|live| json!({
            "spec": live.spec,
            "instances": live.instances.len(),
            "serving": live.is_serving(),
        })),
        "pending": pending.count(),
    })
}

/// What each URL answers, but for what no two answers have in common.
fn answers(status: &AgentStatus, port: &str, seen: &mut BTreeMap<String, Seen>) {
    for url in status.routes.iter().flat_map(|route| &route.urls) {
        let answer = support::get(url).unwrap_or_else(|| panic!("{url} does not answer"));
        let mut text = String::new();
        for line in answer.head.lines() {
            let name = line.split(':').next().unwrap().to_ascii_lowercase();
            if !["date", "last-modified", "content-length"].contains(&name.as_str()) {
                text.push_str(line);
                text.push('\n');
            }
        }
        text.push_str(answer.body.split(" from process ").next().unwrap());
        seen.insert(url.replace(port, ":PORT"), Seen::Answer(text));
    }
}

//! The services, what is between them and the program, and a project to run it in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use fabrik_cli::world::{Identity, Terminal, World};
use fabrik_cli::{App, Exit};
use fabrik_core::clock::{Clock, SystemClock, SystemEntropy};
use fabrik_fakes::cloudflare::{self, Cloudflare};
use fabrik_fakes::coolify::{self, Coolify, Kind};
use fabrik_fakes::host::Host;
use fabrik_fakes::kuma::{self, Kuma, Release};
use fabrik_fakes::namecheap::Namecheap;
use fabrik_fakes::names::NameServer;
use fabrik_testkit::Wire;
use fabrik_testkit::proxy::Proxy;
use fabrik_testkit::stack::virtual_clock;
use serde_json::{Value as Json, json};

/// The name of the app, and of its folder.
pub(crate) const APP: &str = "demo";
/// Where it answers.
pub(crate) const DOMAIN: &str = "demo.example.com";

/// Records that are in nobody's zone, by name.
type Hosts = Arc<Mutex<BTreeMap<String, String>>>;

/// Everything there is.
pub(crate) struct Stage {
    pub(crate) root: tempfile::TempDir,
    pub(crate) cloudflare: Arc<Cloudflare>,
    pub(crate) namecheap: Arc<Namecheap>,
    pub(crate) coolify: Coolify,
    pub(crate) kuma: Kuma,
    pub(crate) host: Host,
    /// Before Cloudflare, Coolify and Kuma.
    pub(crate) proxies: [Proxy; 3],
    _names: NameServer,
    hosts: Hosts,
    /// While true, the name server knows nothing of the zone.
    pub(crate) dark: Arc<AtomicBool>,
    pub(crate) env: BTreeMap<String, String>,
    clock: Mutex<Arc<dyn Clock>>,
    /// How far each proxy's log was looked at.
    seen: Mutex<[usize; 3]>,
}

/// A request that changes something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Write {
    /// Which service: an index into the proxies.
    pub(crate) proxy: usize,
    pub(crate) kind: String,
    /// The path without ids.
    pub(crate) route: String,
}

/// A path without its ids.
pub(crate) fn route(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        let is_hex = part.len() == 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex || is_id(part) { "{}" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What came of a run of the program.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Expects an exit code, showing everything when it is another.
    #[track_caller]
    pub(crate) fn code(self, code: u8) -> Ran {
        assert_eq!(self.exit, code, "{}", self.all());
        self
    }

    /// Everything, for messages.
    pub(crate) fn all(&self) -> String {
        format!(
            "exit: {}\n--- stdout\n{}--- stderr\n{}",
            self.exit, self.out, self.err
        )
    }

    /// Expects a text on standard error.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Ran {
        assert!(self.err.contains(text), "no `{text}`:\n{}", self.all());
        self
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stage {
    /// The services as a user has them: a zone, a server, a monitor of something else; and an empty
    /// folder. Waiting takes no time.
    pub(crate) fn new() -> Stage {
        Stage::of(Release::V2)
    }

    /// The same with another release of Uptime Kuma.
    pub(crate) fn of(release: Release) -> Stage {
        let clock = virtual_clock();
        let cloudflare = Arc::new(Cloudflare::start());
        let zone = cloudflare.add_zone("example.com");
        cloudflare.add_record(
            &zone,
            &json!({"name": "www", "type": "A", "content": "192.0.2.1"}),
        );
        let coolify = Coolify::start("4.3.10");
        let project = coolify.add_project("other");
        coolify.add_application(&project, "other", "nginx:1.27");
        let kuma = Kuma::start(release);
        kuma.add_monitor(json!({"name": "other"}));
        let host = Host::of(&coolify);
        let hosts = Hosts::default();
        let dark = Arc::new(AtomicBool::new(false));
        let namecheap = Arc::new(Namecheap::start());
        namecheap.register("shop.test");
        let names = name_server(&cloudflare, &namecheap, &hosts, &dark);
        let proxies = [
            (cloudflare.address(), Wire::Http),
            (coolify.address(), Wire::Http),
            (kuma.address(), Wire::WebSocket),
        ]
        .map(|(upstream, wire)| Proxy::with_clock(upstream, wire, Arc::new(clock.clone())));
        proxies[2].reads(|message| {
            let reads = ["login", "get", "need", "GET"];
            reads.iter().any(|word| message.kind.starts_with(word))
        });
        let root = tempfile::tempdir().unwrap();
        for folder in ["project", "home"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        let roots = root.path().join("roots.pem");
        std::fs::write(&roots, host.edge().roots()).unwrap();
        let at = |index: usize| {
            let proxy: &Proxy = &proxies[index];
            format!("http://{}", proxy.address())
        };
        // The server's address leads to its proxy, as a tunnel would.
        let edge = host.edge();
        let detours = format!(
            "203.0.113.10:443={}, 203.0.113.10:80={}",
            edge.https(),
            edge.http()
        );
        let env = [
            ("HOME", root.path().join("home").display().to_string()),
            ("CLOUDFLARE_API_TOKEN", cloudflare::TOKEN.to_owned()),
            ("COOLIFY_API_URL", at(1)),
            ("COOLIFY_API_TOKEN", coolify::TOKEN.to_owned()),
            ("UPTIME_KUMA_URL", at(2)),
            ("UPTIME_KUMA_USERNAME", kuma::USER.to_owned()),
            ("UPTIME_KUMA_PASSWORD", kuma::PASSWORD.to_owned()),
            ("FABRIK_RESOLVERS", names.address().to_string()),
            ("FABRIK_CONNECT", detours),
            ("FABRIK_CA_FILE", roots.display().to_string()),
        ];
        Stage {
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            root,
            cloudflare,
            namecheap,
            coolify,
            kuma,
            host,
            proxies,
            _names: names,
            hosts,
            dark,
            clock: Mutex::new(Arc::new(clock)),
            seen: Mutex::default(),
        }
    }

    /// With a project of the template `python-api`, deployed to `on`.
    pub(crate) fn with_project(on: &str) -> Stage {
        let stage = Stage::new();
        stage.new_project();
        stage.edit_on(on);
        stage
    }

    /// `fabrik new`, and where Cloudflare answers here.
    pub(crate) fn new_project(&self) {
        let domain = format!("--domain={DOMAIN}");
        self.run(&["new", "python-api", APP, &domain, "--repo", "example/demo"])
            .code(0);
        let spec = self.spec();
        let cloudflare = self.proxies[0].address();
        self.set_spec(&format!(
            "{spec}providers:\n  cloudflare: {{ endpoint: \"http://{cloudflare}/client/v4\" }}\n"
        ));
    }

    /// Says where the app goes.
    pub(crate) fn edit_on(&self, on: &str) {
        self.edit(
            "    kind: service\n",
            &format!("    kind: service\n    on: {on}\n"),
        );
    }

    /// Adds a secret, and a database that is backed up.
    pub(crate) fn widen(&self) {
        self.edit(
            "    env:\n",
            "    secrets: [API_KEY]\n    env:\n      DATABASE_URL: ${apps.data.url}\n",
        );
        self.edit(
            "providers:\n",
            "  data:\n    kind: database\n    engine: postgres\n    version: \"17\"\n    backup: true\nproviders:\n",
        );
    }

    /// Changes something of everything that can be changed.
    pub(crate) fn change(&self) {
        self.edit("repo: example/demo }", "repo: example/demo, tag: v2 }");
        self.edit("LOG_LEVEL: info", "LOG_LEVEL: debug");
        self.edit(
            "    health: /healthz\n",
            "    health: /healthz\n    dns: { ttl: 300 }\n    monitor: { interval: 120s }\n",
        );
        self.edit("backup: true", "backup: \"0 4 * * *\"");
    }

    fn spec_path(&self) -> PathBuf {
        self.root
            .path()
            .join("project")
            .join(APP)
            .join("fabrik.yaml")
    }

    pub(crate) fn spec(&self) -> String {
        std::fs::read_to_string(self.spec_path()).unwrap()
    }

    pub(crate) fn set_spec(&self, text: &str) {
        std::fs::write(self.spec_path(), text).unwrap();
    }

    /// Changes a part of the spec.
    #[track_caller]
    pub(crate) fn edit(&self, old: &str, new: &str) {
        let spec = self.spec();
        assert!(spec.contains(old), "no `{old}` in\n{spec}");
        self.set_spec(&spec.replacen(old, new, 1));
    }

    /// From now on waiting takes its time: for what really runs on this machine.
    pub(crate) fn real_time(&self) {
        *self.clock.lock().unwrap() = Arc::new(SystemClock);
    }

    /// A name that this machine alone knows, as in `/etc/hosts`.
    pub(crate) fn set_host(&self, name: &str, address: &str) {
        let mut hosts = self.hosts.lock().unwrap();
        hosts.insert(name.to_owned(), address.to_owned());
    }

    /// It knows the name no more.
    pub(crate) fn remove_host(&self, name: &str) {
        self.hosts.lock().unwrap().remove(name);
    }

    /// The project's folder.
    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("project").join(APP)
    }

    /// The program as a process of its own, in real time.
    pub(crate) fn process(&self, words: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fabrik-under-test"));
        command
            .args(words)
            .env_clear()
            .envs(&self.env)
            .current_dir(self.root.path().join("project"))
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command
    }

    /// How many there are of what the app consists of, up to what is deleted soon.
    pub(crate) fn counts(&self) -> Json {
        let zone = self.cloudflare.zone_id("example.com").unwrap();
        json!({
            "records": self.cloudflare.records(&zone).len(),
            "projects": self.coolify.count(Kind::Project),
            "applications": self.coolify.count(Kind::Application),
            "databases": self.coolify.count(Kind::Database),
            "backups": self.coolify.count(Kind::Backup),
            "monitors": self.kuma.count("uptime_kuma.monitor"),
        })
    }

    /// Runs the program in the project's parent.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let (out, err) = (Shared::default(), Shared::default());
        let world = World {
            args: std::iter::once("fabrik")
                .chain(words.iter().copied())
                .map(OsString::from)
                .collect(),
            env: self.env.clone(),
            cwd: self.root.path().join("project"),
            program: PathBuf::from(env!("CARGO_BIN_EXE_fabrik-under-test")),
            terminal: Terminal::default(),
            identity: Identity {
                user: "ana".to_owned(),
                host: "here".to_owned(),
                pid: std::process::id(),
                liveness: None,
            },
            stdin: Box::new(io::Cursor::new(Vec::new())),
            stdout: Box::new(out.clone()),
            stderr: Box::new(err.clone()),
            clock: self.clock.lock().unwrap().clone(),
            entropy: Arc::new(SystemEntropy),
            process: false,
        };
        let Exit(exit) = App::new().run(world);
        let tidy = |text: String| text.replace(&self.root.path().display().to_string(), "[ROOT]");
        Ran {
            exit,
            out: tidy(out.text()),
            err: tidy(err.text()),
        }
    }

    pub(crate) fn apply(&self) -> Ran {
        self.run(&["apply", APP, "--yes"])
    }

    /// Applies, and gives the events too.
    pub(crate) fn apply_with_events(&self) -> (Ran, Vec<Json>) {
        let file = self.root.path().join("events.ndjson");
        let ran = self.run(&["apply", APP, "--yes", "--json-into", file.to_str().unwrap()]);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        _ = std::fs::remove_file(&file);
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
        (ran, events.collect())
    }

    /// The plan as data.
    pub(crate) fn plan(&self) -> Json {
        let ran = self.run(&["plan", APP, "--json"]).code(0);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// Everything that the services have and that runs, up to ids.
    pub(crate) fn dump(&self) -> Json {
        renamed(&json!({
            "cloudflare": self.cloudflare.dump(),
            "namecheap": self.namecheap.dump(),
            "coolify": self.coolify.dump(),
            "kuma": self.kuma.dump(),
            "host": self.host.dump(),
        }))
    }

    /// Requests that changed something since the last look, in no order.
    pub(crate) fn writes(&self) -> Vec<Write> {
        let mut writes = Vec::new();
        let mut seen = self.seen.lock().unwrap();
        for (index, (proxy, seen)) in self.proxies.iter().zip(seen.iter_mut()).enumerate() {
            let log = proxy.log();
            let new = log.iter().skip(std::mem::replace(seen, log.len()));
            let new = new.filter(|exchange| exchange.write);
            writes.extend(new.map(|exchange| Write {
                proxy: index,
                kind: exchange.kind.clone(),
                route: route(&exchange.path),
            }));
        }
        writes
    }
}

fn name_server(
    cloudflare: &Arc<Cloudflare>,
    namecheap: &Arc<Namecheap>,
    hosts: &Hosts,
    dark: &Arc<AtomicBool>,
) -> NameServer {
    let namecheap = namecheap.clone();
    let (cloudflare, hosts, dark) = (cloudflare.clone(), hosts.clone(), dark.clone());
    NameServer::start(move |name| {
        if let Some(address) = hosts.lock().unwrap().get(name) {
            return Some(vec![("A".to_owned(), address.clone())]);
        }
        if dark.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(name) = name.strip_suffix(".shop.test") {
            let hosts = namecheap.domain("shop.test")?.hosts;
            let own = hosts.into_iter().filter(|host| host.name == name);
            let found: Vec<_> = own.map(|host| (host.kind, host.address)).collect();
            return (!found.is_empty()).then_some(found);
        }
        let zone = cloudflare.zone_id("example.com")?;
        let of_name = cloudflare
            .records(&zone)
            .into_iter()
            .filter(|record| record["name"] == name)
            .map(|record| {
                let text = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
                (text("type"), text("content"))
            });
        let found: Vec<_> = of_name.collect();
        (!found.is_empty()).then_some(found)
    })
}

/// A dump in which everything that differs when a thing is made anew is replaced: ids of services
/// and marks of operations. What refers to a thing refers to its name.
fn renamed(dump: &Json) -> Json {
    let mut names = BTreeMap::new();
    if let Some(objects) = dump["coolify"]["objects"].as_object() {
        for (id, object) in objects {
            let text = |field: &str| object["fields"][field].as_str().unwrap_or_default();
            let name = format!("{} {}{}", object["kind"], text("name"), text("mount_path"));
            names.insert(id.clone(), name);
        }
    }
    let mut told = dump.clone();
    told["kuma"]["monitors"] = by_name(&dump["kuma"]["monitors"]);
    rename(&told, &names)
}

/// Monitors by name instead of number.
fn by_name(monitors: &Json) -> Json {
    let monitors = monitors.as_object().into_iter().flatten();
    let named = monitors.map(|(_, monitor)| {
        let mut monitor = monitor.clone();
        monitor["id"] = json!("ID");
        monitor["tags"] = json!(monitor["tags"].as_array().map_or(0, Vec::len));
        (
            monitor["name"].as_str().unwrap_or_default().to_owned(),
            monitor,
        )
    });
    named.collect::<serde_json::Map<_, _>>().into()
}

fn rename(json: &Json, names: &BTreeMap<String, String>) -> Json {
    match json {
        Json::String(text) => json!(rename_text(text, names)),
        Json::Array(items) => items.iter().map(|item| rename(item, names)).collect(),
        Json::Object(map) => {
            // Things by id become a list, which has an order of its own.
            let by_id = !map.is_empty() && map.keys().all(|key| is_id(key));
            if by_id {
                let mut items: Vec<Json> = map.values().map(|item| rename(item, names)).collect();
                items.sort_by_key(ToString::to_string);
                return items.into();
            }
            let renamed = map.iter().map(|(key, item)| {
                let item = match key.as_str() {
                    // Signs of who made it and when, and numbers that nobody reuses.
                    "comment" if item.as_str().is_some_and(|text| text.contains("fabrik")) => {
                        json!("MARK")
                    }
                    "pathName" | "path" => item.clone(),
                    _ => rename(item, names),
                };
                (key.clone(), item)
            });
            renamed.collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn rename_text(text: &str, names: &BTreeMap<String, String>) -> String {
    if text.starts_with("fabrik=") {
        return "MARK".to_owned();
    }
    if let Some(name) = names.get(text) {
        return name.clone();
    }
    let mut text = text.to_owned();
    for (id, name) in names {
        text = text.replace(id, name);
    }
    if is_id(&text) { "ID".to_owned() } else { text }
}

/// Whether a text is an id as Coolify makes them.
fn is_id(text: &str) -> bool {
    text.len() == 24
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

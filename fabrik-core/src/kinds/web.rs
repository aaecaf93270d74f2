//! What kinds that answer requests have in common: asking the runtime, DNS and the monitor, and
//! the checks that follow.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::common::invalid;
use super::{backup, common};
use crate::address::Address;
use crate::error::Result;
use crate::expr::{self, Expr, Function, Reference, Target};
use crate::role::{ComponentCx, ComponentOut, DNS, MONITOR, PlayerFacts, RUNTIME};
use crate::value::{Map, Value};
use crate::verify::{self, parse_duration};

/// How long an app behind a proxy is waited for: certificates and records take their time.
const BEHIND_PROXY: Duration = Duration::from_secs(180);
/// How long certificates and records are waited for.
const SPREADING: Duration = Duration::from_secs(300);
/// Time between looks at what spreads slowly.
const SPREADING_INTERVAL: Duration = Duration::from_secs(3);

/// The URL of a path of an app: for checks and monitors. A path that is a URL stays as it is.
pub fn url_at(base: &Value, path: &str) -> Value {
    if path.starts_with("http://") || path.starts_with("https://") {
        return Value::from(path);
    }
    let literal = |text: &str| Expr::Literal(Value::from(text));
    let base = match base {
        Value::Expr(expr) => expr.as_ref().clone(),
        Value::Str(text) => literal(text.trim_end_matches('/')),
        other => Expr::Literal(other.clone()),
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let whole = Expr::Concat(vec![base, literal(&format!("{slash}{path}"))]);
    let nothing_known = |_: &Reference| Ok(None);
    expr::evaluate(&whole, &nothing_known).unwrap_or_else(|_| Value::from(whole.clone()))
}

/// One app on its way into parts.
pub(super) struct Launch<'a> {
    block: &'a Value,
    name: String,
    intent: Map,
    cx: &'a mut dyn ComponentCx,
}

/// A host name of the app, and the suffix that keeps its parts apart.
struct Host {
    name: Value,
    suffix: String,
}

impl<'a> Launch<'a> {
    pub(super) fn new(
        kind: &str,
        block: &'a Value,
        passed_on: &[&str],
        cx: &'a mut dyn ComponentCx,
    ) -> Launch<'a> {
        let name = app_name(cx.parts().base());
        let mut intent = Map::new();
        intent.insert("kind".into(), Value::from(kind));
        intent.insert("name".into(), Value::from(name.as_str()));
        for field in passed_on {
            if let Some(value) = block.get(field) {
                intent.insert((*field).into(), value.clone());
            }
        }
        Launch {
            block,
            name,
            intent,
            cx,
        }
    }

    /// Sets a field of the runtime's intent.
    pub(super) fn intent(&mut self, field: &str, value: Value) {
        self.intent.insert(field.into(), value);
    }

    /// Tells the runtime of a program what it is built from and what it finds in its environment.
    pub(super) fn program(&mut self, block: &Value) -> Result<()> {
        if let Some(build) = common::build(block)? {
            self.intent("build", build);
        }
        if let Some(env) = common::environment(block)? {
            self.intent("env", env);
        }
        Ok(())
    }

    /// Asks everybody.
    pub(super) fn run(self) -> Result<ComponentOut> {
        self.run_telling().map(|(out, _)| out)
    }

    /// Asks the monitor only: the app runs elsewhere.
    pub(super) fn run_elsewhere(mut self, url: &Value, tls: bool) -> Result<ComponentOut> {
        let facts = PlayerFacts {
            wants_dns: false,
            ends_tls: tls,
        };
        let hosts = self.hosts();
        self.check_http(url, facts, &[]);
        if tls && self.enabled("tls") {
            self.check_tls(&hosts, &[]);
        }
        self.watch(Some(url))?;
        Ok(self.out(&Value::Null, Some(url.clone()), &hosts, &[]))
    }

    /// Asks everybody, and tells what the runtime gave.
    pub(super) fn run_telling(mut self) -> Result<(ComponentOut, Value)> {
        let facts = self.cx.facts(RUNTIME)?;
        let before = self.cx.parts().resources.len();
        let intent = Value::Map(Arc::new(std::mem::take(&mut self.intent)));
        let runtime = self.cx.play(RUNTIME, "", intent)?;
        let concerns = self.made_since(before);
        let url = given(&runtime, "url");
        let hosts = self.hosts();
        if let Some(url) = &url {
            self.check_http(url, facts, &concerns);
        }
        if facts.ends_tls && self.enabled("tls") {
            self.check_tls(&hosts, &concerns);
        }
        if facts.wants_dns && self.enabled("dns") {
            for (index, host) in hosts.iter().enumerate() {
                self.point(host, index, &runtime)?;
            }
        }
        self.watch(url.as_ref())?;
        self.back_up(&runtime)?;
        let out = self.out(&runtime, url, &hosts, &concerns);
        Ok((out, runtime))
    }

    /// Whether a block such as `dns` is not turned off.
    fn enabled(&self, field: &str) -> bool {
        self.block
            .get(field)
            .and_then(|block| block.get("enabled"))
            .and_then(Value::as_bool)
            != Some(false)
    }

    fn made_since(&mut self, before: usize) -> Vec<Address> {
        self.cx.parts().resources[before..]
            .iter()
            .map(|part| part.address.clone())
            .collect()
    }

    /// Host names of `domains`, and those that are only redirected.
    fn hosts(&self) -> Vec<Host> {
        let listed = |field: &str| {
            let items = self.block.get(field).and_then(Value::as_list);
            items.unwrap_or_default().to_vec()
        };
        let domains = listed("domains")
            .into_iter()
            .filter_map(|domain| domain.get("name").cloned());
        let redirected = listed("redirects")
            .into_iter()
            .filter_map(|redirect| redirect.get("from").cloned())
            .filter(|from| from.as_str().is_some_and(|from| !from.contains('/')));
        let mut hosts: Vec<Host> = Vec::new();
        for name in domains.chain(redirected) {
            // One host may answer below several paths.
            if hosts.iter().all(|host| host.name != name) {
                let suffix = match name.as_str() {
                    Some(text) => slug(&text.replace('*', "wildcard")),
                    None => (hosts.len() + 1).to_string(),
                };
                hosts.push(Host { name, suffix });
            }
        }
        hosts
    }

    fn health(&self, field: &str) -> Option<&Value> {
        self.block
            .get("health")
            .and_then(|health| health.get(field))
    }

    fn health_path(&self) -> &str {
        self.health("path").and_then(Value::as_str).unwrap_or("/")
    }

    fn check_http(&mut self, url: &Value, facts: PlayerFacts, concerns: &[Address]) {
        let by_command = self.health("command").is_some() && self.health("path").is_none();
        if !self.enabled("health") || by_command {
            return;
        }
        let mut spec = Map::new();
        spec.insert("url".into(), url_at(url, self.health_path()));
        for (from, to) in [
            ("status", "status"),
            ("method", "method"),
            ("body", "contains"),
            ("timeout", "timeout"),
        ] {
            if let Some(value) = self.health(from) {
                spec.insert(to.into(), value.clone());
            }
        }
        let start = self
            .health("start_period")
            .and_then(Value::as_str)
            .and_then(parse_duration)
            .unwrap_or_default();
        let patience = if facts.ends_tls || facts.wants_dns {
            BEHIND_PROXY
        } else {
            verify::WITHIN
        };
        // Checks of `verify` are named after their kind, and this one tells something else.
        self.check("http", "health", "", spec, concerns.to_vec());
        if let Some(check) = self.cx.parts().checks.last_mut() {
            check.within = patience.saturating_add(start);
        }
    }

    fn check_tls(&mut self, hosts: &[Host], concerns: &[Address]) {
        for (index, host) in hosts.iter().enumerate() {
            if !is_wildcard(&host.name) {
                let spec = Map::from([("name".into(), host.name.clone())]);
                self.check("tls", "tls", suffix(index, host), spec, concerns.to_vec());
                self.be_patient();
            }
        }
    }

    /// Makes the record of a host name, and its check.
    fn point(&mut self, host: &Host, index: usize, runtime: &Value) -> Result<()> {
        let target = given(runtime, "ingress").ok_or_else(|| {
            invalid(
                "domains",
                "the runtime does not say what DNS records of the domains must point at",
            )
            .hint("make the records yourself and set `dns: false`")
        })?;
        let kind = given(runtime, "ingress_kind").unwrap_or_else(|| {
            let known = target.as_str().map(|text| text.parse::<IpAddr>().is_ok());
            Value::from(if known.unwrap_or(true) {
                "address"
            } else {
                "host"
            })
        });
        let mut intent = Map::from([
            ("name".into(), host.name.clone()),
            ("target".into(), target),
            ("kind".into(), kind),
        ]);
        if let Some(ttl) = self.block.get("dns").and_then(|dns| dns.get("ttl")) {
            intent.insert("ttl".into(), ttl.clone());
        }
        let before = self.cx.parts().resources.len();
        let prefix = format!("dns-{}", host.suffix);
        let record = self
            .cx
            .play(DNS, &prefix, Value::Map(Arc::new(intent)))
            .map_err(|error| match error.hint_text() {
                None => error.hint("make the records yourself and set `dns: false`"),
                Some(hint) => {
                    let hint = format!("{hint}; or make the records yourself and set `dns: false`");
                    error.hint(hint)
                }
            })?;
        if is_wildcard(&host.name) {
            return Ok(());
        }
        let mut spec = Map::from([("name".into(), host.name.clone())]);
        for field in ["type", "values"] {
            if let Some(value) = given(&record, field) {
                spec.insert(field.into(), value);
            }
        }
        let concerns = self.made_since(before);
        self.check("dns", "dns", suffix(index, host), spec, concerns);
        self.be_patient();
        Ok(())
    }

    /// Adds a check.
    fn check(&mut self, kind: &str, label: &str, suffix: &str, spec: Map, concerns: Vec<Address>) {
        let dash = if suffix.is_empty() { "" } else { "-" };
        let parts = self.cx.parts();
        let name = format!("{}.{label}{dash}{suffix}", parts.base());
        let mut check = verify::declare(name, kind, Value::Map(Arc::new(spec)));
        check.concerns = concerns;
        parts.checks.push(check);
    }

    /// Gives the last check the time that certificates and records need.
    fn be_patient(&mut self) {
        if let Some(check) = self.cx.parts().checks.last_mut() {
            check.within = SPREADING;
            check.interval = SPREADING_INTERVAL;
        }
    }

    fn watch(&mut self, url: Option<&Value>) -> Result<()> {
        let asked_for = self.block.get("monitor");
        if !self.enabled("monitor") || (asked_for.is_none() && !self.cx.has(MONITOR)) {
            return Ok(());
        }
        let Some(url) = url else {
            return match asked_for {
                None => Ok(()),
                Some(_) => Err(invalid(
                    "monitor",
                    "there is nothing to watch: the runtime gives the app no URL",
                )),
            };
        };
        let option = |field: &str| asked_for.and_then(|monitor| monitor.get(field)).cloned();
        let path = option("path");
        let path = path.as_ref().and_then(Value::as_str);
        let url = url_at(url, path.unwrap_or_else(|| self.health_path()));
        let mut intent = Map::from([
            ("name".into(), Value::from(self.name.as_str())),
            ("url".into(), url),
        ]);
        for field in ["interval", "notify"] {
            if let Some(value) = option(field) {
                intent.insert(field.into(), value);
            }
        }
        self.cx
            .play(MONITOR, "monitor", Value::Map(Arc::new(intent)))
            .map(|_| ())
    }

    /// Has the app's volumes backed up, when it asks for that.
    fn back_up(&mut self, runtime: &Value) -> Result<()> {
        let asked_for = self.block.get("backup").is_some() && self.enabled("backup");
        let volumes = self.block.get("volumes").cloned();
        let Some(volumes) = volumes else {
            return if asked_for {
                Err(invalid(
                    "backup",
                    "there is nothing to back up: the app has no `volumes`",
                ))
            } else {
                Ok(())
            };
        };
        let mut what = Map::from([
            ("kind".into(), Value::from("volumes")),
            ("app".into(), Value::from(self.name.as_str())),
            ("volumes".into(), volumes),
        ]);
        if let Some(id) = given(runtime, "id") {
            what.insert("id".into(), id);
        }
        backup::play(self.block, what, self.cx)
    }

    fn out(
        &self,
        runtime: &Value,
        url: Option<Value>,
        hosts: &[Host],
        concerns: &[Address],
    ) -> ComponentOut {
        let mut outputs: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        outputs.insert("name".into(), Value::from(self.name.as_str()));
        let main = hosts.first().map(|host| host.name.clone());
        for (name, value) in [
            ("url", url.clone()),
            ("host", given(runtime, "host").or(main)),
            ("port", given(runtime, "port")),
        ] {
            if let Some(value) = value {
                outputs.insert(name.into(), value);
            }
        }
        let told = given(runtime, "logs")
            .as_ref()
            .and_then(Value::as_str)
            .and_then(|address| Address::parse(address).ok());
        let behind_url = || {
            expr::references(url.as_ref()?)
                .into_iter()
                .find_map(|reference| match reference.target {
                    Target::Resource(address) if concerns.contains(&address) => Some(address),
                    _ => None,
                })
        };
        let source = |field: &str| {
            self.block
                .get("source")
                .and_then(|source| source.get(field))
        };
        let version = self.block.get("image");
        let version = version
            .or_else(|| source("commit"))
            .or_else(|| source("tag"))
            .or_else(|| source("branch"));
        ComponentOut {
            logs: told
                .or_else(behind_url)
                .or_else(|| concerns.first().cloned()),
            // What runs is known by the runtime; else it is what the spec asks for.
            version: given(runtime, "version")
                .or_else(|| version.cloned())
                .unwrap_or_default(),
            url: url.unwrap_or_default(),
            outputs,
        }
    }
}

/// The suffix of a host's check; the main host has none.
fn suffix(index: usize, host: &Host) -> &str {
    if index == 0 { "" } else { &host.suffix }
}

/// An output that was given.
pub(super) fn given(outputs: &Value, name: &str) -> Option<Value> {
    outputs.get(name).filter(|value| !value.is_null()).cloned()
}

fn is_wildcard(name: &Value) -> bool {
    name.as_str().is_some_and(|name| name.starts_with("*."))
}

/// The app's key, and the key of its `for_each` element, as one host label.
pub(super) fn app_name(address: &Address) -> String {
    let text = address.as_str();
    let (path, key) = match text
        .strip_suffix("\"]")
        .and_then(|rest| rest.rsplit_once("[\""))
    {
        Some((path, key)) => (path, key),
        None => (text, ""),
    };
    let last = path.rsplit('.').next().unwrap_or(path);
    slug(&format!("{last} {key}"))
}

fn slug(text: &str) -> String {
    Function::Slug
        .apply(&[Value::from(text)])
        .ok()
        .and_then(|slug| slug.as_str().map(str::to_owned))
        .unwrap_or_default()
}

//! A stateful fake of Namecheap's API: one address, commands as forms, replies as XML.
//!
//! It behaves as documented, and as its users found out:
//! - errors come with HTTP status 200; only a spent quota has a status of its own, 405, and nothing
//!   was done then;
//! - `setHosts` replaces every host record of the domain and gives all of them new ids;
//! - it takes fewer types than `getHosts` shows (SRV records, records of dynamic DNS);
//! - without `EmailType` mail routing is switched off; MX records count only with `MX`, one MXE
//!   record only with `MXE`; private e-mail (`OX`) and Google (`GMAIL`) bring MX records of their own;
//! - a TTL that is automatic reads as 1799, whether none or 1800 was sent;
//! - host names in addresses read with a final dot;
//! - who calls from an address that is not allow-listed is told so, by number 1011150.
//!
//! Sources: the service's API documentation, and the issues of its own Go SDK.

mod commands;
mod xml;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fabrik_testkit::serve::{Reply, Request, Server};
use serde_json::{Value as Json, json};

pub(crate) use xml::{Refusal, fine, refused};

/// A host record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its id, new with every write of the domain.
    pub id: u64,
    /// Its name within the domain; `@` for the domain itself.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its value.
    pub address: String,
    /// Preference of an MX record; 10 for all others.
    pub mx_pref: u32,
    /// Seconds; 1799 is automatic.
    pub ttl: u32,
    /// Whether it is kept by dynamic DNS.
    pub dynamic: bool,
}

impl Host {
    /// A record with an automatic TTL.
    pub fn new(name: &str, kind: &str, address: &str) -> Host {
        Host {
            id: 0,
            name: name.to_owned(),
            kind: kind.to_owned(),
            address: address.to_owned(),
            mx_pref: 10,
            ttl: 1799,
            dynamic: false,
        }
    }
}

/// A domain of the account.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Name servers elsewhere; `None` for Namecheap's own.
    pub nameservers: Option<Vec<String>>,
    /// Mail routing.
    pub email_type: String,
    /// Host records.
    pub hosts: Vec<Host>,
    /// How often `setHosts` was carried out.
    pub writes: usize,
}

type Between = Box<dyn FnOnce(&mut Domain) + Send>;

pub(crate) struct State {
    pub(crate) domains: BTreeMap<String, Domain>,
    pub(crate) next_id: u64,
    /// Requests left until 405; `None` for no limit.
    quota: Option<usize>,
    allowed: Vec<String>,
    /// What somebody does right after the next command of this name.
    between: Option<(String, Between)>,
    /// The next command of this name fails, after it was carried out or before.
    failing: Option<(String, &'static str, bool)>,
    bearer: Option<String>,
    commands: Vec<String>,
}

/// A running fake.
pub struct Namecheap {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Namecheap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Namecheap")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Namecheap {
    /// The user whose domains these are.
    pub const USER: &'static str = "fabrik-tester";
    /// The user's API key.
    pub const KEY: &'static str = "0123456789abcdef-namecheap-key";
    /// The address that is allow-listed.
    pub const IP: &'static str = "203.0.113.7";

    /// Starts one, without domains.
    pub fn start() -> Namecheap {
        let state = Arc::new(Mutex::new(State {
            domains: BTreeMap::new(),
            next_id: 1,
            quota: None,
            allowed: vec![Namecheap::IP.to_owned()],
            between: None,
            failing: None,
            bearer: None,
            commands: Vec::new(),
        }));
        let kept = state.clone();
        let server = Server::start(move |request| {
            answer(
                &mut kept.lock().unwrap_or_else(PoisonError::into_inner),
                request,
            )
        });
        Namecheap { server, state }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// A provider's configuration with the endpoint at an address.
    pub fn config(at: SocketAddr) -> Json {
        json!({
            "endpoint": format!("http://{at}/xml.response"),
            "api_user": Namecheap::USER,
            "api_key": Namecheap::KEY,
            "client_ip": Namecheap::IP,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a domain on Namecheap's name servers, with its two parking records.
    pub fn register(&self, domain: &str) {
        let mut state = self.state();
        let parked = Domain {
            nameservers: None,
            email_type: "NONE".to_owned(),
            hosts: vec![
                Host::new("www", "CNAME", "parkingpage.namecheap.com."),
                Host::new("@", "URL", "http://www.example.com/"),
            ],
            writes: 0,
        };
        state.domains.insert(domain.to_owned(), parked);
        state.renumber(domain);
    }

    /// A human changes a domain. Nothing happens when there is none of that name.
    pub fn by_hand(&self, domain: &str, change: impl FnOnce(&mut Domain)) {
        let mut state = self.state();
        if let Some(found) = state.domains.get_mut(domain) {
            change(found);
        }
        state.renumber(domain);
    }

    /// A domain as it is.
    pub fn domain(&self, domain: &str) -> Option<Domain> {
        self.state().domains.get(domain).cloned()
    }

    /// Somebody changes the domain right after the next command of this name (`dns.getHosts`,
    /// `dns.setHosts`) on it, before whatever follows.
    pub fn right_after(&self, command: &str, change: impl FnOnce(&mut Domain) + Send + 'static) {
        self.state().between = Some((command.to_owned(), Box::new(change)));
    }

    /// So many requests until the quota is spent; `None` for no limit.
    pub fn quota(&self, requests: Option<usize>) {
        self.state().quota = requests;
    }

    /// Nobody's address is allow-listed any more.
    pub fn forbid(&self) {
        self.state().allowed.clear();
    }

    /// The next command of this name answers with an error of the service's own, although it was
    /// carried out (`landed`) or without.
    pub fn fail_next(&self, command: &str, number: &'static str, landed: bool) {
        self.state().failing = Some((command.to_owned(), number, landed));
    }

    /// From now on this is a proxy before the service: it wants a bearer token, and adds user, key
    /// and address itself.
    pub fn behind_proxy(&self, token: &str) {
        self.state().bearer = Some(token.to_owned());
    }

    /// Names of the commands that were answered, without `namecheap.domains.`.
    pub fn commands(&self) -> Vec<String> {
        self.state().commands.clone()
    }

    /// Everything there is, without ids.
    pub fn dump(&self) -> Json {
        let state = self.state();
        let domains = state.domains.iter().map(|(name, domain)| {
            let mut hosts = serde_json::Map::new();
            for host in &domain.hosts {
                let set = hosts
                    .entry(format!("{} {}", host.name, host.kind))
                    .or_insert_with(|| json!([]));
                if let Some(list) = set.as_array_mut() {
                    list.push(json!([host.address, host.mx_pref, host.ttl]));
                    list.sort_by_key(Json::to_string);
                }
            }
            let shown = json!({
                "nameservers": domain.nameservers,
                "email_type": domain.email_type,
                "hosts": hosts,
            });
            (name.clone(), shown)
        });
        Json::Object(domains.collect())
    }
}

impl State {
    fn renumber(&mut self, domain: &str) {
        let mut next = self.next_id;
        if let Some(found) = self.domains.get_mut(domain) {
            for host in &mut found.hosts {
                host.id = next;
                next += 1;
            }
        }
        self.next_id = next;
    }
}

fn answer(state: &mut State, request: &Request) -> Reply {
    if !request.path.ends_with("/xml.response") {
        return Reply::html(404, "<html><body>Not found</body></html>");
    }
    let mut params = request.query.clone();
    params.extend(request.form());
    let param = |name: &str| {
        let found = params
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    if let Some(left) = state.quota.as_mut() {
        if *left == 0 {
            return Reply::html(405, "<html><body>405 - Method not allowed.</body></html>");
        }
        *left -= 1;
    }
    let command = param("Command").unwrap_or_default().to_owned();
    if let Some(token) = &state.bearer {
        if request.header("authorization") != Some(&format!("Bearer {token}")) {
            return Reply::json(401, &json!({"message": "Who are you?"}));
        }
    } else if let Some(refusal) = credentials(state, &param) {
        return refused(&command, &refusal);
    }
    let short = command
        .strip_prefix("namecheap.domains.")
        .unwrap_or(&command);
    state.commands.push(short.to_owned());
    let failing = state
        .failing
        .take_if(|(name, _, _)| name.eq_ignore_ascii_case(short));
    if let Some((_, number, false)) = failing {
        return refused(&command, &Refusal::new(number, "Unknown error"));
    }
    let done = commands::run(state, short, &param);
    if done.is_ok()
        && let Some((_, change)) = state.between.take_if(|(name, _)| name == short)
    {
        let name = commands::domain_of(&param);
        if let Some(domain) = state.domains.get_mut(&name) {
            change(domain);
        }
        state.renumber(&name);
    }
    if let Some((_, number, _)) = failing {
        return refused(&command, &Refusal::new(number, "Unknown error"));
    }
    match done {
        Ok(body) => fine(&command, &body),
        Err(refusal) => refused(&command, &refusal),
    }
}

fn credentials<'a>(state: &State, param: &impl Fn(&str) -> Option<&'a str>) -> Option<Refusal> {
    let given = |name: &str| param(name).unwrap_or_default();
    if given("ApiUser").is_empty() {
        return Some(Refusal::new("1010101", "Parameter APIUser is missing"));
    }
    if given("ApiKey") != Namecheap::KEY || given("ApiUser") != Namecheap::USER {
        return Some(Refusal::new(
            "1011102",
            "API Key is invalid or API access has not been enabled",
        ));
    }
    if given("ClientIp").is_empty() {
        return Some(Refusal::new("1010105", "Parameter ClientIP is missing"));
    }
    if !state.allowed.iter().any(|ip| ip == given("ClientIp")) {
        let text = format!("Invalid request IP: {}", given("ClientIp"));
        return Some(Refusal::new("1011150", &text));
    }
    None
}

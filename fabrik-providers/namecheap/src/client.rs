//! The client: commands of the API.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Health};
use fabrik_core::secrets::Secret;
use fabrik_http::{Auth, Client, HttpConfig, Rate, Request};
use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::config::Config;
use crate::error;
use crate::name::split;
use crate::xml::{Command, Hosts, Info, Listed, NameServers, Response};

/// Everything goes there, as a form.
const ROUTE: &str = "/xml.response";

/// How often a read is tried that the service fails to carry out.
const READS: u32 = 4;

/// For how long one look at a domain serves the looks for names that follow it at once.
const FRESH: Duration = Duration::from_millis(500);

/// A connected account.
pub struct Namecheap {
    http: Client,
    common: Vec<(String, String)>,
    pub(crate) drop_unwritable: bool,
    looked: Mutex<HashMap<String, (Timestamp, Option<Arc<Hosts>>)>>,
    /// One change of a domain at a time: host records and name servers exclude each other.
    turns: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl std::fmt::Debug for Namecheap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Namecheap")
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

impl Namecheap {
    /// Connects. Nothing is sent: the quota is small, and every command says what is wrong with the
    /// credentials.
    pub(crate) fn open(config: &Config) -> Result<Namecheap> {
        config.check()?;
        let mut http = HttpConfig::new("Namecheap", env!("CARGO_PKG_VERSION"), &config.base())?
            .max_in_flight(2)
            .rate(Rate::per(20, Duration::from_secs(60)))
            .retry_status(&[405])
            .timeout(Duration::from_secs(60))
            .errors(error::of_reply);
        if let Some(key) = &config.api_key {
            http = http.auth(Auth::form([("ApiKey".to_owned(), key.clone())]));
        }
        if let Some(token) = &config.bearer {
            let value: Secret = format!("Bearer {}", token.expose()).into();
            http = http.secret(token).header("authorization", value.expose());
        }
        for (name, value) in &config.headers {
            http = http.secret(value).header(name, value.expose());
        }
        let user = config.user_name.clone().or_else(|| config.api_user.clone());
        let common = [
            ("ApiUser", config.api_user.clone()),
            ("UserName", user),
            ("ClientIp", config.client_ip.clone()),
        ];
        let common = common
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(Namecheap {
            common: common.collect(),
            http: Client::new(http)?,
            drop_unwritable: config.drop_unwritable,
            looked: Mutex::default(),
            turns: Mutex::default(),
        })
    }

    /// How the account is, for `fabrik doctor`.
    pub(crate) async fn examine(cx: &Cx, namecheap: &Namecheap) -> Vec<Health> {
        vec![match namecheap.domains(cx).await {
            Ok(domains) => Health::ok("domains", domains.len().to_string()),
            Err(error) => Health::error("account", &error),
        }]
    }

    fn request<'a>(&'a self, cx: &'a Cx, command: &str, fields: &[(&str, String)]) -> Request<'a> {
        let mut form = vec![("Command".to_owned(), format!("namecheap.domains.{command}"))];
        form.extend(self.common.iter().cloned());
        form.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        self.http.post(cx, ROUTE).form(form)
    }

    /// A command that only reads. What the service fails to carry out is tried again.
    async fn read(&self, cx: &Cx, command: &str, fields: &[(&str, String)]) -> Result<Command> {
        let mut attempt = 1;
        loop {
            let sent = self.request(cx, command, fields).reads().reply().await;
            let error = match sent {
                Ok(reply) => return Ok(reply.xml::<Response>()?.command),
                Err(error) => error,
            };
            // What never came through was tried again by the transport already.
            let failed = error.kind() == ErrorKind::Unavailable
                && error.context_pairs().any(|(key, _)| key == "number");
            if !failed || attempt >= READS {
                return Err(error);
            }
            cx.sleep(Duration::from_millis(500 << attempt)).await?;
            attempt += 1;
        }
    }

    /// A command that changes something, and may be repeated.
    async fn write(&self, cx: &Cx, command: &str, fields: &[(&str, String)]) -> Result<Command> {
        let reply = self
            .request(cx, command, fields)
            .idempotent()
            .reply()
            .await?;
        Ok(reply.xml::<Response>()?.command)
    }

    /// The host records of a domain, and how it routes mail; `None` when the account has no such
    /// domain.
    pub(crate) async fn hosts(&self, cx: &Cx, domain: &str) -> Result<Option<Hosts>> {
        let found = self.read(cx, "dns.getHosts", &parts(domain)).await;
        match found {
            Ok(command) => command
                .hosts
                .map(Some)
                .ok_or_else(|| strange("dns.getHosts")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.context("domain", domain)),
        }
    }

    /// A domain as it was at most a moment ago; see [`FRESH`].
    pub(crate) async fn glance(&self, cx: &Cx, domain: &str) -> Result<Option<Arc<Hosts>>> {
        // Held while asking: whoever looks meanwhile gets the same answer.
        let mut looked = self.looked.lock().await;
        let now = cx.clock().now();
        if let Some((at, found)) = looked.get(domain) {
            let age = Duration::try_from(now.duration_since(*at)).unwrap_or(Duration::MAX);
            if age < FRESH {
                return Ok(found.clone());
            }
        }
        let found = self.hosts(cx, domain).await?.map(Arc::new);
        looked.insert(domain.to_owned(), (now, found.clone()));
        Ok(found)
    }

    /// The host records of a domain as they are now; what follows at once may look at them too.
    pub(crate) async fn refresh(&self, cx: &Cx, domain: &str) -> Result<Option<Arc<Hosts>>> {
        self.looked.lock().await.remove(domain);
        self.glance(cx, domain).await
    }

    /// Waits for the turn to change a domain.
    pub(crate) async fn turn(&self, domain: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().await;
            turns.entry(domain.to_owned()).or_default().clone()
        };
        turn.lock_owned().await
    }

    /// Replaces all host records of a domain.
    pub(crate) async fn set_hosts(
        &self,
        cx: &Cx,
        domain: &str,
        email_type: &str,
        hosts: &[HostField],
    ) -> Result<()> {
        self.looked.lock().await.remove(domain);
        let mut names = Vec::with_capacity(hosts.len() * 5);
        for at in 1..=hosts.len() {
            for field in ["HostName", "RecordType", "Address", "MXPref", "TTL"] {
                names.push(format!("{field}{at}"));
            }
        }
        let mut fields = parts(domain).to_vec();
        fields.push(("EmailType", email_type.to_owned()));
        let values = hosts.iter().flat_map(HostField::values);
        fields.extend(names.iter().map(String::as_str).zip(values));
        let sent = self.write(cx, "dns.setHosts", &fields).await;
        self.looked.lock().await.remove(domain);
        let done = sent.map_err(|error| error::no_domain(error, domain))?;
        let done = done.set_hosts.ok_or_else(|| strange("dns.setHosts"))?;
        if done.success {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Invalid,
            "Namecheap did not take the records, and does not say why",
        )
        .effect(Effect::Unknown))
    }

    /// The name servers of a domain; `None` when the account has no such domain.
    pub(crate) async fn nameservers(&self, cx: &Cx, domain: &str) -> Result<Option<NameServers>> {
        match self.read(cx, "dns.getList", &parts(domain)).await {
            Ok(command) => command
                .nameservers
                .map(Some)
                .ok_or_else(|| strange("dns.getList")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.context("domain", domain)),
        }
    }

    /// Sets the name servers of a domain; none for Namecheap's own.
    pub(crate) async fn set_nameservers(
        &self,
        cx: &Cx,
        domain: &str,
        list: &[String],
    ) -> Result<()> {
        let _turn = self.turn(domain).await;
        self.looked.lock().await.remove(domain);
        let mut fields = parts(domain).to_vec();
        let command = if list.is_empty() {
            "dns.setDefault"
        } else {
            fields.push(("Nameservers", list.join(",")));
            "dns.setCustom"
        };
        let sent = self.write(cx, command, &fields).await;
        let done = sent.map_err(|error| error::no_domain(error, domain))?;
        let done = done.set_custom.or(done.set_default);
        if done.ok_or_else(|| strange(command))?.updated {
            Ok(())
        } else {
            Err(Error::new(
                ErrorKind::Invalid,
                "Namecheap did not take the name servers, and does not say why",
            )
            .effect(Effect::Unknown))
        }
    }

    /// What is known of a domain.
    pub(crate) async fn info(&self, cx: &Cx, domain: &str) -> Result<Info> {
        let fields = [("DomainName", domain.to_owned())];
        let found = self.read(cx, "getInfo", &fields).await;
        let found = found.map_err(|error| error::no_domain(error, domain))?;
        found.info.ok_or_else(|| strange("getInfo"))
    }

    /// Every domain of the account.
    pub(crate) async fn domains(&self, cx: &Cx) -> Result<Vec<Listed>> {
        let mut all = Vec::new();
        for page in 1..=1000 {
            let fields = [("Page", page.to_string()), ("PageSize", "100".to_owned())];
            let found = self.read(cx, "getList", &fields).await?;
            let domains = found.domains.ok_or_else(|| strange("getList"))?;
            all.extend(domains.list);
            let more = found
                .paging
                .is_some_and(|paging| paging.page * paging.size < paging.total);
            if !more {
                break;
            }
        }
        Ok(all)
    }
}

/// A host record as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostField {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) address: String,
    pub(crate) mx_pref: u16,
    pub(crate) ttl: u32,
}

impl HostField {
    fn values(&self) -> [String; 5] {
        [
            self.name.clone(),
            self.kind.clone(),
            self.address.clone(),
            self.mx_pref.to_string(),
            self.ttl.to_string(),
        ]
    }
}

fn parts(domain: &str) -> [(&'static str, String); 2] {
    let (name, suffix) = split(domain);
    [("SLD", name), ("TLD", suffix)]
}

fn strange(command: &str) -> Error {
    Error::new(
        ErrorKind::Misbehaved,
        format!("the answer to `{command}` lacks its result"),
    )
}

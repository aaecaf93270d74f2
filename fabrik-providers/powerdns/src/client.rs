//! The client: what the resources ask of a server.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Health};
use fabrik_core::value::{Path, Value};
use fabrik_http::{Auth, Client, HttpConfig, Method, Request};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::error;
use crate::name::dotted;
use crate::wire::{CryptoKey, Meta, Patch, Server, Zone};

const SERVERS: &str = "/api/v1/servers";
const SERVER: &str = "/api/v1/servers/{server}";
const ZONES: &str = "/api/v1/servers/{server}/zones";
const ZONE: &str = "/api/v1/servers/{server}/zones/{zone}";
const KEYS: &str = "/api/v1/servers/{server}/zones/{zone}/cryptokeys";
const METADATA: &str = "/api/v1/servers/{server}/zones/{zone}/metadata";
const METADATA_KIND: &str = "/api/v1/servers/{server}/zones/{zone}/metadata/{kind}";

/// For how long one look at a zone serves the looks for names that follow it at once: a plan or a
/// call looks for each of its new record sets. Far below the settle time of the types, so that it
/// cannot hide what lands late; and any write through this client ends it.
const FRESH: Duration = Duration::from_millis(500);

/// A connected server.
pub struct PowerDns {
    http: Client,
    server: String,
    version: String,
    looked: Mutex<HashMap<String, (Timestamp, Option<Arc<Zone>>)>>,
}

impl std::fmt::Debug for PowerDns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PowerDns")
            .field("http", &self.http)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl PowerDns {
    /// Connects: finds out whether the API is there and takes the key.
    pub(crate) async fn open(cx: &Cx, config: Config) -> Result<PowerDns> {
        if config.api_key.is_empty() {
            return Err(Error::new(ErrorKind::Auth, "the API key of PowerDNS is missing")
                .field(Path::key("api_key"))
                .hint("set `api_key` (or POWERDNS_API_KEY) to what `api-key` is in the server's pdns.conf"));
        }
        let endpoint = config.endpoint.trim_end_matches('/');
        let endpoint = endpoint.strip_suffix("/api/v1").unwrap_or(endpoint);
        let http = HttpConfig::new("PowerDNS", env!("CARGO_PKG_VERSION"), endpoint)?
            .auth(Auth::header("X-API-Key", &config.api_key))
            .max_in_flight(4)
            .errors(error::of_reply);
        let mut pdns = PowerDns {
            http: Client::new(http)?,
            server: config.server,
            version: String::new(),
            looked: Mutex::default(),
        };
        let found: Option<Server> = pdns
            .get(cx, SERVER)
            .json_opt()
            .await
            .map_err(unreachable_hint)?;
        let Some(found) = found else {
            return Err(pdns.no_server(cx).await);
        };
        if found.daemon_type != "authoritative" {
            let kind = pdns.clean(&found.daemon_type);
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("this is PowerDNS's `{kind}` server, which keeps no zones"),
            )
            .field(Path::key("endpoint"))
            .hint("give the address of the authoritative server"));
        }
        pdns.version = pdns.clean(&found.version);
        Ok(pdns)
    }

    /// Facts for the plan.
    pub(crate) fn facts(&self) -> Value {
        Value::map([("version", Value::from(self.version.as_str()))])
    }

    /// How the server is, for `fabrik doctor`.
    pub(crate) async fn examine(cx: &Cx, pdns: &PowerDns) -> Vec<Health> {
        // Whoever has the key may do everything, so seeing the zones is having all permissions.
        let zones = match pdns.zones(cx).await {
            Ok(zones) => Health::ok("zones", zones.len().to_string()),
            Err(error) => Health::error("zones", &error),
        };
        vec![Health::ok("version", pdns.version.clone()), zones]
    }

    /// Why the API has no such server.
    async fn no_server(&self, cx: &Cx) -> Error {
        let servers: Result<Vec<Server>> = self.get(cx, SERVERS).json().await;
        match servers {
            Ok(servers) => {
                let names: Vec<String> = servers.iter().map(|one| self.clean(&one.id)).collect();
                Error::new(
                    ErrorKind::Invalid,
                    format!("this API has no server `{}`", self.server),
                )
                .field(Path::key("server"))
                .hint(format!("it has: {}", names.join(", ")))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Error::new(
                ErrorKind::Unavailable,
                "something answers there, but not PowerDNS's API: it is off, or the address is wrong",
            )
            .temporary(false)
            .field(Path::key("endpoint"))
            .hint("set `webserver=yes`, `api=yes` and `api-key=…` in the server's pdns.conf, and check `endpoint`"),
            Err(error) => error,
        }
    }

    fn clean(&self, text: &str) -> String {
        fabrik_core::secrets::printable(text)
            .chars()
            .take(80)
            .collect()
    }

    fn get<'a>(&'a self, cx: &'a Cx, route: &'a str) -> Request<'a> {
        self.http.get(cx, route).arg("server", &self.server)
    }

    fn ask<'a>(
        &'a self,
        cx: &'a Cx,
        method: Method,
        route: &'a str,
        zone: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Request<'a> {
        self.http
            .request(cx, method, route)
            .arg("server", &self.server)
            .arg("zone", zone_id(zone))
            .body(body)
    }

    /// Every zone, without record sets.
    pub(crate) async fn zones(&self, cx: &Cx) -> Result<Vec<Zone>> {
        self.get(cx, ZONES).query("dnssec", "true").json().await
    }

    /// A zone with all its record sets, in one request. (Asked for one name only, PowerDNS leaves out
    /// disabled records and adds comments of other names.)
    pub(crate) async fn zone(&self, cx: &Cx, zone: &str) -> Result<Option<Zone>> {
        self.get(cx, ZONE)
            .arg("zone", zone_id(zone))
            .json_opt()
            .await
    }

    /// A zone as it was at most a moment ago; see [`FRESH`].
    pub(crate) async fn glance(&self, cx: &Cx, zone: &str) -> Result<Option<Arc<Zone>>> {
        // Held while asking: whoever looks meanwhile gets the same answer.
        let mut looked = self.looked.lock().await;
        let now = cx.clock().now();
        if let Some((at, found)) = looked.get(zone) {
            let age = Duration::try_from(now.duration_since(*at)).unwrap_or(Duration::MAX);
            if age < FRESH {
                return Ok(found.clone());
            }
        }
        let found = self.zone(cx, zone).await?.map(Arc::new);
        looked.insert(zone.to_owned(), (now, found.clone()));
        Ok(found)
    }

    async fn forget(&self, zone: &str) {
        self.looked.lock().await.remove(zone);
    }

    /// Makes a zone. It is not repeatable: a second time is a conflict.
    pub(crate) async fn create_zone(
        &self,
        cx: &Cx,
        zone: &str,
        body: &serde_json::Value,
    ) -> Result<Zone> {
        self.forget(zone).await;
        self.http
            .post(cx, ZONES)
            .arg("server", &self.server)
            .body(body)
            .json()
            .await
    }

    /// Changes settings of a zone; what is not named stays.
    pub(crate) async fn set_zone(
        &self,
        cx: &Cx,
        zone: &str,
        body: &serde_json::Value,
    ) -> Result<()> {
        self.forget(zone).await;
        self.ask(cx, Method::PUT, ZONE, zone, body)
            .unit()
            .await
            .map_err(|error| zone_error(error, zone))
    }

    /// Changes record sets of a zone, all or none. Sending it twice is as sending it once.
    pub(crate) async fn patch(&self, cx: &Cx, zone: &str, patch: &Patch) -> Result<()> {
        self.forget(zone).await;
        let sent = self
            .ask(cx, Method::PATCH, ZONE, zone, patch)
            .idempotent()
            .unit()
            .await;
        self.forget(zone).await;
        sent.map_err(|error| zone_error(error, zone))
    }

    /// Deletes a zone and all that is in it.
    pub(crate) async fn delete_zone(&self, cx: &Cx, zone: &str) -> Result<()> {
        self.forget(zone).await;
        self.http
            .delete(cx, ZONE)
            .arg("server", &self.server)
            .arg("zone", zone_id(zone))
            .ok_if(404)
            .unit()
            .await
    }

    /// The DS records of a signed zone, for its parent.
    pub(crate) async fn ds(&self, cx: &Cx, zone: &str) -> Result<Vec<String>> {
        let keys: Option<Vec<CryptoKey>> = self
            .get(cx, KEYS)
            .arg("zone", zone_id(zone))
            .json_opt()
            .await?;
        let active = keys
            .unwrap_or_default()
            .into_iter()
            .filter(|key| key.active);
        Ok(active.flat_map(|key| key.ds).collect())
    }

    /// All metadata of a zone, in one request.
    pub(crate) async fn metadata(&self, cx: &Cx, zone: &str) -> Result<Option<Vec<Meta>>> {
        self.get(cx, METADATA)
            .arg("zone", zone_id(zone))
            .json_opt()
            .await
    }

    /// Sets metadata of one kind; no values remove it.
    pub(crate) async fn set_metadata(&self, cx: &Cx, zone: &str, meta: &Meta) -> Result<()> {
        self.ask(cx, Method::PUT, METADATA_KIND, zone, meta)
            .arg("kind", &meta.kind)
            .unit()
            .await
            .map_err(|error| zone_error(error, zone))
    }
}

/// A zone in a route.
fn zone_id(zone: &str) -> String {
    match zone {
        "." => "=2E".to_owned(),
        zone => dotted(zone),
    }
}

fn zone_error(error: Error, zone: &str) -> Error {
    if error.kind() == ErrorKind::NotFound {
        return error::no_zone(zone);
    }
    error.context("zone", zone)
}

/// The web server hangs up on clients it does not want.
fn unreachable_hint(error: Error) -> Error {
    let cut = error.kind() == ErrorKind::Unavailable && error.message().contains("broke before");
    if cut {
        return error.hint(
            "the server hangs up on addresses that `webserver-allow-from` in its pdns.conf does not name",
        );
    }
    error
}

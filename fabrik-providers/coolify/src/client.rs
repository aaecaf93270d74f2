//! The connection to a Coolify, and what is known of it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, OpId};
use fabrik_core::secrets::Secret;
use fabrik_core::value::Value;
use fabrik_http::{Auth, Client, HttpConfig, Rate, Wait};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::place::Places;
use crate::problem::problem;
use crate::version::Version;

/// How to reach a Coolify: its address and an API token.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoolifyConfig {
    /// The address of the dashboard, such as `https://coolify.example.com`.
    #[schemars(length(min = 1), extend("x-fabrik" = {"env": "COOLIFY_API_URL"}))]
    pub endpoint: String,
    /// An API token with the abilities `read`, `read:sensitive`, `write` and `deploy`.
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "COOLIFY_API_TOKEN"}))]
    pub token: Secret,
    /// How many requests are sent in a minute at most; Coolify's own limit is 200 unless its
    /// `API_RATE_LIMIT` says otherwise.
    #[serde(default = "rate")]
    #[schemars(range(min = 1))]
    pub requests_per_minute: u32,
}

fn rate() -> u32 {
    200
}

impl CoolifyConfig {
    /// A configuration of an address and a token.
    pub fn new(endpoint: impl Into<String>, token: impl Into<Secret>) -> CoolifyConfig {
        CoolifyConfig {
            endpoint: endpoint.into(),
            token: token.into(),
            requests_per_minute: rate(),
        }
    }
}

/// What is remembered of a deployment between two attempts of one operation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// Deployments of the application that were there before.
    pub(crate) seen: Vec<String>,
    /// The deployment, once it is known.
    pub(crate) deployment: Option<String>,
}

/// A connected Coolify.
#[derive(Debug)]
pub struct Coolify {
    pub(crate) http: Client,
    /// The address of the dashboard, without a slash at its end.
    pub(crate) dashboard: String,
    pub(crate) version: Version,
    begun: Mutex<HashMap<OpId, Begun>>,
    usable: Mutex<BTreeSet<String>>,
    pub(crate) places: tokio::sync::Mutex<Places>,
}

/// An object as Coolify shows it.
pub(crate) type Row = Map<String, Json>;

impl Coolify {
    /// Connects: asks for the version, which needs a working token.
    ///
    /// # Errors
    /// Wrong token, missing ability, API off, address not allowed, no Coolify there, too old.
    pub(crate) async fn open(cx: &Cx, config: CoolifyConfig) -> Result<Coolify> {
        if config.token.is_empty() {
            return Err(Error::new(ErrorKind::Auth, "there is no token for Coolify")
                .field(fabrik_core::value::Path::key("token"))
                .hint("make one under Keys & Tokens, API Tokens, and give it as `token` or in COOLIFY_API_TOKEN"));
        }
        let endpoint = config.endpoint.trim().trim_end_matches('/');
        let endpoint = endpoint.strip_suffix("/v1").unwrap_or(endpoint);
        let endpoint = endpoint.strip_suffix("/api").unwrap_or(endpoint);
        let http = HttpConfig::new(
            "coolify",
            env!("CARGO_PKG_VERSION"),
            &format!("{endpoint}/api/v1"),
        )?
        .auth(Auth::bearer(&config.token))
        .secret(&config.token)
        .max_in_flight(MOST_IN_FLIGHT)
        .rate(Rate::per(
            config.requests_per_minute.max(1),
            Duration::from_secs(60),
        ))
        .errors(problem);
        let http = Client::new(http)?;
        let told = http.get(cx, "/version").reply().await?;
        let version = Version::parse(told.text()?).ok_or_else(|| {
            let shown = told.clean(told.text().unwrap_or_default());
            let shown: String = shown.chars().take(40).collect();
            told.error(
                ErrorKind::Unavailable,
                format!(
                    "Coolify told `{shown}` as its version, which is none: the address may be wrong"
                ),
            )
            .temporary(false)
            .hint("set `endpoint` to the address of Coolify's dashboard")
        })?;
        Ok(Coolify {
            http,
            dashboard: endpoint.to_owned(),
            version: version.supported()?,
            begun: Mutex::default(),
            usable: Mutex::default(),
            places: tokio::sync::Mutex::default(),
        })
    }

    /// What is recorded in plans.
    pub(crate) fn facts(&self) -> Value {
        Value::map([("version", Value::from(self.version.to_string()))])
    }

    /// Every object of a list.
    pub(crate) async fn list(&self, cx: &Cx, route: &str) -> Result<Vec<Row>> {
        let json: Json = self.http.get(cx, route).json().await?;
        Ok(rows(json))
    }

    /// One object; `None` when it is gone.
    pub(crate) async fn one(&self, cx: &Cx, route: &str, uuid: &str) -> Result<Option<Row>> {
        self.http.get(cx, route).arg("uuid", uuid).json_opt().await
    }

    /// Reads back what was just made. Coolify may drop what it accepted: when it cannot reach the
    /// server.
    pub(crate) async fn made(&self, cx: &Cx, route: &str, uuid: &str, what: &str) -> Result<Row> {
        let mut wait = Duration::from_millis(250);
        for _ in 0..6 {
            if let Some(row) = self.one(cx, route, uuid).await? {
                return Ok(row);
            }
            cx.sleep(wait).await?;
            wait *= 2;
        }
        Err(Error::new(
            ErrorKind::Refused,
            format!("Coolify accepted the {what} and dropped it again: it has none of the id `{uuid}`"),
        )
        .effect(fabrik_core::error::Effect::None)
        .hint("this happens when Coolify cannot reach the server: validate the server in the dashboard, then try again"))
    }

    /// Deletes, and waits until Coolify's queue has done it.
    pub(crate) async fn remove(
        &self,
        cx: &Cx,
        route: &str,
        uuid: &str,
        volumes: bool,
        what: &str,
    ) -> Result<()> {
        self.http
            .delete(cx, route)
            .arg("uuid", uuid)
            .query("delete_configurations", true)
            .query("delete_volumes", volumes)
            .query("docker_cleanup", true)
            .query("delete_connected_networks", true)
            .ok_if(404)
            .unit()
            .await?;
        let what = format!("the {what} to be deleted");
        let mut wait = wait(cx, &what);
        while self.one(cx, route, uuid).await?.is_some() {
            wait.next().await?;
        }
        Ok(())
    }

    /// What is known of an operation's deployment.
    pub(crate) fn begun(&self, op: OpId) -> Option<Begun> {
        self.lock().get(&op).cloned()
    }

    /// Remembers what is known of an operation's deployment.
    pub(crate) fn remember(&self, op: OpId, begun: Begun) {
        self.lock().insert(op, begun);
    }

    /// Whether a server was seen to be usable during this run.
    pub(crate) fn is_usable(&self, server: &str) -> bool {
        self.usable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(server)
    }

    /// Remembers that a server is usable.
    pub(crate) fn set_usable(&self, server: &str) {
        let mut usable = self.usable.lock().unwrap_or_else(PoisonError::into_inner);
        usable.insert(server.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OpId, Begun>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many requests go at once.
pub(crate) const MOST_IN_FLIGHT: usize = 4;

/// Waits between two looks at something that Coolify's queue does: longer each time, up to 5 s.
pub(crate) fn wait<'a>(cx: &'a Cx, what: &'a str) -> Wait<'a> {
    Wait::new(cx, what, Duration::from_millis(250), Duration::from_secs(5))
}

/// How long Coolify's queue may take to delete what is in a project or environment.
pub(crate) const EMPTYING: Duration = Duration::from_secs(60);

/// Lists come as an array, or as an object whose keys are numbers.
pub(crate) fn rows(json: Json) -> Vec<Row> {
    let items: Vec<Json> = match json {
        Json::Array(items) => items,
        Json::Object(map) => map.into_iter().map(|(_, item)| item).collect(),
        _ => Vec::new(),
    };
    items
        .into_iter()
        .filter_map(|item| match item {
            Json::Object(row) => Some(row),
            _ => None,
        })
        .collect()
}

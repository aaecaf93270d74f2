//! `local.route`.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, Finding, Keys, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::link::{Local, Picture};
use super::problem::problem;
use super::thing::{Seen, Thing, kept_by_agent};
use super::{group_key, kept};
use crate::client::Client;
use crate::error::Error as AgentError;
use crate::hash::sha256_hex;
use crate::model::{RouteInfo, RouteSpec, Target};
use crate::protocol::Kind;

/// Longest name the agent takes.
const LONGEST: usize = 63;

/// Sends the requests for a host, possibly only below a path, to a service or a static site.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteInputs {
    /// The host name: `shop.localhost`. `*.shop.localhost` stands for all names below.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub host: String,
    /// Only paths equal to or below this one, such as `/api`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^/"), extend("x-fabrik" = {"replace": true, "same": "url"}))]
    pub path: Option<String>,
    /// Whether `path` is taken off before the request is passed on.
    #[serde(default)]
    pub strip: bool,
    /// The name of the `local.service` that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The name of the `local.static_site` that answers, instead of a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

/// What is known of a route.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RouteOutputs {
    /// The address to open; none for a host with `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// `local.route`: which requests go to whom.
#[derive(Clone, Copy, Debug)]
pub struct Route;

impl Thing for Route {
    const KIND: Kind = Kind::Route;
    type Spec = RouteInputs;
    type Outputs = RouteOutputs;

    fn id(spec: &RouteInputs) -> Result<String> {
        Ok(name_of(&spec.host, spec.path.as_deref()))
    }

    fn ids(picture: &Picture) -> Vec<&str> {
        let found = picture.status.routes.iter();
        found.map(|route| route.name.as_str()).collect()
    }

    fn observe(picture: &Picture, _: &Local, id: &str) -> Option<Seen<Self>> {
        let mut found = picture.status.routes.iter();
        found.find(|route| route.name == id).map(describe)
    }

    async fn put(
        _: &Cx,
        _: &Local,
        agent: &Client,
        id: &str,
        spec: &RouteInputs,
    ) -> Result<RouteOutputs> {
        let wanted = wanted(spec)?;
        let made = agent
            .put_route(id, &wanted)
            .await
            .map_err(|error| match error {
                // Another route answers the same requests.
                AgentError::Invalid { field, message } if field == "hosts" => {
                    let field = Path::key("host");
                    if message.contains("already") {
                        Error::new(ErrorKind::Conflict, message).field(field)
                    } else {
                        Error::new(ErrorKind::Invalid, message).field(field)
                    }
                }
                other => problem(other),
            })?;
        Ok(outputs(&made))
    }

    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_route(id).await.map_err(problem)
    }

    /// No two calls meet on one host and path.
    fn keys(type_name: &str, inputs: &Value) -> Keys {
        let host = inputs.get("host").and_then(Value::as_str);
        let path = inputs.get("path").and_then(Value::as_str);
        group_key(type_name, host.map(|host| name_of(host, path)))
    }
}

kept_by_agent! { Route, "local.route", RouteInputs, RouteOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        kept(info)
    }

    async fn plan(&self, _: &Cx, _: &Local, proposal: Proposal<'_>) -> Result<Planned> {
        let has = |field: &str| {
            proposal
                .desired
                .get(field)
                .is_some_and(|value| !value.is_null())
        };
        let mut findings = Vec::new();
        if has("service") == has("site") {
            findings.push(Finding {
                blocking: true,
                message: "a route leads to one thing: `service` or `site`".to_owned(),
                hint: None,
                field: Some(Path::key(if has("site") { "site" } else { "service" })),
                adopt: None,
            });
        }
        // All paths are no path.
        let path = Path::key("path");
        let whole = proposal.desired.at(&path).as_ref().and_then(Value::as_str) == Some("/");
        let inputs = if whole {
            proposal.desired.without(&path)
        } else {
            proposal.desired.clone()
        };
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }
}

/// The name of a route in the agent: its host where that is simple, else something like it.
fn name_of(host: &str, path: Option<&str>) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let path = path.unwrap_or_default().trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let first = host
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    if path.is_empty() && first && host.bytes().all(plain) && host.len() <= LONGEST {
        return host;
    }
    // `_` keeps these apart from the simple ones.
    let slug: String = host
        .bytes()
        .filter(|byte| plain(*byte))
        .map(char::from)
        .skip_while(|char| !char.is_ascii_alphanumeric())
        .take(40)
        .collect();
    let hash = sha256_hex(format!("{host}{path}").as_bytes());
    format!("r{slug}_{}", &hash[..16])
}

fn wanted(spec: &RouteInputs) -> Result<RouteSpec> {
    let target = match (&spec.service, &spec.site) {
        (Some(service), None) => Target::Service(service.clone()),
        (None, Some(site)) => Target::Site(site.clone()),
        _ => {
            return Err(Error::new(
                ErrorKind::Invalid,
                "a route leads to one thing: `service` or `site`",
            ));
        }
    };
    Ok(RouteSpec {
        hosts: vec![spec.host.clone()],
        path_prefix: spec.path.clone(),
        strip_prefix: spec.strip,
        target,
    })
}

fn describe(info: &RouteInfo) -> Observed<RouteInputs, RouteOutputs> {
    let (service, site) = match &info.spec.target {
        Target::Service(name) => (Some(name.clone()), None),
        Target::Site(name) => (None, Some(name.clone())),
    };
    let spec = RouteInputs {
        host: info.spec.hosts.join(","),
        path: info.spec.path_prefix.clone(),
        strip: info.spec.strip_prefix,
        service,
        site,
    };
    Observed::new(spec, outputs(info))
}

fn outputs(info: &RouteInfo) -> RouteOutputs {
    RouteOutputs {
        url: info.urls.first().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn names_are_short_plain_and_distinct() {
        assert_eq!(name_of("Shop.Localhost.", None), "shop.localhost");
        assert_eq!(name_of("shop.localhost", Some("/")), "shop.localhost");
        let long = format!("{}.localhost", "x".repeat(80));
        let names = [
            name_of("shop.localhost", Some("/api")),
            name_of("shop.localhost", Some("/api2")),
            name_of("*.shop.localhost", None),
            name_of("a_b.localhost", None),
            name_of(&long, None),
        ];
        for (at, name) in names.iter().enumerate() {
            crate::names::check("route", name).unwrap();
            assert!(!names[..at].contains(name), "{name}");
        }
    }
}

//! `coolify.server`, a lookup.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use fabrik_core::provider::typed::Lookup;
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::{flag, text, uuid};
use crate::client::{Coolify, Row};

/// A server that Coolify deploys to: by name or id, or the only one there is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSpec {
    /// Its name or id; not needed where Coolify has one server only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub server: Option<String>,
}

/// What is known of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerOutputs {
    /// Its id, as other resources want it.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// Its address: what DNS records of applications point at.
    pub ip: String,
    /// Whether Coolify can reach it.
    pub reachable: bool,
}

/// `coolify.server`.
#[derive(Clone, Copy, Debug)]
pub struct Server;

fn outputs(row: &Row) -> ServerOutputs {
    ServerOutputs {
        uuid: uuid(row),
        name: text(row, "name").unwrap_or_default(),
        ip: text(row, "ip").unwrap_or_default(),
        reachable: is_usable(row),
    }
}

/// Whether Coolify can deploy there, as far as it says.
fn is_usable(row: &Row) -> bool {
    let nested = row
        .get("settings")
        .and_then(|settings| settings.as_object());
    let told = |field: &str| flag(row, field).or_else(|| flag(nested?, field));
    told("is_reachable").unwrap_or(true) && told("is_usable").unwrap_or(true)
}

/// Finds a server.
///
/// # Errors
/// [`ErrorKind::NotFound`] and, where several fit, [`ErrorKind::Conflict`].
async fn find(cx: &Cx, coolify: &Coolify, wanted: Option<&str>) -> Result<ServerOutputs> {
    let rows = coolify.list(cx, "/servers").await?;
    let fits = |row: &&Row| {
        wanted.is_none_or(|wanted| {
            uuid(row) == wanted || text(row, "name").as_deref() == Some(wanted)
        })
    };
    let found: Vec<&Row> = rows.iter().filter(fits).collect();
    let names: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "`{}` ({})",
                text(row, "name").unwrap_or_default(),
                uuid(row)
            )
        })
        .collect();
    match found.as_slice() {
        [row] => Ok(outputs(row)),
        [] => {
            let which = wanted.map(|name| format!(" `{name}`")).unwrap_or_default();
            let hint = if names.is_empty() {
                "add one in the dashboard, under Servers".to_owned()
            } else {
                format!("there are: {}", names.join(", "))
            };
            Err(
                Error::new(ErrorKind::NotFound, format!("Coolify has no server{which}"))
                    .field(Path::key("server"))
                    .hint(hint),
            )
        }
        _ => Err(
            Error::new(ErrorKind::Conflict, "Coolify has several servers that fit")
                .field(Path::key("server"))
                .hint(format!("say which one by its id: {}", names.join(", "))),
        ),
    }
}

/// What would keep something from running on a server, seen before it is made.
pub(crate) async fn preflight(
    cx: &Cx,
    coolify: &Coolify,
    server: &str,
) -> Result<Option<fabrik_core::provider::Finding>> {
    if coolify.is_usable(server) {
        return Ok(None);
    }
    let rows = coolify.list(cx, "/servers").await?;
    let finding = |message: String, hint: &str| fabrik_core::provider::Finding {
        blocking: true,
        message,
        hint: Some(hint.to_owned()),
        field: Some(Path::key("server")),
        adopt: None,
    };
    let Some(row) = rows.iter().find(|row| uuid(row) == server) else {
        return Ok(Some(finding(
            format!("Coolify has no server with the id `{server}`"),
            "give the id, not the name; the lookup `coolify.server` finds it by name",
        )));
    };
    if !is_usable(row) {
        let name = text(row, "name").unwrap_or_default();
        return Ok(Some(finding(
            format!(
                "Coolify cannot reach the server `{name}`, and silently drops what is created there"
            ),
            "validate the server in the dashboard, then try again",
        )));
    }
    let nested = row
        .get("settings")
        .and_then(|settings| settings.as_object());
    if nested.and_then(|settings| flag(settings, "is_build_server")) == Some(true) {
        let name = text(row, "name").unwrap_or_default();
        return Ok(Some(finding(
            format!("the server `{name}` is a build server and hosts nothing"),
            "choose another server",
        )));
    }
    coolify.set_usable(server);
    Ok(None)
}

impl Lookup for Server {
    const TYPE: &'static str = "coolify.server";
    type Client = Coolify;
    type Spec = ServerSpec;
    type Outputs = ServerOutputs;

    async fn find(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &ServerSpec,
    ) -> Result<(String, ServerOutputs)> {
        let found = find(cx, coolify, spec.server.as_deref()).await?;
        Ok((found.uuid.clone(), found))
    }
}

//! `cloudflare.zone_activation`: waits until a zone is active.

use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::Action;
use fabrik_core::provider::{Cx, TypeInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Cloudflare;
use crate::refs::missing;

/// Longest time between two looks.
const LONGEST: Duration = Duration::from_secs(60);

/// Waits until a zone is active: until the registrar has delegated the domain to the zone's name
/// servers. Give it a `timeout`: registrars take from minutes to a day.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneActivationInputs {
    /// The zone, by name or id.
    #[schemars(length(min = 1))]
    pub zone: String,
}

/// What is known of an active zone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ZoneActivationOutputs {
    /// The id of the zone.
    pub zone_id: String,
    /// Its status: `active`.
    pub status: String,
}

/// `cloudflare.zone_activation`: waits until a zone is active.
#[derive(Clone, Copy, Debug)]
pub struct ZoneActivation;

impl Action for ZoneActivation {
    const TYPE: &'static str = "cloudflare.zone_activation";
    type Client = Cloudflare;
    type Spec = ZoneActivationInputs;
    type Outputs = ZoneActivationOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            timeout: Duration::from_secs(3_600),
            ..info
        }
    }

    async fn run(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        spec: &ZoneActivationInputs,
    ) -> Result<ZoneActivationOutputs> {
        let zone = client.zone(cx, &spec.zone).await?;
        let mut wait = Duration::from_secs(2);
        let mut asked = false;
        let outputs = loop {
            let found = client.zone_by_id(cx, &zone.id).await?;
            let found = found.ok_or_else(|| missing(&zone.name))?;
            let servers = found.name_servers.clone().unwrap_or_default();
            match found.status.as_str() {
                "active" => {
                    break ZoneActivationOutputs {
                        zone_id: found.id,
                        status: found.status,
                    };
                }
                "moved" => {
                    return Err(Error::new(
                        ErrorKind::CheckFailed,
                        format!(
                            "the zone `{}` is no longer delegated to Cloudflare",
                            zone.name
                        ),
                    )
                    .effect(Effect::None)
                    .hint(delegate(&servers)));
                }
                _ => {}
            }
            if !asked {
                asked = true;
                ask(cx, client, &zone.id).await?;
                // It may be delegated already.
                continue;
            }
            if cx.time_left().is_some_and(|left| wait > left) {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    format!("the zone `{}` is still {}", zone.name, found.status),
                )
                .temporary(false)
                .effect(Effect::None)
                .hint(format!(
                    "{}, or give it more time with `timeout`",
                    delegate(&servers)
                )));
            }
            let servers = servers.join(" and ");
            cx.note(format!(
                "the zone is {}; waiting for the registrar to delegate it to {servers}",
                found.status
            ));
            cx.sleep(wait).await?;
            wait = wait.mul_f64(1.5).min(LONGEST);
        };
        Ok(outputs)
    }
}

/// Asks for a look at the delegation. That is rationed; without it the service looks by itself, only
/// less often.
async fn ask(cx: &Cx, client: &Cloudflare, zone: &str) -> Result<()> {
    let check = client.http.put(cx, "/zones/{zone}/activation_check");
    match check.arg("zone", zone).unit().await {
        Err(error) if error.kind() == ErrorKind::Permission => Err(error),
        _ => Ok(()),
    }
}

fn delegate(servers: &[String]) -> String {
    format!(
        "delegate the domain to {} at the registrar",
        servers.join(" and ")
    )
}

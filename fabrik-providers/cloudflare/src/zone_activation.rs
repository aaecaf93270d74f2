//! `cloudflare.zone_activation`: waits until a zone is active.

use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Observed, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
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
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
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

impl Resource for ZoneActivation {
    const TYPE: &'static str = "cloudflare.zone_activation";
    type Client = Cloudflare;
    type Spec = ZoneActivationInputs;
    type Outputs = ZoneActivationOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            // It makes nothing: waiting again does no harm.
            lost: Lost::Key,
            settle: Duration::ZERO,
            timeout: Duration::from_secs(3_600),
            updatable: false,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        spec: &ZoneActivationInputs,
    ) -> Result<Created<ZoneActivationOutputs>> {
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
        Ok(Created::new(zone.name.clone(), outputs))
    }

    async fn read(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        id: &str,
    ) -> Result<Option<Observed<ZoneActivationInputs, ZoneActivationOutputs>>> {
        let Some(zone) = client.find_zone(cx, id).await? else {
            return Ok(None);
        };
        let found = client.zone_by_id(cx, &zone.id).await?;
        Ok(found.filter(|found| found.status == "active").map(|found| {
            let spec = ZoneActivationInputs {
                zone: zone.name.clone(),
            };
            let outputs = ZoneActivationOutputs {
                zone_id: found.id,
                status: found.status,
            };
            Observed::new(spec, outputs)
        }))
    }

    async fn update(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        _: &str,
        change: &Change<'_, ZoneActivationInputs>,
    ) -> Result<ZoneActivationOutputs> {
        Ok(self.create(cx, client, change.spec).await?.outputs)
    }

    /// There is nothing to delete.
    async fn delete(&self, _: &Cx, _: &Cloudflare, _: &str) -> Result<()> {
        Ok(())
    }

    fn keys(&self, _: &Cloudflare, _: &Value) -> Keys {
        Keys::default()
    }

    async fn plan(&self, cx: &Cx, client: &Cloudflare, proposal: Proposal<'_>) -> Result<Planned> {
        let zone = client.zone_name(cx, proposal.desired).await?;
        Ok(Planned {
            inputs: proposal.desired.with(&Path::key("zone"), zone),
            ..Planned::default()
        })
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

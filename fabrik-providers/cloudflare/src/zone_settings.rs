//! `cloudflare.zone_settings`.

mod write;

use std::collections::BTreeMap;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Observed, Resource};
use fabrik_core::provider::{
    Cx, Finding, Keys, Lost, Object, Operation, Outcome, Planned, Proposal, TypeInfo, Verb,
    WriteGroup,
};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::api::{Envelope, SettingObject};
use crate::client::Cloudflare;
use crate::names;
use crate::refs::canonical;

/// Settings of a zone. Only those that are set here are touched; when they are no longer set, or the
/// resource goes, they become again what they were before.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneSettingsInputs {
    /// The zone, by name or id.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub zone: String,
    /// How Cloudflare speaks to the origin. `flexible` leaves that part of the way unencrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["off", "flexible", "full", "strict"]))]
    pub ssl: Option<String>,
    /// Whether `http://` is redirected to `https://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub always_use_https: Option<String>,
    /// The oldest version of TLS that visitors may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["1.0", "1.1", "1.2", "1.3"]))]
    pub min_tls_version: Option<String>,
    /// Whether visitors may use TLS 1.3; `zrt` with zero round trips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off", "zrt"]))]
    pub tls_1_3: Option<String>,
    /// Whether `http://` links in pages become `https://` where that works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub automatic_https_rewrites: Option<String>,
    /// Whether `http://` requests may be encrypted besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub opportunistic_encryption: Option<String>,
    /// HTTP/3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub http3: Option<String>,
    /// Compression with Brotli.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub brotli: Option<String>,
    /// Addresses of version 6 for proxied names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub ipv6: Option<String>,
    /// WebSockets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub websockets: Option<String>,
    /// Early hints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub early_hints: Option<String>,
    /// How soon visitors are challenged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["off", "essentially_off", "low", "medium", "high", "under_attack"]))]
    pub security_level: Option<String>,
    /// Whether browsers are looked at for what robots do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub browser_check: Option<String>,
    /// Whether mail addresses in pages are hidden from robots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub email_obfuscation: Option<String>,
    /// Whether other sites may show the zone's images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub hotlink_protection: Option<String>,
    /// The visitor's country as a header for the origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub ip_geolocation: Option<String>,
    /// What counts as the same file in the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["aggressive", "basic", "simplified"]))]
    pub cache_level: Option<String>,
    /// How many seconds browsers keep files; 0 leaves it to the origin's headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 31_536_000))]
    pub browser_cache_ttl: Option<u32>,
    /// Whether a copy is shown while the origin is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub always_online: Option<String>,
    /// Whether scripts are loaded last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub rocket_loader: Option<String>,
    /// Whether the cache is passed by. Cloudflare itself turns it off after three hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["on", "off"]))]
    pub development_mode: Option<String>,
    /// Whether images are made smaller: `off`, `lossless` or `lossy`. Paid plans only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["off", "lossless", "lossy"]))]
    pub polish: Option<String>,
}

/// Every setting by the service's name, in the order of the fields.
const SETTINGS: &[&str] = &[
    "ssl",
    "always_use_https",
    "min_tls_version",
    "tls_1_3",
    "automatic_https_rewrites",
    "opportunistic_encryption",
    "http3",
    "brotli",
    "ipv6",
    "websockets",
    "early_hints",
    "security_level",
    "browser_check",
    "email_obfuscation",
    "hotlink_protection",
    "ip_geolocation",
    "cache_level",
    "browser_cache_ttl",
    "always_online",
    "rocket_loader",
    "development_mode",
    "polish",
];

/// What is known of a zone's settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ZoneSettingsOutputs {
    /// The id of the zone.
    pub zone_id: String,
    /// Settings that the zone's plan does not allow to change.
    pub fixed: Vec<String>,
}

/// `cloudflare.zone_settings`: settings of a zone.
#[derive(Clone, Copy, Debug)]
pub struct ZoneSettings;

/// Settings as the service has them, by name.
type Current = BTreeMap<String, SettingObject>;

impl ZoneSettingsInputs {
    /// The settings that are set.
    fn wanted(&self) -> Map<String, Json> {
        let Ok(Json::Object(mut fields)) = serde_json::to_value(self) else {
            return Map::new();
        };
        fields.retain(|name, _| name != "zone");
        fields
    }
}

/// All settings of a zone that are known here; `None` when there is no such zone.
async fn current(cx: &Cx, client: &Cloudflare, zone: &str) -> Result<Option<Current>> {
    let all = client
        .http
        .get(cx, "/zones/{zone}/settings")
        .arg("zone", zone);
    let listed: Result<Option<Envelope<Vec<SettingObject>>>> = all.json_opt().await;
    let listed = match listed {
        Ok(listed) => listed.map(|listed| listed.result),
        Err(error) if error.kind() == ErrorKind::Unsupported => None,
        Err(error) => return Err(error),
    };
    let mut found = Current::new();
    if let Some(listed) = listed {
        found.extend(
            listed
                .into_iter()
                .map(|setting| (setting.id.clone(), setting)),
        );
    } else {
        // Reading all at once is not documented any more: one by one, then.
        for name in SETTINGS {
            let one = client.http.get(cx, "/zones/{zone}/settings/{setting}");
            let one = one.arg("zone", zone).arg("setting", name);
            let setting: Option<Envelope<SettingObject>> = one.json_opt().await?;
            if let Some(setting) = setting {
                found.insert((*name).to_owned(), setting.result);
            } else if found.is_empty() && client.zone_by_id(cx, zone).await?.is_none() {
                return Ok(None);
            }
        }
    }
    found.retain(|name, _| SETTINGS.contains(&name.as_str()));
    Ok(Some(found))
}

fn outputs(zone: &str, current: &Current) -> ZoneSettingsOutputs {
    let fixed = current.values().filter(|setting| !setting.editable);
    ZoneSettingsOutputs {
        zone_id: zone.to_owned(),
        fixed: fixed.map(|setting| setting.id.clone()).collect(),
    }
}

/// What to say of a setting that cannot be changed.
fn fixed(name: &str) -> (String, &'static str) {
    (
        format!("the zone's plan does not allow to change `{name}`"),
        "leave it out, or put the zone on a plan that has it",
    )
}

fn grouped() -> Error {
    Error::new(
        ErrorKind::Unexpected,
        "settings are written with what is known of them",
    )
}

impl Resource for ZoneSettings {
    const TYPE: &'static str = "cloudflare.zone_settings";
    type Client = Cloudflare;
    type Spec = ZoneSettingsInputs;
    type Outputs = ZoneSettingsOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            // Setting the same again does no harm; what was before is kept in a checkpoint.
            lost: Lost::Key,
            settle: std::time::Duration::ZERO,
            resumable: true,
            import_id: "ZONE".to_owned(),
            exclusive: true,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        spec: &ZoneSettingsInputs,
    ) -> Result<Created<ZoneSettingsOutputs>> {
        write::create(cx, client, spec, None).await
    }

    async fn resume(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        spec: &ZoneSettingsInputs,
        checkpoint: &Object,
    ) -> Result<Created<ZoneSettingsOutputs>> {
        write::create(cx, client, spec, Some(checkpoint)).await
    }

    async fn read(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        id: &str,
    ) -> Result<Option<Observed<ZoneSettingsInputs, ZoneSettingsOutputs>>> {
        let name = canonical(id)?;
        if !name.contains('.') && !names::is_id(&name) {
            return Err(
                Error::new(ErrorKind::Invalid, format!("`{id}` is no name of a zone"))
                    .hint("settings are imported by the name of their zone, such as `example.com`"),
            );
        }
        let Some(zone) = client.find_zone(cx, &name).await? else {
            return Ok(None);
        };
        let Some(current) = current(cx, client, &zone.id).await? else {
            return Ok(None);
        };
        let mut fields = Map::new();
        for (name, setting) in &current {
            let number = name == "browser_cache_ttl";
            let value = match crate::api::number(&setting.value) {
                Some(value) if number => Json::from(value),
                _ if setting.value.is_string() && !number => setting.value.clone(),
                // A form that is not known here.
                _ => continue,
            };
            fields.insert(name.clone(), value);
        }
        fields.insert("zone".to_owned(), Json::from(zone.name.as_str()));
        let spec = serde_json::from_value(Json::Object(fields))
            .map_err(|error| Error::new(ErrorKind::Misbehaved, error.to_string()))?;
        Ok(Some(Observed::new(spec, outputs(&zone.id, &current))))
    }

    async fn update(
        &self,
        _: &Cx,
        _: &Cloudflare,
        _: &str,
        _: &Change<'_, ZoneSettingsInputs>,
    ) -> Result<ZoneSettingsOutputs> {
        Err(grouped())
    }

    async fn delete(&self, _: &Cx, _: &Cloudflare, _: &str) -> Result<()> {
        Err(grouped())
    }

    fn keys(&self, client: &Cloudflare, inputs: &Value) -> Keys {
        let zone = inputs.get("zone").and_then(Value::as_str).map(|zone| {
            let known = client.memo().get(zone).map(|zone| zone.name.clone());
            known
                .or_else(|| names::host(zone).ok())
                .unwrap_or_else(|| zone.to_owned())
        });
        Keys {
            locks: zone
                .map(|zone| format!("{}/{zone}", Self::TYPE).into())
                .into_iter()
                .collect(),
            // Of one member: so that updates and deletes see what was before.
            write_group: Some(WriteGroup {
                key: Self::TYPE.into(),
                whole: false,
                linked: false,
                atomic: false,
                max: 1,
            }),
            ..Keys::default()
        }
    }

    async fn apply_group(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        call: &[Operation],
    ) -> Option<Vec<Outcome>> {
        let [operation] = call else { return None };
        let cx = cx.for_op(operation.op);
        let outcome = match operation.verb {
            Verb::Update => write::update(&cx, client, operation).await,
            Verb::Delete => write::restore(&cx, client, operation).await,
            _ => return None,
        };
        Some(vec![outcome.unwrap_or_else(Outcome::Failed)])
    }

    async fn plan(&self, cx: &Cx, client: &Cloudflare, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let zone = client.zone_name(cx, desired).await?;
        let mut findings = Vec::new();
        let mut fixed_now: Vec<String> = Vec::new();
        if let Some(observed) = proposal.observed {
            let list = observed
                .outputs
                .get("fixed")
                .and_then(Value::as_list)
                .unwrap_or_default();
            fixed_now.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
        } else if let Some(name) = zone.as_str()
            && proposal.last_sent.is_none()
            && let Some(zone) = client.find_zone(cx, name).await?
            && let Some(current) = current(cx, client, &zone.id).await?
        {
            let wanted = |name: &String| desired.get(name).and_then(Value::as_str);
            let different = current.values().filter(|setting| {
                !setting.editable && wanted(&setting.id) != setting.value.as_str()
            });
            fixed_now.extend(different.map(|setting| setting.id.clone()));
        }
        for name in fixed_now {
            let there = proposal
                .observed
                .and_then(|observed| observed.inputs.get(&name));
            let wanted = desired.get(&name).filter(|value| !value.is_null());
            if wanted.is_some() && wanted != there {
                let (message, hint) = fixed(&name);
                findings.push(Finding {
                    blocking: true,
                    message,
                    hint: Some(hint.to_owned()),
                    field: Some(Path::key(name.as_str())),
                    adopt: None,
                });
            }
        }
        let text = |name: &str| desired.get(name).and_then(Value::as_str);
        if text("ssl") == Some("flexible") && text("always_use_https") == Some("on") {
            findings.push(Finding {
                blocking: false,
                message: "with `ssl: flexible`, an origin that redirects to `https` is a loop without end".to_owned(),
                hint: Some("give the origin a certificate and set `ssl: strict`".to_owned()),
                field: Some(Path::key("ssl")),
                adopt: None,
            });
        }
        Ok(Planned {
            inputs: desired.with(&Path::key("zone"), zone),
            findings,
            ..Planned::default()
        })
    }
}

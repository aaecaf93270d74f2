//! The API's envelope and objects.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

/// What every reply is wrapped in.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<T> {
    pub(crate) result: T,
    #[serde(default)]
    pub(crate) result_info: Option<PageInfo>,
}

/// Where a page is in its list.
#[derive(Debug, Deserialize)]
pub(crate) struct PageInfo {
    #[serde(default, deserialize_with = "whole")]
    pub(crate) page: u64,
    #[serde(default, deserialize_with = "whole")]
    pub(crate) per_page: u64,
    #[serde(default, deserialize_with = "whole")]
    pub(crate) count: u64,
    #[serde(default, deserialize_with = "whole_or_none")]
    pub(crate) total_pages: Option<u64>,
}

/// The refusals in a reply.
#[derive(Debug, Deserialize)]
pub(crate) struct Refusals {
    #[serde(default)]
    pub(crate) success: Option<bool>,
    #[serde(default)]
    pub(crate) errors: Vec<Refusal>,
}

/// One refusal. What it is about is often in the chain only.
#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default, deserialize_with = "whole")]
    pub(crate) code: u64,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) error_chain: Vec<Refusal>,
}

/// A zone.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ZoneObject {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) name_servers: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) original_name_servers: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) original_registrar: Option<String>,
    #[serde(default)]
    pub(crate) plan: PlanObject,
    #[serde(default)]
    pub(crate) account: AccountObject,
}

/// What a zone pays for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct PlanObject {
    #[serde(default)]
    pub(crate) legacy_id: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// Whose a zone is.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct AccountObject {
    #[serde(default)]
    pub(crate) id: String,
}

/// A record.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RecordObject {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) content: Option<String>,
    #[serde(default)]
    pub(crate) data: Option<Map<String, Json>>,
    #[serde(default, deserialize_with = "whole_or_none")]
    pub(crate) priority: Option<u64>,
    #[serde(default)]
    pub(crate) proxied: Option<bool>,
    #[serde(default, deserialize_with = "whole_or_none")]
    pub(crate) ttl: Option<u64>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
    #[serde(default)]
    pub(crate) tags: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) meta: Option<MetaObject>,
}

impl RecordObject {
    /// Whether Cloudflare keeps it for one of its other products, so that nobody can change it.
    pub(crate) fn is_read_only(&self) -> bool {
        self.meta.as_ref().is_some_and(|meta| meta.read_only)
    }
}

/// What the service says of a record besides.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct MetaObject {
    #[serde(default)]
    pub(crate) read_only: bool,
}

/// What became of a batch.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct BatchResult {
    #[serde(default)]
    pub(crate) posts: Option<Vec<RecordObject>>,
}

/// A batch of changes.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Batch {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) deletes: Vec<Json>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) patches: Vec<Json>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) posts: Vec<Json>,
}

/// A setting of a zone.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SettingObject {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) value: Json,
    #[serde(default = "yes")]
    pub(crate) editable: bool,
}

/// The rules of a phase.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RulesetObject {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) rules: Vec<RuleObject>,
}

/// A rule.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RuleObject {
    pub(crate) id: String,
    #[serde(default, rename = "ref")]
    pub(crate) reference: Option<String>,
    #[serde(default)]
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) expression: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    #[serde(default)]
    pub(crate) action_parameters: Option<Json>,
}

/// A token as it is verified.
#[derive(Debug, Deserialize)]
pub(crate) struct TokenObject {
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) expires_on: Option<String>,
}

fn yes() -> bool {
    true
}

/// A whole number that may be written as a float: the service's numbers often are.
pub(crate) fn number(json: &Json) -> Option<u64> {
    match json {
        Json::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64().filter(|float| *float >= 0.0)?;
            format!("{float:.0}").parse().ok()
        }),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn whole_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let json = Option::<Json>::deserialize(deserializer)?;
    Ok(json.as_ref().and_then(number))
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(whole_or_none(deserializer)?.unwrap_or_default())
}

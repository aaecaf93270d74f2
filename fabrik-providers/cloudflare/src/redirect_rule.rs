//! `cloudflare.redirect_rule`.

use std::sync::Arc;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Finding, Keys, Lost, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::api::{Envelope, RuleObject, RulesetObject, number};
use crate::client::Cloudflare;
use crate::names;
use crate::refs::{ZoneRef, canonical};

const ENTRYPOINT: &str = "/zones/{zone}/rulesets/phases/http_request_dynamic_redirect/entrypoint";

/// A rule that redirects requests before they reach the origin. Other rules of the zone are left
/// alone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedirectRuleInputs {
    /// The zone, by name or id.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub zone: String,
    /// Which requests, in Cloudflare's rule language: `http.host eq "www.example.com"`.
    #[schemars(length(min = 1, max = 4096))]
    pub expression: String,
    /// Where to, as a fixed URL. Either this or `target_expression`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub target: Option<String>,
    /// Where to, worked out for each request:
    /// `concat("https://example.com", http.request.uri.path)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub target_expression: Option<String>,
    /// The status of the answer: 301, 302, 303, 307 or 308.
    #[serde(default = "moved")]
    #[schemars(extend("enum" = [301, 302, 303, 307, 308]))]
    pub status: u16,
    /// Whether the query of the request is kept.
    #[serde(default)]
    pub preserve_query: bool,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub description: Option<String>,
    /// Whether it is in force.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn moved() -> u16 {
    301
}

fn yes() -> bool {
    true
}

/// What is known of a rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RedirectRuleOutputs {
    /// The id of the rule.
    pub rule_id: String,
    /// The id of the ruleset it is in.
    pub ruleset_id: String,
}

/// `cloudflare.redirect_rule`: redirects requests before they reach the origin.
#[derive(Clone, Copy, Debug)]
pub struct RedirectRule;

type Seen = Observed<RedirectRuleInputs, RedirectRuleOutputs>;

/// `ZONE/REF`: the reference is given when the rule is made, and stays over changes.
fn parse_id(id: &str) -> Result<(String, &str)> {
    let shape = || {
        Error::new(ErrorKind::Invalid, format!("`{id}` is no id of a redirect rule"))
            .hint("it is written `ZONE/REF`, such as `example.com/2c0fc9fa937b11eaa1b71c4d701ab86e`: the rule's `ref` in the API")
    };
    let (zone, reference) = id.split_once('/').ok_or_else(shape)?;
    if reference.is_empty() || reference.contains('/') {
        return Err(shape());
    }
    Ok((names::host(zone).map_err(|_| shape())?, reference))
}

fn reference(op: OpId) -> String {
    format!("fabrik_{op}")
}

fn is_named(rule: &RuleObject, reference: &str) -> bool {
    rule.reference.as_deref() == Some(reference) || rule.id == reference
}

fn observe(zone: &ZoneRef, ruleset: &RulesetObject, rule: &RuleObject) -> Seen {
    let value = rule
        .action_parameters
        .as_ref()
        .map(|parameters| &parameters["from_value"]);
    let value = value.unwrap_or(&Json::Null);
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let spec = RedirectRuleInputs {
        zone: zone.name.clone(),
        expression: rule.expression.clone(),
        target: text(&value["target_url"]["value"]),
        target_expression: text(&value["target_url"]["expression"]),
        status: number(&value["status_code"])
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(302),
        preserve_query: value["preserve_query_string"].as_bool().unwrap_or(false),
        description: rule.description.clone().filter(|text| !text.is_empty()),
        enabled: rule.enabled,
    };
    let outputs = RedirectRuleOutputs {
        rule_id: rule.id.clone(),
        ruleset_id: ruleset.id.clone(),
    };
    Observed::new(spec, outputs)
}

fn body(spec: &RedirectRuleInputs) -> Json {
    let target = match (&spec.target, &spec.target_expression) {
        (Some(url), _) => json!({"value": url}),
        (None, expression) => json!({"expression": expression}),
    };
    json!({
        "action": "redirect",
        "expression": spec.expression,
        "description": spec.description.clone().unwrap_or_default(),
        "enabled": spec.enabled,
        "action_parameters": {"from_value": {
            "status_code": spec.status,
            "target_url": target,
            "preserve_query_string": spec.preserve_query,
        }},
    })
}

impl RedirectRule {
    /// The rules of a zone; `None` before its first.
    async fn rules(cx: &Cx, client: &Cloudflare, zone: &ZoneRef) -> Result<Option<RulesetObject>> {
        let request = client.http.get(cx, ENTRYPOINT).arg("zone", &zone.id);
        let found: Option<Envelope<RulesetObject>> = request.json_opt().await?;
        Ok(found.map(|found| found.result))
    }

    async fn all(
        cx: &Cx,
        client: &Cloudflare,
        zone: &Arc<ZoneRef>,
    ) -> Result<Vec<Found<RedirectRuleInputs, RedirectRuleOutputs>>> {
        let Some(ruleset) = Self::rules(cx, client, zone).await? else {
            return Ok(Vec::new());
        };
        let redirects = ruleset
            .rules
            .iter()
            .filter(|rule| rule.action == "redirect");
        let found = redirects.map(|rule| Found {
            id: format!(
                "{}/{}",
                zone.name,
                rule.reference.as_deref().unwrap_or(&rule.id)
            ),
            observed: observe(zone, &ruleset, rule),
            marked: false,
        });
        Ok(found.collect())
    }
}

fn told(ruleset: &RulesetObject, reference: &str) -> Result<RedirectRuleOutputs> {
    let rule = ruleset.rules.iter().find(|rule| is_named(rule, reference));
    let rule = rule.ok_or_else(|| {
        Error::new(
            ErrorKind::Misbehaved,
            "Cloudflare did not show the rule that it took",
        )
    })?;
    Ok(RedirectRuleOutputs {
        rule_id: rule.id.clone(),
        ruleset_id: ruleset.id.clone(),
    })
}

impl Resource for RedirectRule {
    const TYPE: &'static str = "cloudflare.redirect_rule";
    type Client = Cloudflare;
    type Spec = RedirectRuleInputs;
    type Outputs = RedirectRuleOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            import_id: "ZONE/REF".to_owned(),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        spec: &RedirectRuleInputs,
    ) -> Result<Created<RedirectRuleOutputs>> {
        let zone = client.zone(cx, &spec.zone).await?;
        let reference = reference(cx.op()?);
        let mut rule = body(spec);
        rule["ref"] = json!(reference);
        let found: Envelope<RulesetObject> =
            if let Some(ruleset) = Self::rules(cx, client, &zone).await? {
                let add = client
                    .http
                    .post(cx, "/zones/{zone}/rulesets/{ruleset}/rules");
                add.arg("zone", &zone.id)
                    .arg("ruleset", &ruleset.id)
                    .body(&rule)
                    .json()
                    .await?
            } else {
                // Writes all rules of the phase: only where there are none. Not sent twice, for
                // another one may have made the first rule meanwhile.
                let first = client.http.put(cx, ENTRYPOINT).arg("zone", &zone.id).once();
                first.body(&json!({"rules": [rule]})).json().await?
            };
        let outputs = told(&found.result, &reference)?;
        Ok(Created::new(format!("{}/{reference}", zone.name), outputs))
    }

    async fn read(&self, cx: &Cx, client: &Cloudflare, id: &str) -> Result<Option<Seen>> {
        let mut found = self.read_many(cx, client, &[id.to_owned()]).await;
        found.pop().unwrap_or(Ok(None))
    }

    async fn read_many(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        ids: &[String],
    ) -> Vec<ReadAnswer<RedirectRuleInputs, RedirectRuleOutputs>> {
        let mut zones: Vec<(String, Result<Option<(Arc<ZoneRef>, RulesetObject)>>)> = Vec::new();
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            let (name, reference) = match parse_id(id) {
                Ok(parsed) => parsed,
                Err(error) => {
                    answers.push(Err(error));
                    continue;
                }
            };
            if !zones.iter().any(|(known, _)| *known == name) {
                let found = match client.find_zone(cx, &name).await {
                    Ok(Some(zone)) => Self::rules(cx, client, &zone)
                        .await
                        .map(|rules| rules.map(|rules| (zone, rules))),
                    Ok(None) => Ok(None),
                    Err(error) => Err(error),
                };
                zones.push((name.clone(), found));
            }
            let found = zones.iter().find(|(known, _)| *known == name);
            answers.push(match found.map(|(_, found)| found) {
                Some(Ok(Some((zone, ruleset)))) => {
                    let rule = ruleset.rules.iter().find(|rule| is_named(rule, reference));
                    Ok(rule.map(|rule| observe(zone, ruleset, rule)))
                }
                Some(Err(error)) => Err(error.clone()),
                _ => Ok(None),
            });
        }
        answers
    }

    async fn update(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        id: &str,
        change: &Change<'_, RedirectRuleInputs>,
    ) -> Result<RedirectRuleOutputs> {
        let (zone, reference) = parse_id(id)?;
        let zone = client.zone(cx, &zone).await?;
        let rules = Self::rules(cx, client, &zone).await?;
        let found = rules.as_ref().and_then(|ruleset| {
            let rule = ruleset
                .rules
                .iter()
                .find(|rule| is_named(rule, reference))?;
            Some((ruleset, rule))
        });
        let Some((ruleset, rule)) = found else {
            return Err(Error::new(ErrorKind::NotFound, "the redirect rule is gone")
                .effect(Effect::None)
                .hint("plan again: it was deleted outside Fabrik"));
        };
        let mut wanted = body(change.spec);
        wanted["ref"] = json!(rule.reference);
        let request = client
            .http
            .patch(cx, "/zones/{zone}/rulesets/{ruleset}/rules/{rule}");
        let request = request
            .arg("zone", &zone.id)
            .arg("ruleset", &ruleset.id)
            .arg("rule", &rule.id);
        let found: Envelope<RulesetObject> = request.body(&wanted).idempotent().json().await?;
        told(&found.result, reference)
    }

    async fn delete(&self, cx: &Cx, client: &Cloudflare, id: &str) -> Result<()> {
        let (zone, reference) = parse_id(id)?;
        let Some(zone) = client.find_zone(cx, &zone).await? else {
            return Ok(());
        };
        let Some(ruleset) = Self::rules(cx, client, &zone).await? else {
            return Ok(());
        };
        let Some(rule) = ruleset.rules.iter().find(|rule| is_named(rule, reference)) else {
            return Ok(());
        };
        let request = client
            .http
            .delete(cx, "/zones/{zone}/rulesets/{ruleset}/rules/{rule}");
        request
            .arg("zone", &zone.id)
            .arg("ruleset", &ruleset.id)
            .arg("rule", &rule.id)
            .ok_if(404)
            .unit()
            .await
    }

    /// The rules of a zone are read together, and changed one at a time: the first one writes the
    /// whole phase.
    fn keys(&self, client: &Cloudflare, inputs: &Value) -> Keys {
        let zone = inputs.get("zone").and_then(Value::as_str).map(|zone| {
            let known = client.memo().get(zone);
            let name = known.map(|zone| zone.name.clone());
            name.or_else(|| names::host(zone).ok())
                .unwrap_or_else(|| zone.to_owned())
        });
        let key: Arc<str> = format!("{}/{}", Self::TYPE, zone.as_deref().unwrap_or("?")).into();
        Keys {
            locks: vec![key.clone()],
            read_group: zone.map(|_| key),
            ..Keys::default()
        }
    }

    async fn plan(&self, cx: &Cx, client: &Cloudflare, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let mut findings = Vec::new();
        let is_set = |field: &str| desired.get(field).is_some_and(|value| !value.is_null());
        if is_set("target") == is_set("target_expression") {
            findings.push(Finding {
                blocking: true,
                message: "a redirect has one target".to_owned(),
                hint: Some("set either `target` or `target_expression`".to_owned()),
                field: Some(Path::key("target")),
                adopt: None,
            });
        }
        let zone = if findings.is_empty() {
            client.zone_name(cx, desired).await?
        } else {
            desired.get("zone").cloned().unwrap_or_default()
        };
        // What is not set is as it is by itself: that holds against others, too.
        let unset = |field: &str| desired.get(field).is_none_or(Value::is_null);
        let mut inputs = desired.with(&Path::key("zone"), zone);
        for (field, value) in [
            ("status", Value::from(301_i64)),
            ("preserve_query", Value::from(false)),
            ("enabled", Value::from(true)),
        ] {
            if unset(field) {
                inputs = inputs.with(&Path::key(field), value);
            }
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        op: OpId,
        spec: &RedirectRuleInputs,
    ) -> Result<Option<Found<RedirectRuleInputs, RedirectRuleOutputs>>> {
        let zone = canonical(&spec.zone)?;
        let Some(zone) = client.find_zone(cx, &zone).await? else {
            return Ok(None);
        };
        let reference = reference(op);
        let id = format!("{}/{reference}", zone.name);
        let found = self.read(cx, client, &id).await?;
        Ok(found.map(|observed| Found {
            id,
            observed,
            marked: true,
        }))
    }

    async fn list(
        &self,
        cx: &Cx,
        client: &Cloudflare,
    ) -> Result<Vec<Found<RedirectRuleInputs, RedirectRuleOutputs>>> {
        let mut found = Vec::new();
        let mut page = 1;
        loop {
            let (zones, last) = client.zone_page(cx, page).await?;
            for zone in zones {
                let zone = client.memo().insert(&zone);
                found.extend(Self::all(cx, client, &zone).await?);
            }
            if last {
                return Ok(found);
            }
            page += 1;
        }
    }
}

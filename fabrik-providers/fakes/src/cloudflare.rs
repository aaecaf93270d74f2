//! Cloudflare: zones, records, settings, redirect rules and cache purges, as its API behaves.
//!
//! Sources: developers.cloudflare.com (API reference, DNS records, batch changes, rulesets, limits)
//! and what users report of it. Where only the fact of a refusal is documented and not its code, the
//! code here is one that was seen in reports; clients should go by code only where it is documented.
//!
//! ```
//! use fabrik_fakes::cloudflare::Cloudflare;
//!
//! let cloud = Cloudflare::start();
//! let zone = cloud.add_zone("example.com");
//! cloud.add_record(&zone, &serde_json::json!({"name": "www", "type": "A", "content": "192.0.2.1"}));
//! assert_eq!(cloud.records(&zone)[0]["name"], "www.example.com");
//! assert!(cloud.url().ends_with("/client/v4"));
//! ```

mod batch;
mod content;
mod envelope;
mod names;
mod records;
mod routes;
mod rulesets;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod tokens;
mod zones;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fabrik_testkit::serve::{Logged, Server};
use serde_json::{Value as Json, json};

pub use state::Plan;
use state::State;

/// The account that the fake starts with.
pub const ACCOUNT: &str = "01a7362d577a6c3019a474fd6f485823";
/// The token that the fake starts with; it may do everything.
pub const TOKEN: &str = "v1.0-fake-token-0123456789abcdef0123456789abcdef";
/// The name of everything that the first token may do.
pub const SCOPES: &[&str] = &[
    "Zone:Read",
    "Zone:Edit",
    "DNS:Read",
    "DNS:Edit",
    "Zone Settings:Read",
    "Zone Settings:Edit",
    "Single Redirect:Read",
    "Single Redirect:Edit",
    "Cache Purge:Purge",
];

/// A running fake. It stops when dropped.
#[derive(Debug)]
pub struct Cloudflare {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Cloudflare {
    /// An empty account on a free plan, with [`TOKEN`].
    pub fn start() -> Cloudflare {
        let state = Arc::new(Mutex::new(State::new()));
        let kept = state.clone();
        let server = Server::start(move |request| {
            let mut state = kept.lock().unwrap_or_else(PoisonError::into_inner);
            routes::answer(&mut state, request)
        });
        Cloudflare { server, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The base of the API.
    pub fn url(&self) -> String {
        format!("{}/client/v4", self.server.url())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Every request so far.
    pub fn log(&self) -> Vec<Logged> {
        self.server.log()
    }

    /// Forgets the requests so far.
    pub fn clear_log(&self) {
        self.server.clear_log();
    }

    /// Everything there is, by zone name: records, settings that differ from the start, rules.
    pub fn dump(&self) -> Json {
        let state = self.state();
        let zones = state.zones.values().map(|zone| {
            let mut records: Vec<Json> = zone.records.values().map(records::bare).collect();
            records.sort_by_key(ToString::to_string);
            let rules: Vec<Json> = zone.rules().iter().map(rulesets::bare).collect();
            let settings = settings::changed(zone);
            let view = json!({
                "records": records, "rules": rules, "settings": settings,
                "type": zone.kind, "paused": zone.paused,
            });
            (zone.name.clone(), view)
        });
        Json::Object(zones.collect())
    }

    /// Adds an active zone on the free plan; gives its id.
    pub fn add_zone(&self, name: &str) -> String {
        let mut state = self.state();
        let id = zones::add(&mut state, name, ACCOUNT, "full");
        if let Some(zone) = state.zones.get_mut(&id) {
            zone.status = "active";
        }
        id
    }

    /// The id of a zone of that name.
    pub fn zone_id(&self, name: &str) -> Option<String> {
        let state = self.state();
        let found = state.zones.values().find(|zone| zone.name == name)?;
        Some(found.id.clone())
    }

    /// A zone as the API shows it.
    pub fn zone(&self, id: &str) -> Option<Json> {
        self.state().zones.get(id).map(zones::shown)
    }

    /// Names of all zones.
    pub fn zone_names(&self) -> Vec<String> {
        let state = self.state();
        state.zones.values().map(|zone| zone.name.clone()).collect()
    }

    /// A human deletes a zone with everything in it.
    pub fn remove_zone(&self, id: &str) {
        self.state().zones.remove(id);
    }

    /// Sets a zone's status: `pending`, `active`, `moved`.
    pub fn set_status(&self, id: &str, status: &'static str) {
        self.in_zone(id, |zone| zone.status = status);
    }

    /// Puts a zone on another plan.
    pub fn set_plan(&self, id: &str, plan: Plan) {
        self.in_zone(id, |zone| zone.plan = plan);
    }

    /// Gives a zone room for this many records, whatever its plan says.
    pub fn set_record_quota(&self, id: &str, records: usize) {
        self.in_zone(id, |zone| zone.quota = Some(records));
    }

    /// Sets how a zone is set up: `full`, `partial`.
    pub fn set_type(&self, id: &str, kind: &str) {
        self.in_zone(id, |zone| kind.clone_into(&mut zone.kind));
    }

    /// New zones are on this plan; free at the start.
    pub fn plan_of_new_zones(&self, plan: Plan) {
        self.state().plan = plan;
    }

    /// Pauses a zone, or ends that.
    pub fn set_paused(&self, id: &str, paused: bool) {
        self.in_zone(id, |zone| zone.paused = paused);
    }

    /// New zones become active at this many activation checks; 0 (as at the start) for never.
    pub fn activate_after(&self, checks: u32) {
        self.state().activate_after = checks;
    }

    /// How many activation checks were accepted for a zone.
    pub fn activation_checks(&self, id: &str) -> u32 {
        self.state().zones.get(id).map_or(0, |zone| zone.checks)
    }

    /// Records of a zone as the API shows them.
    pub fn records(&self, zone: &str) -> Vec<Json> {
        let state = self.state();
        let zone = state.zones.get(zone);
        zone.map(|zone| zone.records.values().cloned().collect())
            .unwrap_or_default()
    }

    /// Records of a zone with this name and type.
    pub fn record_set(&self, zone: &str, name: &str, kind: &str) -> Vec<Json> {
        let mut found = self.records(zone);
        found.retain(|record| record["name"] == name && record["type"] == kind);
        found
    }

    /// A human adds a record; gives its id. The API's rules hold for humans too.
    ///
    /// # Panics
    /// When the API would refuse it.
    pub fn add_record(&self, zone: &str, record: &Json) -> String {
        let mut state = self.state();
        let made = records::add(&mut state, zone, record);
        let made = made.unwrap_or_else(|refusal| panic!("{record}: {refusal:?}"));
        made["id"].as_str().unwrap_or_default().to_owned()
    }

    /// A record that Cloudflare itself keeps, such as those of Email Routing: nobody may change it.
    pub fn add_read_only(&self, zone: &str, record: &Json) -> String {
        let id = self.add_record(zone, record);
        self.edit_record(&id, &json!({"meta": {"read_only": true}}));
        id
    }

    /// A human changes fields of a record, unchecked.
    pub fn edit_record(&self, id: &str, fields: &Json) {
        let mut state = self.state();
        for zone in state.zones.values_mut() {
            if let Some(record) = zone.records.get_mut(id) {
                for (key, value) in fields.as_object().into_iter().flatten() {
                    record[key] = value.clone();
                }
            }
        }
    }

    /// A human deletes a record.
    pub fn remove_record(&self, id: &str) {
        for zone in self.state().zones.values_mut() {
            zone.records.remove(id);
        }
    }

    /// The value of a setting.
    pub fn setting(&self, zone: &str, id: &str) -> Json {
        let state = self.state();
        let found = state.zones.get(zone).and_then(|zone| zone.settings.get(id));
        found.map_or(Json::Null, |setting| setting.value.clone())
    }

    /// A human changes a setting.
    pub fn set_setting(&self, zone: &str, id: &str, value: &Json) {
        self.in_zone(zone, |zone| {
            if let Some(setting) = zone.settings.get_mut(id) {
                setting.value = value.clone();
            }
        });
    }

    /// A setting that the zone's plan does not allow to change.
    pub fn lock_setting(&self, zone: &str, id: &str) {
        self.in_zone(zone, |zone| {
            if let Some(setting) = zone.settings.get_mut(id) {
                setting.editable = false;
            }
        });
    }

    /// Whether all settings of a zone can be read at once; true at the start. That route is no longer
    /// documented.
    pub fn list_settings(&self, allowed: bool) {
        self.state().settings_at_once = allowed;
    }

    /// Redirect rules of a zone, in their order.
    pub fn rules(&self, zone: &str) -> Vec<Json> {
        let state = self.state();
        let zone = state.zones.get(zone);
        zone.map(|zone| zone.rules().to_vec()).unwrap_or_default()
    }

    /// A human adds a redirect rule at the end; gives its id.
    pub fn add_rule(&self, zone: &str, rule: &Json) -> String {
        let mut state = self.state();
        rulesets::add_by_hand(&mut state, zone, rule)
    }

    /// A human changes fields of the rule with that id or ref.
    pub fn edit_rule(&self, id: &str, fields: &Json) {
        self.for_rules(|rules| {
            for rule in rules {
                if rule["id"] == id || rule["ref"] == id {
                    for (key, value) in fields.as_object().into_iter().flatten() {
                        rule[key] = value.clone();
                    }
                }
            }
        });
    }

    /// A human deletes the rule with that id or ref.
    pub fn remove_rule(&self, id: &str) {
        self.for_rules(|rules| rules.retain(|rule| rule["id"] != id && rule["ref"] != id));
    }

    /// The bodies of all cache purges, in their order.
    pub fn purges(&self) -> Vec<Json> {
        self.state().purges.clone()
    }

    /// A token with these scopes; it sees all zones.
    pub fn add_token(&self, value: &str, scopes: &[&str]) {
        let mut state = self.state();
        tokens::add(&mut state, value, scopes);
    }

    /// Takes a scope from every token.
    pub fn drop_scope(&self, scope: &str) {
        for token in self.state().tokens.values_mut() {
            token.scopes.remove(scope);
        }
    }

    /// Sets every token's status: `active`, `disabled`, `expired`.
    pub fn set_token_status(&self, status: &'static str) {
        for token in self.state().tokens.values_mut() {
            token.status = status;
        }
    }

    /// Makes every token one that the account owns: it is verified below the account only.
    pub fn own_tokens_by_account(&self) {
        for token in self.state().tokens.values_mut() {
            token.of_account = true;
        }
    }

    /// Limits every token to these zones.
    pub fn limit_to_zones(&self, zones: &[&str]) {
        for token in self.state().tokens.values_mut() {
            token.zones = Some(zones.iter().map(ToString::to_string).collect());
        }
    }

    /// The next requests are refused with 429 and this `Retry-After`.
    pub fn refuse(&self, requests: u32, retry_after: &str) {
        let mut state = self.state();
        state.refusals = requests;
        retry_after.clone_into(&mut state.retry_after);
    }

    /// Lists of records hold at most this many a page, whatever is asked for.
    pub fn page_cap(&self, records: usize) {
        self.state().page_cap = records;
    }

    fn in_zone(&self, id: &str, change: impl FnOnce(&mut state::Zone)) {
        if let Some(zone) = self.state().zones.get_mut(id) {
            change(zone);
        }
    }

    fn for_rules(&self, change: impl Fn(&mut Vec<Json>)) {
        for zone in self.state().zones.values_mut() {
            if let Some(ruleset) = &mut zone.ruleset {
                change(&mut ruleset.rules);
            }
        }
    }
}

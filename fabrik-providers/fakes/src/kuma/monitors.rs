//! Monitors: rows of a table whose columns differ between releases.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value as Json, json};

use super::events::{Answer, only, refused};
use super::state::State;

/// A new monitor as each release shows it: recorded from the real servers.
static V1: LazyLock<Map<String, Json>> =
    LazyLock::new(|| template(include_str!("../../data/kuma-monitor-v1.json")));
static V2: LazyLock<Map<String, Json>> =
    LazyLock::new(|| template(include_str!("../../data/kuma-monitor-v2.json")));

/// What is shown but is no column, or one that comes from elsewhere.
const NO_COLUMNS: &[&str] = &[
    "accepted_statuscodes",
    "childrenIDs",
    "forceInactive",
    "includeSensitiveData",
    "maintenance",
    "notificationIDList",
    "path",
    "pathName",
    "tags",
];

fn template(text: &str) -> Map<String, Json> {
    serde_json::from_str(text).expect("a recorded monitor")
}

/// `retryInterval` is the column `retry_interval`.
fn column(key: &str) -> String {
    let mut name = String::new();
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// A statement as the real server shows it with an error, values and all.
fn statement(columns: &BTreeMap<String, Json>, reason: &str) -> String {
    let names: Vec<String> = columns.keys().map(|name| format!("`{name}`")).collect();
    let values: Vec<String> = columns
        .values()
        .map(|value| match value {
            Json::String(text) => format!("'{text}'"),
            Json::Null => "NULL".to_owned(),
            Json::Array(_) | Json::Object(_) => format!("'{value}'"),
            other => other.to_string(),
        })
        .collect();
    format!(
        "insert into `monitor` ({}) values ({}) - {reason}",
        names.join(", "),
        values.join(", ")
    )
}

impl State {
    fn monitor_template(&self) -> &'static Map<String, Json> {
        if self.is_v1() { &V1 } else { &V2 }
    }

    fn shortest_interval(&self) -> f64 {
        if self.is_v1() { 20.0 } else { 1.0 }
    }

    fn check_interval(&self, monitor: &Map<String, Json>) -> Result<(), String> {
        let shortest = self.shortest_interval();
        let mut keys = vec![("interval", "Interval")];
        if !self.is_v1() {
            keys.push(("retryInterval", "Retry interval"));
        }
        for (key, name) in keys {
            let seconds = monitor.get(key).and_then(Json::as_f64);
            if seconds.is_some_and(|seconds| seconds < shortest) {
                return Err(format!("{name} cannot be less than {shortest} seconds"));
            }
            if seconds.is_some_and(|seconds| seconds > 2_073_600.0) {
                return Err(format!("{name} cannot be more than 2073600 seconds"));
            }
        }
        if let Some(headers) = monitor.get("headers").and_then(Json::as_str)
            && !self.is_v1()
            && serde_json::from_str::<Json>(headers).is_err()
        {
            return Err("Headers must be valid JSON".to_owned());
        }
        Ok(())
    }

    /// The ids a row refers to exist.
    fn check_references(&self, monitor: &Map<String, Json>) -> bool {
        let there = |key: &str, is_there: &dyn Fn(u64) -> bool| {
            monitor
                .get(key)
                .filter(|value| !value.is_null())
                .is_none_or(|value| value.as_u64().is_some_and(is_there))
        };
        there("docker_host", &|id| self.docker_hosts.contains_key(&id))
            && there("parent", &|id| self.monitors.contains_key(&id))
            && there("proxyId", &|_| false)
    }

    /// The links of a monitor to notifications are made anew. They are no part of the row: when this
    /// fails, the row has been written already.
    fn link_notifications(&mut self, id: u64, list: Option<&Json>) -> Result<(), String> {
        self.monitor_notifications
            .retain(|(monitor, _)| *monitor != id);
        for (notification, on) in list.and_then(Json::as_object).into_iter().flatten() {
            if on.as_bool() != Some(true) {
                continue;
            }
            let known = notification
                .parse()
                .ok()
                .filter(|id| self.notifications.contains_key(id));
            let Some(notification) = known else {
                return Err(format!(
                    "insert into `monitor_notification` (`monitor_id`, `notification_id`) values ({id}, {notification}) - SQLITE_CONSTRAINT: FOREIGN KEY constraint failed"
                ));
            };
            self.monitor_notifications.insert((id, notification));
        }
        Ok(())
    }

    pub(super) fn add_monitor(&mut self, monitor: &Json) -> Json {
        let empty = Map::new();
        let given = monitor.as_object().unwrap_or(&empty);
        let Some(codes) = given.get("accepted_statuscodes").and_then(Json::as_array) else {
            return refused("Cannot read properties of undefined (reading 'every')");
        };
        if !codes.iter().all(Json::is_string) {
            return refused("Accepted status codes are not all strings");
        }
        if let Err(reason) = self.check_interval(given) {
            return refused(reason);
        }
        // Every key becomes a column.
        let template = self.monitor_template();
        let mut columns = BTreeMap::from([
            (
                "accepted_statuscodes_json".to_owned(),
                json!(Json::Array(codes.clone()).to_string()),
            ),
            ("user_id".to_owned(), json!(1)),
            ("kafka_producer_brokers".to_owned(), Json::Null),
            ("kafka_producer_sasl_options".to_owned(), Json::Null),
        ]);
        if !self.is_v1() {
            columns.insert("rabbitmq_nodes".to_owned(), Json::Null);
            columns.insert("conditions".to_owned(), Json::Null);
        }
        let mut unknown = Vec::new();
        for (key, value) in given {
            if matches!(key.as_str(), "accepted_statuscodes" | "notificationIDList") {
                continue;
            }
            columns.insert(column(key), value.clone());
            if !template.contains_key(key) || NO_COLUMNS.contains(&key.as_str()) {
                unknown.push(column(key));
            }
        }
        if let Some(name) = columns.keys().find(|name| unknown.contains(name)) {
            let reason = format!("SQLITE_ERROR: table monitor has no column named {name}");
            return refused(statement(&columns, &reason));
        }
        if !self.is_v1() && given.get("conditions").is_none_or(Json::is_null) {
            let reason = "SQLITE_CONSTRAINT: NOT NULL constraint failed: monitor.conditions";
            return refused(statement(&columns, reason));
        }
        if !self.check_references(given) {
            let reason = "SQLITE_CONSTRAINT: FOREIGN KEY constraint failed";
            return refused(statement(&columns, reason));
        }
        let id = self.next("monitor");
        let mut row = template.clone();
        for key in NO_COLUMNS {
            row.remove(*key);
        }
        row.insert("maxretries".to_owned(), json!(0));
        row.insert("url".to_owned(), Json::Null);
        row.extend(given.clone());
        row.remove("notificationIDList");
        row.insert("id".to_owned(), json!(id));
        self.monitors.insert(id, row);
        if let Err(reason) = self.link_notifications(id, given.get("notificationIDList")) {
            return refused(reason);
        }
        self.tell_monitor(id);
        self.beat(id);
        let mut answer = self.done("Added Successfully.", "successAdded");
        answer["monitorID"] = json!(id);
        answer
    }

    /// The noise of a monitor that runs.
    fn beat(&self, id: u64) {
        if !self.is_active(id) {
            return;
        }
        let beat = json!({
            "monitorID": id, "status": 2, "time": "2026-11-20 09:15:25.741",
            "msg": "connect ECONNREFUSED", "important": true, "duration": 0,
        });
        self.push("heartbeat", &[beat]);
        self.push("avgPing", &[json!(id), Json::Null]);
        self.push("uptime", &[json!(id), json!(24), json!(0)]);
    }

    /// Version 1 sends the whole list with every change, version 2 what changed.
    fn tell_monitor(&self, id: u64) {
        if self.is_v1() {
            self.push("monitorList", &[self.monitor_list()]);
        } else if let Some(monitor) = self.show_monitor(id) {
            self.push("updateMonitorIntoList", &[json!({id.to_string(): monitor})]);
        }
    }

    pub(super) fn edit_monitor(&mut self, monitor: &Json) -> Json {
        let empty = Map::new();
        let given = monitor.as_object().unwrap_or(&empty);
        let Some(id) = given.get("id") else {
            return refused(
                "Undefined binding(s) detected for keys [0] when compiling RAW query:  id = ? ",
            );
        };
        let Some(id) = id.as_u64().filter(|id| self.monitors.contains_key(id)) else {
            return refused("Cannot read properties of null (reading 'user_id')");
        };
        let Some(codes) = given.get("accepted_statuscodes").and_then(Json::as_array) else {
            return refused("Cannot read properties of undefined (reading 'every')");
        };
        if !codes.iter().all(Json::is_string) {
            return refused("Accepted status codes are not all strings");
        }
        if let Err(reason) = self.check_interval(given) {
            return refused(reason);
        }
        if !self.check_references(given) || given.get("parent").and_then(Json::as_u64) == Some(id) {
            return refused(
                "update `monitor` set … - SQLITE_CONSTRAINT: FOREIGN KEY constraint failed",
            );
        }
        // A full replace: each column is set, to NULL when its key is missing. `active` is not among
        // them; unknown keys are ignored.
        let template = self.monitor_template();
        let row = self.monitors.entry(id).or_default();
        for key in template.keys() {
            let kept = ["id", "active", "dns_last_result", "weight"];
            let shown = NO_COLUMNS.contains(&key.as_str()) && key != "accepted_statuscodes";
            if !kept.contains(&key.as_str()) && !shown {
                row.insert(key.clone(), given.get(key).cloned().unwrap_or(Json::Null));
            }
        }
        if let Err(reason) = self.link_notifications(id, given.get("notificationIDList")) {
            return refused(reason);
        }
        self.tell_monitor(id);
        self.beat(id);
        let mut answer = self.done("Saved.", "Saved.");
        answer["monitorID"] = json!(id);
        answer
    }

    pub(super) fn get_monitor(&self, id: &Json) -> Json {
        let Some(mut monitor) = id.as_u64().and_then(|id| self.show_monitor(id)) else {
            let what = if self.is_v1() { "toJSON" } else { "id" };
            return refused(format!("Cannot read properties of null (reading '{what}')"));
        };
        if !self.is_v1() {
            // Found out by the list only.
            monitor["path"] = json!([null]);
            monitor["pathName"] = json!("");
        }
        json!({"ok": true, "monitor": monitor})
    }

    pub(super) fn pause_monitor(&mut self, id: &Json, active: bool) -> Json {
        let Some(id) = id.as_u64().filter(|id| self.monitors.contains_key(id)) else {
            return refused("You do not own this monitor.");
        };
        if let Some(row) = self.monitors.get_mut(&id) {
            row.insert("active".to_owned(), json!(active));
        }
        self.tell_monitor(id);
        if active {
            self.done("Resumed Successfully.", "successResumed")
        } else {
            self.done("Paused Successfully.", "successPaused")
        }
    }

    /// Deleting what is not there is fine in both.
    pub(super) fn delete_monitor(&mut self, id: &Json, children: &Json) -> Answer {
        let answer = self.done("Deleted Successfully.", "successDeleted");
        let Some(id) = id.as_u64() else {
            return only(answer);
        };
        let below: Vec<u64> = self
            .monitors
            .iter()
            .filter(|(_, row)| row.get("parent").and_then(Json::as_u64) == Some(id))
            .map(|(id, _)| *id)
            .collect();
        for child in below {
            if !self.is_v1() && children.as_bool() == Some(true) {
                _ = self.delete_monitor(&json!(child), children);
            } else if let Some(row) = self.monitors.get_mut(&child) {
                row.insert("parent".to_owned(), Json::Null);
            }
        }
        self.monitors.remove(&id);
        self.monitor_notifications
            .retain(|(monitor, _)| *monitor != id);
        self.monitor_tags.retain(|(_, monitor, _)| *monitor != id);
        self.monitor_maintenances
            .retain(|(_, monitor)| *monitor != id);
        for group in &mut self.groups {
            group.monitors.retain(|(monitor, ..)| *monitor != id);
        }
        let event = if self.is_v1() {
            ("monitorList".to_owned(), vec![self.monitor_list()])
        } else {
            ("deleteMonitorFromList".to_owned(), vec![json!(id)])
        };
        (answer, vec![event])
    }

    fn parent_of(&self, id: u64) -> Option<u64> {
        self.monitors.get(&id)?.get("parent")?.as_u64()
    }

    fn is_parent_active(&self, id: u64) -> bool {
        self.parent_of(id)
            .is_none_or(|parent| self.is_active(parent))
    }

    fn is_active(&self, id: u64) -> bool {
        let own = self.monitors.get(&id).and_then(|row| row.get("active"));
        // SQLite keeps truth values as numbers.
        let own =
            own.is_some_and(|active| active.as_bool() == Some(true) || active.as_u64() == Some(1));
        own && self.is_parent_active(id)
    }

    /// A monitor as the server shows it; `active` counts its groups in.
    pub(super) fn show_monitor(&self, id: u64) -> Option<Json> {
        let row = self.monitors.get(&id)?;
        let mut shown = row.clone();
        let links: Map<String, Json> = self
            .monitor_notifications
            .iter()
            .filter(|(monitor, _)| *monitor == id)
            .map(|(_, notification)| (notification.to_string(), json!(true)))
            .collect();
        let tags: Vec<Json> = self
            .monitor_tags
            .iter()
            .filter(|(_, monitor, _)| *monitor == id)
            .filter_map(|(tag, _, value)| {
                let known = self.tags.get(tag)?;
                Some(json!({
                    "tag_id": tag, "monitor_id": id, "value": value,
                    "name": known["name"], "color": known["color"],
                }))
            })
            .collect();
        let children: Vec<u64> = self
            .monitors
            .iter()
            .filter(|(_, row)| row.get("parent").and_then(Json::as_u64) == Some(id))
            .map(|(id, _)| *id)
            .collect();
        let mut path = vec![row["name"].clone()];
        let mut above = self.parent_of(id);
        while let Some(parent) = above.filter(|_| path.len() < 20) {
            path.insert(0, self.monitors.get(&parent)?["name"].clone());
            above = self.parent_of(parent);
        }
        let names: Vec<&str> = path.iter().filter_map(Json::as_str).collect();
        shown.insert("pathName".to_owned(), json!(names.join(" / ")));
        if !self.is_v1() {
            shown.insert("path".to_owned(), json!(path));
        }
        shown.insert("childrenIDs".to_owned(), json!(children));
        shown.insert("notificationIDList".to_owned(), Json::Object(links));
        shown.insert("tags".to_owned(), json!(tags));
        shown.insert("maintenance".to_owned(), json!(false));
        shown.insert("active".to_owned(), json!(self.is_active(id)));
        shown.insert(
            "forceInactive".to_owned(),
            json!(!self.is_parent_active(id)),
        );
        shown.insert("includeSensitiveData".to_owned(), json!(true));
        Some(Json::Object(shown))
    }

    /// Every monitor by id.
    pub(super) fn monitor_list(&self) -> Json {
        let monitors = self.monitors.keys();
        Json::Object(
            monitors
                .filter_map(|id| Some((id.to_string(), self.show_monitor(*id)?)))
                .collect(),
        )
    }
}

//! Tags, notifications and docker hosts.

use serde_json::{Map, Value as Json, json};

use super::events::refused;
use super::state::State;

impl State {
    pub(super) fn add_tag(&mut self, tag: &Json) -> Json {
        let id = self.next("tag");
        let row = json!({"id": id, "name": tag["name"], "color": tag["color"]});
        self.tags.insert(id, row.clone());
        json!({"ok": true, "tag": row})
    }

    pub(super) fn edit_tag(&mut self, tag: &Json) -> Json {
        let Some(row) = tag["id"].as_u64().and_then(|id| self.tags.get_mut(&id)) else {
            return self.refused_as("Tag not found", "tagNotFound");
        };
        row["name"] = tag["name"].clone();
        row["color"] = tag["color"].clone();
        json!({"ok": true, "tag": row})
    }

    pub(super) fn delete_tag(&mut self, id: &Json) -> Json {
        if let Some(id) = id.as_u64() {
            self.tags.remove(&id);
            self.monitor_tags.retain(|(tag, ..)| *tag != id);
        }
        self.done("Deleted Successfully.", "successDeleted")
    }

    pub(super) fn add_monitor_tag(&mut self, tag: &Json, monitor: &Json, value: &Json) -> Json {
        let text = value.as_str().unwrap_or_default();
        let known = (
            tag.as_u64().filter(|id| self.tags.contains_key(id)),
            monitor.as_u64().filter(|id| self.monitors.contains_key(id)),
        );
        let (Some(tag), Some(monitor)) = known else {
            return refused(format!(
                "INSERT INTO monitor_tag (tag_id, monitor_id, value) VALUES ({tag}, {monitor}, '{text}') - SQLITE_CONSTRAINT: FOREIGN KEY constraint failed"
            ));
        };
        // No row is unique.
        self.monitor_tags.push((tag, monitor, text.to_owned()));
        if !self.is_v1() {
            self.push_monitor(monitor);
        }
        self.done("Added Successfully.", "successAdded")
    }

    pub(super) fn delete_monitor_tag(&mut self, tag: &Json, monitor: &Json, value: &Json) -> Json {
        let (tag, monitor) = (tag.as_u64(), monitor.as_u64());
        let value = value.as_str().unwrap_or_default();
        self.monitor_tags
            .retain(|(a, b, text)| !(Some(*a) == tag && Some(*b) == monitor && text == value));
        if let Some(monitor) = monitor.filter(|_| !self.is_v1()) {
            self.push_monitor(monitor);
        }
        self.done("Deleted Successfully.", "successDeleted")
    }

    fn push_monitor(&self, id: u64) {
        if let Some(monitor) = self.show_monitor(id) {
            self.push("updateMonitorIntoList", &[json!({id.to_string(): monitor})]);
        }
    }

    /// Creates, or replaces as a whole. Everything that is sent is kept as text.
    pub(super) fn add_notification(&mut self, notification: &Json, id: &Json) -> Json {
        let id = match id.as_u64() {
            Some(id) if !self.notifications.contains_key(&id) => {
                return refused("notification not found");
            }
            Some(id) => id,
            None => self.next("notification"),
        };
        let is_default = notification["isDefault"].as_bool().unwrap_or_default();
        let mut kept = notification.clone();
        let applies = notification["applyExisting"].as_bool() == Some(true);
        if !self.is_v1() {
            kept["applyExisting"] = json!(false);
        }
        let row = [
            ("id", json!(id)),
            ("name", notification["name"].clone()),
            ("active", json!(true)),
            ("userId", json!(1)),
            ("isDefault", json!(is_default)),
            ("config", json!(kept.to_string())),
        ];
        let row: Map<String, Json> = row
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        self.notifications.insert(id, row);
        if applies {
            let monitors: Vec<u64> = self.monitors.keys().copied().collect();
            self.monitor_notifications
                .extend(monitors.into_iter().map(|monitor| (monitor, id)));
        }
        self.push("notificationList", &[self.notification_list()]);
        let mut answer = self.done("Saved", "Saved.");
        answer["id"] = json!(id);
        answer
    }

    pub(super) fn delete_notification(&mut self, id: &Json) -> Json {
        let Some(id) = id.as_u64().filter(|id| self.notifications.contains_key(id)) else {
            return refused("notification not found");
        };
        self.notifications.remove(&id);
        self.monitor_notifications
            .retain(|(_, notification)| *notification != id);
        self.push("notificationList", &[self.notification_list()]);
        self.done("Deleted", "successDeleted")
    }

    pub(super) fn notification_list(&self) -> Json {
        json!(self.notifications.values().collect::<Vec<_>>())
    }

    pub(super) fn add_docker_host(&mut self, host: &Json, id: &Json) -> Json {
        let id = match id.as_u64() {
            Some(id) if !self.docker_hosts.contains_key(&id) => {
                return refused("docker host not found");
            }
            Some(id) => id,
            None => self.next("docker_host"),
        };
        let row = json!({
            "id": id, "userID": 1, "name": host["name"], "dockerType": host["dockerType"],
            "dockerDaemon": host["dockerDaemon"],
        });
        self.docker_hosts.insert(id, row);
        self.push("dockerHostList", &[self.docker_host_list()]);
        let mut answer = self.done("Saved", "Saved.");
        answer["id"] = json!(id);
        answer
    }

    pub(super) fn delete_docker_host(&mut self, id: &Json) -> Json {
        let Some(id) = id.as_u64().filter(|id| self.docker_hosts.contains_key(id)) else {
            return refused("docker host not found");
        };
        self.docker_hosts.remove(&id);
        for row in self.monitors.values_mut() {
            if row.get("docker_host").and_then(Json::as_u64) == Some(id) {
                row.insert("docker_host".to_owned(), Json::Null);
            }
        }
        self.push("dockerHostList", &[self.docker_host_list()]);
        self.done("Deleted", "successDeleted")
    }

    pub(super) fn docker_host_list(&self) -> Json {
        json!(self.docker_hosts.values().collect::<Vec<_>>())
    }
}

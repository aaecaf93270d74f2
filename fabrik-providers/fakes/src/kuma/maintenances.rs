//! Maintenances, and what they cover.

use serde_json::{Map, Value as Json, json};

use super::events::{Answer, only, refused};
use super::state::State;

impl State {
    /// What both versions keep of what is sent.
    fn maintenance_row(id: u64, given: &Json) -> Result<Map<String, Json>, String> {
        let range = |key: &str, at: usize| given[key].get(at).cloned().unwrap_or(Json::Null);
        if !given["dateRange"].is_array() {
            return Err("Cannot read properties of undefined (reading '0')".to_owned());
        }
        let strategy = given["strategy"].as_str().unwrap_or_default();
        let is_recurring = strategy.starts_with("recurring-");
        if is_recurring && !given["timeRange"].is_array() {
            return Err("Cannot read properties of undefined (reading '0')".to_owned());
        }
        let cron = given["cron"].as_str().unwrap_or_default();
        if strategy == "cron" && cron.split_whitespace().count() != 5 {
            return Err("Invalid cron expression".to_owned());
        }
        let mut dates = vec![range("dateRange", 0)];
        let end = range("dateRange", 1);
        if !end.is_null() {
            dates.push(end);
        }
        let zone = given["timezoneOption"].as_str().unwrap_or("UTC");
        let times = json!([{"hours": 0, "minutes": 0}, {"hours": 0, "minutes": 0}]);
        let mut days: Vec<Json> = given["weekdays"].as_array().cloned().unwrap_or_default();
        days.sort_by_key(Json::as_u64);
        let active = given["active"].as_bool().unwrap_or_default();
        let status = match (active, strategy) {
            (false, _) => "inactive",
            (true, "manual") => "under-maintenance",
            _ => "scheduled",
        };
        let row = json!({
            "id": id, "title": given["title"], "description": given["description"],
            "strategy": strategy, "intervalDay": given["intervalDay"], "active": active,
            "dateRange": dates,
            "timeRange": if is_recurring { given["timeRange"].clone() } else { times },
            "weekdays": if is_recurring { json!(days) } else { json!([]) },
            "daysOfMonth": if is_recurring { given["daysOfMonth"].clone() } else { json!([]) },
            "timeslotList": [],
            // Also recurring ones run by a cron expression that the server makes.
            "cron": if strategy == "cron" { cron } else if is_recurring { "0 2 * * *" } else { "" },
            "durationMinutes": if strategy == "cron" { given["durationMinutes"].clone() }
                else if is_recurring { json!(60) } else { Json::Null },
            "timezone": zone, "timezoneOption": zone, "timezoneOffset": "+00:00", "status": status,
        });
        match row {
            Json::Object(row) => Ok(row),
            _ => Ok(Map::new()),
        }
    }

    pub(super) fn add_maintenance(&mut self, given: &Json) -> Json {
        let row = match State::maintenance_row(0, given) {
            Ok(row) => row,
            Err(reason) => return refused(reason),
        };
        let id = self.next("maintenance");
        self.maintenances.insert(id, row);
        if let Some(row) = self.maintenances.get_mut(&id) {
            row.insert("id".to_owned(), json!(id));
        }
        self.push("maintenanceList", &[self.maintenance_list()]);
        let mut answer = self.done("Added Successfully.", "successAdded");
        answer["maintenanceID"] = json!(id);
        answer
    }

    pub(super) fn edit_maintenance(&mut self, given: &Json) -> Json {
        let Some(id) = given["id"]
            .as_u64()
            .filter(|id| self.maintenances.contains_key(id))
        else {
            return refused("Cannot read properties of undefined (reading 'user_id')");
        };
        match State::maintenance_row(id, given) {
            Ok(row) => self.maintenances.insert(id, row),
            Err(reason) => return refused(reason),
        };
        self.push("maintenanceList", &[self.maintenance_list()]);
        let mut answer = self.done("Saved.", "Saved.");
        answer["maintenanceID"] = json!(id);
        answer
    }

    pub(super) fn get_maintenance(&self, id: &Json) -> Json {
        match id.as_u64().and_then(|id| self.maintenances.get(&id)) {
            Some(row) => json!({"ok": true, "maintenance": row}),
            None => refused("Cannot read properties of null (reading 'toJSON')"),
        }
    }

    /// Links are made anew, one after another: what came before a bad one stays.
    pub(super) fn link_monitors(&mut self, id: &Json, monitors: &Json) -> Json {
        let Some(id) = id.as_u64() else {
            return refused("Cannot read properties of undefined");
        };
        self.monitor_maintenances
            .retain(|(maintenance, _)| *maintenance != id);
        for monitor in monitors.as_array().into_iter().flatten() {
            let known = monitor["id"]
                .as_u64()
                .filter(|id| self.monitors.contains_key(id));
            let Some(monitor) = known.filter(|_| self.maintenances.contains_key(&id)) else {
                return refused(format!(
                    "insert into `monitor_maintenance` (`maintenance_id`, `monitor_id`) values ({id}, {}) - SQLITE_CONSTRAINT: FOREIGN KEY constraint failed",
                    monitor["id"]
                ));
            };
            self.monitor_maintenances.insert((id, monitor));
        }
        self.done("Added Successfully.", "successAdded")
    }

    pub(super) fn linked_monitors(&self, id: &Json) -> Json {
        let id = id.as_u64();
        let linked = self.monitor_maintenances.iter();
        let monitors = linked
            .filter(|(maintenance, _)| Some(*maintenance) == id)
            .map(|(_, monitor)| json!({"id": monitor, "name": self.monitors.get(monitor).map(|row| &row["name"])}));
        json!({"ok": true, "monitors": monitors.collect::<Vec<_>>()})
    }

    pub(super) fn link_pages(&mut self, id: &Json, pages: &Json) -> Json {
        let Some(id) = id.as_u64() else {
            return refused("Cannot read properties of undefined");
        };
        self.maintenance_pages
            .retain(|(maintenance, _)| *maintenance != id);
        for page in pages.as_array().into_iter().flatten() {
            let known = page["id"].as_u64().filter(|id| self.pages.contains_key(id));
            let Some(page) = known.filter(|_| self.maintenances.contains_key(&id)) else {
                return refused(format!(
                    "insert into `maintenance_status_page` (`maintenance_id`, `status_page_id`) values ({id}, {}) - SQLITE_CONSTRAINT: FOREIGN KEY constraint failed",
                    page["id"]
                ));
            };
            self.maintenance_pages.insert((id, page));
        }
        self.done("Added Successfully.", "successAdded")
    }

    pub(super) fn linked_pages(&self, id: &Json) -> Json {
        let id = id.as_u64();
        let linked = self.maintenance_pages.iter();
        let pages = linked
            .filter(|(maintenance, _)| Some(*maintenance) == id)
            .map(|(_, page)| json!({"id": page, "title": self.pages.get(page).map(|row| &row["title"])}));
        json!({"ok": true, "statusPages": pages.collect::<Vec<_>>()})
    }

    pub(super) fn pause_maintenance(&mut self, id: &Json, active: bool) -> Answer {
        let Some(row) = id.as_u64().and_then(|id| self.maintenances.get_mut(&id)) else {
            return only(refused("Maintenance not found"));
        };
        row.insert("active".to_owned(), json!(active));
        let status = match (active, row["strategy"] == "manual") {
            (false, _) => "inactive",
            (true, true) => "under-maintenance",
            (true, false) => "scheduled",
        };
        row.insert("status".to_owned(), json!(status));
        let answer = if active {
            self.done("Resume Successfully", "successResumed")
        } else {
            self.done("Paused Successfully.", "successPaused")
        };
        (
            answer,
            vec![("maintenanceList".to_owned(), vec![self.maintenance_list()])],
        )
    }

    pub(super) fn delete_maintenance(&mut self, id: &Json) -> Answer {
        if let Some(id) = id.as_u64() {
            self.maintenances.remove(&id);
            self.monitor_maintenances
                .retain(|(maintenance, _)| *maintenance != id);
            self.maintenance_pages
                .retain(|(maintenance, _)| *maintenance != id);
        }
        let answer = self.done("Deleted Successfully.", "successDeleted");
        (
            answer,
            vec![("maintenanceList".to_owned(), vec![self.maintenance_list()])],
        )
    }

    pub(super) fn maintenance_list(&self) -> Json {
        let rows = self.maintenances.iter();
        Json::Object(rows.map(|(id, row)| (id.to_string(), json!(row))).collect())
    }

    pub(super) fn maintenance_dump(&self) -> Json {
        let rows = self.maintenances.iter().map(|(id, row)| {
            let mut row = json!(row);
            row["monitors"] = self.linked_monitors(&json!(id))["monitors"].clone();
            row["statusPages"] = self.linked_pages(&json!(id))["statusPages"].clone();
            row
        });
        json!(rows.collect::<Vec<_>>())
    }
}

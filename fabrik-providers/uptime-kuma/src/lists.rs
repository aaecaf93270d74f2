//! What the server tells by itself: its greeting, and lists of what it has.
//!
//! After a login it sends every list, and again (v1), or what changed of it (v2), on each change,
//! also of others. Some lists can be asked for; those of notifications and docker hosts cannot.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// What was told so far on one connection.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// The server said hello.
    pub(crate) greeted: bool,
    /// It has no user yet.
    pub(crate) setup: bool,
    /// It wants a login. Version 1 does not say so.
    pub(crate) login_required: bool,
    /// It wants no login: authentication is switched off.
    pub(crate) auto_login: bool,
    /// Its release, told after the login.
    pub(crate) version: Option<String>,
    /// Monitors by id.
    pub(crate) monitors: Option<BTreeMap<u64, Json>>,
    /// How often the whole list of monitors came.
    pub(crate) monitor_lists: u64,
    /// Maintenances by id.
    pub(crate) maintenances: Option<BTreeMap<u64, Json>>,
    /// How often the list of maintenances came.
    pub(crate) maintenance_lists: u64,
    /// Notifications.
    pub(crate) notifications: Option<Vec<Json>>,
    /// Docker hosts.
    pub(crate) docker_hosts: Option<Vec<Json>>,
    /// Status pages, slugs by id. It comes once, after the login: what is made later is missing.
    pub(crate) pages: Option<BTreeMap<u64, String>>,
}

impl Lists {
    /// Whether everything came that comes after a login.
    pub(crate) fn complete(&self) -> bool {
        self.version.is_some()
            && self.monitors.is_some()
            && self.maintenances.is_some()
            && self.notifications.is_some()
            && self.docker_hosts.is_some()
            && self.pages.is_some()
    }

    /// Takes in an event; whether it was one of these.
    pub(crate) fn take(&mut self, name: &str, args: Vec<Json>) -> bool {
        let first = args.into_iter().next().unwrap_or(Json::Null);
        match name {
            "info" => {
                self.greeted = true;
                if let Some(version) = first.get("version").and_then(Json::as_str) {
                    self.version = Some(version.to_owned());
                }
            }
            "setup" => self.setup = true,
            "loginRequired" => self.login_required = true,
            "autoLogin" => self.auto_login = true,
            "monitorList" => {
                self.monitors = Some(by_id(first));
                self.monitor_lists += 1;
            }
            "updateMonitorIntoList" => {
                if let Some(monitors) = &mut self.monitors {
                    monitors.extend(by_id(first));
                }
            }
            "deleteMonitorFromList" => {
                if let (Some(monitors), Some(id)) = (&mut self.monitors, first.as_u64()) {
                    monitors.remove(&id);
                }
            }
            "maintenanceList" => {
                self.maintenances = Some(by_id(first));
                self.maintenance_lists += 1;
            }
            "notificationList" => self.notifications = Some(items(first)),
            "dockerHostList" => self.docker_hosts = Some(items(first)),
            "statusPageList" => {
                let pages = by_id(first);
                self.pages = Some(
                    pages
                        .into_iter()
                        .filter_map(|(id, page)| Some((id, page.get("slug")?.as_str()?.to_owned())))
                        .collect(),
                );
            }
            _ => return false,
        }
        true
    }
}

fn by_id(list: Json) -> BTreeMap<u64, Json> {
    let Json::Object(map) = list else {
        return BTreeMap::new();
    };
    map.into_iter()
        .filter_map(|(id, item)| Some((id.parse().ok()?, item)))
        .collect()
}

fn items(list: Json) -> Vec<Json> {
    match list {
        Json::Array(items) => items,
        _ => Vec::new(),
    }
}

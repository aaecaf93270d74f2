//! Which event does what.

use serde_json::{Value as Json, json};

use super::state::{Event, State};

/// An event's answer, and what is told to everybody after it.
pub(super) type Answer = (Json, Vec<Event>);

/// An answer after which nothing is told.
pub(super) fn only(answer: Json) -> Answer {
    (answer, Vec::new())
}

/// `{ok: false, msg}`, as an exception becomes it.
pub(super) fn refused(text: impl Into<String>) -> Json {
    json!({"ok": false, "msg": text.into()})
}

impl State {
    /// `{ok: true, msg}`: English in version 1, the key of a translation in version 2.
    pub(super) fn done(&self, v1: &str, v2: &str) -> Json {
        if self.is_v1() {
            json!({"ok": true, "msg": v1})
        } else {
            json!({"ok": true, "msg": v2, "msgi18n": true})
        }
    }

    /// A refusal that version 2 translates.
    pub(super) fn refused_as(&self, v1: &str, v2: &str) -> Json {
        if self.is_v1() {
            refused(v1)
        } else {
            json!({"ok": false, "msg": v2, "msgi18n": true})
        }
    }

    /// Carries an event out. Without a socket it is somebody else's who is logged in.
    pub(super) fn handle(&mut self, socket: Option<u64>, event: &str, args: &[Json]) -> Answer {
        let null = Json::Null;
        let arg = |at: usize| args.get(at).unwrap_or(&null);
        match event {
            "needSetup" => return only(json!(self.user.is_none())),
            "setup" => return only(self.setup(arg(0), arg(1))),
            "login" => return only(self.login(socket, arg(0))),
            "loginByToken" => return only(self.login_by_token(socket, arg(0))),
            _ => {}
        }
        let logged_in = socket.is_none_or(|socket| {
            self.sockets
                .get(&socket)
                .is_some_and(|socket| socket.logged_in)
        });
        if !logged_in {
            return only(refused("You are not logged in."));
        }
        match event {
            "add" => only(self.add_monitor(arg(0))),
            "editMonitor" => only(self.edit_monitor(arg(0))),
            "getMonitor" => only(self.get_monitor(arg(0))),
            "getMonitorList" => {
                self.push("monitorList", &[self.monitor_list()]);
                only(json!({"ok": true}))
            }
            "pauseMonitor" => only(self.pause_monitor(arg(0), false)),
            "resumeMonitor" => only(self.pause_monitor(arg(0), true)),
            "deleteMonitor" => self.delete_monitor(arg(0), arg(1)),
            "getTags" => only(json!({"ok": true, "tags": self.tags.values().collect::<Vec<_>>()})),
            "addTag" => only(self.add_tag(arg(0))),
            "editTag" => only(self.edit_tag(arg(0))),
            "deleteTag" => only(self.delete_tag(arg(0))),
            "addMonitorTag" => only(self.add_monitor_tag(arg(0), arg(1), arg(2))),
            "deleteMonitorTag" => only(self.delete_monitor_tag(arg(0), arg(1), arg(2))),
            "addNotification" => only(self.add_notification(arg(0), arg(1))),
            "deleteNotification" => only(self.delete_notification(arg(0))),
            "addDockerHost" => only(self.add_docker_host(arg(0), arg(1))),
            "deleteDockerHost" => only(self.delete_docker_host(arg(0))),
            "addStatusPage" => only(self.add_page(arg(0), arg(1))),
            "getStatusPage" => only(self.get_page(arg(0))),
            "saveStatusPage" => only(self.save_page(arg(0), arg(1), arg(2), arg(3))),
            "deleteStatusPage" => only(self.delete_page(arg(0))),
            "postIncident" => only(self.post_incident(arg(0), arg(1))),
            "unpinIncident" => only(json!({"ok": true})),
            "addAPIKey" => only(self.add_api_key(arg(0))),
            "addMaintenance" => only(self.add_maintenance(arg(0))),
            "editMaintenance" => only(self.edit_maintenance(arg(0))),
            "getMaintenance" => only(self.get_maintenance(arg(0))),
            "getMaintenanceList" => {
                self.push("maintenanceList", &[self.maintenance_list()]);
                only(json!({"ok": true}))
            }
            "addMonitorMaintenance" => only(self.link_monitors(arg(0), arg(1))),
            "getMonitorMaintenance" => only(self.linked_monitors(arg(0))),
            "addMaintenanceStatusPage" => only(self.link_pages(arg(0), arg(1))),
            "getMaintenanceStatusPage" => only(self.linked_pages(arg(0))),
            "pauseMaintenance" => self.pause_maintenance(arg(0), false),
            "resumeMaintenance" => self.pause_maintenance(arg(0), true),
            "deleteMaintenance" => self.delete_maintenance(arg(0)),
            // The real server does not answer what it does not know.
            _ => only(Json::Null),
        }
    }
}

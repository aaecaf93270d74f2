//! Greeting, users and logins.

use serde_json::{Value as Json, json};

use super::events::refused;
use super::state::State;

/// Logins within a minute, of everybody together. (The minute does not pass here.)
const LIMIT: usize = 20;

impl State {
    /// What a new connection is told.
    pub(super) fn greet(&mut self, socket: u64) {
        let info = json!({
            "primaryBaseURL": null, "serverTimezone": "UTC", "serverTimezoneOffset": "+00:00",
        });
        let needs_setup = self.user.is_none();
        if self.is_v1() {
            // The order differs, and nothing says that a login is wanted.
            if needs_setup {
                self.tell(socket, "setup", &[]);
            }
            self.tell(socket, "info", &[info]);
        } else {
            self.tell(socket, "info", &[info]);
            if needs_setup {
                self.tell(socket, "setup", &[]);
            }
            if self.auth {
                self.tell(socket, "loginRequired", &[]);
            }
        }
        if !self.auth {
            self.log_in(socket);
            self.tell_rest();
            self.tell(socket, "autoLogin", &[]);
        }
    }

    fn log_in(&mut self, socket: u64) {
        if let Some(socket) = self.sockets.get_mut(&socket) {
            socket.logged_in = true;
        }
        let mut info = json!({
            "version": self.version, "latestVersion": null, "isContainer": false,
            "primaryBaseURL": null, "serverTimezone": "UTC", "serverTimezoneOffset": "+00:00",
        });
        if !self.is_v1() {
            info["dbType"] = json!("sqlite");
            info["runtime"] = json!({"platform": "linux", "arch": "x64"});
        }
        let mut lists = vec![("monitorList", vec![self.monitor_list()])];
        if !self.is_v1() {
            let types = json!({"dns": {"supportsConditions": true, "conditionVariables": [
                {"id": "record", "operators": [{"id": "equals", "caption": "equals"}]},
            ]}});
            lists.push(("monitorTypeList", vec![types]));
        }
        lists.extend([
            ("maintenanceList", vec![self.maintenance_list()]),
            ("info", vec![info]),
            ("notificationList", vec![self.notification_list()]),
            ("proxyList", vec![json!([])]),
            ("dockerHostList", vec![self.docker_host_list()]),
            ("apiKeyList", vec![json!(self.api_keys)]),
        ]);
        if !self.is_v1() {
            lists.push(("remoteBrowserList", vec![json!([])]));
        }
        lists.push(("statusPageList", vec![self.page_list()]));
        lists.push(("initServerTimezone", Vec::new()));
        for (name, args) in lists {
            // Version 1 answers the login first.
            if self.is_v1() {
                self.tell_after(socket, name, args);
            } else {
                self.tell(socket, name, &args);
            }
        }
    }

    pub(super) fn setup(&mut self, name: &Json, password: &Json) -> Json {
        let (name, password) = (
            name.as_str().unwrap_or_default(),
            password.as_str().unwrap_or_default(),
        );
        let is_strong = password.len() >= 6
            && password.chars().any(char::is_alphabetic)
            && password.chars().any(|c| c.is_ascii_digit());
        if !is_strong {
            return self.refused_as(
                "Password is too weak. It should contain alphabetic and numeric characters. It must be at least 6 characters in length.",
                "passwordTooWeak",
            );
        }
        if self.user.is_some() {
            return refused(
                "Uptime Kuma has been initialized. If you want to run setup again, please delete the database.",
            );
        }
        self.user = Some((name.to_owned(), password.to_owned()));
        self.done("Added Successfully.", "successAdded")
    }

    pub(super) fn login(&mut self, socket: Option<u64>, who: &Json) -> Json {
        if self.logins >= LIMIT {
            return refused("Too frequently, try again later.");
        }
        self.logins += 1;
        let text = |key: &str| who.get(key).and_then(Json::as_str).unwrap_or_default();
        let user = (text("username").to_owned(), text("password").to_owned());
        if self.user.as_ref() != Some(&user) {
            return self.refused_as("Incorrect username or password.", "authIncorrectCreds");
        }
        if let Some(codes) = &mut self.codes {
            if text("token").is_empty() {
                return json!({"tokenRequired": true});
            }
            let Some(at) = codes.iter().position(|code| code == text("token")) else {
                return self.refused_as("Invalid Token.", "authInvalidToken");
            };
            codes.remove(at);
        }
        if let Some(socket) = socket {
            self.log_in(socket);
        }
        json!({"ok": true, "token": self.token()})
    }

    /// It has no expiry, but holds a hash of the password.
    fn token(&self) -> String {
        let hash = self
            .user
            .iter()
            .flat_map(|(_, password)| password.bytes())
            .fold(7_u64, |hash, byte| {
                hash.wrapping_mul(31).wrapping_add(u64::from(byte))
            });
        format!("JWT.{hash:x}.TOKEN")
    }

    pub(super) fn login_by_token(&mut self, socket: Option<u64>, token: &Json) -> Json {
        if token.as_str() != Some(&self.token()) {
            return self.refused_as("Invalid token.", "authInvalidToken");
        }
        if let Some(socket) = socket {
            self.log_in(socket);
        }
        json!({"ok": true})
    }

    pub(super) fn add_api_key(&mut self, key: &Json) -> Json {
        let id = self.next("api_key");
        self.api_keys.push(json!({
            "id": id, "name": key["name"], "userID": 1, "createdDate": "2026-11-20 09:15:28",
            "active": key["active"], "expires": key["expires"], "status": "active",
        }));
        self.push("apiKeyList", &[json!(self.api_keys)]);
        let mut answer = self.done("Added Successfully.", "successAdded");
        answer["key"] = json!(format!("uk{id}_made-up"));
        answer["keyID"] = json!(id);
        answer
    }
}

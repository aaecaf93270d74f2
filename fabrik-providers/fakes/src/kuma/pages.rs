//! Status pages: their settings over the socket, their groups only in public.

use serde_json::{Map, Value as Json, json};

use super::events::refused;
use super::state::{Group, State};

fn is_slug(slug: &str) -> bool {
    !slug.is_empty()
        && slug
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl State {
    fn page_of(&self, slug: &str) -> Option<u64> {
        let found = self.pages.iter().find(|(_, page)| page["slug"] == slug)?;
        Some(*found.0)
    }

    pub(super) fn add_page(&mut self, title: &Json, slug: &Json) -> Json {
        let title = title.as_str().unwrap_or_default().trim();
        let slug = slug.as_str().unwrap_or_default().trim().to_lowercase();
        if title.is_empty() || slug.is_empty() {
            return refused("Please input all fields");
        }
        if !is_slug(&slug) {
            return refused("Invalid Slug");
        }
        if self.page_of(&slug).is_some() {
            let columns = if self.is_v1() {
                ""
            } else {
                "`auto_refresh_interval`, "
            };
            let value = if self.is_v1() { "" } else { "300, " };
            return refused(format!(
                "insert into `status_page` ({columns}`icon`, `slug`, `theme`, `title`) values ({value}'', '{slug}', 'auto', '{title}') - SQLITE_CONSTRAINT: UNIQUE constraint failed: status_page.slug"
            ));
        }
        let id = self.next("status_page");
        let mut page = json!({
            "id": id, "slug": slug, "title": title, "description": null, "icon": "/icon.svg",
            "theme": "auto", "published": true, "showTags": false, "domainNameList": [],
            "customCSS": null, "footerText": null, "showPoweredBy": true,
            "showCertificateExpiry": false,
        });
        if self.is_v1() {
            page["googleAnalyticsId"] = Json::Null;
        } else {
            page["autoRefreshInterval"] = json!(300);
            page["showOnlyLastHeartbeat"] = json!(false);
            for key in [
                "analyticsId",
                "analyticsScriptUrl",
                "analyticsType",
                "rssTitle",
            ] {
                page[key] = Json::Null;
            }
        }
        if let Json::Object(page) = page {
            self.pages.insert(id, page);
        }
        if self.is_v1() {
            // It says no more than that.
            return json!({"ok": true, "msg": "OK!"});
        }
        let mut answer = self.done("", "successAdded");
        answer["slug"] = json!(slug);
        answer
    }

    pub(super) fn get_page(&self, slug: &Json) -> Json {
        match self.page_of(slug.as_str().unwrap_or_default()) {
            Some(id) => json!({"ok": true, "config": self.pages[&id]}),
            None => refused("No slug?"),
        }
    }

    pub(super) fn save_page(
        &mut self,
        slug: &Json,
        config: &Json,
        image: &Json,
        groups: &Json,
    ) -> Json {
        let Some(id) = self.page_of(slug.as_str().unwrap_or_default()) else {
            return refused("No slug?");
        };
        let new = config["slug"].as_str().unwrap_or_default();
        if !is_slug(new) {
            return refused("Invalid Slug");
        }
        let Some(image) = image.as_str() else {
            return refused("Cannot read properties of null (reading 'startsWith')");
        };
        if image.starts_with("data:") && !image.starts_with("data:image/png;base64,") {
            return refused("Only allowed PNG logo.");
        }
        let kinds = ["google", "umami", "plausible", "matomo", "rybbit"];
        let kind = config.get("analyticsType");
        let is_known = |kind: &Json| kind.as_str().is_some_and(|kind| kinds.contains(&kind));
        if !self.is_v1() && !kind.is_some_and(|kind| kind.is_null() || is_known(kind)) {
            return refused("Invalid analytics type");
        }
        // A full replace: what is missing becomes NULL. Whether it is published stays.
        let empty = Map::new();
        let given = config.as_object().unwrap_or(&empty);
        let is_icon = !image.starts_with("data:");
        let icon = if is_icon {
            image.to_owned()
        } else {
            format!("/upload/logo{id}.png?t=1")
        };
        if let Some(page) = self.pages.get_mut(&id) {
            let keys: Vec<String> = page.keys().cloned().collect();
            for key in keys {
                if !matches!(key.as_str(), "id" | "published" | "icon") {
                    page.insert(key.clone(), given.get(&key).cloned().unwrap_or(Json::Null));
                }
            }
            page.insert("icon".to_owned(), json!(icon));
        }
        let mut listed = Vec::new();
        let mut answered = Vec::new();
        for group in groups.as_array().into_iter().flatten() {
            let group_id = match group["id"].as_u64() {
                Some(known)
                    if self
                        .groups
                        .iter()
                        .any(|group| group.id == known && group.page == id) =>
                {
                    known
                }
                Some(_) => {
                    return refused("Cannot set properties of null (setting 'status_page_id')");
                }
                None => self.next("group"),
            };
            let mut monitors = Vec::new();
            for (at, monitor) in group["monitorList"]
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
            {
                let known = monitor["id"]
                    .as_u64()
                    .filter(|id| self.monitors.contains_key(id));
                let Some(known) = known else {
                    return refused(format!(
                        "insert into `monitor_group` (`group_id`, `monitor_id`, `weight`) values ({group_id}, {}, {}) - SQLITE_CONSTRAINT: FOREIGN KEY constraint failed",
                        monitor["id"],
                        at + 1
                    ));
                };
                let send_url = monitor["sendUrl"].as_bool().unwrap_or_default();
                monitors.push((known, send_url, monitor["url"].as_str().map(str::to_owned)));
            }
            let name = group["name"].as_str().unwrap_or_default().to_owned();
            listed.push(Group {
                id: group_id,
                page: id,
                name,
                monitors,
            });
            let mut group = group.clone();
            group["id"] = json!(group_id);
            answered.push(group);
        }
        self.groups.retain(|group| group.page != id);
        self.groups.extend(listed);
        self.page_cache.clear();
        json!({"ok": true, "publicGroupList": answered})
    }

    pub(super) fn delete_page(&mut self, slug: &Json) -> Json {
        let Some(id) = self.page_of(slug.as_str().unwrap_or_default()) else {
            return refused("Status Page is not found");
        };
        self.pages.remove(&id);
        self.groups.retain(|group| group.page != id);
        self.maintenance_pages.retain(|(_, page)| *page != id);
        self.page_cache.clear();
        json!({"ok": true})
    }

    pub(super) fn post_incident(&mut self, slug: &Json, incident: &Json) -> Json {
        let Some(page) = self.page_of(slug.as_str().unwrap_or_default()) else {
            return refused("slug is not found");
        };
        self.incidents += 1;
        let mut made = json!({
            "id": self.incidents, "style": incident["style"], "title": incident["title"],
            "content": incident["content"], "pin": true, "createdDate": "2026-11-20 09:15:28",
        });
        if !self.is_v1() {
            made["active"] = json!(true);
            made["status_page_id"] = json!(page);
        }
        json!({"ok": true, "incident": made})
    }

    /// Pages by id. It is sent after a login, and never again.
    pub(super) fn page_list(&self) -> Json {
        let pages = self.pages.iter();
        Json::Object(
            pages
                .map(|(id, page)| (id.to_string(), json!(page)))
                .collect(),
        )
    }

    pub(super) fn page_dump(&self) -> Json {
        let pages = self.pages.iter().map(|(id, page)| {
            let mut page = json!(page);
            page["groups"] = self.public_groups(*id);
            page
        });
        json!(pages.collect::<Vec<_>>())
    }

    fn public_groups(&self, page: u64) -> Json {
        let groups = self.groups.iter().filter(|group| group.page == page);
        let shown = groups.enumerate().map(|(at, group)| {
            let monitors = group.monitors.iter().filter_map(|(id, send_url, url)| {
                let row = self.monitors.get(id)?;
                let mut shown = json!({
                    "id": id, "name": row["name"], "sendUrl": send_url, "type": row["type"],
                });
                if *send_url {
                    let own = url.as_ref().filter(|_| !self.is_v1()).map(|url| json!(url));
                    shown["url"] = own.unwrap_or_else(|| row["url"].clone());
                }
                Some(shown)
            });
            json!({
                "id": group.id, "name": group.name, "weight": at + 1,
                "monitorList": monitors.collect::<Vec<_>>(),
            })
        });
        json!(shown.collect::<Vec<_>>())
    }

    /// What is answered over HTTP: status, content type, body.
    pub(super) fn http(&mut self, path: &str) -> (&'static str, &'static str, String) {
        let (bare, _) = path.split_once('?').unwrap_or((path, ""));
        self.log.push(format!("GET {bare}"));
        let Some(slug) = bare.strip_prefix("/api/status-page/") else {
            // Every other address is the web interface.
            return (
                "200 OK",
                "text/html",
                "<!doctype html><title>Uptime Kuma</title>".to_owned(),
            );
        };
        if let Some(kept) = self.page_cache.get(path) {
            return ("200 OK", "application/json", kept.to_string());
        }
        let Some(id) = self.page_of(&slug.to_lowercase()) else {
            let body = json!({"status": "fail", "msg": "Status Page Not Found"});
            return ("404 Not Found", "application/json", body.to_string());
        };
        let page = json!({
            "config": self.pages[&id], "incident": null, "maintenanceList": [],
            "publicGroupList": self.public_groups(id),
        });
        self.page_cache.insert(path.to_owned(), page.clone());
        ("200 OK", "application/json", page.to_string())
    }
}

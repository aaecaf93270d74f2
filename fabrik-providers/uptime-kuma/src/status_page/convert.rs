//! From inputs to what Uptime Kuma takes, and back.

use fabrik_core::provider::Finding;
use fabrik_core::value::Value;
use serde_json::{Map, Value as Json, json};

use super::spec::{Analytics, Group, GroupMonitor, StatusPageInputs};
use crate::values::{Id, Seconds, is_set, stop};
use crate::version::Version;

/// Fields that came with release 2.
const SINCE_2: &[&str] = &[
    "auto_refresh_interval",
    "rss_title",
    "show_only_last_heartbeat",
];

/// What would be refused, or do nothing.
pub(super) fn findings(desired: &Value, version: Version) -> Vec<Finding> {
    let mut findings = Vec::new();
    if version.is_1() {
        for field in SINCE_2 {
            if is_set(desired, field) {
                findings.push(stop(
                    field,
                    format!("`{field}` needs Uptime Kuma 2.0.0, and the server is {version}"),
                    "take it out, or update Uptime Kuma",
                ));
            }
        }
        let service = desired.get("analytics").and_then(|it| it.get("type"));
        if let Some(service) = service.and_then(Value::as_str).filter(|it| *it != "google") {
            findings.push(stop(
                "analytics.type",
                format!("Uptime Kuma {version} knows no analytics by `{service}`"),
                "use `google`, or update Uptime Kuma",
            ));
        }
    }
    let icon = desired.get("icon").and_then(Value::as_str);
    if icon.is_some_and(|icon| {
        icon.starts_with("data:") && !icon.starts_with("data:image/png;base64,")
    }) {
        findings.push(stop(
            "icon",
            "an icon in the spec must be a PNG",
            "write `data:image/png;base64,…`, or the path or URL of an image",
        ));
    }
    findings
}

/// Writes what is wanted over the page's settings as they are. What was set before and is no longer
/// goes back to what is usual; what Fabrik never set stays.
pub(super) fn set(
    spec: &StatusPageInputs,
    prior: Option<&StatusPageInputs>,
    version: Version,
    there: &mut Map<String, Json>,
) {
    let had = |is_set: &dyn Fn(&StatusPageInputs) -> bool| prior.is_some_and(is_set);
    let mut put = |key: &str, wanted: Option<Json>, had: bool, usual: Json| {
        if let Some(value) = wanted.or(had.then_some(usual)) {
            there.insert(key.to_owned(), value);
        }
    };
    let null = Json::Null;
    let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
    let flag = |flag: Option<bool>| flag.map(|flag| json!(flag));
    put("slug", Some(json!(spec.slug)), false, null.clone());
    put("title", Some(json!(spec.title)), false, null.clone());
    put(
        "description",
        text(&spec.description),
        had(&|it| it.description.is_some()),
        null.clone(),
    );
    put(
        "theme",
        spec.theme.map(|theme| json!(theme)),
        had(&|it| it.theme.is_some()),
        json!("auto"),
    );
    put(
        "icon",
        text(&spec.icon),
        had(&|it| it.icon.is_some()),
        json!("/icon.svg"),
    );
    put(
        "footerText",
        text(&spec.footer_text),
        had(&|it| it.footer_text.is_some()),
        null.clone(),
    );
    put(
        "customCSS",
        text(&spec.custom_css),
        had(&|it| it.custom_css.is_some()),
        null.clone(),
    );
    put(
        "showPoweredBy",
        flag(spec.show_powered_by),
        had(&|it| it.show_powered_by.is_some()),
        json!(true),
    );
    put(
        "showTags",
        flag(spec.show_tags),
        had(&|it| it.show_tags.is_some()),
        json!(false),
    );
    put(
        "showCertificateExpiry",
        flag(spec.show_certificate_expiry),
        had(&|it| it.show_certificate_expiry.is_some()),
        json!(false),
    );
    let domains = spec.domain_names.as_ref().map(|names| json!(names));
    put(
        "domainNameList",
        domains,
        had(&|it| it.domain_names.is_some()),
        json!([]),
    );
    let analytics = spec.analytics.as_ref();
    let had_analytics = had(&|it| it.analytics.is_some());
    let id = analytics.map(|it| json!(it.id));
    if version.is_1() {
        put("googleAnalyticsId", id, had_analytics, null);
        return;
    }
    put("analyticsId", id, had_analytics, null.clone());
    put(
        "analyticsType",
        analytics.map(|it| json!(it.r#type)),
        had_analytics,
        null.clone(),
    );
    put(
        "analyticsScriptUrl",
        analytics.map(|it| json!(it.script_url)),
        had_analytics,
        null.clone(),
    );
    put(
        "showOnlyLastHeartbeat",
        flag(spec.show_only_last_heartbeat),
        had(&|it| it.show_only_last_heartbeat.is_some()),
        json!(false),
    );
    put(
        "autoRefreshInterval",
        spec.auto_refresh_interval.map(|it| json!(it.0)),
        had(&|it| it.auto_refresh_interval.is_some()),
        json!(300),
    );
    put(
        "rssTitle",
        text(&spec.rss_title),
        had(&|it| it.rss_title.is_some()),
        null,
    );
}

/// The groups to send: those wanted, or those that are there. Groups keep their ids by name, and
/// links that somebody set by hand are kept: `own_url` tells a monitor's own URL from one of these,
/// since a page shows either.
pub(super) fn groups(
    wanted: Option<&[Group]>,
    there: &[Json],
    own_url: &dyn Fn(u64) -> Option<String>,
) -> Json {
    let link = |monitor: u64| {
        let mut shown = there
            .iter()
            .flat_map(|group| group["monitorList"].as_array().into_iter().flatten());
        let shown = shown.find(|item| item["id"].as_u64() == Some(monitor))?;
        let url = shown["url"].as_str()?;
        (own_url(monitor).as_deref() != Some(url)).then(|| json!(url))
    };
    let entry = |monitor: u64, show_link: bool| {
        let mut entry = json!({"id": monitor, "sendUrl": show_link});
        if let Some(url) = link(monitor) {
            entry["url"] = url;
        }
        entry
    };
    let Some(wanted) = wanted else {
        let kept = there.iter().map(|group| {
            let monitors = group["monitorList"].as_array().into_iter().flatten();
            let monitors = monitors.filter_map(|item| {
                Some(entry(
                    item["id"].as_u64()?,
                    item["sendUrl"].as_bool().unwrap_or_default(),
                ))
            });
            let monitors: Vec<Json> = monitors.collect();
            json!({"id": group["id"], "name": group["name"], "monitorList": monitors})
        });
        return json!(kept.collect::<Vec<_>>());
    };
    let mut left: Vec<&Json> = there.iter().collect();
    let groups = wanted.iter().map(|group| {
        let monitors = group.monitors.iter();
        let monitors: Vec<Json> = monitors
            .map(|item| entry(item.monitor.0, item.show_link))
            .collect();
        let mut made = json!({"name": group.name, "monitorList": monitors});
        if let Some(at) = left
            .iter()
            .position(|there| there["name"] == group.name.as_str())
        {
            made["id"] = left.remove(at)["id"].clone();
        }
        made
    });
    json!(groups.collect::<Vec<_>>())
}

/// A page as Uptime Kuma shows it: settings over the socket, groups in public.
pub(super) fn observed(config: &Json, groups: &[Json]) -> Option<StatusPageInputs> {
    let text = |key: &str| {
        config[key]
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let flag = |key: &str| {
        let value = &config[key];
        value
            .as_bool()
            .or_else(|| value.as_u64().map(|number| number == 1))
    };
    let names = config["domainNameList"].as_array().into_iter().flatten();
    let names: Vec<String> = names
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect();
    let analytics = |id: String, kind: String| Analytics {
        r#type: kind,
        id,
        script_url: text("analyticsScriptUrl"),
    };
    let groups: Vec<Group> = groups.iter().map(group).collect();
    Some(StatusPageInputs {
        slug: text("slug")?,
        title: text("title")?,
        description: text("description"),
        theme: serde_json::from_value(config["theme"].clone()).ok(),
        icon: text("icon"),
        footer_text: text("footerText"),
        custom_css: text("customCSS"),
        show_powered_by: flag("showPoweredBy"),
        show_tags: flag("showTags"),
        show_certificate_expiry: flag("showCertificateExpiry"),
        show_only_last_heartbeat: flag("showOnlyLastHeartbeat"),
        auto_refresh_interval: config["autoRefreshInterval"].as_u64().map(Seconds),
        rss_title: text("rssTitle"),
        domain_names: Some(names).filter(|names| !names.is_empty()),
        analytics: match (
            text("googleAnalyticsId"),
            text("analyticsId"),
            text("analyticsType"),
        ) {
            (Some(id), ..) => Some(analytics(id, "google".to_owned())),
            (None, Some(id), Some(kind)) => Some(analytics(id, kind)),
            _ => None,
        },
        groups: Some(groups).filter(|groups| !groups.is_empty()),
    })
}

fn group(there: &Json) -> Group {
    let monitors = there["monitorList"].as_array().into_iter().flatten();
    Group {
        name: there["name"].as_str().unwrap_or_default().to_owned(),
        monitors: monitors
            .filter_map(|item| {
                Some(GroupMonitor {
                    monitor: Id(item["id"].as_u64()?),
                    show_link: item["sendUrl"].as_bool() == Some(true)
                        || item["sendUrl"].as_u64() == Some(1),
                })
            })
            .collect(),
    }
}

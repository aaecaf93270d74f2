//! From inputs to what Uptime Kuma takes, and back.

use fabrik_core::provider::Finding;
use fabrik_core::value::Value;
use serde_json::{Map, Value as Json, json};

use super::spec::{Day, MaintenanceInputs, TimeRange};
use crate::mark;
use crate::values::{Id, Seconds, is_set, seconds_of, stop};

/// What each strategy needs.
const NEEDED: &[(&str, &[&str])] = &[
    ("manual", &[]),
    ("single", &["start", "end"]),
    ("cron", &["cron", "duration"]),
    ("recurring-interval", &["every_days", "time_range"]),
    ("recurring-weekday", &["weekdays", "time_range"]),
    ("recurring-day-of-month", &["days_of_month", "time_range"]),
];

/// What would be refused, or do nothing.
pub(super) fn findings(desired: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(strategy) = desired.get("strategy").and_then(Value::as_str) else {
        return findings;
    };
    let needed = NEEDED.iter().find(|(name, _)| *name == strategy);
    let needed = needed.map_or(&[] as &[&str], |(_, fields)| fields);
    for field in needed {
        if !is_set(desired, field) {
            findings.push(stop(
                field,
                format!(
                    "`{field}` is missing: a maintenance with the strategy `{strategy}` needs it"
                ),
                format!("set `{field}`"),
            ));
        }
    }
    // Dates bound every strategy but the manual one.
    let others = [
        "cron",
        "duration",
        "every_days",
        "weekdays",
        "days_of_month",
        "time_range",
    ];
    let dates = ["start", "end"].iter().filter(|_| strategy == "manual");
    for field in others.iter().chain(dates) {
        if is_set(desired, field) && !needed.contains(field) {
            findings.push(stop(
                field,
                format!("a maintenance with the strategy `{strategy}` has no `{field}`"),
                "take it out, or choose another strategy",
            ));
        }
    }
    let seconds = desired.get("duration").and_then(seconds_of);
    if seconds.is_some_and(|seconds| seconds % 60 != 0 || seconds == 0) {
        findings.push(stop(
            "duration",
            "`duration` must be in whole minutes",
            "write it as `90m`",
        ));
    }
    findings
}

/// Writes what is wanted over what is there (nothing, for a new one). What was set before and is no
/// longer goes back to what is usual; what Fabrik never set stays.
pub(super) fn set(
    spec: &MaintenanceInputs,
    prior: Option<&MaintenanceInputs>,
    op: Option<&str>,
    there: &mut Map<String, Json>,
) {
    let had = |is_set: &dyn Fn(&MaintenanceInputs) -> bool| prior.is_none_or(is_set);
    let mut put = |key: &str, value: Json| there.insert(key.to_owned(), value);
    put("title", json!(spec.title));
    put("strategy", json!(spec.strategy));
    if spec.active.is_some() || had(&|prior| prior.active.is_some()) {
        put("active", json!(spec.active.unwrap_or(true)));
    }
    if spec.every_days.is_some() || had(&|prior| prior.every_days.is_some()) {
        put("intervalDay", json!(spec.every_days.unwrap_or(1)));
    }
    if spec.time_range.is_some() || had(&|prior| prior.time_range.is_some()) {
        let none = json!([{"hours": 0, "minutes": 0}, {"hours": 0, "minutes": 0}]);
        put(
            "timeRange",
            spec.time_range.as_ref().map_or(none, TimeRange::there),
        );
    }
    if spec.weekdays.is_some() || had(&|prior| prior.weekdays.is_some()) {
        put(
            "weekdays",
            json!(spec.weekdays.as_deref().unwrap_or_default()),
        );
    }
    if spec.days_of_month.is_some() || had(&|prior| prior.days_of_month.is_some()) {
        let days = spec.days_of_month.iter().flatten().map(Day::there);
        put("daysOfMonth", json!(days.collect::<Vec<_>>()));
    }
    if let Some(cron) = &spec.cron {
        put("cron", json!(cron));
    }
    if let Some(duration) = spec.duration {
        put("durationMinutes", json!(duration.0 / 60));
    }
    if spec.timezone.is_some() || had(&|prior| prior.timezone.is_some()) {
        put("timezoneOption", json!(spec.timezone));
    }
    // It is shown with one entry when there is no end, and taken with two.
    let shown = there.get("dateRange").cloned().unwrap_or_default();
    let date = |at: usize, wanted: Option<&String>, had: bool| match wanted {
        Some(date) => json!(date),
        None if had => Json::Null,
        None => shown[at].clone(),
    };
    let dates = json!([
        date(0, spec.start.as_ref(), had(&|prior| prior.start.is_some())),
        date(1, spec.end.as_ref(), had(&|prior| prior.end.is_some())),
    ]);
    there.insert("dateRange".to_owned(), dates);
    let now = there.get("description").and_then(Json::as_str);
    let (text, mark) = mark::take(now);
    let text = match &spec.description {
        Some(text) => Some(text.as_str()),
        None if had(&|prior| prior.description.is_some()) => None,
        None => text,
    };
    let description = match op.or(mark) {
        Some(op) => mark::put(text, op),
        // The column takes no NULL.
        None => text.unwrap_or_default().to_owned(),
    };
    there.insert("description".to_owned(), json!(description));
}

/// A maintenance as Uptime Kuma shows it. `None` when it is of a strategy that is not known.
pub(super) fn observed(
    there: &Json,
    monitors: Vec<Id>,
    status_pages: Vec<String>,
) -> Option<MaintenanceInputs> {
    let strategy: super::spec::Strategy = serde_json::from_value(there["strategy"].clone()).ok()?;
    let text = |value: &Json| {
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let is = |wanted: &str| there["strategy"] == wanted;
    let is_cron = is("cron");
    let days = there["daysOfMonth"].as_array();
    Some(MaintenanceInputs {
        title: there["title"].as_str()?.to_owned(),
        description: mark::take(there["description"].as_str())
            .0
            .map(str::to_owned),
        strategy,
        active: Some(
            there["active"].as_bool() == Some(true) || there["active"].as_u64() == Some(1),
        ),
        start: text(&there["dateRange"][0]),
        end: text(&there["dateRange"][1]),
        time_range: Some(strategy)
            .filter(|strategy| strategy.is_recurring())
            .and_then(|_| TimeRange::observed(&there["timeRange"])),
        every_days: is("recurring-interval")
            .then(|| there["intervalDay"].as_u64()?.try_into().ok())
            .flatten(),
        weekdays: is("recurring-weekday")
            .then(|| serde_json::from_value(there["weekdays"].clone()).ok())
            .flatten(),
        days_of_month: is("recurring-day-of-month").then(|| {
            let days = days.into_iter().flatten();
            days.filter_map(|day| serde_json::from_value(day.clone()).ok())
                .collect()
        }),
        // Others show the expression that the server makes of them.
        cron: text(&there["cron"]).filter(|_| is_cron),
        duration: there["durationMinutes"]
            .as_u64()
            .filter(|_| is_cron)
            .map(|minutes| Seconds(minutes * 60)),
        timezone: text(&there["timezoneOption"]),
        monitors: Some(monitors).filter(|monitors| !monitors.is_empty()),
        status_pages: Some(status_pages).filter(|pages| !pages.is_empty()),
    })
}

//! Inputs and outputs of `uptime_kuma.maintenance`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value as Json, json};

use crate::values::{Id, Seconds};

/// When a maintenance takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// While it is active.
    Manual,
    /// Once, from `start` to `end`.
    Single,
    /// Whenever `cron` says, for `duration`.
    Cron,
    /// Every `every_days` days, in `time_range`.
    RecurringInterval,
    /// On `weekdays`, in `time_range`.
    RecurringWeekday,
    /// On `days_of_month`, in `time_range`.
    RecurringDayOfMonth,
}

impl Strategy {
    pub(super) fn is_recurring(self) -> bool {
        !matches!(self, Strategy::Manual | Strategy::Single | Strategy::Cron)
    }
}

/// A time during which monitors alert nobody.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceInputs {
    /// What it is called on status pages.
    #[schemars(length(min = 1, max = 150))]
    pub title: String,
    /// What is done, for readers of status pages. Markdown.
    #[schemars(length(min = 1))]
    pub description: Option<String>,
    /// When it takes place.
    pub strategy: Strategy,
    /// Whether it counts; it does unless set to false.
    #[schemars(extend("default" = true))]
    pub active: Option<bool>,
    /// From when on, `2026-12-01 02:00`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?$"))]
    pub start: Option<String>,
    /// Until when, `2026-12-01 04:00`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?$"))]
    pub end: Option<String>,
    /// From which time of the day to which.
    pub time_range: Option<TimeRange>,
    /// Every how many days (`recurring-interval`).
    #[schemars(range(min = 1, max = 3650))]
    #[schemars(extend("default" = 1))]
    pub every_days: Option<u32>,
    /// On which days of the week, 0 for Sunday (`recurring-weekday`).
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub weekdays: Option<Vec<Weekday>>,
    /// On which days of the month, `1` to `31`, or `lastDay1` for the last one
    /// (`recurring-day-of-month`).
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub days_of_month: Option<Vec<Day>>,
    /// When it begins, as five cron fields (`cron`).
    #[schemars(length(min = 9))]
    pub cron: Option<String>,
    /// How long it lasts, in whole minutes (`cron`).
    pub duration: Option<Seconds>,
    /// The time zone of all these times, such as `Europe/Berlin`; UTC unless set.
    #[schemars(length(min = 1))]
    #[schemars(extend("default" = "UTC"))]
    pub timezone: Option<String>,
    /// Ids of the monitors it is for.
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub monitors: Option<Vec<Id>>,
    /// Slugs of the status pages that show it.
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub status_pages: Option<Vec<String>>,
}

/// From which time of the day to which; past midnight when the end is earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeRange {
    /// `02:00`.
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: String,
    /// `04:30`.
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub to: String,
}

impl TimeRange {
    pub(super) fn there(&self) -> Json {
        json!([time(&self.from), time(&self.to)])
    }

    pub(super) fn observed(range: &Json) -> Option<TimeRange> {
        let text = |at: usize| {
            let (hours, minutes) = (range[at]["hours"].as_u64()?, range[at]["minutes"].as_u64()?);
            Some(format!("{hours:02}:{minutes:02}"))
        };
        Some(TimeRange {
            from: text(0)?,
            to: text(1)?,
        })
    }
}

fn time(text: &str) -> Json {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    json!({"hours": number(hours), "minutes": number(minutes)})
}

/// A day of the week, 0 for Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weekday(pub u8);

impl JsonSchema for Weekday {
    fn schema_name() -> Cow<'static, str> {
        "Weekday".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 0, "maximum": 6})
    }
}

/// A day of the month: `1` to `31`, `lastDay1` to `lastDay4`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Day(pub String);

impl Day {
    pub(super) fn there(&self) -> Json {
        self.0
            .parse::<u64>()
            .map_or_else(|_| json!(self.0), |day| json!(day))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(text) => Ok(Day(text)),
            Json::Number(number) => Ok(Day(number.to_string())),
            _ => Err(serde::de::Error::custom("a day of the month is a number")),
        }
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": "^([1-9]|[12][0-9]|3[01]|lastDay[1-4])$",
            "minimum": 1,
            "maximum": 31,
            "x-fabrik": {"same": "text"},
        })
    }
}

/// What is known of a maintenance.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MaintenanceOutputs {
    /// Its id.
    pub id: String,
}

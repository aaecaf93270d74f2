//! Inputs and outputs of `uptime_kuma.status_page`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::{Id, Seconds};

/// How a page looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the reader's system does.
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A public page that shows how monitors are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusPageInputs {
    /// The last part of its address: `/status/SLUG`.
    #[schemars(
        regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"),
        length(max = 255),
        extend("x-fabrik" = {"replace": true})
    )]
    pub slug: String,
    /// Its title.
    #[schemars(length(min = 1, max = 255))]
    pub title: String,
    /// What it shows. Markdown.
    #[schemars(length(min = 1))]
    pub description: Option<String>,
    /// How it looks, `auto` unless set.
    #[schemars(extend("default" = "auto"))]
    pub theme: Option<Theme>,
    /// Its icon: a path on the server, a URL, or a PNG as `data:image/png;base64,…`.
    #[schemars(length(min = 1))]
    #[schemars(extend("default" = "/icon.svg"))]
    pub icon: Option<String>,
    /// The text at its end. Markdown.
    #[schemars(length(min = 1))]
    pub footer_text: Option<String>,
    /// Further CSS.
    #[schemars(length(min = 1))]
    pub custom_css: Option<String>,
    /// Whether Uptime Kuma is named; it is unless set to false.
    #[schemars(extend("default" = true))]
    pub show_powered_by: Option<bool>,
    /// Whether monitors' tags are shown.
    #[schemars(extend("default" = false))]
    pub show_tags: Option<bool>,
    /// Whether it is shown when certificates run out.
    #[schemars(extend("default" = false))]
    pub show_certificate_expiry: Option<bool>,
    /// Whether only the last look is shown instead of a history (release 2 and later).
    #[schemars(extend("default" = false))]
    pub show_only_last_heartbeat: Option<bool>,
    /// How often the page renews itself, 5m unless set (release 2 and later).
    #[schemars(extend("default" = "5m"))]
    pub auto_refresh_interval: Option<Seconds>,
    /// The title of its RSS feed (release 2 and later).
    #[schemars(length(min = 1))]
    pub rss_title: Option<String>,
    /// Host names at which the page is the start page.
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub domain_names: Option<Vec<String>>,
    /// Counting of readers.
    pub analytics: Option<Analytics>,
    /// What is shown, in this order. Set it, and groups made by hand are removed.
    pub groups: Option<Vec<Group>>,
}

/// Counting of readers by another service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Analytics {
    /// Which service; release 1.23 knows `google` only.
    #[schemars(extend("enum" = ["google", "umami", "plausible", "matomo", "rybbit"]))]
    pub r#type: String,
    /// The page's id there.
    #[schemars(length(min = 1))]
    pub id: String,
    /// The address of its script, where the service is one's own.
    #[schemars(length(min = 1))]
    pub script_url: Option<String>,
}

/// Monitors under a heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The heading.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Its monitors, in this order.
    #[serde(default)]
    pub monitors: Vec<GroupMonitor>,
}

/// A monitor on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMonitor {
    /// The monitor's id.
    pub monitor: Id,
    /// Whether its name links to what is watched.
    #[serde(default)]
    pub show_link: bool,
}

/// What is known of a status page.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatusPageOutputs {
    /// Its id: the slug.
    pub id: String,
    /// Where everybody can see it.
    pub url: String,
}

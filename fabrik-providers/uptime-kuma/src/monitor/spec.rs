//! Inputs and outputs of `uptime_kuma.monitor`.

use std::collections::BTreeMap;

use fabrik_core::secrets::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::{Id, Seconds};

/// What is asked, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MonitorType {
    /// A URL answers with an accepted status.
    Http,
    /// A URL's answer holds a text.
    Keyword,
    /// A URL's answer is JSON, of which a part is as expected.
    JsonQuery,
    /// A TCP port takes connections.
    Port,
    /// A host answers pings. Needs the program `ping` on the server.
    Ping,
    /// A name server answers.
    Dns,
    /// Something else calls `push_url` in time.
    Push,
    /// A container runs and is healthy.
    Docker,
    /// Other monitors, which name it as their `parent`.
    Group,
}

/// Something that is watched.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorInputs {
    /// Its name. Names need not be unique.
    #[schemars(length(min = 1, max = 150))]
    pub name: String,
    /// What is asked, and how.
    pub r#type: MonitorType,
    /// What it is for. Uptime Kuma 2 shows it as Markdown.
    #[schemars(length(min = 1))]
    pub description: Option<String>,
    /// The id of the group it is in.
    pub parent: Option<Id>,
    /// Whether it runs; it does unless set to false, which pauses it.
    #[schemars(extend("default" = true))]
    pub active: Option<bool>,
    /// Time between two looks, 60s unless set. At least 20s before release 2.1.
    #[schemars(extend("default" = "1m"))]
    pub interval: Option<Seconds>,
    /// Time between two looks while it is not known to be down, 60s unless set.
    #[schemars(extend("default" = "1m"))]
    pub retry_interval: Option<Seconds>,
    /// How often it is looked again before it counts as down.
    #[schemars(range(max = 10_000))]
    #[schemars(extend("default" = 0))]
    pub retries: Option<u32>,
    /// How long one look may take.
    #[schemars(extend("default" = "48s"))]
    pub timeout: Option<Seconds>,
    /// After how many looks that fail in a row the notification is sent again; 0 for never.
    #[schemars(extend("default" = 0))]
    pub resend_interval: Option<u32>,
    /// Whether down counts as up.
    #[schemars(extend("default" = false))]
    pub upside_down: Option<bool>,
    /// Who is told: ids of notifications, or names of notifications that exist already.
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub notifications: Option<Vec<String>>,
    /// Tags it bears.
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub tags: Option<Vec<MonitorTag>>,

    /// The URL (`http`, `keyword`, `json-query`).
    #[schemars(length(min = 1), extend("x-fabrik" = {"same": "url"}))]
    pub url: Option<String>,
    /// The method, GET unless set (`http`, `keyword`, `json-query`).
    #[schemars(extend("enum" = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", null]))]
    #[schemars(extend("default" = "GET"))]
    pub method: Option<String>,
    /// Headers that are sent. Their values are never shown, since they may hold credentials.
    pub headers: Option<BTreeMap<String, Secret>>,
    /// The body that is sent.
    pub body: Option<String>,
    /// How the body is encoded, `json` unless set.
    #[schemars(extend("enum" = ["json", "form", "xml", null]))]
    pub body_encoding: Option<String>,
    /// User and password that are sent.
    pub basic_auth: Option<BasicAuth>,
    /// A token that is sent (release 2.4 and later).
    pub bearer_token: Option<Secret>,
    /// Statuses that count as up, such as `200-299`; that is what counts unless set.
    #[schemars(length(min = 1), extend("x-fabrik" = {"list": "set"}))]
    #[schemars(extend("default" = ["200-299"]))]
    pub accepted_statuscodes: Option<Vec<String>>,
    /// How many redirects are followed, 10 unless set.
    #[schemars(extend("default" = 10))]
    pub max_redirects: Option<u32>,
    /// Whether certificates are not checked.
    #[schemars(extend("default" = false))]
    pub ignore_tls: Option<bool>,
    /// Whether it is told when a certificate runs out; it is unless set to false.
    #[schemars(extend("default" = true))]
    pub expiry_notification: Option<bool>,
    /// Whether a changing parameter is added to the URL (release 2 and later).
    #[schemars(extend("default" = false))]
    pub cache_bust: Option<bool>,

    /// The text the answer must hold (`keyword`).
    #[schemars(length(min = 1))]
    pub keyword: Option<String>,
    /// Whether the text must not be there (`keyword`).
    #[schemars(extend("default" = false))]
    pub invert_keyword: Option<bool>,
    /// Which part of the answer, in JSONata (`json-query`).
    #[schemars(length(min = 1))]
    pub json_path: Option<String>,
    /// How the part is compared, `==` unless set (`json-query`, release 2 and later).
    #[schemars(extend("enum" = ["==", "!=", "<", ">", "<=", ">=", "contains", null]))]
    #[schemars(extend("default" = "=="))]
    pub json_path_operator: Option<String>,
    /// What the part must be (`json-query`).
    pub expected_value: Option<String>,
    /// Whether it is looked again only after a bad status (`json-query`, release 2.1 and later).
    #[schemars(extend("default" = false))]
    pub retry_only_on_status_code_failure: Option<bool>,

    /// The host (`port`, `ping`), or the name that is resolved (`dns`).
    #[schemars(length(min = 1), extend("x-fabrik" = {"same": "lower"}))]
    pub hostname: Option<String>,
    /// The port (`port`), or the name server's, 53 unless set (`dns`).
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// Bytes of a packet, 56 unless set (`ping`).
    #[schemars(range(min = 1, max = 65_500))]
    #[schemars(extend("default" = 56))]
    pub packet_size: Option<u32>,
    /// Packets of one look (`ping`, release 2 and later).
    #[schemars(range(min = 1, max = 100))]
    #[schemars(extend("default" = 1))]
    pub ping_count: Option<u32>,
    /// Whether addresses are not looked up for output (`ping`, release 2 and later).
    #[schemars(extend("default" = true))]
    pub ping_numeric: Option<bool>,
    /// How long one packet may take (`ping`, release 2 and later).
    #[schemars(extend("default" = "2s"))]
    pub ping_per_request_timeout: Option<Seconds>,

    /// The name server that is asked, 1.1.1.1 unless set; several with commas (`dns`).
    #[schemars(length(min = 1))]
    #[schemars(extend("default" = "1.1.1.1"))]
    pub resolver: Option<String>,
    /// The type of record that is asked for, `A` unless set (`dns`).
    #[schemars(extend("enum" = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", null]))]
    #[schemars(extend("default" = "A"))]
    pub record_type: Option<String>,
    /// What the answer must be (`dns`, release 2 and later).
    pub conditions: Option<Vec<Condition>>,

    /// The secret part of `push_url`, 32 letters and digits; made up unless set (`push`).
    #[schemars(extend("x-fabrik" = {"sensitive": true, "computed": true}, "pattern" = "^[A-Za-z0-9]{16,64}$"))]
    pub push_token: Option<Secret>,

    /// The container's name or id (`docker`).
    #[schemars(length(min = 1))]
    pub docker_container: Option<String>,
    /// The id of the docker host (`docker`).
    pub docker_host: Option<Id>,
}

/// A tag on a monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorTag {
    /// The tag's id.
    pub tag: Id,
    /// What the tag says of this monitor.
    #[schemars(length(min = 1))]
    pub value: Option<String>,
}

/// Credentials of HTTP's basic scheme.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// User name.
    pub username: String,
    /// Password.
    pub password: Secret,
}

/// A comparison with a part of what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is compared: `record` for `dns`.
    #[schemars(length(min = 1))]
    pub variable: String,
    /// How: `equals`, `contains`, `starts_with`, `ends_with`, and these with `not_` before.
    #[schemars(extend("enum" = [
        "equals", "not_equals", "contains", "not_contains", "starts_with", "not_starts_with",
        "ends_with", "not_ends_with", "num_equals", "num_not_equals", "lt", "gt", "lte", "gte",
    ]))]
    pub operator: String,
    /// With what.
    pub value: String,
    /// How it goes together with the condition before it: `and` (unless set) or `or`.
    #[schemars(extend("enum" = ["and", "or", null]))]
    pub and_or: Option<String>,
}

/// What is known of a monitor.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MonitorOutputs {
    /// Its id.
    pub id: String,
    /// What has to be called to report that all is well (`push`). Who knows it can report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sensitive": true}))]
    pub push_url: Option<Secret>,
}

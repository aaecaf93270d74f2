//! Cassettes: what a service answered, kept without secrets, so that cases run without it.
//!
//! One JSON document on each line, so that a difference shows where it is.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fabrik_core::provider::Fields;
use fabrik_core::secrets::Redactor;
use fabrik_core::value::Value;
use serde_json::{Value as Json, json};

use crate::proxy::{Answer, Recorded};
use crate::suite::world::World;

/// What stands where a secret stood.
pub(crate) const SCRUBBED: &str = "fbt-scrubbed";

/// Headers of answers that are kept; others may tell who asked.
const HEADERS: [&str; 6] = [
    "content-type",
    "retry-after",
    "link",
    "location",
    "etag",
    "x-request-id",
];

/// Fields whose values are never kept, whatever the schema says of them.
const NEVER: [&str; 8] = [
    "token",
    "secret",
    "password",
    "authorization",
    "api_key",
    "apikey",
    "private_key",
    "cookie",
];

/// Knows what must not be kept.
pub(crate) struct Scrub {
    secrets: Redactor,
}

impl Scrub {
    /// The secrets of a case: credentials of its configuration, sensitive fields of its samples.
    pub(crate) fn of(world: &World) -> Scrub {
        let secrets = Redactor::default();
        let provider = (world.def.provider)();
        let fields = Fields::of_schema(&provider.info().config);
        secrets.learn(&fields.mark(&fabrik_core::value::from_json(&world.config)));
        for samples in &world.def.resources {
            let Ok(info) = world.stage.registry().type_info(&samples.type_name) else {
                continue;
            };
            let more = samples.update.iter();
            for sample in samples
                .every()
                .into_iter()
                .map(|(_, sample)| sample)
                .chain(more)
            {
                let value = fabrik_core::value::from_json(&world.filled(sample));
                secrets.learn(&info.fields.mark(&value));
            }
        }
        Scrub { secrets }
    }

    /// For a secret that stands in no configuration.
    pub(crate) fn learn(&self, secret: &str) {
        self.secrets.learn(&Value::secret(secret));
    }

    fn text(&self, text: &str) -> String {
        let text = self.secrets.clean(text);
        text.replace(fabrik_core::value::SECRET_TEXT, SCRUBBED)
    }

    fn json(&self, json: &Json) -> Json {
        match json {
            Json::String(text) => Json::String(self.text(text)),
            Json::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            Json::Object(map) => map
                .iter()
                .map(|(key, item)| {
                    let never = NEVER.contains(&key.to_ascii_lowercase().as_str());
                    let item = match item {
                        Json::String(_) if never => Json::String(SCRUBBED.to_owned()),
                        other => self.json(other),
                    };
                    (self.text(key), item)
                })
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// A body: as JSON where it is, else as text, else as its bytes.
    fn body(&self, body: &Bytes) -> Json {
        if let Ok(json @ (Json::Object(_) | Json::Array(_))) = serde_json::from_slice(body) {
            return json!({"json": self.json(&json)});
        }
        match std::str::from_utf8(body) {
            Ok(text) => json!({"text": self.text(text)}),
            Err(_) => json!({"base64": STANDARD.encode(body)}),
        }
    }
}

fn body_of(json: &Json) -> Bytes {
    if let Some(body) = json.get("json") {
        return Bytes::from(body.to_string());
    }
    if let Some(text) = json.get("text").and_then(Json::as_str) {
        return Bytes::from(text.to_owned());
    }
    let coded = json
        .get("base64")
        .and_then(Json::as_str)
        .unwrap_or_default();
    Bytes::from(STANDARD.decode(coded).unwrap_or_default())
}

/// Exchanges as they are kept.
pub(crate) fn text(recorded: &[Recorded], scrub: &Scrub) -> String {
    let mut out = String::new();
    for one in recorded {
        let headers = one.answer.headers.iter();
        let headers = headers.filter(|(name, _)| HEADERS.contains(&name.as_str()));
        let headers: Vec<Json> = headers
            .map(|(name, value)| json!([name, scrub.text(value)]))
            .collect();
        let line = json!({
            "kind": one.kind,
            "path": scrub.text(&one.path),
            "query": scrub.text(&one.query),
            "body": scrub.body(&one.body),
            "status": one.answer.status,
            "headers": headers,
            "answer": scrub.body(&one.answer.body),
        });
        out.push_str(&line.to_string());
        out.push('\n');
    }
    out
}

/// Kept exchanges, ready to be answered from.
pub(crate) fn read(text: &str) -> Vec<Recorded> {
    let word = |json: &Json, key: &str| {
        let found = json.get(key).and_then(Json::as_str);
        found.unwrap_or_default().to_owned()
    };
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok());
    lines
        .map(|line| {
            let headers = line.get("headers").and_then(Json::as_array);
            let pair = |json: &Json| {
                let pair = json.as_array()?;
                Some((
                    pair.first()?.as_str()?.to_owned(),
                    pair.get(1)?.as_str()?.to_owned(),
                ))
            };
            let status = line.get("status").and_then(Json::as_u64);
            Recorded {
                kind: word(&line, "kind"),
                path: word(&line, "path"),
                query: word(&line, "query"),
                body: line.get("body").map(body_of).unwrap_or_default(),
                answer: Answer {
                    status: status
                        .and_then(|status| u16::try_from(status).ok())
                        .unwrap_or(599),
                    headers: headers.into_iter().flatten().filter_map(pair).collect(),
                    body: line.get("answer").map(body_of).unwrap_or_default(),
                },
            }
        })
        .collect()
}

/// The file of a case.
pub(crate) fn file(folder: &Path, case: &str) -> std::path::PathBuf {
    let name = case.replace("::", "--");
    folder
        .join("tests")
        .join("cassettes")
        .join(format!("{name}.jsonl"))
}

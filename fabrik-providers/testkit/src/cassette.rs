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
use crate::target::Wire;

/// What stands where a secret stood; with its number, where it is one of the case's.
const SCRUBBED: &str = "fbt-scrubbed";

/// What stands for the address of the proxy.
pub(crate) const AT: &str = "{at}";

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
    /// In the order of the schema and the samples, which is the same when they are put back.
    known: Vec<String>,
}

fn gather(value: &Value, secret: bool, out: &mut Vec<String>) {
    let secret = secret || value.is_secret();
    match value.reveal() {
        Value::Str(text) if secret && !out.iter().any(|known| **known == **text) => {
            out.push(text.to_string());
        }
        Value::List(items) => items.iter().for_each(|item| gather(item, secret, out)),
        Value::Map(map) => map.values().for_each(|item| gather(item, secret, out)),
        _ => {}
    }
}

impl Scrub {
    /// The secrets of a case: credentials of its configuration, sensitive fields of its samples.
    pub(crate) fn of(world: &World) -> Scrub {
        let secrets = Redactor::default();
        let mut known = Vec::new();
        let mut learn = |value: &Value| {
            secrets.learn(value);
            gather(value, false, &mut known);
        };
        let provider = (world.def.provider)();
        let fields = Fields::of_schema(&provider.info().config);
        learn(&fields.mark(&fabrik_core::value::from_json(&world.config)));
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
                learn(&info.fields.mark(&value));
            }
        }
        Scrub { secrets, known }
    }

    fn text(&self, text: &str) -> String {
        let known = self.known.iter().enumerate();
        let text = known
            .filter(|(_, secret)| secret.len() >= 8)
            .fold(text.to_owned(), |text, (number, secret)| {
                text.replace(secret.as_str(), &format!("{SCRUBBED}-{number}"))
            });
        // Other forms of them.
        let text = self.secrets.clean(&text);
        text.replace(fabrik_core::value::SECRET_TEXT, SCRUBBED)
    }

    /// Puts the case's own secrets back.
    pub(crate) fn put_back(&self, recorded: &mut [Recorded]) {
        for one in recorded {
            let Ok(text) = std::str::from_utf8(&one.answer.body) else {
                continue;
            };
            let known = self.known.iter().enumerate().rev();
            let text = known.fold(text.to_owned(), |text, (number, secret)| {
                text.replace(&format!("{SCRUBBED}-{number}"), secret)
            });
            one.answer.body = Bytes::from(text);
        }
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

/// What one world of a case was answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape {
    pub(crate) config: Json,
    pub(crate) wire: Wire,
    pub(crate) judged: Vec<Json>,
    pub(crate) exchanges: Vec<Recorded>,
}

/// A document with one text in place of another, wherever it stands.
pub(crate) fn placed(json: &Json, what: &str, by: &str) -> Json {
    match json {
        Json::String(text) => Json::String(text.replace(what, by)),
        Json::Array(items) => items.iter().map(|item| placed(item, what, by)).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, item)| (key.clone(), placed(item, what, by)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// The line before the exchanges of a world.
pub(crate) fn header(world: &World, judged: &[Json], scrub: &Scrub) -> String {
    let at = world.proxy.address().to_string();
    let judged: Vec<Json> = judged.iter().map(|json| scrub.json(json)).collect();
    let line = json!({
        "config": scrub.json(&placed(&world.config, &at, AT)),
        "wire": world.wire().word(),
        "judged": judged,
    });
    format!("{line}\n")
}

fn exchange(line: &Json) -> Recorded {
    let word = |key: &str| {
        let found = line.get(key).and_then(Json::as_str);
        found.unwrap_or_default().to_owned()
    };
    let pair = |json: &Json| {
        let pair = json.as_array()?;
        let text = |at: usize| Some(pair.get(at)?.as_str()?.to_owned());
        Some((text(0)?, text(1)?))
    };
    let headers = line.get("headers").and_then(Json::as_array);
    let status = line.get("status").and_then(Json::as_u64);
    let status = status.and_then(|status| u16::try_from(status).ok());
    Recorded {
        kind: word("kind"),
        path: word("path"),
        query: word("query"),
        body: line.get("body").map(body_of).unwrap_or_default(),
        answer: Answer {
            status: status.unwrap_or(599),
            headers: headers.into_iter().flatten().filter_map(pair).collect(),
            body: line.get("answer").map(body_of).unwrap_or_default(),
        },
    }
}

/// The tapes of a case.
pub(crate) fn read(text: &str) -> Vec<Tape> {
    let mut tapes: Vec<Tape> = Vec::new();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok());
    for line in lines {
        if let Some(config) = line.get("config") {
            let wires = [Wire::Http, Wire::WebSocket, Wire::Lines, Wire::Direct];
            let word = line.get("wire").and_then(Json::as_str);
            let wire = wires.into_iter().find(|wire| Some(wire.word()) == word);
            let judged = line.get("judged").and_then(Json::as_array);
            tapes.push(Tape {
                config: config.clone(),
                wire: wire.unwrap_or_default(),
                judged: judged.cloned().unwrap_or_default(),
                exchanges: Vec::new(),
            });
        } else if let Some(tape) = tapes.last_mut() {
            tape.exchanges.push(exchange(&line));
        }
    }
    tapes
}

/// The file of a case.
pub(crate) fn file(folder: &Path, case: &str) -> std::path::PathBuf {
    let name = case.replace("::", "--");
    folder
        .join("tests")
        .join("cassettes")
        .join(format!("{name}.jsonl"))
}

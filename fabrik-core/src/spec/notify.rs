//! `notify`: channels, and who is told about which app.
//!
//! A channel is `NAME: { slack: URL }`, `{ webhook: URL }` or `{ command: … }`. URLs of channels are
//! secrets, for whoever has one can write to it.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::apps::RawApp;
use super::node::{Data, Entry, Node};
use super::shape::{Schema, check};
use super::world::{Place, Where, World, is_poison};
use crate::codes;
use crate::expr::{Target, references};
use crate::stack::{Channel, Stack, Told, Via};
use crate::value::{Path, Value};

/// Keys of a channel, with what they are.
pub(super) const KEYS: &[(&str, &str)] = &[
    (
        "slack",
        "A URL that takes messages as Slack does: Slack, Mattermost, Discord with `/slack`; a secret.",
    ),
    (
        "webhook",
        "A URL that gets a JSON document about the run by POST; a secret.",
    ),
    (
        "command",
        "A program on this machine that gets the same document on its standard input.",
    ),
    (
        "on",
        "Which runs it is told about: `succeeded`, `failed`; both unless set.",
    ),
];

/// The ways to reach a channel.
const WAYS: [(&str, Via); 3] = [
    ("slack", Via::Slack),
    ("webhook", Via::Webhook),
    ("command", Via::Command),
];

/// JSON Schema of a channel.
pub(super) fn channel() -> Json {
    let about = |name: &str| {
        KEYS.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, about)| *about)
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "patternProperties": {"^x-": true},
        "properties": {
            "slack": {"type": "string", "minLength": 1, "description": about("slack")},
            "webhook": {"type": "string", "minLength": 1, "description": about("webhook")},
            "command": {
                "type": ["string", "array"],
                "minLength": 1,
                "minItems": 1,
                "items": {"type": "string"},
                "description": about("command"),
            },
            "on": {
                "type": "array",
                "items": {"enum": ["succeeded", "failed"]},
                "description": about("on"),
            },
        },
    })
}

impl World<'_> {
    /// Reads the channels, and which apps name them.
    pub(super) fn read_notify(&mut self, node: Option<&Node>, apps: &[RawApp], stack: &mut Stack) {
        let mut channels = Vec::new();
        match node.map(|node| (&node.data, node)) {
            None => {}
            Some((Data::Map(entries), _)) => {
                for entry in entries.iter().filter(|entry| !entry.key.starts_with("x-")) {
                    channels.extend(self.read_channel(entry));
                }
            }
            Some((_, node)) if node.is_null() => {}
            Some((_, node)) => {
                let text = format!("`notify` takes a map of channels, not {}", node.kind_name());
                let help =
                    "write `notify: { ops: { slack: \"${secrets.SLACK_URL}\" } }`".to_owned();
                self.report
                    .error(codes::WRONG_TYPE, node.span, text, Some(help));
            }
        }
        for app in apps {
            self.read_told(app, &mut channels);
        }
        stack.notify = channels;
    }

    fn read_channel(&mut self, entry: &Entry) -> Option<Channel> {
        if !super::scalars::good_id(&entry.key, entry.key_span, "a channel", &mut self.report) {
            return None;
        }
        let place = Place::new(Where::Outputs);
        let schema = Schema::read(&channel());
        if !matches!(entry.value.data, Data::Map(_)) {
            let text = format!("a channel is a map, not {}", entry.value.kind_name());
            let help = "write `{ slack: URL }`, `{ webhook: URL }` or `{ command: … }`".to_owned();
            self.report
                .error(codes::WRONG_TYPE, entry.value.span, text, Some(help));
            return None;
        }
        let value = self.lower(&entry.value, Some((&schema, 0)), &place);
        let mut good = !is_poison(&value);
        for problem in check(&schema, &value) {
            let span = entry.value.locate(&problem.path, problem.key);
            self.problem(problem, span, &place);
            good = false;
        }
        let given: Vec<(&str, Via)> = WAYS
            .into_iter()
            .filter(|(name, _)| value.get(name).is_some_and(|value| !value.is_null()))
            .collect();
        let [(field, via)] = given[..] else {
            if good {
                let text = format!("the channel `{}` is reached one way", entry.key);
                let help = "give it one of `slack`, `webhook` and `command`".to_owned();
                self.report
                    .error(codes::MISSING_FIELD, entry.key_span, text, Some(help));
            }
            return None;
        };
        let to = value.get(field).cloned().unwrap_or_default();
        if is_poison(&to) || !good {
            return None;
        }
        if via != Via::Command {
            self.check_url(entry, field, &to)?;
        }
        let on = value.get("on").and_then(Value::as_list).unwrap_or_default();
        Some(Channel {
            name: entry.key.clone(),
            via,
            to,
            on: on
                .iter()
                .filter_map(|word| match word.as_str()? {
                    "succeeded" => Some(Told::Succeeded),
                    "failed" => Some(Told::Failed),
                    _ => None,
                })
                .collect(),
            apps: Vec::new(),
        })
    }

    /// The URL of a channel comes from a secret, and one that is made up leads nowhere.
    fn check_url(&mut self, entry: &Entry, field: &str, to: &Value) -> Option<()> {
        let secrets: Vec<Arc<str>> = references(to)
            .into_iter()
            .filter_map(|reference| match reference.target {
                Target::Secret(name) => Some(name),
                _ => None,
            })
            .collect();
        if secrets.is_empty() && !to.has_secret() {
            let span = entry.value.locate(&Path::key(field), false);
            let text = format!("the URL of the channel `{}` is a secret", entry.key);
            let help = format!(
                "put it into the environment or `.env`, declare it below `secrets`, and write `{field}: \"${{secrets.NAME}}\"`"
            );
            self.report
                .error(codes::SECRET_IN_FILE, span, text, Some(help));
            return None;
        }
        for name in secrets {
            if let Some(decl) = self.secrets.get_mut(&name) {
                decl.required = true;
            }
        }
        Some(())
    }

    /// Adds an app to the channels that it names.
    fn read_told(&mut self, app: &RawApp, channels: &mut [Channel]) {
        let Some(notify) = app.notify.as_ref().map(|entry| &entry.value) else {
            return;
        };
        if notify.is_null() {
            return;
        }
        let items = notify.items().map(|items| items.iter().collect());
        let named: Vec<&Node> = items.unwrap_or_else(|| vec![notify]);
        let known: Vec<Arc<str>> = channels
            .iter()
            .map(|channel| channel.name.clone())
            .collect();
        for node in named {
            let Some(name) = node.as_text() else {
                let text = format!("a channel is named by a text, not {}", node.kind_name());
                self.report.error(codes::WRONG_TYPE, node.span, text, None);
                continue;
            };
            let address = self.apps.get(&app.key).map(|known| known.address.clone());
            match channels.iter_mut().find(|channel| channel.name == *name) {
                Some(channel) => {
                    channel.apps.extend(address);
                }
                None => {
                    let near = self.report.suggest(name, known.iter().map(AsRef::as_ref));
                    let help = near.unwrap_or_else(|| {
                        format!("declare it at the top: `notify: {{ {name}: {{ slack: \"${{secrets.NAME}}\" }} }}`")
                    });
                    let text = format!("there is no channel `{name}`");
                    self.report
                        .error(codes::UNKNOWN_NAME, node.span, text, Some(help));
                }
            }
        }
    }
}

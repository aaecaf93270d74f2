//! Events as JSON Lines.

use fabrik_core::event::{Event, EventBody, VERSION};
use serde::Serialize;

use super::super::console::{OutputError, Result};

/// Turns events into lines; the first line states the version.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct JsonLines {
    begun: bool,
}

#[derive(Serialize)]
struct Version<'a> {
    v: u32,
    #[serde(rename = "type")]
    kind: &'a str,
    fabrik: &'a str,
    message: String,
}

#[derive(Serialize)]
struct WithMessage<'a> {
    #[serde(flatten)]
    event: &'a Event,
    message: String,
}

impl JsonLines {
    /// The lines of one event, each ended.
    pub(super) fn lines(&mut self, event: &Event) -> Result<String> {
        let mut out = String::new();
        if !self.begun {
            self.begun = true;
            let fabrik = env!("CARGO_PKG_VERSION");
            let version = Version {
                v: VERSION,
                kind: "version",
                fabrik,
                message: format!("fabrik {fabrik}, events version {VERSION}"),
            };
            out.push_str(&json(&version)?);
            out.push('\n');
        }
        let masked = masked(event);
        let event = masked.as_ref().unwrap_or(event);
        out.push_str(&json(&WithMessage {
            event,
            message: event.message(),
        })?);
        out.push('\n');
        Ok(out)
    }
}

/// The event with its values masked, when it holds values.
fn masked(event: &Event) -> Option<Event> {
    let EventBody::Outputs { values } = &event.body else {
        return None;
    };
    let values = values
        .iter()
        .map(|(name, value)| (name.clone(), value.masked()));
    Some(Event {
        body: EventBody::Outputs {
            values: values.collect(),
        },
        ..event.clone()
    })
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| OutputError::Form(error.to_string()))
}

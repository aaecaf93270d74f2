//! Values with more than one way to write them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use fabrik_core::expr::{self, Target};
use fabrik_core::value::Value;
use fabrik_core::verify::{duration_text, parse_duration};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::model::Command;

/// A length of time: `500ms`, `30s`, `2m`; a number stands for seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time(pub Duration);

impl Time {
    /// So many seconds.
    pub const fn secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&duration_text(self.0))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Time;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as `30s`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                parse_duration(text)
                    .map(Time)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Time, E> {
                Ok(Time::secs(seconds))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9]+(ms|s|m|h|d))+$",
            "x-fabrik": {"same": "duration"},
        })
    }
}

/// Whether a value is secret, as far as that can be told before it is known.
pub(super) fn secrecy(value: &Value) -> Option<bool> {
    let refers = || {
        let references = expr::references(value);
        references
            .iter()
            .any(|reference| matches!(reference.target, Target::Secret(_)))
    };
    if value.has_secret() || refers() {
        Some(true)
    } else if value.has_unknown() {
        None
    } else {
        Some(false)
    }
}

/// What to run: a line for the shell, or a program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandLine {
    /// A line for `/bin/sh -c`.
    Shell(String),
    /// A program and its arguments.
    Argv(Vec<String>),
}

impl From<&CommandLine> for Command {
    fn from(line: &CommandLine) -> Self {
        match line {
            CommandLine::Shell(line) => Self::Shell(line.clone()),
            CommandLine::Argv(words) => Self::Argv(words.clone()),
        }
    }
}

impl From<&Command> for CommandLine {
    fn from(command: &Command) -> Self {
        match command {
            Command::Shell(line) => Self::Shell(line.clone()),
            Command::Argv(words) => Self::Argv(words.clone()),
        }
    }
}

impl Serialize for CommandLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Shell(line) => serializer.serialize_str(line),
            Self::Argv(words) => words.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CommandLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = CommandLine;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command line, or a list of a program and its arguments")
            }
            fn visit_str<E: de::Error>(self, line: &str) -> Result<CommandLine, E> {
                Ok(CommandLine::Shell(line.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<CommandLine, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = items.next_element()? {
                    words.push(word);
                }
                Ok(CommandLine::Argv(words))
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for CommandLine {
    fn schema_name() -> Cow<'static, str> {
        "CommandLine".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "array"],
            "items": {"type": "string"},
            "minLength": 1,
            "minItems": 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_round_trip() {
        for value in [json!("run me"), json!(["run", "me"])] {
            let line: CommandLine = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(serde_json::to_value(line).unwrap(), value);
        }
        let time: Time = serde_json::from_value(json!("1m30s")).unwrap();
        assert_eq!(time, Time::secs(90));
        assert_eq!(serde_json::to_value(time).unwrap(), json!("1m30s"));
        assert_eq!(
            serde_json::from_value::<Time>(json!(5)).unwrap(),
            Time::secs(5)
        );
        assert!(serde_json::from_value::<Time>(json!("soon")).is_err());
    }
}

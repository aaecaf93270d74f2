//! What a component is given while it expands: its parts, and who plays which role.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::node::{Data, Entry};
use super::roles::{Cast, On};
use super::shape::{Schema, check};
use super::world::{Place, World, poison};
use crate::codes;
use crate::diagnostic::Severity;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::Fields;
use crate::role::{ComponentCx, DATABASE, Files, Parts, PlayerFacts, RUNTIME};
use crate::value::{Path, Value};

/// A kind of app, read for checking.
#[derive(Debug)]
pub(super) struct KindFacts {
    /// Its block in long form.
    pub(super) schema: Schema,
    /// Facts and defaults of its fields.
    fields: Fields,
    /// Fields that only the short form has.
    pub(super) shorthands: Vec<String>,
}

impl KindFacts {
    pub(super) fn new(schema: &Json) -> KindFacts {
        KindFacts {
            schema: Schema::read(schema),
            fields: Fields::of_schema(schema),
            shorthands: schema
                .pointer("/x-fabrik/shorthands")
                .and_then(Json::as_object)
                .map(|fields| fields.keys().cloned().collect())
                .unwrap_or_default(),
        }
    }
}

/// One expansion under way.
pub(super) struct Stage<'w, 'a> {
    world: &'w World<'a>,
    facts: &'w KindFacts,
    on: On,
    own: BTreeMap<Arc<str>, Value>,
    parts: Parts,
    choices: BTreeMap<Arc<str>, Arc<str>>,
    notes: Vec<Note>,
}

/// What a component says besides its parts.
pub(super) struct Note {
    /// Whether the block is refused for it.
    pub(super) severity: Severity,
    /// What it says.
    pub(super) error: Error,
}

/// What an expansion made.
pub(super) struct Made {
    /// The parts.
    pub(super) parts: Parts,
    /// Who was chosen without being named.
    pub(super) choices: BTreeMap<Arc<str>, Arc<str>>,
    /// Mistakes and warnings.
    pub(super) notes: Vec<Note>,
}

impl<'w, 'a> Stage<'w, 'a> {
    pub(super) fn new(
        world: &'w World<'a>,
        facts: &'w KindFacts,
        on: On,
        own: BTreeMap<Arc<str>, Value>,
        parts: Parts,
    ) -> Stage<'w, 'a> {
        Stage {
            world,
            facts,
            on,
            own,
            parts,
            choices: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// What was made.
    pub(super) fn done(self) -> Made {
        Made {
            parts: self.parts,
            choices: self.choices,
            notes: self.notes,
        }
    }

    fn cast(&mut self, role: &str) -> Result<Cast> {
        let key: Arc<str> = format!("{}.{role}", self.parts.base()).into();
        let kept = self.world.request.choices.get(&key);
        let cast = self
            .world
            .cast(role, &self.on)
            .map_err(|error| match kept {
                Some(kept) => error.cause(format!("so far it was `{kept}`")),
                None => error,
            })?;
        if !cast.by_default {
            return Ok(cast);
        }
        if let Some(kept) = kept.filter(|kept| **kept != cast.instance) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "`{role}` was played by `{kept}` so far, and would now be played by `{}`",
                    cast.instance
                ),
            )
            .code(codes::CHOICE_CHANGED)
            .field(Path::key("on"))
            .hint(format!(
                "say which one: `on: {{ {role}: {kept} }}` to stay, `on: {{ {role}: {} }}` to move",
                cast.instance
            )));
        }
        self.choices.insert(key, cast.instance.clone());
        Ok(cast)
    }

    /// Adds `on.server` and the like to what a runtime's or database's player gets in its own block,
    /// when it takes them there.
    fn placed(&self, cast: &Cast, mut own: Value, schema: &Schema) -> Result<Value> {
        let role = cast.player.role();
        if role != RUNTIME && role != DATABASE {
            return Ok(own);
        }
        for (place, (value, near)) in &self.on.places {
            if schema.declares(0, place, 0) {
                if own.get(place).is_none() {
                    own = own.with(&Path::key(place.clone()), value.clone());
                }
            } else if *near && role == RUNTIME {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("`{}` knows no `{place}`", cast.provider),
                )
                .code(codes::CANNOT)
                .field(Path::key("on").join(place.clone()))
                .hint("leave it out, or name another runtime"));
            }
        }
        Ok(own)
    }

    /// Refuses what the player cannot honour.
    fn refuse(&self, cast: &Cast, intent: &Value) -> Result<()> {
        let kind = intent.get("kind").and_then(Value::as_str);
        if cast.player.role() == RUNTIME
            && let Some(kind) = kind
            && !cast.player.runs().contains(&kind)
        {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{}` cannot run apps of kind `{kind}`", cast.provider),
            )
            .code(codes::CANNOT)
            .field(Path::key("kind"))
            .hint(format!(
                "it runs {}; name another runtime with `on`",
                cast.player.runs().join(", ")
            )));
        }
        for field in cast.player.cannot() {
            let path = Path::parse(field);
            let used = intent.at(&path).is_some_and(|value| match value.reveal() {
                Value::Null | Value::Bool(false) => false,
                Value::List(items) => !items.is_empty(),
                Value::Map(map) => !map.is_empty(),
                other => self.facts.fields.at(&path).default.as_ref() != Some(other),
            });
            if used {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("`{}` cannot do `{field}`", cast.provider),
                )
                .code(codes::CANNOT)
                .field(path)
                .hint(format!(
                    "leave it out, or let another provider play the role `{}`",
                    cast.player.role()
                )));
            }
        }
        Ok(())
    }

    /// Of a provider's own block what this player takes.
    fn own(&self, cast: &Cast) -> Result<Value> {
        let options = cast.player.options();
        let closed = options.get("additionalProperties") == Some(&Json::Bool(false));
        let schema = Schema::read(&options);
        let own = match self.own.get(&cast.provider) {
            Some(Value::Map(map)) => Value::map(
                map.iter()
                    .filter(|(key, _)| !closed || schema.declares(0, key, 0))
                    .map(|(key, value)| (key.clone(), value.clone())),
            ),
            _ => Value::map::<&str>([]),
        };
        self.placed(cast, own, &schema)
    }
}

impl ComponentCx for Stage<'_, '_> {
    fn parts(&mut self) -> &mut Parts {
        &mut self.parts
    }

    fn play(&mut self, role: &str, prefix: &str, intent: Value) -> Result<Value> {
        let cast = self.cast(role)?;
        self.refuse(&cast, &intent)?;
        let own = self.own(&cast)?;
        self.parts.scoped(cast.instance.clone(), prefix, |parts| {
            cast.player.expand(&intent, &own, parts)
        })
    }

    fn facts(&mut self, role: &str) -> Result<PlayerFacts> {
        Ok(self.cast(role)?.player.facts())
    }

    fn has(&mut self, role: &str) -> bool {
        self.world.has_cast(role, &self.on)
    }

    fn files(&self) -> &dyn Files {
        self.world.request.files
    }

    fn mistake(&mut self, error: Error) {
        self.notes.push(Note {
            severity: Severity::Error,
            error,
        });
    }

    fn warn(&mut self, warning: Error) {
        self.notes.push(Note {
            severity: Severity::Warning,
            error: warning,
        });
    }
}

impl World<'_> {
    /// Reads a block named after a provider.
    pub(super) fn own_block(&mut self, entry: &Entry, place: &Place<'_>) -> Value {
        let provider = &*entry.key;
        let options = own_schema(self.request.registry, provider);
        let schema = Schema::read(&options);
        if entry.value.is_null() {
            return Value::map::<&str>([]);
        }
        if !matches!(entry.value.data, Data::Map(_)) {
            let text = format!("`{provider}` takes a map, not {}", entry.value.kind_name());
            self.error(codes::WRONG_TYPE, entry.value.span, place, text, None);
            return poison();
        }
        let value = self.lower(&entry.value, Some((&schema, 0)), place);
        for problem in check(&schema, &value) {
            let span = if problem.path.is_root() {
                entry.key_span
            } else {
                entry.value.locate(&problem.path, problem.key)
            };
            self.problem(problem, span, place);
        }
        value
    }
}

/// The schema of a provider's own block: what any of its players takes.
pub(super) fn own_schema(registry: &crate::provider::Registry, provider: &str) -> Json {
    let mut all: Vec<Json> = registry
        .provider(provider)
        .map(|provider| {
            provider
                .players()
                .iter()
                .map(|player| player.options())
                .collect()
        })
        .unwrap_or_default();
    if all.len() == 1 {
        return all.pop().unwrap_or_default();
    }
    let mut properties = serde_json::Map::new();
    let mut defs = serde_json::Map::new();
    let mut open = false;
    for options in all {
        open |= options.get("additionalProperties") != Some(&Json::Bool(false));
        for (from, to) in [("properties", &mut properties), ("$defs", &mut defs)] {
            for (key, schema) in options
                .get(from)
                .and_then(Json::as_object)
                .into_iter()
                .flatten()
            {
                to.entry(key.clone()).or_insert_with(|| schema.clone());
            }
        }
    }
    json!({"type": "object", "properties": properties, "$defs": defs, "additionalProperties": open})
}

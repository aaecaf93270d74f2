//! What the cloud has, and how a request changes it.

use std::collections::{BTreeMap, HashMap};

use fabrik_core::error::{Effect, Error, ErrorKind};
use serde_json::{Map, Value as Json};

use super::log::{Log, LogEntry};
use crate::protocol::{Query, Sameness, Thing, What, Write, Written};

/// Milliseconds since 1970.
type Millis = i64;

/// Everything behind the lock.
#[derive(Debug, Default)]
pub(crate) struct State {
    next: u64,
    requests: u64,
    things: BTreeMap<String, Stored>,
    keys: HashMap<String, String>,
    pub(crate) log: Log,
}

#[derive(Clone, Debug)]
struct Stored {
    thing: Thing,
    /// Reads do not show it before.
    shown_from: Millis,
}

/// One request to change things.
pub(crate) struct Request<'a> {
    pub(crate) account: &'a str,
    pub(crate) call: &'a [Write],
    pub(crate) atomic: bool,
    pub(crate) group: Option<&'a str>,
    /// Members beyond this many are left out.
    pub(crate) at_most: usize,
    /// Members that are refused.
    pub(crate) refuse: &'a dyn Fn(&Write) -> Option<ErrorKind>,
    /// When what it makes is first shown.
    pub(crate) shown_from: Millis,
}

impl State {
    /// Every thing, shown or not.
    pub(crate) fn all(&self) -> Vec<Thing> {
        self.things
            .values()
            .map(|stored| stored.thing.clone())
            .collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Thing> {
        self.things.get(id).map(|stored| &stored.thing)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Thing> {
        self.things.remove(id).map(|stored| stored.thing)
    }

    /// Changes an input behind everybody's back.
    pub(crate) fn tamper(&mut self, id: &str, field: &str, value: Json) -> bool {
        let Some(Json::Object(inputs)) = self
            .things
            .get_mut(id)
            .map(|stored| &mut stored.thing.inputs)
        else {
            return false;
        };
        inputs.insert(field.to_owned(), value);
        true
    }

    pub(crate) fn plant(&mut self, account: &str, kind: &str, inputs: Json, name: bool) -> Thing {
        let id = self.new_id(kind, name.then(|| text(&inputs, "name")).flatten());
        let thing = Thing {
            id: id.clone(),
            kind: kind.to_owned(),
            account: account.to_owned(),
            inputs,
            mark: None,
            rev: 1,
            parts: 0,
            sealed: true,
        };
        let stored = Stored {
            thing: thing.clone(),
            shown_from: Millis::MIN,
        };
        self.things.insert(id, stored);
        thing
    }

    /// What reads show.
    pub(crate) fn read(&self, account: &str, query: &Query, now: Millis) -> Vec<Option<Thing>> {
        let shown = |stored: &&Stored| stored.thing.account == account && stored.shown_from <= now;
        let pick = |fits: &dyn Fn(&Thing) -> bool| {
            let found = self.things.values().filter(shown);
            found
                .filter(|stored| fits(&stored.thing))
                .map(|stored| Some(stored.thing.clone()))
                .collect()
        };
        match query {
            Query::Ids(ids) => ids
                .iter()
                .map(|id| {
                    let stored = self.things.get(id).filter(shown);
                    stored.map(|stored| stored.thing.clone())
                })
                .collect(),
            Query::Of { kind, field } => pick(&|thing| {
                thing.kind == *kind
                    && field.as_ref().is_none_or(|(name, value)| {
                        text(&thing.inputs, name).as_deref() == Some(value)
                    })
            }),
            Query::Mark(mark) => pick(&|thing| thing.mark.as_ref() == Some(mark)),
        }
    }

    /// Carries out a request.
    pub(crate) fn write(&mut self, request: &Request<'_>) -> Vec<Written> {
        self.requests += 1;
        let before = request.atomic.then(|| {
            let (things, keys) = (self.things.clone(), self.keys.clone());
            (things, keys, self.next)
        });
        if request.atomic && request.at_most < request.call.len() {
            // Broken off before it was committed.
            return Vec::new();
        }
        let mut entries = Vec::new();
        let mut made: Vec<Option<Thing>> = Vec::new();
        let mut answers = Vec::new();
        for write in request.call.iter().take(request.at_most) {
            let result = match (request.refuse)(write) {
                Some(kind) => Err(Error::new(kind, "refused on demand").effect(Effect::None)),
                None => self.one(request, write, &made, &mut entries),
            };
            match result {
                Ok(thing) => {
                    made.push(thing.clone());
                    answers.push(match thing {
                        Some(thing) => Written::Done(Box::new(thing)),
                        None => Written::Gone,
                    });
                }
                Err(error) if before.is_some() => {
                    if let Some((things, keys, next)) = before {
                        (self.things, self.keys, self.next) = (things, keys, next);
                    }
                    return (0..request.call.len())
                        .map(|at| {
                            if at == answers.len() {
                                Written::Failed(Box::new(error.report()))
                            } else {
                                Written::NotDone
                            }
                        })
                        .collect();
                }
                Err(error) => {
                    made.push(None);
                    answers.push(Written::Failed(Box::new(error.report())));
                }
            }
        }
        for entry in entries {
            self.log.push(entry);
        }
        answers
    }

    fn one(
        &mut self,
        request: &Request<'_>,
        write: &Write,
        made: &[Option<Thing>],
        entries: &mut Vec<LogEntry>,
    ) -> Result<Option<Thing>, Error> {
        let mut entry = LogEntry {
            seq: 0,
            request: self.requests,
            what: write.what,
            kind: write.kind.clone(),
            id: write.id.clone().unwrap_or_default(),
            op: write.op.clone(),
            group: request.group.map(str::to_owned),
            again: false,
        };
        let inputs = resolved(&write.inputs, made)?;
        let thing = match write.what {
            What::Create => {
                if let (Sameness::Key, Some(id)) = (write.sameness, self.keys.get(&write.op)) {
                    entry.id.clone_from(id);
                    entry.again = true;
                    let thing = self.get(id).cloned();
                    entries.push(entry);
                    return thing.map(Some).ok_or_else(|| gone(&write.kind));
                }
                let thing = self.create(request, write, inputs)?;
                entry.id.clone_from(&thing.id);
                Some(thing)
            }
            What::Update | What::Part | What::Seal => {
                let stored = self.own(request.account, write)?;
                let thing = &mut stored.thing;
                match write.what {
                    // Uploading a part again changes nothing.
                    What::Part => thing.parts = thing.parts.max(number(&inputs, "part")),
                    What::Seal => thing.sealed = true,
                    _ => {
                        // What is not set stays, unless it was set before: a write-only value.
                        merge(&mut thing.inputs, inputs);
                        thing.rev += 1;
                    }
                }
                Some(thing.clone())
            }
            What::Delete => {
                let id = write.id.as_deref().unwrap_or_default();
                if self.own(request.account, write).is_err() {
                    return Ok(None);
                }
                self.things.remove(id);
                // What lives inside goes too.
                self.things
                    .retain(|_, stored| text(&stored.thing.inputs, "note").as_deref() != Some(id));
                None
            }
            What::Run => None,
        };
        entries.push(entry);
        Ok(thing)
    }

    fn create(
        &mut self,
        request: &Request<'_>,
        write: &Write,
        inputs: Json,
    ) -> Result<Thing, Error> {
        let name = match write.sameness {
            Sameness::Name => text(&inputs, "name"),
            _ => None,
        };
        let id = self.new_id(&write.kind, name);
        if self.things.contains_key(&id) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("the name of `{id}` is taken"),
            ));
        }
        let thing = Thing {
            id: id.clone(),
            kind: write.kind.clone(),
            account: request.account.to_owned(),
            inputs,
            mark: Some(write.op.clone()),
            rev: 1,
            parts: 0,
            sealed: false,
        };
        let stored = Stored {
            thing: thing.clone(),
            shown_from: request.shown_from,
        };
        self.things.insert(id.clone(), stored);
        if write.sameness == Sameness::Key {
            self.keys.insert(write.op.clone(), id);
        }
        Ok(thing)
    }

    fn own(&mut self, account: &str, write: &Write) -> Result<&mut Stored, Error> {
        let id = write.id.as_deref().unwrap_or_default();
        self.things
            .get_mut(id)
            .filter(|stored| stored.thing.account == account)
            .ok_or_else(|| gone(id))
    }

    fn new_id(&mut self, kind: &str, name: Option<String>) -> String {
        let short = kind.rsplit('.').next().unwrap_or(kind);
        if let Some(name) = name {
            return format!("{short}/{name}");
        }
        self.next += 1;
        format!("{short}-{}", self.next)
    }
}

fn gone(what: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no `{what}`"))
}

fn number(inputs: &Json, field: &str) -> u64 {
    inputs.get(field).and_then(Json::as_u64).unwrap_or_default()
}

fn text(inputs: &Json, field: &str) -> Option<String> {
    inputs.get(field).and_then(Json::as_str).map(str::to_owned)
}

/// Inputs as they are now; what the sender does not show (`secret`) stays when it is not sent.
fn merge(there: &mut Json, new: Json) {
    let kept = there.get("secret").cloned();
    *there = new;
    if let (Json::Object(map), Some(secret)) = (there, kept) {
        map.entry("secret").or_insert(secret);
    }
}

/// Puts in the values of earlier members.
fn resolved(inputs: &Json, made: &[Option<Thing>]) -> Result<Json, Error> {
    let invalid = || {
        Error::new(
            ErrorKind::Invalid,
            "a reference to a member that is not there",
        )
    };
    Ok(match inputs {
        Json::Array(items) => {
            let items: Result<Vec<Json>, Error> =
                items.iter().map(|item| resolved(item, made)).collect();
            Json::Array(items?)
        }
        Json::Object(map) if map.contains_key("$member") => {
            let at = map["$member"]
                .as_u64()
                .and_then(|at| usize::try_from(at).ok());
            let thing = at.and_then(|at| made.get(at)).and_then(Option::as_ref);
            let thing = thing.ok_or_else(invalid)?;
            let path = map.get("path").and_then(Json::as_str).unwrap_or("id");
            match path {
                "id" => Json::String(thing.id.clone()),
                "url" => Json::String(url_of(thing)),
                field => thing.inputs.get(field).cloned().ok_or_else(invalid)?,
            }
        }
        Json::Object(map) if map.contains_key("$text") => {
            let Json::Array(parts) = resolved(&map["$text"], made)? else {
                return Err(invalid());
            };
            let texts: Vec<String> = parts
                .iter()
                .map(|part| {
                    part.as_str()
                        .map_or_else(|| part.to_string(), str::to_owned)
                })
                .collect();
            Json::String(texts.concat())
        }
        Json::Object(map) => {
            let mut out = Map::new();
            for (key, item) in map {
                out.insert(key.clone(), resolved(item, made)?);
            }
            Json::Object(out)
        }
        other => other.clone(),
    })
}

/// Where a thing answers.
pub(crate) fn url_of(thing: &Thing) -> String {
    format!("https://memory.test/{}", thing.id)
}

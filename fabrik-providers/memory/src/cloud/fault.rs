//! Requests that go wrong on demand.

use std::time::Duration;

use fabrik_core::error::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::protocol::{What, Write};

/// Which requests: those in which a member fits all that is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// What the member does.
    pub what: Option<What>,
    /// Its type.
    pub kind: Option<String>,
    /// Its input `name` or `title`, or the id of its thing.
    pub name: Option<String>,
}

impl Match {
    /// Every request that changes something.
    pub fn any() -> Match {
        Match::default()
    }

    /// Requests that do this.
    pub fn what(what: What) -> Match {
        Match {
            what: Some(what),
            ..Match::default()
        }
    }

    /// Only things of this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Match {
        self.name = Some(name.into());
        self
    }

    /// Only things of this type.
    #[must_use]
    pub fn of(mut self, kind: impl Into<String>) -> Match {
        self.kind = Some(kind.into());
        self
    }

    pub(crate) fn fits(&self, write: &Write) -> bool {
        let name = |wanted: &String| {
            let field = |field: &str| write.inputs.get(field).and_then(serde_json::Value::as_str);
            write.id.as_ref() == Some(wanted)
                || field("name") == Some(wanted)
                || field("title") == Some(wanted)
        };
        self.what.is_none_or(|what| what == write.what)
            && self.kind.as_ref().is_none_or(|kind| *kind == write.kind)
            && self.name.as_ref().is_none_or(name)
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// It is refused, and nothing is done. In a call that is not atomic the other members go on.
    FailBefore(ErrorKind),
    /// It is done, and the reply is lost.
    LoseReply,
    /// The reply is lost at once, and it is done after this time.
    LandLater(Duration),
    /// It is never answered and never done.
    Hang,
    /// It takes this much longer.
    Slow(Duration),
    /// So many members are done, none of an atomic call, then the reply is lost.
    StopAfter(usize),
    /// The provider panics.
    Panic,
}

/// Something that goes wrong so many times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// With which requests.
    pub on: Match,
    /// What goes wrong.
    pub does: Does,
    /// How often; then requests are as always.
    pub times: u32,
}

impl Fault {
    /// Goes wrong once.
    pub fn once(on: Match, does: Does) -> Fault {
        Fault { on, does, times: 1 }
    }

    /// Goes wrong every time.
    pub fn always(on: Match, does: Does) -> Fault {
        Fault {
            on,
            does,
            times: u32::MAX,
        }
    }
}

//! What is asked of the cloud and what it answers: plain data, the same in one process and over TCP.

use fabrik_core::error::ErrorReport;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::cloud::{Fault, LogEntry};

/// A thing the cloud has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    /// Its id, given by the cloud.
    pub id: String,
    /// Its type: `memory.note`.
    pub kind: String,
    /// Whose it is.
    pub account: String,
    /// What was set.
    pub inputs: Json,
    /// The operation that made it; `None` for what was planted.
    pub mark: Option<String>,
    /// How often it was changed.
    pub rev: u64,
    /// Parts uploaded so far, for things made in several steps.
    pub parts: u64,
    /// Whether it is complete, for things made in several steps.
    pub sealed: bool,
}

/// What one member of a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Makes a thing.
    Create,
    /// Changes a thing.
    Update,
    /// Removes a thing.
    Delete,
    /// Does something that leaves nothing.
    Run,
    /// Uploads the next part of a thing.
    Part,
    /// Completes a thing.
    Seal,
}

/// How the cloud tells apart creates that may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sameness {
    /// Not at all: every create makes a thing.
    None,
    /// By the operation's id: a second create gives the first one's thing.
    Key,
    /// By the input `name`: a second create is refused. The name is the id.
    Name,
}

/// One member of a call that changes something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// The operation's id.
    pub op: String,
    /// The type.
    pub kind: String,
    /// What to do.
    pub what: What,
    /// To which thing; none for a create.
    pub id: Option<String>,
    /// What to set. `{"$member": N, "path": P}` stands for a value of the call's Nth member, and
    /// `{"$text": [..]}` for a text put together.
    pub inputs: Json,
    /// How creates are told apart.
    pub sameness: Sameness,
}

/// What became of one member of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// Done; the thing as it is now.
    Done(Box<Thing>),
    /// It is not there any more.
    Gone,
    /// It did not happen, because another member failed.
    NotDone,
    /// It failed.
    Failed(Box<ErrorReport>),
}

/// Which things to show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Query {
    /// Those of these ids, in this order.
    Ids(Vec<String>),
    /// All of a type whose input of this name has this value; all of the type without one.
    Of {
        /// The type.
        kind: String,
        /// Name and value of an input.
        field: Option<(String, String)>,
    },
    /// Those that an operation made.
    Mark(String),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Whether a token is good.
    Hello {
        /// The token.
        token: Option<String>,
    },
    /// What the token may do.
    Examine {},
    /// Shows things.
    Read {
        /// Whose.
        account: String,
        /// Which.
        query: Query,
    },
    /// Changes things.
    Write {
        /// Whose.
        account: String,
        /// Members, in order.
        call: Vec<Write>,
        /// All or none.
        atomic: bool,
        /// What the members share, such as a zone.
        group: Option<String>,
    },
    /// Everything that was logged: for judging.
    Log {},
    /// Every thing there is: for judging.
    Things {},
    /// Waits until nothing is under way any more.
    Quiet {},
    /// Makes a request go wrong.
    Inject(Fault),
    /// Makes a thing that nobody's operation made.
    Plant {
        /// The type.
        kind: String,
        /// What to set.
        inputs: Json,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Good.
    Ok {},
    /// Names of permissions: those that are missing.
    Lacks(Vec<String>),
    /// Things; `None` for an id that is not there.
    Things(Vec<Option<Thing>>),
    /// What became of each member.
    Written(Vec<Written>),
    /// The log.
    Log(Vec<LogEntry>),
    /// The request as a whole failed.
    Failed(Box<ErrorReport>),
}

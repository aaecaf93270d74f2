//! What the service has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{SCOPES, TOKEN, tokens};

/// What a zone pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// 200 records, 200 operations a batch, comments of 100 characters, no tags.
    Free,
    /// 3,500 records, 3,500 operations a batch, comments of 500 characters.
    Pro,
    /// As `Pro`, with answers kept from 30 s, and purges by host, tag and prefix.
    Enterprise,
}

impl Plan {
    pub(super) fn legacy_id(self) -> &'static str {
        match self {
            Plan::Free => "free",
            Plan::Pro => "pro",
            Plan::Enterprise => "enterprise",
        }
    }

    pub(super) fn records(self) -> usize {
        if self == Plan::Free { 200 } else { 3_500 }
    }

    pub(super) fn batch(self) -> usize {
        if self == Plan::Free { 200 } else { 3_500 }
    }

    pub(super) fn comment(self) -> usize {
        if self == Plan::Free { 100 } else { 500 }
    }

    pub(super) fn tags(self) -> usize {
        if self == Plan::Free { 0 } else { 20 }
    }

    pub(super) fn redirects(self) -> usize {
        match self {
            Plan::Free => 10,
            Plan::Pro => 25,
            Plan::Enterprise => 300,
        }
    }
}

/// A zone with everything in it.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) account: String,
    pub(super) kind: String,
    pub(super) status: &'static str,
    pub(super) paused: bool,
    pub(super) plan: Plan,
    pub(super) checks: u32,
    /// By id, in the order of making.
    pub(super) records: BTreeMap<String, Json>,
    pub(super) settings: BTreeMap<String, Setting>,
    pub(super) ruleset: Option<Ruleset>,
    /// More records than the plan has, for tests of scale.
    pub(super) quota: Option<usize>,
}

impl Zone {
    pub(super) fn rules(&self) -> &[Json] {
        self.ruleset.as_ref().map_or(&[], |ruleset| &ruleset.rules)
    }
}

/// A setting of a zone.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) value: Json,
    pub(super) start: Json,
    pub(super) editable: bool,
}

/// The redirect rules of a zone.
#[derive(Clone, Debug)]
pub(super) struct Ruleset {
    pub(super) id: String,
    pub(super) version: u32,
    pub(super) rules: Vec<Json>,
}

/// A token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) status: &'static str,
    pub(super) scopes: BTreeSet<String>,
    pub(super) zones: Option<BTreeSet<String>>,
    pub(super) of_account: bool,
}

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    pub(super) zones: BTreeMap<String, Zone>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) purges: Vec<Json>,
    pub(super) activate_after: u32,
    pub(super) plan: Plan,
    pub(super) settings_at_once: bool,
    pub(super) refusals: u32,
    pub(super) retry_after: String,
    pub(super) page_cap: usize,
    pub(super) requests: u32,
    made: u64,
}

impl State {
    pub(super) fn new() -> State {
        let mut state = State {
            zones: BTreeMap::new(),
            tokens: BTreeMap::new(),
            purges: Vec::new(),
            activate_after: 0,
            plan: Plan::Free,
            settings_at_once: true,
            refusals: 0,
            retry_after: String::new(),
            page_cap: 5_000_000,
            requests: 0,
            made: 0,
        };
        tokens::add(&mut state, TOKEN, SCOPES);
        state
    }

    /// An id as the service makes them: 32 hexadecimal digits. Later ones sort behind earlier ones.
    pub(super) fn id(&mut self) -> String {
        self.made += 1;
        format!(
            "{:016x}{:016x}",
            self.made,
            0x9e37_79b9_7f4a_7c15_u64 ^ self.made
        )
    }

    /// The time of what happens now: it only goes on.
    pub(super) fn now(&self) -> String {
        let made = self.made;
        format!(
            "2026-01-01T{:02}:{:02}:{:02}.000000Z",
            made / 3600 % 24,
            made / 60 % 60,
            made % 60
        )
    }
}

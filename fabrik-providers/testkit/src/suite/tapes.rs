//! What a case runs against, by mode: a target, a target that is recorded, a recording, or a
//! service others use.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};

use super::{Definition, Held, Mode};
use crate::cassette::{self, Tape};
use crate::target::{Target, Wire};

/// The tapes of one case, one for each world it makes.
#[derive(Clone, Default)]
pub(crate) struct Tapes(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    read: VecDeque<Tape>,
    written: BTreeMap<usize, String>,
    worlds: usize,
}

impl Tapes {
    /// Those of a case, where the mode reads them.
    pub(crate) fn of(def: &Definition, case: &str) -> Tapes {
        let tapes = Tapes::default();
        if def.mode == Mode::Replay
            && let Some(folder) = &def.folder
        {
            let text = std::fs::read_to_string(cassette::file(folder, case)).unwrap_or_default();
            tapes.with(|state| state.read = cassette::read(&text).into());
        }
        tapes
    }

    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The tape of the next world.
    pub(super) fn next(&self) -> Option<Tape> {
        self.with(|state| state.read.pop_front())
    }

    /// The number of the next world.
    pub(super) fn number(&self) -> usize {
        self.with(|state| {
            state.worlds += 1;
            state.worlds
        })
    }

    /// Keeps what a world recorded.
    pub(super) fn keep(&self, number: usize, text: String) {
        self.with(|state| state.written.insert(number, text));
    }

    /// Writes what was kept.
    pub(super) fn save(&self, def: &Definition, case: &str) -> Result<(), String> {
        let texts = self.with(|state| std::mem::take(&mut state.written));
        let (Some(folder), Mode::Record, false) = (&def.folder, def.mode, texts.is_empty()) else {
            return Ok(());
        };
        let file = cassette::file(folder, case);
        let failed = |error: std::io::Error| format!("{}: {error}", file.display());
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let texts: Vec<String> = texts.into_values().collect();
        std::fs::write(&file, texts.concat()).map_err(failed)
    }
}

/// What was asked of the target itself, in order.
#[derive(Clone, Default)]
pub(super) struct Judged(Arc<Mutex<Vec<Json>>>);

impl Judged {
    fn with<R>(&self, work: impl FnOnce(&mut Vec<Json>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn all(&self) -> Vec<Json> {
        self.with(|all| all.clone())
    }
}

/// A target whose answers are kept.
struct Recorded {
    inner: Arc<dyn Target>,
    judged: Judged,
}

impl Target for Recorded {
    fn address(&self) -> SocketAddr {
        self.inner.address()
    }

    fn config(&self, at: SocketAddr) -> Json {
        self.inner.config(at)
    }

    fn dump(&self) -> Json {
        let dump = self.inner.dump();
        self.judged.with(|all| all.push(dump.clone()));
        dump
    }

    fn count(&self, type_name: &str) -> usize {
        let count = self.inner.count(type_name);
        self.judged.with(|all| all.push(json!(count)));
        count
    }

    fn wire(&self) -> Wire {
        self.inner.wire()
    }
}

/// A target that is not there: everything is told from a tape.
struct Replayed {
    config: Json,
    wire: Wire,
    judged: Judged,
}

impl Replayed {
    fn next(&self) -> Json {
        self.judged.with(|all| {
            if all.is_empty() {
                Json::Null
            } else {
                all.remove(0)
            }
        })
    }
}

const NOWHERE: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

impl Target for Replayed {
    fn address(&self) -> SocketAddr {
        NOWHERE.into()
    }

    fn config(&self, at: SocketAddr) -> Json {
        cassette::placed(&self.config, cassette::AT, &at.to_string())
    }

    fn dump(&self) -> Json {
        self.next()
    }

    fn count(&self, _: &str) -> usize {
        let count = self.next().as_u64().unwrap_or_default();
        usize::try_from(count).unwrap_or_default()
    }

    fn wire(&self) -> Wire {
        self.wire
    }
}

/// A service others use: nobody looks into it.
struct Live(Json);

impl Target for Live {
    fn address(&self) -> SocketAddr {
        NOWHERE.into()
    }

    fn config(&self, _: SocketAddr) -> Json {
        self.0.clone()
    }

    fn dump(&self) -> Json {
        Json::Null
    }

    fn count(&self, _: &str) -> usize {
        0
    }
}

/// A target for a world, with what is to be replayed and where its answers are kept.
pub(super) struct Begun {
    pub(super) held: Held,
    pub(super) tape: Option<Tape>,
    pub(super) judged: Judged,
}

pub(super) fn begin(def: &Definition, tapes: &Tapes) -> Begun {
    let judged = Judged::default();
    let nobody: Arc<dyn std::any::Any + Send + Sync> = Arc::new(());
    match def.mode {
        Mode::Fake => Begun {
            held: (def.start)(),
            tape: None,
            judged,
        },
        Mode::Record => {
            let held = (def.start)();
            Begun {
                held: Held {
                    target: Arc::new(Recorded {
                        inner: held.target,
                        judged: judged.clone(),
                    }),
                    any: held.any,
                },
                tape: None,
                judged,
            }
        }
        Mode::Replay => {
            let tape = tapes.next().unwrap_or_default();
            judged.with(|all| all.clone_from(&tape.judged));
            let target = Replayed {
                config: tape.config.clone(),
                wire: tape.wire,
                judged: judged.clone(),
            };
            Begun {
                held: Held {
                    target: Arc::new(target),
                    any: nobody,
                },
                tape: Some(tape),
                judged,
            }
        }
        Mode::Live => Begun {
            held: Held {
                target: Arc::new(Live(def.live.clone())),
                any: nobody,
            },
            tape: None,
            judged,
        },
    }
}

/// Cases that hold for a service nobody looks into, through no proxy.
pub(super) const LIVE: [&str; 32] = [
    "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "C1", "C2", "L2", "L3", "L4",
    "L12", "L13", "L14", "L15", "L16", "I1", "I2", "I3", "I4", "R12", "V1", "X2", "X4", "P2", "P3",
    "Q1", "Q2",
];

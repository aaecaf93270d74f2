//! Sample records, made from a seed.

use std::sync::Arc;

use jiff::Timestamp;

use crate::address::Address;
use crate::clock::{Entropy, SeededEntropy};
use crate::expr::{Expr, Reference};
use crate::provider::{Object, OpId, Verb};
use crate::stack::{Declared, OnFailure, Options};
use crate::state::{
    Change, Entry, EntryKind, Intent, Row, RowStatus, RunEnd, RunId, RunKind, RunResult, RunStart,
    StepOutcome, StepRef,
};
use crate::value::{Path, Value, from_json};

/// An address `resources.NAME`; a name that is none becomes `resources.odd`.
pub(super) fn address(name: &str) -> Address {
    Address::resource(name)
        .or_else(|_| Address::parse("resources.odd"))
        .unwrap_or_else(|_| unreachable!("a constant address is valid"))
}

/// A small row of an id at `resources.NAME`.
pub fn sample_row(oid: u128, name: &str) -> Row {
    Row {
        oid: OpId(oid),
        address: address(name),
        type_name: "memory.object".into(),
        version: 1,
        instance: "memory".into(),
        status: RowStatus::Current,
        declared: None,
        object: Object {
            id: format!("id-{oid}"),
            inputs: Value::map([("name", Value::from(name))]),
            ..Object::default()
        },
        deps: Vec::new(),
        options: Arc::default(),
        adopted: false,
        triggered_by: None,
    }
}

/// How a sample run begins.
pub fn sample_start(base: u64) -> RunStart {
    RunStart {
        kind: RunKind::Apply,
        who: "suite".to_owned(),
        host: "here".to_owned(),
        command: "fabrik apply".to_owned(),
        fabrik: "0.0.0".to_owned(),
        base,
        on_failure: OnFailure::Rollback,
        plan: "0".to_owned(),
        note: None,
    }
}

/// How a sample run ends.
pub fn sample_end(revision: u64) -> RunEnd {
    RunEnd {
        result: RunResult::Succeeded,
        revision,
        created: 1,
        updated: 0,
        deleted: 0,
        millis: 12,
        error: None,
        left: vec!["nothing".to_owned()],
    }
}

/// A point in time, so many seconds after an arbitrary one.
pub fn sample_time(seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds % 1_000_000).unwrap_or(0);
    Timestamp::from_second(1_700_000_000 + seconds).unwrap_or_default()
}

/// An entry of a run.
pub fn sample_entry(run: RunId, kind: EntryKind) -> Entry {
    Entry::new(run, sample_time(run), kind)
}

/// An entry that begins a run, and puts one row.
pub fn sample_group(run: RunId, oid: u128, name: &str) -> Vec<Entry> {
    vec![
        sample_entry(run, EntryKind::RunStarted(Box::new(sample_start(0)))),
        sample_entry(run, EntryKind::Resumed).change(Change::Put(Box::new(sample_row(oid, name)))),
    ]
}

/// Groups as runs would write them: rows put, replaced, moved and removed, secrets, facts,
/// revisions, runs that end and one that may not. Equal for equal seeds.
pub fn random_groups(seed: u64, count: usize) -> Vec<Vec<Entry>> {
    let mut random = Random(SeededEntropy::new(seed));
    let (mut run, mut open, mut revision) = (0, false, 0);
    (0..count)
        .map(|_| {
            let entries = 1 + random.below(5);
            (0..entries)
                .map(|_| {
                    let kind = if !open {
                        (run, open) = (run + 1, true);
                        EntryKind::RunStarted(Box::new(sample_start(revision)))
                    } else if random.below(8) == 0 {
                        open = false;
                        revision += 1;
                        EntryKind::RunEnded(Box::new(sample_end(revision)))
                    } else {
                        random.kind()
                    };
                    let ended = matches!(kind, EntryKind::RunEnded(_));
                    let mut entry = sample_entry(run, kind);
                    for _ in 0..random.below(4) {
                        entry
                            .changes
                            .push(random.change(revision + u64::from(!ended)));
                    }
                    if ended {
                        let outputs = vec![("out".into(), random.value(0))];
                        entry.changes.push(Change::Revision(revision, outputs));
                    }
                    entry
                })
                .collect()
        })
        .collect()
}

struct Random(SeededEntropy);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        let mut bytes = [0_u8; 8];
        // A seeded source does not fail.
        _ = self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % limit
    }

    fn name(&mut self) -> String {
        format!("r{}", self.below(9))
    }

    fn value(&mut self, depth: u64) -> Value {
        match self.below(if depth < 3 { 11 } else { 7 }) {
            0 => Value::Null,
            1 => Value::from(self.below(2) == 0),
            2 => Value::from(self.below(1000)),
            3 => from_json(&serde_json::json!(-1.5)),
            4 => Value::from("ünïcode \u{1f980} \"quoted\" \n\u{0}"),
            5 => Value::Sealed(Arc::from(self.below(u64::MAX).to_le_bytes().as_slice())),
            6 => Value::from(Expr::from(Reference::output(
                address(&self.name()),
                Path::key("id"),
            ))),
            7 => Value::list((0..self.below(4)).map(|_| self.value(depth + 1))),
            8 => Value::map([("$expr", self.value(depth + 1))]),
            _ => Value::map((0..self.below(4)).map(|at| (format!("k{at}"), self.value(depth + 1)))),
        }
    }

    fn row(&mut self) -> Row {
        let name = self.name();
        let mut row = sample_row(u128::from(self.below(12)), &name);
        row.object.inputs = self.value(0);
        row.object.outputs = self.value(0);
        row.object.private = vec![7; usize::try_from(self.below(3)).unwrap_or(0)];
        row.declared = (self.below(2) == 0).then(|| self.value(0));
        row.deps = vec![address(&self.name())];
        row.adopted = self.below(2) == 0;
        row.options = Arc::new(Options {
            protect: self.below(4) == 0,
            ..Options::default()
        });
        row
    }

    fn kind(&mut self) -> EntryKind {
        let step = StepRef(u32::try_from(self.below(9)).unwrap_or(0));
        let op = OpId(u128::from(self.below(12)));
        match self.below(4) {
            0 => EntryKind::Intent(Box::new(Intent {
                step,
                op,
                call: 0,
                address: address(&self.name()),
                type_name: "memory.object".into(),
                instance: "memory".into(),
                verb: Verb::Create,
                oid: None,
                row: Some(Box::new(self.row())),
                before: (self.below(2) == 0).then(|| Box::new(self.row())),
                observed: None,
                looked: None,
                deadline: sample_time(60),
                undoes: None,
            })),
            1 => EntryKind::Checkpoint {
                step,
                op,
                object: Box::new(self.row().object),
            },
            2 => EntryKind::Outcome {
                step,
                op,
                outcome: StepOutcome::Done,
            },
            _ => EntryKind::Resumed,
        }
    }

    fn change(&mut self, revision: u64) -> Change {
        let key: Arc<str> = self.name().into();
        match self.below(9) {
            0..=2 => Change::Put(Box::new(self.row())),
            3 => Change::Remove(OpId(u128::from(self.below(12)))),
            4 => Change::PutSecret(key, Value::Sealed(Arc::from([1_u8, 2].as_slice()))),
            5 => Change::RemoveSecret(key),
            6 => Change::PutMeta(key, self.value(2)),
            _ => {
                let address = address(&key);
                let declared = (self.below(3) > 0).then(|| {
                    let inputs = self.value(0);
                    Box::new(Declared::new(address.clone(), "memory.object", inputs))
                });
                Change::Declared(revision, address, declared)
            }
        }
    }
}

//! Constructed plans and recorded runs, a terminal, and streams that can be read back.

use std::io::Write;
use std::sync::{Arc, Mutex};

use fabrik_cli::output::{Output, OutputConfig};
use fabrik_core::address::Address;
use fabrik_core::plan::{Action, AttributeDiff, DiffKind, Plan, PlannedChange, Reason};
use fabrik_core::provider::Undo;
use fabrik_core::stack::{Declared, Stack};
use fabrik_core::value::{Path, Value};

/// A secret no output may show.
pub(super) const CANARY: &str = "canary-5c0ffee-hunter2";

pub(super) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// A plan without changes. Read from its stored form, so that a field more does no harm.
pub(super) fn plan(stack: Stack) -> Plan {
    let mut plan: Plan = serde_json::from_value(serde_json::json!({
        "format": Plan::FORMAT,
        "fabrik": "0.1.0",
        "kind": "apply",
        "stack": Stack::new("replaced below"),
        "spec": "spec-digest",
        "made": "2023-11-14T22:13:20Z",
        "head": 120,
        "revision": 14,
        "instances": {},
        "changes": [],
        "drift": [],
        "groups": [],
        "findings": [],
        "outputs": [],
        "secrets": [],
        "read": 21,
        "unchanged": 18,
        "skipped": 0,
        "allow_data_loss": [],
        "note": null,
    }))
    .unwrap();
    plan.stack = Arc::new(stack);
    plan
}

pub(super) fn change(at: &str, type_name: &str, action: Action, reason: Reason) -> PlannedChange {
    PlannedChange {
        address: address(at),
        type_name: type_name.into(),
        instance: type_name.split('.').next().unwrap().into(),
        action,
        reasons: vec![reason],
        diff: Vec::new(),
        unchanged: 0,
        undo: Undo::Full,
        data_loss: false,
        pulled_forward: false,
        may_become: Vec::new(),
        group: None,
        oid: None,
        id: None,
        observed: None,
        after: Vec::new(),
    }
}

pub(super) fn set(path: &str, after: impl Into<Value>) -> AttributeDiff {
    AttributeDiff {
        path: Path::parse(path),
        kind: DiffKind::Add,
        before: Value::Null,
        after: after.into(),
        last_sent: None,
        forces_replacement: false,
        place: None,
    }
}

pub(super) fn turn(path: &str, before: impl Into<Value>, after: impl Into<Value>) -> AttributeDiff {
    AttributeDiff {
        kind: DiffKind::Change,
        before: before.into(),
        ..set(path, after)
    }
}

pub(super) fn unset(path: &str, before: impl Into<Value>) -> AttributeDiff {
    AttributeDiff {
        kind: DiffKind::Remove,
        before: before.into(),
        ..set(path, Value::Null)
    }
}

pub(super) fn declare(stack: &mut Stack, at: &str, type_name: &str, inputs: Value) {
    stack
        .declare(Declared::new(address(at), type_name, inputs))
        .unwrap();
}

/// A stream that can be read back.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An output and its two streams.
pub(super) fn output(config: OutputConfig) -> (Output, Buffer, Buffer) {
    let (stdout, stderr) = (Buffer::default(), Buffer::default());
    let output = Output::new(Box::new(stdout.clone()), Box::new(stderr.clone()), config);
    (output, stdout, stderr)
}

/// What a terminal of a size shows after a text: everything scrolled out, then the screen.
pub(super) fn terminal(text: &str, columns: usize, rows: usize) -> String {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                column = 0;
                if row == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\u{1b}' => {
                assert_eq!(chars.next(), Some('['), "only CSI sequences");
                let mut digits = String::new();
                let end = loop {
                    match chars.next().unwrap() {
                        c if c.is_ascii_digit() || c == ';' => digits.push(c),
                        c => break c,
                    }
                };
                match end {
                    'A' => {
                        let up: usize = digits.parse().unwrap();
                        assert!(up < rows, "the footer must fit the screen");
                        row -= up;
                    }
                    'J' => {
                        lines.truncate(row + 1);
                        lines[row].truncate(column);
                    }
                    'm' => {}
                    other => panic!("unexpected sequence {other}"),
                }
            }
            c => {
                if column >= columns {
                    row += 1;
                    column = 0;
                    lines.insert(row, Vec::new());
                }
                let line = &mut lines[row];
                if column < line.len() {
                    line[column] = c;
                } else {
                    line.push(c);
                }
                column += 1;
            }
        }
    }
    let lines: Vec<String> = lines
        .into_iter()
        .map(|line| line.into_iter().collect())
        .collect();
    lines.join("\n")
}

/// Escape sequences made visible.
pub(super) fn visible(text: &str) -> String {
    text.replace('\u{1b}', "␛")
}

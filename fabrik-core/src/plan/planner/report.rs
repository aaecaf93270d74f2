//! What a plan tells besides changes: drift, outputs, places in the spec.

use super::{
    Action, AttributeDiff, Changes, Decision, Declared, DiffKind, Drift, Error, Finding,
    KnownObject, Object, OnDrift, OutputChange, Path, PlannedChange, PlannedFinding, Planner,
    Reason, Result, Row, Undo, Value, new_change,
};

impl Planner<'_> {
    pub(super) fn report_drift(
        &self,
        declared: &Declared,
        row: Option<&Row>,
        gone: bool,
        decision: &Decision,
        out: &mut Changes,
    ) {
        let Some(row) = row else { return };
        if decision.comparison.drift.is_empty() && !gone {
            return;
        }
        if declared.options.on_drift == Some(OnDrift::Stop) && !self.options.refresh_only {
            out.findings.push(PlannedFinding {
                address: declared.address.clone(),
                place: self.place(declared, None),
                finding: Finding {
                    blocking: true,
                    message: if gone {
                        "was deleted outside Fabrik, and `on_drift: stop` is set".into()
                    } else {
                        "was changed outside Fabrik, and `on_drift: stop` is set".into()
                    },
                    hint: Some("look at the drift, then accept it with `fabrik refresh` or set `on_drift: restore`".into()),
                    field: decision.comparison.drift.first().map(|diff| diff.path.clone()),
                    adopt: None,
                },
            });
        }
        out.drift.push(Drift {
            address: declared.address.clone(),
            type_name: row.type_name.clone(),
            missing: gone,
            diff: decision.comparison.drift.clone(),
            restored: gone || (!decision.comparison.kept && !self.options.refresh_only),
        });
    }

    /// `--refresh-only`: take into state what is there.
    pub(super) fn accept(
        &mut self,
        declared: &Declared,
        row: Option<&Row>,
        gone: bool,
        observed: Option<&Object>,
        decision: &Decision,
        out: &mut Changes,
    ) {
        let Some(row) = row else {
            self.known
                .objects
                .insert(declared.address.clone(), KnownObject::Later(Value::Null));
            return;
        };
        let outputs_moved = observed.is_some_and(|observed| {
            !observed.outputs.is_null() && observed.outputs != row.object.outputs
        });
        self.known.objects.insert(
            declared.address.clone(),
            KnownObject::settled(observed.unwrap_or(&row.object).clone()),
        );
        if gone || !decision.comparison.drift.is_empty() || outputs_moved {
            out.changes.push(PlannedChange {
                action: if gone { Action::Forget } else { Action::Accept },
                diff: decision.comparison.drift.clone(),
                oid: Some(row.oid),
                id: Some(row.object.id.clone()),
                observed: observed.cloned(),
                ..new_change(
                    declared,
                    vec![if gone {
                        Reason::Missing
                    } else {
                        Reason::Drifted
                    }],
                    Undo::Full,
                )
            });
        } else {
            out.unchanged += 1;
        }
    }

    pub(super) fn plan_outputs(&mut self, out: &mut Changes) -> Result<()> {
        if self.options.destroy {
            for (name, before) in &self.snapshot.outputs {
                out.outputs.push(OutputChange {
                    name: name.clone(),
                    before: Some(before.clone()),
                    after: None,
                });
            }
            return Ok(());
        }
        if self.options.refresh_only {
            return Ok(());
        }
        for (name, value) in &self.stack.outputs {
            let after = self.known.resolve(value)?;
            let before = self.snapshot.outputs.get(name);
            if before != Some(&after) {
                out.outputs.push(OutputChange {
                    name: name.clone(),
                    before: before.cloned(),
                    after: Some(after),
                });
            }
        }
        for (name, before) in &self.snapshot.outputs {
            if !self.stack.outputs.contains_key(name) {
                out.outputs.push(OutputChange {
                    name: name.clone(),
                    before: Some(before.clone()),
                    after: None,
                });
            }
        }
        Ok(())
    }

    pub(super) fn all_attributes(&self, declared: &Declared, inputs: &Value) -> Vec<AttributeDiff> {
        let mut diff = Vec::with_capacity(inputs.as_map().map_or(0, crate::value::Map::len));
        for (key, value) in inputs.as_map().into_iter().flatten() {
            if value.is_null() {
                continue;
            }
            let path = Path::key(key.clone());
            let place = self.place(declared, Some(&path));
            diff.push(AttributeDiff {
                path,
                kind: DiffKind::Add,
                before: Value::Null,
                after: value.clone(),
                last_sent: None,
                forces_replacement: false,
                place,
            });
        }
        diff
    }

    pub(super) fn protected(&self, declared: &Declared, what: &str) -> PlannedFinding {
        PlannedFinding {
            address: declared.address.clone(),
            place: self.place(declared, None),
            finding: Finding {
                blocking: true,
                message: format!("is protected and would be {what}"),
                hint: Some("set `protect: false` first".into()),
                field: None,
                adopt: None,
            },
        }
    }

    /// `file:line` of a field in the spec.
    pub(super) fn place(&self, declared: &Declared, path: Option<&Path>) -> Option<String> {
        let origin = declared.origin.as_ref()?;
        let span = path.map_or(origin.span, |path| origin.of(path));
        let position = self.stack.sources.position(span)?;
        Some(format!("{}:{}", position.file, position.line))
    }

    /// An error about a resource: cleaned, named, with its place in the spec.
    pub(super) fn blame(&self, declared: &Declared, error: Error) -> Error {
        let place = self.place(declared, error.field_path());
        let error = self
            .session
            .clean(error)
            .operation(declared.address.to_string());
        match place {
            Some(place) => error.context("spec", place),
            None => error,
        }
    }
}

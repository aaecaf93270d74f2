//! Existing objects: imported by id, adopted by name, or in the way.

use super::{
    Action, Changes, Declared, Error, ErrorKind, Finding, KnownObject, Located, Lost, Object,
    OnDrift, OpId, Planned, PlannedChange, PlannedFinding, Planner, Reason, Result, Treat, Undo,
    Value, compare, create_operation, new_change,
};

impl Planner<'_> {
    /// `import: ID`: the object of that id is taken over.
    pub(super) async fn plan_import(
        &mut self,
        declared: &Declared,
        planned: &Planned,
        out: &mut Changes,
    ) -> Result<bool> {
        let Some(id) = declared.options.import.clone() else {
            return Ok(false);
        };
        let found = self.read_id(declared, &id).await?;
        let Some(object) = found else {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "{}: there is no `{}` with id `{id}` to import",
                    declared.address, declared.type_name
                ),
            ));
        };
        self.take_over(declared, planned, object, Action::Import, out)?;
        Ok(true)
    }

    pub(crate) async fn read_id(&self, declared: &Declared, id: &str) -> Result<Option<Object>> {
        let opened = self.session.instance(&declared.instance)?;
        let info = self.session.type_info(&declared.type_name)?;
        let request = crate::provider::ReadRequest {
            address: declared.address.clone(),
            type_name: declared.type_name.clone(),
            prior: Object {
                id: id.to_owned(),
                ..Object::default()
            },
        };
        let answers = crate::session::catch(
            opened
                .instance
                .read(&self.session.cx, std::slice::from_ref(&request)),
        )
        .await
        .ok_or_else(crate::session::panicked)?;
        let answer = answers
            .into_iter()
            .next()
            .unwrap_or(Ok(None))
            .map_err(|error| self.blame(declared, error))?;
        Ok(answer.map(|object| self.session.mark(info, object, &Value::Null)))
    }

    pub(super) fn take_over(
        &mut self,
        declared: &Declared,
        planned: &Planned,
        object: Object,
        action: Action,
        out: &mut Changes,
    ) -> Result<()> {
        let info = self.session.type_info(&declared.type_name)?.clone();
        let comparison = compare(
            &info.fields,
            &planned.inputs,
            None,
            Some(&object.inputs),
            Treat {
                ignore: &declared.options.ignore_changes,
                on_drift: OnDrift::Restore,
                hidden: &object.hidden,
            },
        );
        // What the service does not show cannot differ as far as anybody knows.
        let is_shown = |diff: &crate::plan::AttributeDiff| {
            !object
                .hidden
                .iter()
                .any(|hidden| diff.path.starts_with(hidden))
        };
        if let Some(diff) = comparison
            .diff
            .iter()
            .find(|diff| diff.forces_replacement && !diff.after.has_unknown() && is_shown(diff))
        {
            out.findings.push(PlannedFinding {
                address: declared.address.clone(),
                place: self.place(declared, Some(&diff.path)),
                finding: Finding {
                    blocking: true,
                    message: format!(
                        "cannot take over `{}`: its `{}` differs and cannot be changed in place",
                        object.id, diff.path
                    ),
                    hint: Some(
                        "write the value it has into the spec, or choose another name".into(),
                    ),
                    field: Some(diff.path.clone()),
                    adopt: None,
                },
            });
        }
        let mut diff = comparison.diff;
        for diff in &mut diff {
            diff.place = self.place(declared, Some(&diff.path));
        }
        out.changes.push(PlannedChange {
            action,
            diff,
            unchanged: comparison.unchanged,
            id: Some(object.id.clone()),
            observed: Some(object),
            ..new_change(declared, vec![Reason::Exists], Undo::Full)
        });
        Ok(())
    }

    /// Before creates of types found by name: is the name taken?
    pub(super) async fn preflight(&mut self, out: &mut Changes) -> Result<()> {
        let mut adopt = Vec::new();
        for (at, change) in out.changes.iter().enumerate() {
            if change.action != Action::Create || change.oid.is_some() {
                continue;
            }
            let info = self.session.type_info(&change.type_name)?;
            if info.lost != Lost::Name {
                continue;
            }
            let (Some(declared), Some(opened)) = (
                self.stack.resources.get(&change.address),
                self.session.opened.get(&change.instance),
            ) else {
                continue;
            };
            let inputs = self.wanted(declared)?;
            if inputs.has_unknown() {
                continue;
            }
            let operation = create_operation(declared, OpId(0), inputs);
            let located = crate::session::catch(
                opened
                    .instance
                    .locate(&self.session.cx, std::slice::from_ref(&operation)),
            )
            .await
            .ok_or_else(crate::session::panicked)?;
            let found = located.into_iter().next().unwrap_or(Ok(Located::Absent));
            match found.map_err(|error| self.blame(declared, error))? {
                Located::Absent => {}
                Located::Ours(object) if declared.options.adopt => adopt.push((at, object)),
                Located::Ours(object) => out.findings.push(self.taken(declared, &object.id)),
                Located::Unsure { id: Some(id), .. } if declared.options.adopt => {
                    // It differs: read what is there.
                    match self.read_id(declared, &id).await? {
                        Some(object) => adopt.push((at, object)),
                        None => out.findings.push(self.taken(declared, &id)),
                    }
                }
                Located::Unsure { id, .. } => {
                    let id = id.as_deref().unwrap_or("?");
                    out.findings.push(self.taken(declared, id));
                }
            }
        }
        for (at, object) in adopt {
            let address = out.changes[at].address.clone();
            let Some(declared) = self.stack.resources.get(&address) else {
                continue;
            };
            let info = self.session.type_info(&declared.type_name)?;
            let object = self.session.mark(info, object, &Value::Null);
            let inputs = self.known.resolve(&declared.inputs)?;
            // In the provider's own form: another spelling of a name is no difference.
            let planned = self
                .provider_plan(declared, info, &inputs, None, Some(&object))
                .await?;
            let mut one = Changes::default();
            self.take_over(declared, &planned, object, Action::Adopt, &mut one)?;
            out.findings.append(&mut one.findings);
            if let Some(change) = one.changes.pop() {
                out.changes[at] = change;
            }
        }
        Ok(())
    }

    /// The inputs of a create as its provider planned them: names in the service's own form.
    fn wanted(&self, declared: &Declared) -> Result<Value> {
        match self.known.objects.get(&declared.address) {
            Some(KnownObject::Later(planned)) => Ok(planned.clone()),
            _ => self.known.resolve(&declared.inputs),
        }
    }

    pub(super) fn taken(&self, declared: &Declared, id: &str) -> PlannedFinding {
        PlannedFinding {
            address: declared.address.clone(),
            place: self.place(declared, None),
            finding: Finding {
                blocking: true,
                message: format!(
                    "an object of that name exists already (`{id}`), and it was not made by this stack"
                ),
                hint: Some(format!(
                    "take it over with `adopt: true` (or `fabrik import {} {id}`), or choose another name",
                    declared.address
                )),
                field: None,
                adopt: Some(id.to_owned()),
            },
        }
    }
}

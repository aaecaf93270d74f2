//! What left the spec, what an earlier run left over, and everything when destroying.

use super::{
    Action, Address, Changes, Finding, HashMap, Mode, Observation, PlannedChange, PlannedFinding,
    Planner, Quick, Reason, Result, Row, RowStatus, Rows, Undo, unsure_finding,
};

impl Planner<'_> {
    /// What left the spec, what an earlier run left over, and everything when destroying.
    pub(super) fn plan_deletes(
        &mut self,
        rows: &HashMap<Address, Rows<'_>, Quick>,
        selected: &[bool],
        out: &mut Changes,
    ) -> Result<()> {
        if self.options.refresh_only {
            return Ok(());
        }
        let partial = !self.options.target.is_empty() || !self.options.exclude.is_empty();
        let matches =
            |address: &Address, globs: &[String]| globs.iter().any(|glob| address.matches(glob));
        for row in &self.snapshot.rows {
            let current = row.status == RowStatus::Current;
            let declared_here = if current {
                let address = self
                    .renamed(&row.address)?
                    .unwrap_or_else(|| row.address.clone());
                self.stack.resources.contains_key(&address) && !self.options.destroy
            } else {
                false
            };
            if declared_here {
                continue;
            }
            if partial {
                let targeted =
                    self.options.target.is_empty() || matches(&row.address, &self.options.target);
                if !targeted || matches(&row.address, &self.options.exclude) {
                    out.skipped += 1;
                    continue;
                }
            }
            if row.status == RowStatus::Incomplete
                && self
                    .index
                    .number(&row.address)
                    .is_some_and(|number| selected[number as usize])
                && rows
                    .get(&row.address)
                    .is_some_and(|rows| rows.current.is_none())
            {
                continue; // planned together with its resource
            }
            if row.status == RowStatus::Unsure {
                if !self.stack.resources.contains_key(&row.address) || self.options.destroy {
                    out.findings.push(unsure_finding(row));
                }
                continue;
            }
            self.plan_delete(row, out)?;
        }
        Ok(())
    }

    pub(super) fn plan_delete(&self, row: &Row, out: &mut Changes) -> Result<()> {
        let reason = match row.status {
            RowStatus::Retired => Reason::LeftOver,
            RowStatus::Incomplete => Reason::Incomplete,
            _ if self.options.destroy => Reason::Destroyed,
            _ => Reason::Removed,
        };
        let base = PlannedChange {
            address: row.address.clone(),
            type_name: row.type_name.clone(),
            instance: row.instance.clone(),
            action: Action::Delete,
            reasons: vec![reason],
            diff: Vec::new(),
            unchanged: 0,
            undo: Undo::Full,
            data_loss: false,
            pulled_forward: false,
            may_become: Vec::new(),
            group: None,
            oid: Some(row.oid),
            id: Some(row.object.id.clone()),
            observed: None,
            after: Vec::new(),
        };
        let forgotten = row.options.retain
            || self.stack.forget.contains(&row.address)
            || self
                .session
                .type_info(&row.type_name)
                .is_ok_and(|info| info.mode != Mode::Managed || info.keeps(&row.object.inputs));
        if forgotten || matches!(self.observed.get(&row.oid), Some(Observation::Gone)) {
            out.changes.push(PlannedChange {
                action: Action::Forget,
                ..base
            });
            return Ok(());
        }
        let info = self.session.type_info(&row.type_name)?;
        if row.options.protect && row.status == RowStatus::Current {
            out.findings.push(PlannedFinding {
                address: row.address.clone(),
                place: None,
                finding: Finding {
                    blocking: true,
                    message: "is protected and would be deleted".into(),
                    hint: Some(
                        "set `protect: false` and apply that first, or `fabrik state rm` to forget it without deleting".into(),
                    ),
                    field: None,
                    adopt: None,
                },
            });
        }
        out.changes.push(PlannedChange {
            undo: info.undo_delete,
            data_loss: info.holds_data,
            ..base
        });
        Ok(())
    }
}

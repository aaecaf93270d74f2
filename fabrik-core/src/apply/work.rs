//! What a run works with, on its way there and back.

use super::journal::Journal;
use crate::engine::{ApplyOptions, Fault};
use crate::plan::Plan;
use crate::provider::StopSignal;
use crate::session::{Known, Session};

/// What a run works with: lent to each walk of it.
pub(crate) struct Work<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) journal: &'a mut Journal,
    /// What references find.
    pub(crate) known: &'a mut Known,
    pub(crate) plan: &'a Plan,
    pub(crate) options: &'a ApplyOptions,
    pub(crate) stop: StopSignal,
    /// Undo faults still to be injected.
    pub(crate) undo_faults: &'a mut Vec<Fault>,
}

impl Work<'_> {
    /// The same, for a while.
    pub(crate) fn lend(&mut self) -> Work<'_> {
        Work {
            session: self.session,
            journal: self.journal,
            known: self.known,
            plan: self.plan,
            options: self.options,
            stop: self.stop.clone(),
            undo_faults: self.undo_faults,
        }
    }
}

/// The faults that hit the way back.
pub(crate) fn undo_faults(options: &ApplyOptions) -> Vec<Fault> {
    let faults = options.faults.0.iter();
    faults
        .filter(|fault| matches!(fault, Fault::FailUndo { .. }))
        .cloned()
        .collect()
}

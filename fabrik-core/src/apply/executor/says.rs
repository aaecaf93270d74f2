//! What a call says while it runs: checkpoints and progress.

use super::{
    Change, EntryKind, Error, ErrorKind, EventBody, Executor, Note, Object, OpId, Progress, Result,
    Row, RowStatus, SafeText, Verb, millis, oneshot,
};

impl Executor<'_> {
    pub(super) fn checkpoint(
        &mut self,
        op: OpId,
        object: Object,
        done: oneshot::Sender<Result<()>>,
    ) {
        let Some(step) = self.ops.get(&op).copied() else {
            _ = done.send(Err(Error::new(
                ErrorKind::Unexpected,
                "a checkpoint of no operation",
            )));
            return;
        };
        let member = self
            .calls
            .values()
            .flat_map(|pending| &pending.members)
            .find(|(member, _)| *member == step)
            .map(|(_, prepare)| {
                (
                    prepare.row.clone(),
                    prepare.info.clone(),
                    prepare.operation.clone(),
                )
            });
        let Some((row, info, operation)) = member else {
            _ = done.send(Err(Error::new(
                ErrorKind::Unexpected,
                "a checkpoint of no call",
            )));
            return;
        };
        let mut object = self.session.mark(&info, object, &operation.inputs);
        if object.inputs.is_null() {
            object.inputs = operation.inputs.clone();
        }
        let mut changes = Vec::new();
        if operation.verb == Verb::Create
            && let Some(row) = row
        {
            let status = RowStatus::Incomplete;
            changes.push(Change::Put(Box::new(Row {
                status,
                object: object.clone(),
                ..row
            })));
        }
        self.journal.push(
            EntryKind::Checkpoint {
                step,
                op,
                object: Box::new(object),
            },
            changes,
            None,
        );
        self.checkpoints.push(done);
    }

    pub(super) fn progress(&self, op: Option<OpId>, progress: Progress) {
        let step = op.and_then(|op| self.ops.get(&op)).copied();
        let events = &self.journal.events;
        let body = match (progress, step) {
            (
                Progress::Http {
                    method,
                    route,
                    status,
                    millis,
                    attempt,
                },
                step,
            ) => EventBody::Http {
                step,
                method: self.safe(&method),
                route: self.safe(&route),
                status,
                ms: millis,
                attempt,
            },
            (_, None) => return,
            (Progress::Note(text), Some(step)) => EventBody::StepProgress {
                step,
                address: self.step(step).address.clone(),
                note: self.safe(&text),
                percent: None,
            },
            (Progress::Percent(percent), Some(step)) => EventBody::StepProgress {
                step,
                address: self.step(step).address.clone(),
                note: "".into(),
                percent: Some(percent),
            },
            (Progress::Log(line), Some(step)) => EventBody::LogLine {
                step,
                address: self.step(step).address.clone(),
                line: self.safe(&line),
            },
        };
        events.emit(body);
    }

    pub(super) fn note(&self, note: Note) {
        let body = match note {
            Note::Retry {
                step,
                why,
                after,
                attempt,
            } => EventBody::StepRetry {
                step,
                address: self.step(step).address.clone(),
                why: self.safe(&why),
                after_ms: millis(after),
                attempt,
            },
            Note::Waiting { step, why, at_most } => EventBody::Waiting {
                address: Some(self.step(step).address.clone()),
                why: self.safe(&why),
                ms: millis(at_most),
            },
        };
        self.journal.events.emit(body);
    }

    pub(super) fn safe(&self, text: &str) -> SafeText {
        SafeText::clean(&self.session.engine.redactor, text)
    }
}

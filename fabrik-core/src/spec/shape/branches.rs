//! Schemas with alternatives: the branch that fits best is taken, and only its mistakes are told.

use std::sync::Arc;

use super::check::{Checker, Frame, Problem};
use super::{Id, type_of};
use crate::value::{Segment, Value};

/// How many branches may be tried within each other.
const MAX_TRIALS: usize = 4;

/// A field that tells branches apart, and what it may be.
type Choices = (Arc<str>, Vec<Value>);

impl Checker<'_> {
    /// Whether a value satisfies a shape.
    pub(super) fn holds(&mut self, value: &Value, id: Id) -> bool {
        self.trial(value, id, None, false).is_empty()
    }

    fn trial(
        &mut self,
        value: &Value,
        id: Id,
        outer: Option<&Frame<'_>>,
        secret: bool,
    ) -> Vec<Problem> {
        let before = std::mem::take(&mut self.found);
        self.trials += 1;
        self.value(value, id, outer, secret);
        self.trials -= 1;
        std::mem::replace(&mut self.found, before)
    }

    /// Takes the branch that fits best and reports its mistakes only.
    pub(super) fn branches(
        &mut self,
        value: &Value,
        branches: &[Id],
        frame: &Frame<'_>,
        secret: bool,
    ) {
        let kind = type_of(value);
        let typed: Vec<Id> = branches
            .iter()
            .copied()
            .filter(|id| self.schema.types_of(*id, 0) & kind != 0)
            .collect();
        if typed.is_empty() {
            let allowed = branches
                .iter()
                .fold(0, |bits, id| bits | self.schema.types_of(*id, 0));
            // Choices of one branch each are one list of choices.
            let choices: Vec<Value> = branches
                .iter()
                .filter_map(|id| self.schema.shape(*id)?.choices.clone())
                .flatten()
                .collect();
            if choices.len() >= branches.len() && allowed & kind != 0 {
                self.choice(value, &choices, secret);
            } else {
                self.wrong_type(value, allowed, secret);
            }
            return;
        }
        let scalars: Option<Vec<Value>> = typed
            .iter()
            .map(|id| self.schema.shape(*id)?.choices.clone())
            .collect::<Option<Vec<_>>>()
            .map(|lists| lists.into_iter().flatten().collect());
        if let Some(choices) = scalars {
            self.choice(value, &choices, secret);
            return;
        }
        let (fitting, told_apart_by) = self.discriminate(value, &typed);
        match (fitting.as_slice(), told_apart_by) {
            ([], Some((key, choices))) => {
                self.path.push(Segment::Key(key.clone()));
                if let Some(given) = value.get(&key) {
                    self.choice(given, &choices, secret);
                }
                self.path.pop();
            }
            ([only], _) => self.value(value, *only, Some(frame), secret),
            (several, _) => {
                let several = if several.is_empty() { &typed } else { several };
                if self.trials >= MAX_TRIALS {
                    self.value(value, several[0], Some(frame), secret);
                    return;
                }
                let mut best: Option<Vec<Problem>> = None;
                for id in several {
                    let problems = self.trial(value, *id, Some(frame), secret);
                    if problems.is_empty() {
                        return;
                    }
                    if best.as_ref().is_none_or(|best| problems.len() < best.len()) {
                        best = Some(problems);
                    }
                }
                self.found.extend(best.unwrap_or_default());
            }
        }
    }

    /// The branches whose fixed fields do not contradict the value; when all do, the field and what
    /// it may be.
    fn discriminate(&self, value: &Value, branches: &[Id]) -> (Vec<Id>, Option<Choices>) {
        let Value::Map(map) = value else {
            return (branches.to_vec(), None);
        };
        let mut fitting = Vec::new();
        let mut blamed: Option<Choices> = None;
        for id in branches {
            let Some(shape) = self.schema.shape(*id) else {
                continue;
            };
            let mut contradicts = false;
            for (key, property) in &shape.properties {
                let choices = self
                    .schema
                    .shape(*property)
                    .and_then(|shape| shape.choices.as_ref());
                let (Some(choices), Some(given)) = (choices, map.get(key)) else {
                    continue;
                };
                if choices.contains(given.reveal()) || given.has_unknown() {
                    continue;
                }
                contradicts = true;
                match &mut blamed {
                    Some((known, all)) if known == key => all.extend(choices.iter().cloned()),
                    Some(_) => {}
                    None => blamed = Some((key.clone(), choices.clone())),
                }
            }
            if !contradicts {
                fitting.push(*id);
            }
        }
        // A branch that requires what is missing gives way to one that does not.
        let complete: Vec<Id> = fitting
            .iter()
            .copied()
            .filter(|id| {
                self.schema
                    .shape(*id)
                    .is_some_and(|shape| shape.required.iter().all(|key| map.contains_key(key)))
            })
            .collect();
        if !complete.is_empty() {
            fitting = complete;
        }
        (fitting, blamed)
    }
}

//! A plan: what would change, why, and whether it can be undone. Data: shown, saved, compared.

mod compare;
pub mod file;
pub(crate) mod index;
mod model;
pub(crate) mod planner;
pub(crate) mod refresh;
pub(crate) mod steps;

pub use compare::{Comparison, Treat, compare, same_value};
pub use model::{
    Action, AttributeDiff, DiffKind, Drift, InstanceFacts, OutputChange, Plan, PlannedChange,
    PlannedFinding, PlannedGroup, Reason, SecretUse, Summary,
};

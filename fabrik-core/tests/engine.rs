//! The engine, end to end, over a small cloud in memory.
#![expect(clippy::unwrap_used, reason = "a failed test is told by its panic")]

#[path = "engine/cloud.rs"]
mod cloud;
#[path = "engine/doubt.rs"]
mod doubt;
#[path = "engine/flow.rs"]
mod flow;
#[path = "engine/groups.rs"]
mod groups;
#[path = "engine/rollback.rs"]
mod rollback;
#[path = "engine/trouble.rs"]
mod trouble;
#[path = "engine/undo.rs"]
mod undo;

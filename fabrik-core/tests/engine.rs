//! The engine, end to end, over a small cloud in memory.

#[path = "engine/cloud.rs"]
mod cloud;
#[path = "engine/flow.rs"]
mod flow;
#[path = "engine/rollback.rs"]
mod rollback;

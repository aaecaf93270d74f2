//! Compose files as people write them: read, checked, written.

mod docker;
mod lint;
mod read;
mod render;
mod support;
mod write;

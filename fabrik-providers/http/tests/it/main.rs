//! The transport against a server on loopback. Waiting is virtual.

mod answers;
mod limits;
mod retries;
mod support;

//! What the two programs of this folder are made of. Each prints what happens to whatever it is
//! given, so that tests can run it, too.
//!
//! - [`local_files`]: a stack built in Rust with typed resources and references, planned, applied,
//!   changed and destroyed; every event shown; state kept in a store of our own.
//! - [`stop_and_resume`]: a provider of our own whose work is slow; the run is stopped on the way,
//!   and a later one goes on with it.

pub mod local_files;
pub mod printer;
pub mod stop_and_resume;
pub mod store;

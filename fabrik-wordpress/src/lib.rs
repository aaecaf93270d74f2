//! WordPress sites as code.

pub mod sections;

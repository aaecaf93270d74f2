//! WordPress sites as code.

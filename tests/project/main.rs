//! What holds of the project as a whole: its examples run, its documents tell the truth, what is
//! generated is up to date, its rules are kept.
//!
//! `UPDATE=1 cargo test -p fabrik-tests --test project` writes generated files anew.
#![expect(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::format_collect,
    reason = "helpers of tests fail loudly, build texts simply, and know how files are called"
)]

mod documents;
mod embedding;
mod examples;
mod fuzz;
mod guide;
mod lock_file;
mod rollback;
mod rules;
mod schemas;
mod support;

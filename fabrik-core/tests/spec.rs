//! The spec language against fixtures: what is valid and what it means, what is wrong and what is
//! said about it.

#![expect(
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "a test that cannot go on fails where it is, and may be plain"
)]

#[path = "spec/doubles.rs"]
mod doubles;
#[path = "spec/features.rs"]
mod features;
#[path = "spec/fixtures.rs"]
mod fixtures;
#[path = "spec/properties.rs"]
mod properties;
#[path = "spec/published.rs"]
mod published;

//! Site specs into resources, without a WordPress.

mod examples;
mod mistakes;
mod sites;
mod support;

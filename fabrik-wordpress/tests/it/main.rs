//! Site specs into resources, without a WordPress.

mod mistakes;
mod sites;
mod support;

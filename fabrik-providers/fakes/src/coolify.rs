//! Coolify.

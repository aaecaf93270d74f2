//! Staging and production.

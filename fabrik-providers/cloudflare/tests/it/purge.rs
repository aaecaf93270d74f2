//! purge.

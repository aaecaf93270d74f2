//! App kinds.

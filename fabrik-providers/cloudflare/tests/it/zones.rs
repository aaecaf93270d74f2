//! zones.

//! Kuma.

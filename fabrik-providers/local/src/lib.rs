//! The embedded default provider.

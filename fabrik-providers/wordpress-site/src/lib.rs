//! Real WordPress sites for tests.

//! Help for testing what is plugged into the engine. No test framework is needed: a suite is a
//! function that returns an error naming what broke.

pub mod store_suite;

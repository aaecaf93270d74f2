//! The `fabrik` program as a library.

//! The engine of Fabrik.

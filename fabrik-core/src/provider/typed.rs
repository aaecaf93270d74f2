//! The typed layer for authors.

//! The HTTP transport every HTTP provider shares.

//! redirects.

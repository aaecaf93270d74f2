//! WordPress sites.

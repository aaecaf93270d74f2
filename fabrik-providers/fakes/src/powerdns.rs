//! Powerdns.

//! The PowerDNS provider.

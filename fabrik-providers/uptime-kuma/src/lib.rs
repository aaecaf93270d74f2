//! The Uptime Kuma provider.

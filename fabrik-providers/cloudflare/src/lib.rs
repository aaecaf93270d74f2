//! The Cloudflare provider.

//! The Coolify provider.

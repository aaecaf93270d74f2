//! The whole orchestrated run of a service: Coolify, Cloudflare, Uptime Kuma and a backup, by the
//! real program, on fakes whose results really answer.

#![expect(clippy::unwrap_used, reason = "a failed test is told by its panic")]

mod failures;
mod life;
mod mistakes;
mod world;

//! The command line, run as a whole.

#![expect(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::zombie_processes,
    reason = "helpers of tests fail loudly and build texts simply"
)]

#[path = "cli/authors.rs"]
mod authors;
#[path = "cli/checks.rs"]
mod checks;
#[path = "cli/codes.rs"]
mod codes;
#[path = "cli/compose.rs"]
mod compose;
#[path = "cli/context.rs"]
mod context;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/import.rs"]
mod import;
#[path = "cli/inspect.rs"]
mod inspect;
#[path = "cli/life.rs"]
mod life;
#[path = "cli/local.rs"]
mod local;
#[path = "cli/new.rs"]
mod new;
#[path = "cli/notify.rs"]
mod notify;
#[path = "cli/process.rs"]
mod process;
#[path = "cli/provider.rs"]
mod provider;
#[path = "cli/secrets.rs"]
mod secrets;
#[path = "cli/state.rs"]
mod state;
#[path = "cli/stranger.rs"]
mod stranger;
#[path = "cli/wp.rs"]
mod wp;

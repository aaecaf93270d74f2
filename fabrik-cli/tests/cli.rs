//! The command line, run as a whole.

#[path = "cli/codes.rs"]
mod codes;
#[path = "cli/context.rs"]
mod context;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/inspect.rs"]
mod inspect;
#[path = "cli/life.rs"]
mod life;
#[path = "cli/process.rs"]
mod process;
#[path = "cli/provider.rs"]
mod provider;
#[path = "cli/secrets.rs"]
mod secrets;
#[path = "cli/state.rs"]
mod state;

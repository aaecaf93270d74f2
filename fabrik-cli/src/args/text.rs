//! Longer help texts.

use std::fmt::Write as _;

use crate::env_vars;
use crate::exit::Exit;

/// Shown first in `fabrik --help`.
pub(super) const EXAMPLES: &str = "\
Examples:
  fabrik new python-api my-api   start a project from a template
  fabrik plan                    show what would change for fabrik.yaml
  fabrik apply my-api.yaml       make it so, and print the URL
  fabrik apply my-api -e staging the same by id, in another environment
  fabrik status                  what runs, its checks, drift
  fabrik logs api -f             follow an app's log
  fabrik rollback 14             go back to revision 14
  fabrik explain FAB1003         what an error code means";

/// Exit codes and variables, shown last in `fabrik --help`.
pub(super) fn after_help() -> String {
    let mut text = String::from("Exit codes:\n");
    for (exit, meaning) in Exit::TABLE {
        _ = writeln!(text, "  {:<4} {meaning}", exit.0);
    }
    text.push_str("\nEnvironment variables:\n");
    for variable in env_vars::ALL {
        _ = writeln!(text, "  {:<26} {}", variable.name, variable.help);
    }
    text.push_str("\nFlags win over variables, variables over `.fabrik/settings.yaml`.");
    text
}

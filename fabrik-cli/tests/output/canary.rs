use fabrik_cli::output::graph::{self, GraphFormat};
use fabrik_cli::output::plan::{PlanStyle, plan_json, render, render_summary};
use fabrik_cli::output::{Color, OutputConfig, Style, Verbosity};

use super::support::CANARY;
use super::{events, plans};

#[test]
fn no_secret_is_ever_shown() {
    let mut shown = Vec::new();
    for plan in plans::all() {
        for style in [Style::plain(80), Style::colored(200)] {
            for full in [false, true] {
                let style = PlanStyle {
                    full,
                    show_unchanged: true,
                    ..PlanStyle::new(style)
                };
                shown.push(render(&plan, &style));
                shown.push(render_summary(&plan, &style));
            }
        }
        shown.push(plan_json(&plan).to_string());
        for format in [
            GraphFormat::Tree,
            GraphFormat::Dot,
            GraphFormat::Mermaid,
            GraphFormat::Json,
        ] {
            shown.push(graph::render(
                &plan.stack,
                Some(&plan),
                format,
                Style::plain(80),
            ));
        }
    }
    for (_, events) in events::all() {
        for json_events in [false, true] {
            for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose(3)] {
                for stderr_is_terminal in [false, true] {
                    let (stdout, stderr) = events::shown(
                        &events,
                        OutputConfig {
                            json_events,
                            verbosity,
                            stderr_is_terminal,
                            color: Color::Always,
                            ..OutputConfig::default()
                        },
                    );
                    shown.extend([stdout, stderr]);
                }
            }
        }
    }
    for text in &shown {
        let at = text
            .find(CANARY)
            .map(|at| &text[text.floor_char_boundary(at.saturating_sub(80))..at]);
        assert_eq!(at, None, "a secret is shown");
        // Nothing but our own sequences reaches the terminal.
        let rest = text.replace("\u{1b}[", "");
        let odd = |c: &char| c.is_control() && !matches!(c, '\n' | '\r');
        assert_eq!(rest.chars().find(odd), None);
    }
}

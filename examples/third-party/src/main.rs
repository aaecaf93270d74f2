//! `fabrik` with one more provider.

fn main() -> std::process::ExitCode {
    fabrik_cli::App::new().provider(logbook::provider()).main()
}

//! `fabrik` with two more providers.

fn main() -> std::process::ExitCode {
    fabrik_cli::App::new()
        .provider(logbook::provider())
        .provider(logbook::pier::provider())
        .main()
}

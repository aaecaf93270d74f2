//! The `fabrik` program.

fn main() -> std::process::ExitCode {
    fabrik_cli::App::new().main()
}

//! The `fabrik` program, built with the tests that run it.

fn main() -> std::process::ExitCode {
    fabrik_cli::App::new().main()
}

//! `fabrik` with the provider `acme` besides its own.

fn main() -> std::process::ExitCode {
    fabrik_cli::App::new()
        .provider(fabrik_provider_acme::provider())
        .main()
}

//! A `fabrik` of one's own: the program, and one more provider.

#[path = "../tests/cli/provider.rs"]
mod provider;

fn main() -> std::process::ExitCode {
    fabrik_cli::App::new().provider(provider::demo()).main()
}

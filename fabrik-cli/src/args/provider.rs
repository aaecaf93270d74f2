//! Arguments of the commands for provider authors.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Arguments of `provider`.
#[derive(Clone, Debug, Args)]
pub struct ProviderArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ProviderCommand,
}

/// What to do with providers.
#[derive(Clone, Debug, Subcommand)]
pub enum ProviderCommand {
    /// List the providers of this program
    List,
    /// Write a provider of your own: a crate whose tests pass
    New(ProviderNewArgs),
    /// Check schemas, and with a crate its conformance and documentation
    Check(ProviderCheckArgs),
}

/// Arguments of `provider new`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik provider new acme              a provider of an HTTP service, in fabrik-provider-acme
  fabrik provider new acme --plain      one that talks by other means
  fabrik provider new acme --dir ~/src/acme --fabrik-path ~/src/fabrik")]
pub struct ProviderNewArgs {
    /// Its name, the first half of its types' names: small letters, digits, `_`
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Where to write it, when not `fabrik-provider-NAME`
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// For a service with an HTTP API (unless said otherwise)
    #[arg(long, conflicts_with = "plain")]
    pub http: bool,
    /// For anything else: the client is yours to write
    #[arg(long)]
    pub plain: bool,
    /// A checkout of Fabrik to build against; found when the command is run inside one
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath)]
    pub fabrik_path: Option<PathBuf>,
}

/// Arguments of `provider check`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik provider check          schemas of every provider of this program
  fabrik provider check acme     of one
  fabrik provider check ./fabrik-provider-acme
                                 its tests, conformance included, and its documentation")]
pub struct ProviderCheckArgs {
    /// A provider of this program, or the directory of a crate
    #[arg(value_name = "NAME|PATH", value_hint = ValueHint::DirPath)]
    pub what: Option<String>,
}

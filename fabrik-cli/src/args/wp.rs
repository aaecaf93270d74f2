//! Arguments of `wp`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Arguments of `wp`.
#[derive(Clone, Debug, Args)]
pub struct WpArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: WpCommand,
}

/// What to do with WordPress sites.
#[derive(Clone, Debug, Subcommand)]
pub enum WpCommand {
    /// Render the pages of a site as local files, to look at without WordPress
    Preview(WpPreviewArgs),
    /// Print a site as a Blueprint for WordPress Playground
    Blueprint(WpSiteArgs),
    /// Search the public plugin directory
    #[command(subcommand)]
    Plugins(WpDirectoryCommand),
    /// Search the public theme directory
    #[command(subcommand)]
    Themes(WpDirectoryCommand),
}

/// Which site.
#[derive(Clone, Debug, Default, Args)]
pub struct WpSiteArgs {
    /// A spec: its path or its id
    #[arg(value_name = "SPEC")]
    pub spec: Option<String>,
    /// The app of kind `wordpress`, when there are several
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
}

/// Arguments of `wp preview`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik wp preview                     writes preview/, prints the first page's file
  fabrik wp preview shop.yaml --out /tmp/shop")]
pub struct WpPreviewArgs {
    /// Which site.
    #[command(flatten)]
    pub site: WpSiteArgs,
    /// Where to write it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "preview")]
    pub out: PathBuf,
}

/// What to do with a public directory.
#[derive(Clone, Debug, Subcommand)]
pub enum WpDirectoryCommand {
    /// List what fits some words
    Search(WpSearchArgs),
    /// Show one by its slug
    Show(WpShowArgs),
}

/// Arguments of `wp plugins search`.
#[derive(Clone, Debug, Default, Args)]
pub struct WpSearchArgs {
    /// What to look for
    #[arg(value_name = "WORDS", required = true, num_args = 1..)]
    pub words: Vec<String>,
    /// At most this many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub limit: u8,
    /// Ask the directory, also when its answer of today is kept
    #[arg(long)]
    pub fresh: bool,
}

/// Arguments of `wp plugins show`.
#[derive(Clone, Debug, Default, Args)]
pub struct WpShowArgs {
    /// Its slug: `contact-form-7`
    #[arg(value_name = "SLUG")]
    pub slug: String,
    /// Ask the directory, also when its answer of today is kept
    #[arg(long)]
    pub fresh: bool,
}

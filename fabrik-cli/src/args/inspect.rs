//! Arguments of the commands that only look.

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::run::Target;

/// Arguments of `validate`.
#[derive(Clone, Debug, Default, Args)]
pub struct ValidateArgs {
    /// Which spec.
    #[command(flatten)]
    pub target: Target,
}

/// Arguments of `status`.
#[derive(Clone, Debug, Default, Args)]
pub struct StatusArgs {
    /// Which spec.
    #[command(flatten)]
    pub target: Target,
    /// Read the services to find drift
    #[arg(long)]
    pub refresh: bool,
    /// Exit 2 when something drifted or apply would change something (implies `--refresh`)
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `outputs`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik outputs              every output, and the address of every app
  fabrik outputs api_url      the value of one, and nothing else
  fabrik outputs apps.api.url
  fabrik outputs my-api       those of another spec")]
pub struct OutputsArgs {
    /// One output: prints just its value. Or a spec: its path or its id
    #[arg(value_name = "NAME|SPEC")]
    pub what: Option<String>,
    /// One output of the spec named before
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Show secrets (asks first, or needs `--yes`)
    #[arg(long)]
    pub reveal: bool,
}

/// Arguments of `logs`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik logs api -f
  fabrik logs --tail 20
  fabrik logs api --build      how its last deployment went
  fabrik logs resources.worker")]
pub struct LogsArgs {
    /// An app, an address, or a spec; the only app when left out
    #[arg(value_name = "APP|ADDRESS|SPEC")]
    pub what: Option<String>,
    /// The log of the last build and deployment, instead of what the program says
    #[arg(long)]
    pub build: bool,
    /// Go on with new lines until interrupted
    #[arg(short = 'f', long)]
    pub follow: bool,
    /// At most this many of the last lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub tail: usize,
}

/// Arguments of `history`.
#[derive(Clone, Debug, Default, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    before_long_help = "\
Examples:
  fabrik history              the runs of fabrik.yaml, newest first
  fabrik history my-api       those of another spec
  fabrik history show         the last run, step by step
  fabrik history show 3 --replay"
)]
pub struct HistoryArgs {
    /// What to show.
    #[command(subcommand)]
    pub command: Option<HistoryCommand>,
    /// Options of the list.
    #[command(flatten)]
    pub list: HistoryListArgs,
}

/// What to show of history.
#[derive(Clone, Debug, Subcommand)]
pub enum HistoryCommand {
    /// List runs, newest first
    List(HistoryListArgs),
    /// Show one run
    Show(HistoryShowArgs),
}

/// Arguments of `history list`.
#[derive(Clone, Debug, Args)]
pub struct HistoryListArgs {
    /// Which spec.
    #[command(flatten)]
    pub target: Target,
    /// At most this many runs
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

impl Default for HistoryListArgs {
    fn default() -> Self {
        HistoryListArgs {
            target: Target::default(),
            limit: 20,
        }
    }
}

/// Arguments of `history show`.
#[derive(Clone, Debug, Default, Args)]
pub struct HistoryShowArgs {
    /// The run's number; the last when left out
    #[arg(value_name = "RUN")]
    pub run: Option<u64>,
    /// A spec's path or its id, when not `fabrik.yaml`
    #[arg(value_name = "SPEC", value_hint = ValueHint::FilePath)]
    pub spec: Option<String>,
    /// Show its output again, as it was
    #[arg(long)]
    pub replay: bool,
}

/// How a graph is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// An indented tree
    #[default]
    Tree,
    /// Graphviz
    Dot,
    /// Mermaid
    Mermaid,
    /// Nodes and edges
    Json,
}

/// Arguments of `graph`.
#[derive(Clone, Debug, Default, Args)]
pub struct GraphArgs {
    /// Which spec.
    #[command(flatten)]
    pub target: Target,
    /// How it is drawn (`--json` for nodes and edges)
    #[arg(long = "as", visible_alias = "style", value_name = "STYLE", value_enum)]
    pub style: Option<GraphFormat>,
    /// Only what a plan would change
    #[arg(long)]
    pub plan: bool,
}

/// Arguments of `eject`.
#[derive(Clone, Debug, Default, Args)]
pub struct EjectArgs {
    /// The app
    #[arg(value_name = "APP")]
    pub app: String,
}

/// Arguments of `export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// What to write.
    #[command(subcommand)]
    pub command: ExportCommand,
}

/// What to write a stack out as.
#[derive(Clone, Debug, Subcommand)]
pub enum ExportCommand {
    /// A Compose file that runs the stack's apps, without secrets in it
    Compose(ExportComposeArgs),
}

/// Arguments of `export compose`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik export compose > compose.yaml   every app
  fabrik export compose api              one, with the databases it uses")]
pub struct ExportComposeArgs {
    /// The app, with the databases it uses; every app when left out
    #[arg(value_name = "APP")]
    pub app: Option<String>,
}

/// Arguments of `lint`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik lint compose.yaml
  fabrik lint compose.yaml --strict   warnings are mistakes, too")]
pub struct LintArgs {
    /// The Compose file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: std::path::PathBuf,
    /// Fail on warnings, too
    #[arg(long)]
    pub strict: bool,
}

/// Arguments of `schema`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik schema > .fabrik/schema.json
  fabrik schema local.service

First line of a spec, for completion in editors:
  # yaml-language-server: $schema=.fabrik/schema.json")]
pub struct SchemaArgs {
    /// A resource type or app kind; the whole document when left out
    #[arg(value_name = "TYPE|KIND")]
    pub name: Option<String>,
}

/// Arguments of `docs`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik docs
  fabrik docs service
  fabrik docs local.file
  fabrik docs exit-codes")]
pub struct DocsArgs {
    /// A resource type, an app kind, a provider or a topic; the list when left out
    #[arg(value_name = "TOPIC")]
    pub topic: Option<String>,
}

/// Arguments of `explain`.
#[derive(Clone, Debug, Default, Args)]
pub struct ExplainArgs {
    /// The code, such as `FAB1003`; the list when left out
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

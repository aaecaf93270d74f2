//! The command line: types and help text, nothing else.

mod inspect;
mod manage;
pub mod parse;
mod provider;
mod run;
mod start;
mod text;
mod wp;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use inspect::{
    DocsArgs, EjectArgs, ExplainArgs, ExportArgs, ExportCommand, ExportComposeArgs, GraphArgs,
    GraphFormat, HistoryArgs, HistoryCommand, HistoryListArgs, HistoryShowArgs, LintArgs, LogsArgs,
    OutputsArgs, SchemaArgs, StatusArgs, ValidateArgs,
};
pub use manage::{
    AgentArgs, CompletionsArgs, DoctorArgs, ImportArgs, ManArgs, SecretNameArgs, SecretRevealArgs,
    SecretSetArgs, SecretsArgs, SecretsCommand, StateArgs, StateCommand, StateExportArgs,
    StateImportArgs, StateListArgs, StateMoveArgs, StateRemoveArgs, StateShowArgs, StateUnlockArgs,
};
pub use provider::{ProviderArgs, ProviderCheckArgs, ProviderCommand, ProviderNewArgs};
pub use run::{
    ApplyArgs, DestroyArgs, OnFailureArg, PlanArgs, RefreshArg, RefreshArgs, RollbackArgs,
    SelectArgs, Target,
};
pub use start::{NewArgs, TemplatesArgs};
pub use wp::{
    WpArgs, WpCommand, WpDirectoryCommand, WpPreviewArgs, WpSearchArgs, WpShowArgs, WpSiteArgs,
};

/// Turn one YAML spec into a running, named, monitored service, and keep it that way
#[derive(Debug, Parser)]
#[command(
    name = "fabrik",
    bin_name = "fabrik",
    version,

    before_long_help = text::EXAMPLES,
    after_long_help = text::after_help(),
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    infer_long_args = true,
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document, or JSON Lines where things happen over time
    Json,
    /// YAML
    Yaml,
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Work as if started in this directory
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true, value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// The spec, when not `fabrik.yaml`. (Given to every command by [`parse::command`], because
    /// `logs` has another `-f`.)
    #[arg(skip)]
    pub file: Option<PathBuf>,
    /// The environment: its own state, lock and history
    #[arg(short = 'e', long = "env", value_name = "ENV", global = true)]
    pub env: Option<String>,
    /// Set a variable of the spec
    #[arg(long = "var", value_name = "NAME=VALUE", global = true)]
    pub vars: Vec<String>,
    /// Read variables from a YAML or JSON file
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath)]
    pub var_file: Vec<PathBuf>,
    /// How data is printed
    #[arg(long, value_name = "FORMAT", global = true, value_enum)]
    pub format: Option<Format>,
    /// The same as `--format json`
    #[arg(long, global = true, conflicts_with = "format")]
    pub json: bool,
    /// Also write events as JSON Lines into a file
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath)]
    pub json_into: Option<PathBuf>,
    /// No colour (also `NO_COLOR`)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Never ask anything; fail where an answer is needed
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Answer yes to questions
    #[arg(short = 'y', long, global = true)]
    pub yes: bool,
    /// Only errors, and the data asked for
    #[arg(short = 'q', long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more; twice for requests, thrice for everything
    #[arg(short = 'v', long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Most calls in flight over all providers
    #[arg(long, value_name = "N", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub parallelism: Option<u16>,
    /// How long to wait for another run's lock, such as `30s` or `5m`
    #[arg(long, value_name = "DURATION", global = true, value_parser = duration)]
    pub lock_timeout: Option<std::time::Duration>,
    /// Where state is kept, when not `.fabrik/state.db` beside the spec
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath)]
    pub state: Option<PathBuf>,
    /// Write logs to a file instead of standard error
    #[arg(long, value_name = "FILE", global = true, value_hint = ValueHint::FilePath)]
    pub log_file: Option<PathBuf>,
    /// Refused: a secret on the command line is seen by every process.
    #[arg(short = 's', long = "secret", global = true, hide = true, num_args = 0..=1)]
    pub secret: Vec<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a project from a template, or write a spec for one that is there
    New(NewArgs),
    /// List the templates for new projects
    Templates(TemplatesArgs),
    /// Check the spec without touching anything
    Validate(ValidateArgs),
    /// Show what apply would change
    Plan(PlanArgs),
    /// Make it so
    Apply(Box<ApplyArgs>),
    /// Delete everything of a stack
    Destroy(DestroyArgs),
    /// Take into state what the services show; change nothing there
    Refresh(RefreshArgs),
    /// Show what runs, its checks, drift and the lock
    Status(StatusArgs),
    /// Show the address a resource answers at, and other outputs
    Outputs(OutputsArgs),
    /// Show the log of an app or resource
    Logs(LogsArgs),
    /// Show earlier runs
    History(HistoryArgs),
    /// Go back to an earlier revision
    Rollback(RollbackArgs),
    /// Take over an object that exists already
    Import(ImportArgs),
    /// Show what depends on what
    Graph(GraphArgs),
    /// Look into state, and repair it
    State(StateArgs),
    /// Manage the secrets of a stack
    Secrets(SecretsArgs),
    /// Check that everything Fabrik needs is there
    Doctor(DoctorArgs),
    /// List providers, write one of your own, check it
    Provider(ProviderArgs),
    /// Write an app out as raw resources
    Eject(EjectArgs),
    /// Write apps out as a Compose file
    Export(ExportArgs),
    /// Check a Compose file, and what will go wrong with it on a platform
    Lint(LintArgs),
    /// Look at WordPress sites, plugins and themes
    Wp(WpArgs),
    /// Print the JSON Schema of specs, for editors
    Schema(SchemaArgs),
    /// Explain kinds, resource types and topics
    Docs(DocsArgs),
    /// Explain an error code
    Explain(ExplainArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Write the manual pages
    Man(ManArgs),
    /// Run a helper process of a provider.
    #[command(hide = true)]
    Agent(AgentArgs),
}

impl Command {
    /// Its name, as typed.
    pub fn name(&self) -> &'static str {
        match self {
            Command::New(_) => "new",
            Command::Templates(_) => "templates",
            Command::Validate(_) => "validate",
            Command::Plan(_) => "plan",
            Command::Apply(_) => "apply",
            Command::Destroy(_) => "destroy",
            Command::Refresh(_) => "refresh",
            Command::Status(_) => "status",
            Command::Outputs(_) => "outputs",
            Command::Logs(_) => "logs",
            Command::History(_) => "history",
            Command::Rollback(_) => "rollback",
            Command::Import(_) => "import",
            Command::Graph(_) => "graph",
            Command::State(_) => "state",
            Command::Secrets(_) => "secrets",
            Command::Doctor(_) => "doctor",
            Command::Provider(_) => "provider",
            Command::Eject(_) => "eject",
            Command::Export(_) => "export",
            Command::Lint(_) => "lint",
            Command::Wp(_) => "wp",
            Command::Schema(_) => "schema",
            Command::Docs(_) => "docs",
            Command::Explain(_) => "explain",
            Command::Completions(_) => "completions",
            Command::Man(_) => "man",
            Command::Agent(_) => "agent",
        }
    }
}

/// Reads `90s`, `5m`, `1h30m`, `250ms`, or a bare number of seconds.
///
/// # Errors
/// Says what it looks like.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    let bad = || format!("`{text}` is not a duration; write `30s`, `5m` or `1h30m`");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(std::time::Duration::from_secs(seconds));
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, after) = rest.split_at(digits);
        let unit = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(bad()),
        };
        total = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(millis))
            .and_then(|part| total.checked_add(part))
            .ok_or_else(bad)?;
        rest = after;
    }
    if text.is_empty() {
        Err(bad())
    } else {
        Ok(std::time::Duration::from_millis(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations() {
        let millis = |text: &str| duration(text).unwrap().as_millis();
        assert_eq!(millis("90"), 90_000);
        assert_eq!(millis("1h30m"), 5_400_000);
        assert_eq!(millis("250ms"), 250);
        for bad in ["", "5x", "m", "5m3", "99999999999999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}

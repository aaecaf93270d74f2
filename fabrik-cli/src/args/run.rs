//! Arguments of the commands that plan and change things.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// Which spec a command is about.
#[derive(Clone, Debug, Default, Args)]
pub struct Target {
    /// A spec's path, or its id (`NAME.yaml`, `specs/NAME.yaml`, `specs/NAME/spec.yaml`)
    #[arg(value_name = "SPEC", value_hint = ValueHint::FilePath)]
    pub spec: Option<String>,
}

/// Which resources, and how they may be treated.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Selection")]
pub struct SelectArgs {
    /// Only these addresses (globs), and what they depend on
    #[arg(long, value_name = "GLOB")]
    pub target: Vec<String>,
    /// Not these addresses (globs), nor what depends on them
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Replace these addresses (globs)
    #[arg(long, value_name = "GLOB")]
    pub replace: Vec<String>,
    /// Allow changes that lose data: all, or those at addresses matching GLOB
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "**")]
    pub allow_data_loss: Vec<String>,
    /// How much to read before planning
    #[arg(long, value_name = "WHAT", value_enum, default_value = "all")]
    pub refresh: RefreshArg,
    /// A line for history
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// How much is read before planning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RefreshArg {
    /// Everything in the stack
    #[default]
    All,
    /// Only what the change touches
    Changed,
    /// Nothing: state is taken for the truth
    None,
}

/// What to do when a run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnFailureArg {
    /// Take back what the run did
    Rollback,
    /// Leave things as they are
    Keep,
    /// Ask when it happens
    Ask,
}

/// Arguments of `plan`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik plan
  fabrik plan my-api -e staging
  fabrik plan -o release.fplan && fabrik apply release.fplan
  fabrik plan --target apps.api --replace resources.media")]
pub struct PlanArgs {
    /// Which spec.
    #[command(flatten)]
    pub target: Target,
    /// Save the plan, encrypted; `fabrik apply FILE` carries out exactly it
    #[arg(short = 'o', long = "out", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Exit 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Plan only to take into state what the services show
    #[arg(long, conflicts_with_all = ["replace"])]
    pub refresh_only: bool,
    /// Plan to delete everything
    #[arg(long)]
    pub destroy: bool,
    /// Also show the raw resources every app expands to
    #[arg(long)]
    pub expand: bool,
    /// Which resources.
    #[command(flatten)]
    pub select: SelectArgs,
}

/// Arguments of `apply`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik apply
  fabrik apply my-api.yaml
  fabrik apply my-api --yes
  fabrik apply release.fplan
  fabrik apply --resume")]
pub struct ApplyArgs {
    /// A saved plan, a spec's path, or its id
    #[arg(value_name = "PLAN|SPEC", value_hint = ValueHint::FilePath)]
    pub what: Option<String>,
    /// What to do when the run fails; otherwise what the spec says
    #[arg(long, value_name = "POLICY", value_enum)]
    pub on_failure: Option<OnFailureArg>,
    /// Go on with the interrupted run, under its number
    #[arg(long)]
    pub resume: bool,
    /// Skip the checks after apply
    #[arg(long)]
    pub no_verify: bool,
    /// Only take into state what the services show
    #[arg(long, conflicts_with_all = ["replace"])]
    pub refresh_only: bool,
    /// Which resources.
    #[command(flatten)]
    pub select: SelectArgs,
}

/// Arguments of `destroy`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik destroy
  fabrik destroy my-api -e staging
  fabrik destroy --stack shop      when the spec is gone")]
pub struct DestroyArgs {
    /// Which spec.
    #[command(flatten)]
    pub target: Target,
    /// The stack's name, when its spec is gone: state knows what it made
    #[arg(long, value_name = "NAME", conflicts_with = "spec")]
    pub stack: Option<String>,
    /// What to do when the run fails
    #[arg(long, value_name = "POLICY", value_enum)]
    pub on_failure: Option<OnFailureArg>,
    /// Which resources.
    #[command(flatten)]
    pub select: SelectArgs,
}

/// Arguments of `refresh`.
#[derive(Clone, Debug, Default, Args)]
pub struct RefreshArgs {
    /// Which spec.
    #[command(flatten)]
    pub target: Target,
    /// Only these addresses (globs)
    #[arg(long = "target", value_name = "GLOB")]
    pub targets: Vec<String>,
}

/// Arguments of `rollback`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik rollback 14
  fabrik rollback            to the revision before the current one
  fabrik rollback --resume   go on with a rollback that got stuck")]
pub struct RollbackArgs {
    /// The revision to go back to (`fabrik history` lists them); the one before when left out
    #[arg(value_name = "REVISION")]
    pub revision: Option<u64>,
    /// Only finish the interrupted or stuck rollback of the last run
    #[arg(long, conflicts_with = "revision")]
    pub resume: bool,
    /// What to do when the run fails
    #[arg(long, value_name = "POLICY", value_enum)]
    pub on_failure: Option<OnFailureArg>,
    /// Skip the checks after apply
    #[arg(long)]
    pub no_verify: bool,
    /// Which resources.
    #[command(flatten)]
    pub select: SelectArgs,
}

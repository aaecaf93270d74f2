//! Arguments of the commands that manage state, secrets and the program itself.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Arguments of `import`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik import resources.zone                    what could be taken over there
  fabrik import resources.zone 023e105f4ecef8ad   the spec declares it
  fabrik import cloudflare.zone                   what there is of a type
  fabrik import cloudflare.zone main 023e105f4ecef8ad
                                                  prints what to add to the spec")]
pub struct ImportArgs {
    /// `ADDRESS ID` for a declared resource, or `TYPE NAME ID` for one that is not; without the id,
    /// what there is to take over is listed
    #[arg(value_name = "ADDRESS|TYPE NAME|ID", num_args = 1..=3, required = true)]
    pub what: Vec<String>,
}

/// Arguments of `state`.
#[derive(Clone, Debug, Args)]
pub struct StateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: StateCommand,
}

/// What to do with state.
#[derive(Clone, Debug, Subcommand)]
pub enum StateCommand {
    /// List the objects in state
    List(StateListArgs),
    /// Show one object
    Show(StateShowArgs),
    /// Give objects another address; nothing changes at the service
    Mv(StateMoveArgs),
    /// Forget objects; nothing is deleted at the service
    Rm(StateRemoveArgs),
    /// Take the lock away from a run that is gone
    Unlock(StateUnlockArgs),
    /// Write state as JSON, secrets encrypted
    Export(StateExportArgs),
    /// Read state written by `state export` into an empty stack
    Import(StateImportArgs),
}

/// Arguments of `state list`.
#[derive(Clone, Debug, Default, Args)]
pub struct StateListArgs {
    /// Only addresses matching one of these
    #[arg(value_name = "GLOB")]
    pub globs: Vec<String>,
}

/// Arguments of `state show`.
#[derive(Clone, Debug, Default, Args)]
pub struct StateShowArgs {
    /// The address
    #[arg(value_name = "ADDRESS")]
    pub address: String,
}

/// Arguments of `state mv`.
#[derive(Clone, Debug, Default, Args)]
pub struct StateMoveArgs {
    /// The address it has, or the beginning of several
    #[arg(value_name = "FROM")]
    pub from: String,
    /// The address it gets
    #[arg(value_name = "TO")]
    pub to: String,
}

/// Arguments of `state rm`.
#[derive(Clone, Debug, Default, Args)]
pub struct StateRemoveArgs {
    /// Addresses
    #[arg(value_name = "GLOB", required = true)]
    pub globs: Vec<String>,
}

/// Arguments of `state unlock`.
#[derive(Clone, Debug, Default, Args)]
pub struct StateUnlockArgs {
    /// The lock's number, as shown; asked for when left out
    #[arg(value_name = "LOCK")]
    pub token: Option<u64>,
}

/// Arguments of `state export`.
#[derive(Clone, Debug, Default, Args)]
pub struct StateExportArgs {
    /// Where to; standard output when left out
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}

/// Arguments of `state import`.
#[derive(Clone, Debug, Default, Args)]
pub struct StateImportArgs {
    /// Where from; `-` for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// Arguments of `secrets`.
#[derive(Clone, Debug, Args)]
pub struct SecretsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SecretsCommand,
}

/// What to do with secrets.
#[derive(Clone, Debug, Subcommand)]
pub enum SecretsCommand {
    /// List them, and where each comes from; never a value
    List,
    /// Keep a value in the encrypted state; read from standard input, or asked for
    Set(SecretSetArgs),
    /// Print a value
    Reveal(SecretRevealArgs),
    /// Generate a new value for the next apply
    Rotate(SecretNameArgs),
}

/// Arguments of `secrets set`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik secrets set STRIPE_KEY            asks for it, without echo
  fabrik secrets set STRIPE_KEY < key.txt  reads it, without the last line break")]
pub struct SecretSetArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Refused: a secret on the command line is seen by every process.
    #[arg(hide = true)]
    pub value: Option<String>,
}

/// Arguments of `secrets reveal`.
#[derive(Clone, Debug, Default, Args)]
pub struct SecretRevealArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Arguments of `secrets rotate`.
#[derive(Clone, Debug, Default, Args)]
pub struct SecretNameArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Arguments of `doctor`.
#[derive(Clone, Debug, Default, Args)]
pub struct DoctorArgs {
    /// Which spec.
    #[command(flatten)]
    pub target: super::run::Target,
}

/// Arguments of `completions`.
#[derive(Clone, Debug, Args)]
#[command(before_long_help = "\
Examples:
  fabrik completions bash > ~/.local/share/bash-completion/completions/fabrik
  fabrik completions zsh > ~/.zfunc/_fabrik
  fabrik completions fish > ~/.config/fish/completions/fabrik.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Clone, Debug, Default, Args)]
pub struct ManArgs {
    /// Where to write one page a command; the main page goes to standard output when left out
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Arguments of `agent`.
#[derive(Clone, Debug, Default, Args)]
pub struct AgentArgs {
    /// Passed on as they are.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<std::ffi::OsString>,
}

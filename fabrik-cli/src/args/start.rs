//! Arguments of the commands that a project begins with.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Arguments of `new`.
#[derive(Clone, Debug, Default, Args)]
#[command(before_long_help = "\
Examples:
  fabrik new python-api my-api --domain=api.example.com
  fabrik new static-site www --set title='My site'
  fabrik new --from .         write fabrik.yaml for the project in this folder
  fabrik templates            what there is")]
pub struct NewArgs {
    /// The template (with `--template`: the name)
    #[arg(value_name = "TEMPLATE", required_unless_present = "from")]
    pub first: Option<String>,
    /// The project's name, and its folder
    #[arg(value_name = "NAME")]
    pub second: Option<String>,
    /// The template, when not given first
    #[arg(long, value_name = "TEMPLATE")]
    pub template: Option<String>,
    /// The host name it answers at
    #[arg(long, value_name = "HOST")]
    pub domain: Option<String>,
    /// The repository it is in, for platforms that fetch it: `owner/name`, or a URL
    #[arg(long, value_name = "REPO")]
    pub repo: Option<String>,
    /// An answer to one of the template's questions
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub answers: Vec<String>,
    /// Where it is written, when not a folder of the project's name
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub into: Option<PathBuf>,
    /// Look at the project in this folder, and write a spec for it there
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["first", "second", "template", "answers", "into"])]
    pub from: Option<PathBuf>,
}

/// Arguments of `templates`.
#[derive(Clone, Debug, Default, Args)]
pub struct TemplatesArgs {
    /// One template: what it asks and writes
    #[arg(value_name = "TEMPLATE")]
    pub name: Option<String>,
}

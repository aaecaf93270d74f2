//! Flags, variables, the project's settings file and defaults, merged; where each came from kept.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use fabrik_checks::CheckerConfig;
use fabrik_core::diagnostic::{Diagnostics, did_you_mean};
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::value::Value;

use crate::args::{Format, GlobalArgs, duration};
use crate::env_vars;
use crate::output::Color;
use crate::world::World;

/// The settings file of a project, relative to its directory.
pub(crate) const FILE: &str = ".fabrik/settings.yaml";

/// Keys the settings file may have.
const KEYS: [&str; 10] = [
    "ca_file",
    "connect",
    "env",
    "file",
    "format",
    "lock_timeout",
    "no_input",
    "parallelism",
    "resolvers",
    "state",
];

/// Where a setting came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag.
    Flag(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// The project's settings file.
    Project,
    /// Nobody said anything.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Flag(name) | Origin::Variable(name) => f.write_str(name),
            Origin::Project => f.write_str(FILE),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A value, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it came from.
    pub(crate) origin: Origin,
}

/// Everything a command needs to know besides its own arguments.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The directory worked in.
    pub(crate) dir: PathBuf,
    /// The spec, when named.
    pub(crate) file: Option<Setting<PathBuf>>,
    /// The environment.
    pub(crate) env: Setting<String>,
    /// Variables, in the order given.
    pub(crate) vars: Vec<(String, String)>,
    /// Files of variables.
    pub(crate) var_files: Vec<PathBuf>,
    /// How data is printed.
    pub(crate) format: Setting<Format>,
    /// Whether a line of events is written for each thing that happens.
    pub(crate) json_into: Option<PathBuf>,
    /// When to colour.
    pub(crate) color: Color,
    /// Whether things may move on the screen.
    pub(crate) animate: bool,
    /// Never ask.
    pub(crate) no_input: Setting<bool>,
    /// Every question is answered with yes.
    pub(crate) yes: bool,
    /// Only errors and data.
    pub(crate) quiet: bool,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
    /// Most calls in flight; 0 leaves it to the providers.
    pub(crate) parallelism: Setting<usize>,
    /// How long to wait for the lock.
    pub(crate) lock_timeout: Setting<Duration>,
    /// Where state is kept, when not beside the spec.
    pub(crate) state: Option<Setting<PathBuf>>,
    /// What checks go by.
    pub(crate) checks: Checks,
    /// What to log.
    pub(crate) log: Option<String>,
    /// Where to log, when not standard error.
    pub(crate) log_file: Option<PathBuf>,
}

/// What checks go by, besides what the spec says of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks {
    /// Name servers to ask, and detours.
    network: CheckerConfig,
    /// A file of further root certificates.
    ca_file: Option<PathBuf>,
}

impl Checks {
    fn resolve(dir: &Path, layers: &Layers<'_>) -> Result<Checks> {
        let resolvers = layers.find(
            None,
            "",
            env_vars::FABRIK_RESOLVERS,
            "resolvers",
            &|text: &str| items(text).map(resolver).collect::<Result<Vec<_>, _>>(),
        )?;
        let mut network = CheckerConfig::default();
        if let Some(resolvers) = resolvers {
            network = network.resolvers(resolvers.value);
        }
        let network = layers
            .find(
                None,
                "",
                env_vars::FABRIK_CONNECT,
                "connect",
                &|text: &str| {
                    let detours = items(text).try_fold(network.clone(), CheckerConfig::detour);
                    detours.map_err(|error| match error.hint_text() {
                        Some(hint) => format!("{}: {hint}", error.message()),
                        None => error.message().to_owned(),
                    })
                },
            )?
            .map_or(network, |found| found.value);
        let ca_file = layers.find(
            None,
            "",
            env_vars::FABRIK_CA_FILE,
            "ca_file",
            &|text: &str| Ok(dir.join(text)),
        )?;
        Ok(Checks {
            network,
            ca_file: ca_file.map(|found| found.value),
        })
    }

    /// What checkers are given; reads the file of certificates.
    pub(crate) fn config(&self) -> Result<CheckerConfig> {
        let Some(file) = &self.ca_file else {
            return Ok(self.network.clone());
        };
        let pem =
            std::fs::read(file).map_err(|error| crate::files::file_error("read", file, &error))?;
        self.network.clone().with_roots_pem(&pem).map_err(|error| {
            let named = format!("`{}`: {}", file.display(), error.message());
            Error::new(error.kind(), named)
                .hint("FABRIK_CA_FILE (or `ca_file`) names a file with certificates in PEM form")
        })
    }
}

/// The items of a list, told apart by commas or white space.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|item| !item.is_empty())
}

/// A name server: an address, or an address and a port.
fn resolver(text: &str) -> Result<SocketAddr, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    text.parse()
        .or_else(|_| Ok(SocketAddr::new(bare.parse()?, 53)))
        .map_err(|_: std::net::AddrParseError| {
            format!(
                "`{text}` is no address of a name server, such as `10.0.0.53` or `127.0.0.1:5353`"
            )
        })
}

impl Settings {
    /// Merges everything.
    ///
    /// # Errors
    /// For a value that is none, naming where it stands.
    pub(crate) fn resolve(global: &GlobalArgs, world: &World) -> Result<Settings> {
        let dir = match &global.directory {
            Some(dir) => world.cwd.join(dir),
            None => world.cwd.clone(),
        };
        if !dir.is_dir() {
            let message = format!("there is no directory `{}`", dir.display());
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let layers = Layers {
            world,
            project: project_file(&dir)?,
        };
        let format = if global.json {
            Some(Format::Json)
        } else {
            global.format
        };
        let text = |flag: Option<String>, name, variable, key| {
            layers.find(flag, name, variable, key, &|text: &str| Ok(text.to_owned()))
        };
        let path = |flag: Option<&PathBuf>, name, variable, key| {
            layers.find(flag.cloned(), name, variable, key, &|text: &str| {
                Ok(PathBuf::from(text))
            })
        };
        Ok(Settings {
            file: path(global.file.as_ref(), "-f", env_vars::FABRIK_FILE, "file")?,
            env: or_default(
                text(global.env.clone(), "-e", env_vars::FABRIK_ENV, "env")?,
                || "default".to_owned(),
            ),
            vars: global
                .vars
                .iter()
                .map(|pair| variable(pair))
                .collect::<Result<_>>()?,
            var_files: global.var_file.iter().map(|path| dir.join(path)).collect(),
            format: or_default(
                layers.find(
                    format,
                    "--format",
                    env_vars::FABRIK_FORMAT,
                    "format",
                    &|text| <Format as clap::ValueEnum>::from_str(text, true),
                )?,
                Format::default,
            ),
            json_into: global.json_into.as_ref().map(|path| dir.join(path)),
            color: color(global.no_color, world),
            animate: animate(world),
            no_input: or_default(
                layers.find(
                    global.no_input.then_some(true),
                    "--no-input",
                    env_vars::FABRIK_NO_INPUT,
                    "no_input",
                    &truth,
                )?,
                || false,
            ),
            yes: global.yes,
            quiet: global.quiet,
            verbose: global.verbose,
            parallelism: or_default(
                layers.find(
                    global.parallelism.map(usize::from),
                    "--parallelism",
                    env_vars::FABRIK_PARALLELISM,
                    "parallelism",
                    &number,
                )?,
                || 0,
            ),
            lock_timeout: or_default(
                layers.find(
                    global.lock_timeout,
                    "--lock-timeout",
                    env_vars::FABRIK_LOCK_TIMEOUT,
                    "lock_timeout",
                    &duration,
                )?,
                || Duration::ZERO,
            ),
            state: path(
                global.state.as_ref(),
                "--state",
                env_vars::FABRIK_STATE,
                "state",
            )?,
            checks: Checks::resolve(&dir, &layers)?,
            log: world.var(env_vars::FABRIK_LOG).map(str::to_owned),
            log_file: global
                .log_file
                .clone()
                .or_else(|| world.var(env_vars::FABRIK_LOG_FILE).map(PathBuf::from))
                .map(|path| dir.join(path)),
            dir,
        })
    }

    /// What to go by when the settings themselves are wrong: enough to say so.
    pub(crate) fn fallback(global: &GlobalArgs, world: &World) -> Settings {
        Settings {
            dir: world.cwd.clone(),
            file: None,
            env: or_default(None, || "default".to_owned()),
            vars: Vec::new(),
            var_files: Vec::new(),
            format: or_default(None, || {
                if global.json {
                    Format::Json
                } else {
                    Format::Text
                }
            }),
            json_into: None,
            color: color(global.no_color, world),
            animate: false,
            no_input: or_default(None, || false),
            yes: false,
            quiet: global.quiet,
            verbose: global.verbose,
            parallelism: or_default(None, || 0),
            lock_timeout: or_default(None, || Duration::ZERO),
            state: None,
            checks: Checks::default(),
            log: None,
            log_file: None,
        }
    }

    /// Where the state of a spec is kept.
    pub(crate) fn state_of(&self, spec_dir: &Path) -> PathBuf {
        match &self.state {
            Some(state) => self.dir.join(&state.value),
            None => spec_dir.join(".fabrik").join("state.db"),
        }
    }

    /// Whether data and events are for machines.
    pub(crate) fn is_json(&self) -> bool {
        self.format.value == Format::Json
    }
}

struct Layers<'a> {
    world: &'a World,
    project: Value,
}

impl Layers<'_> {
    /// The first of flag, variable and project file.
    fn find<T>(
        &self,
        flag: Option<T>,
        flag_name: &'static str,
        variable: &'static str,
        key: &'static str,
        read: &dyn Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Setting<T>>> {
        let bad =
            |place: String, why: String| Error::new(ErrorKind::Invalid, format!("{place}: {why}"));
        if let Some(value) = flag {
            let origin = Origin::Flag(flag_name);
            return Ok(Some(Setting { value, origin }));
        }
        if let Some(text) = self.world.var(variable) {
            let value = read(text).map_err(|why| bad(format!("`{variable}`"), why))?;
            let origin = Origin::Variable(variable);
            return Ok(Some(Setting { value, origin }));
        }
        match self.project.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let value =
                    read(&plain(value)).map_err(|why| bad(format!("`{key}` in `{FILE}`"), why))?;
                let origin = Origin::Project;
                Ok(Some(Setting { value, origin }))
            }
        }
    }
}

/// A scalar as it was written.
fn plain(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Num(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => format!("({})", other.kind_name()),
    }
}

fn or_default<T>(found: Option<Setting<T>>, default: impl FnOnce() -> T) -> Setting<T> {
    found.unwrap_or_else(|| Setting {
        value: default(),
        origin: Origin::Default,
    })
}

fn variable(pair: &str) -> Result<(String, String)> {
    match pair.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        // The text is not repeated: it may be a secret put in the wrong place.
        _ => Err(Error::new(ErrorKind::Invalid, "`--var` takes NAME=VALUE")),
    }
}

fn number(text: &str) -> Result<usize, String> {
    usize::from_str(text).map_err(|_| format!("`{text}` is not a whole number"))
}

fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

pub(crate) fn color(no_color: bool, world: &World) -> Color {
    let dumb = world.var(env_vars::TERM) == Some("dumb");
    if no_color || world.var(env_vars::NO_COLOR).is_some() {
        Color::Never
    } else if world
        .var(env_vars::CLICOLOR_FORCE)
        .is_some_and(|value| value != "0")
    {
        Color::Always
    } else if dumb {
        Color::Never
    } else {
        Color::Auto
    }
}

fn animate(world: &World) -> bool {
    let ci = world
        .var(env_vars::CI)
        .is_some_and(|value| value != "false");
    world.terminal.stderr && !ci && world.var(env_vars::TERM) != Some("dumb")
}

fn project_file(dir: &Path) -> Result<Value> {
    let path = dir.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Value::Null),
        Err(error) => return Err(crate::files::file_error("read", &path, &error)),
    };
    let mut found = Diagnostics::default();
    let base = found.sources.add(FILE, text.as_str());
    let node = fabrik_core::spec::parse::parse(&text, base, &mut found.items);
    if found.has_errors() {
        return Err(Error::from_diagnostics(found));
    }
    let value = node.map(|node| node.plain_value()).unwrap_or_default();
    for key in value
        .as_map()
        .into_iter()
        .flat_map(fabrik_core::value::Map::keys)
    {
        if !KEYS.contains(&&**key) && !key.starts_with("x-") {
            let message = format!("unknown setting `{key}` in `{FILE}`");
            let error = Error::new(ErrorKind::Invalid, message);
            return Err(match did_you_mean(key, KEYS) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("settings are {}", KEYS.join(", "))),
            });
        }
    }
    Ok(value)
}

//! Where the key comes from that secrets in state are encrypted with.
//!
//! A state file has a small neighbour, `state.keyid`, that names its key without telling it. The
//! key itself lies in the user's data directory, mode 0600, or comes from a variable or a command.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fabrik_core::clock::Entropy;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::secrets::Key;
use zeroize::Zeroizing;

use crate::env_vars;
use crate::files;
use crate::world::World;

/// Where the key of a state comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// `FABRIK_STATE_KEY`.
    Variable,
    /// `FABRIK_STATE_KEY_FILE`.
    File(PathBuf),
    /// `FABRIK_STATE_KEY_COMMAND`.
    Command(String),
    /// A file in the user's data directory.
    DataDir(PathBuf),
    /// There is none yet; this is where it would be made.
    Missing(Option<PathBuf>),
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeySource::Variable => f.write_str("`FABRIK_STATE_KEY`"),
            KeySource::File(path) | KeySource::DataDir(path) => write!(f, "`{}`", path.display()),
            // The command may name a vault's entry; its first word is enough.
            KeySource::Command(command) => {
                write!(
                    f,
                    "the command `{}`",
                    command.split(' ').next().unwrap_or_default()
                )
            }
            KeySource::Missing(Some(path)) => {
                write!(f, "none yet, to be made at `{}`", path.display())
            }
            KeySource::Missing(None) => f.write_str("none"),
        }
    }
}

/// Finds where the key of a state comes from.
pub(crate) fn source(world: &World, state: &Path) -> KeySource {
    if world.var(env_vars::FABRIK_STATE_KEY).is_some() {
        return KeySource::Variable;
    }
    if let Some(path) = world.var(env_vars::FABRIK_STATE_KEY_FILE) {
        return KeySource::File(world.cwd.join(path));
    }
    if let Some(command) = world.var(env_vars::FABRIK_STATE_KEY_COMMAND) {
        return KeySource::Command(command.to_owned());
    }
    let id = std::fs::read_to_string(id_file(state)).ok();
    let path = id.and_then(|id| key_file(world, id.trim()));
    match path {
        Some(path) if path.is_file() => KeySource::DataDir(path),
        other => KeySource::Missing(other),
    }
}

/// Reads the key; `None` when there is none yet.
///
/// # Errors
/// For a key that cannot be read, is no key, or that others can read.
pub(crate) fn read(world: &World, source: &KeySource) -> Result<Option<Key>> {
    match source {
        KeySource::Variable => {
            let text = world.var(env_vars::FABRIK_STATE_KEY).unwrap_or_default();
            Key::from_hex(text)
                .map(Some)
                .map_err(|error| error.context("from", source))
        }
        KeySource::File(path) | KeySource::DataDir(path) => {
            let mode = std::fs::metadata(path)
                .map_err(|error| files::file_error("read", path, &error))?
                .permissions()
                .mode();
            if mode & 0o077 != 0 {
                return Err(Error::new(
                    ErrorKind::Permission,
                    format!("others can read the state key `{}`", path.display()),
                )
                .hint(format!("run `chmod 600 {}`", path.display())));
            }
            let text = Zeroizing::new(files::read_text(path)?);
            Key::from_hex(&text)
                .map(Some)
                .map_err(|error| error.context("from", source))
        }
        KeySource::Command(command) => run(world, command).and_then(|text| {
            Key::from_hex(&text)
                .map(Some)
                .map_err(|error| error.context("from", source))
        }),
        KeySource::Missing(_) => Ok(None),
    }
}

fn run(world: &World, command: &str) -> Result<Zeroizing<String>> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    let failed = |why: String| {
        Error::new(
            ErrorKind::Auth,
            format!("the command for the state key failed: {why}"),
        )
        .context("command", program)
        .hint("run the command of `FABRIK_STATE_KEY_COMMAND` by hand to see what is wrong")
    };
    let output = std::process::Command::new(program)
        .args(words)
        .env_clear()
        .envs(&world.env)
        .current_dir(&world.cwd)
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    String::from_utf8(output.stdout)
        .map(Zeroizing::new)
        .map_err(|_| failed("it printed something that is not text".to_owned()))
}

/// Makes a key for a state that has none, and keeps it.
///
/// # Errors
/// When there is no place for it.
pub(crate) fn create(world: &World, state: &Path, entropy: &dyn Entropy) -> Result<Key> {
    let id_path = id_file(state);
    if let Some(dir) = state.parent() {
        files::private_dir(dir)?;
    }
    let fresh = format!("{:016x}\n", entropy.id()? >> 64);
    files::create_private(&id_path, fresh.as_bytes())?;
    // Somebody else may have been faster: what is in the file counts.
    let id = files::read_text(&id_path)?;
    let path = key_file(world, id.trim()).ok_or_else(|| {
        Error::new(
            ErrorKind::Io,
            "there is no place for the state key: `HOME` is not set",
        )
        .hint("set `FABRIK_STATE_KEY_FILE` or `FABRIK_STATE_KEY`")
    })?;
    if let Some(dir) = path.parent() {
        files::private_dir(dir)?;
    }
    let key = Key::generate(entropy)?;
    if files::create_private(&path, key.to_hex().as_bytes())? {
        return Ok(key);
    }
    Key::from_hex(&Zeroizing::new(files::read_text(&path)?))
}

/// The error for a state with secrets whose key is not there.
pub(crate) fn missing(source: &KeySource) -> Error {
    let error = Error::new(
        ErrorKind::Auth,
        "the key of this state is not here, and the state holds secrets",
    )
    .code(fabrik_core::codes::STATE_KEY);
    let error = match source {
        KeySource::Missing(Some(path)) => error.context("looked for", path.display()),
        _ => error,
    };
    error.hint(
        "copy the key from where the state was made, or give it in `FABRIK_STATE_KEY`, `FABRIK_STATE_KEY_FILE` or `FABRIK_STATE_KEY_COMMAND`",
    )
}

fn id_file(state: &Path) -> PathBuf {
    state.with_extension("keyid")
}

fn key_file(world: &World, id: &str) -> Option<PathBuf> {
    let valid = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let dir = world.data_dir()?.join("keys");
    valid.then(|| dir.join(format!("{id}.key")))
}

//! Where declared secrets are looked for: the environment, `.env`, files, commands, state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::expr::{self, Reference, Target};
use fabrik_core::secrets::{FoundSecret, SecretSources, find_secrets};
use fabrik_core::stack::SecretDecl;
use fabrik_core::value::Value;

use crate::dotenv;
use crate::files;
use crate::place::Project;
use crate::session::Session;
use crate::world::World;

/// Everything needed to look for secrets, with nothing borrowed: the engine keeps it.
#[derive(Clone)]
pub(crate) struct Finder {
    env: BTreeMap<String, String>,
    dotenv: BTreeMap<String, String>,
    dir: PathBuf,
}

impl Finder {
    /// For a spec in a directory.
    ///
    /// # Errors
    /// For a `.env` that cannot be read.
    pub(crate) fn new(world: &World, dir: &Path) -> Result<Finder> {
        Ok(Finder {
            env: world.env.clone(),
            dotenv: dotenv::read(dir)?,
            dir: dir.to_path_buf(),
        })
    }

    /// Looks for secrets; `kept` is what earlier runs generated.
    ///
    /// # Errors
    /// As [`find_secrets`].
    pub(crate) fn find<'a>(
        &self,
        declared: impl IntoIterator<Item = &'a SecretDecl>,
        kept: BTreeMap<Arc<str>, Value>,
    ) -> Result<BTreeMap<Arc<str>, FoundSecret>> {
        let read_file = |path: &str| self.read_file(path);
        let run_command = |words: &[String]| self.run(words);
        let sources = SecretSources {
            env: self.env.clone(),
            dotenv: self.dotenv.clone(),
            read_file: &read_file,
            run_command: &run_command,
            other: BTreeMap::new(),
            kept,
        };
        find_secrets(declared, &sources)
    }

    fn read_file(&self, path: &str) -> Result<String> {
        let path = match (path.strip_prefix("~/"), self.env.get("HOME")) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => self.dir.join(path),
        };
        if !path.exists() {
            let message = format!("there is no file `{}`", path.display());
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        files::read_text(&path)
    }

    fn run(&self, words: &[String]) -> Result<String> {
        let Some((program, arguments)) = words.split_first() else {
            return Err(Error::new(ErrorKind::Invalid, "the command is empty"));
        };
        let failed = |why: String| {
            Error::new(
                ErrorKind::Auth,
                format!("the command `{program}` failed: {why}"),
            )
        };
        let output = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(&self.env)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(output.status.to_string()));
        }
        String::from_utf8(output.stdout)
            .map_err(|_| failed("it printed something that is not text".to_owned()))
    }
}

/// A secret, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Whether the spec declares it.
    pub(crate) declared: bool,
    /// Whether it may not be generated.
    pub(crate) required: bool,
    /// Whether it has to be found and was not.
    pub(crate) missing: bool,
    /// Where it comes from, in words.
    pub(crate) origin: String,
    /// Its value, when there is one yet.
    pub(crate) value: Option<Value>,
}

/// Every secret of a stack, by name: each is looked for by itself, so that one that is missing does
/// not hide the others.
///
/// # Errors
/// For a `.env` that cannot be read.
pub(crate) fn values(
    session: &Session,
    project: &Project,
    kept: &BTreeMap<Arc<str>, Value>,
) -> Result<BTreeMap<Arc<str>, Known>> {
    let finder = Finder::new(&session.world, &project.place.dir)?;
    let mut all = BTreeMap::new();
    for (name, secret) in &project.stack.secrets {
        let known = match finder.find([secret], kept.clone()) {
            Ok(mut found) => {
                let found = found.remove(name);
                Known {
                    declared: true,
                    required: secret.required,
                    missing: false,
                    origin: found
                        .as_ref()
                        .map(|found| found.origin.to_string())
                        .unwrap_or_default(),
                    value: found.and_then(|found| found.value),
                }
            }
            Err(error) => Known {
                declared: true,
                required: secret.required,
                missing: true,
                origin: error.message().to_owned(),
                value: None,
            },
        };
        all.insert(name.clone(), known);
    }
    for (name, value) in kept {
        all.entry(name.clone()).or_insert_with(|| Known {
            declared: false,
            required: false,
            missing: false,
            origin: "kept in state".to_owned(),
            value: Some(value.clone()),
        });
    }
    Ok(all)
}

/// A value with its references to secrets filled in, as far as they are known.
///
/// # Errors
/// As [`expr::resolve`].
pub(crate) fn fill(value: &Value, secrets: &BTreeMap<Arc<str>, Known>) -> Result<Value> {
    let scope = |reference: &Reference| {
        Ok(match &reference.target {
            Target::Secret(name) => secrets.get(name).and_then(|known| known.value.clone()),
            _ => None,
        })
    };
    expr::resolve(value, &scope)
}

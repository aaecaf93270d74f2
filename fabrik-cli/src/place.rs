//! Which stack, where its state is, and an engine for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fabrik_core::clock::{BoxFuture, Clock, Entropy};
use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::engine::Engine;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::secrets::Key;
use fabrik_core::spec::Loaded;
use fabrik_core::stack::Stack;
use fabrik_core::state::{Holder, LockPolicy, SqliteStore, StateStore as _};

use crate::fail::Done;
use crate::key::{self, KeySource};
use crate::project;
use crate::secret_sources::Finder;
use crate::session::Session;
use crate::spec;

/// A stack in an environment, and where its state is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The stack's name.
    pub(crate) name: String,
    /// The environment.
    pub(crate) env: String,
    /// The directory of its spec: `.env` lies there.
    pub(crate) dir: PathBuf,
    /// Its spec, when there is one.
    pub(crate) spec: Option<PathBuf>,
    /// Its state file.
    pub(crate) state: PathBuf,
}

impl Place {
    /// The name shown: `shop/production`, or just `shop` in the default environment.
    pub(crate) fn display_name(&self) -> String {
        if self.env == "default" {
            self.name.clone()
        } else {
            format!("{}/{}", self.name, self.env)
        }
    }

    /// Opens its state without a key: for what holds no secrets.
    pub(crate) fn open(&self) -> Result<SqliteStore> {
        SqliteStore::open(&self.state, &self.name, &self.env)
    }
}

/// What an engine is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To look: no key is made.
    Look,
    /// To change something: a key is made when there is none.
    Change,
}

/// A loaded spec.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// What it says.
    pub(crate) stack: Arc<Stack>,
    /// Where its state is.
    pub(crate) place: Place,
}

impl Session {
    /// The spec a command is about.
    pub(crate) fn find(&self, named: Option<&str>) -> Result<PathBuf> {
        let file = self.settings.file.as_ref().map(|file| file.value.as_path());
        // A variable gives way to a name on the command line; a flag does not.
        let from_flag = self
            .settings
            .file
            .as_ref()
            .is_some_and(|file| matches!(file.origin, crate::settings::Origin::Flag(_)));
        let file = file.filter(|_| from_flag || named.is_none());
        project::find_spec(&self.settings.dir, file, named)
    }

    /// Loads the spec a command is about. Mistakes end the command; warnings are shown.
    pub(crate) async fn load(&mut self, named: Option<&str>) -> Done<Project> {
        let path = self.find(named)?;
        let loaded = self.read(&path).await?;
        let stack = spec::accept(self, loaded)?;
        let place = self.place(&path, &stack.name);
        Ok(Project {
            stack: Arc::new(stack),
            place,
        })
    }

    /// Reads a spec, with the choices that state keeps for it.
    pub(crate) async fn read(&self, path: &Path) -> Result<Loaded> {
        spec::load(self, path, self.choices(path).await?)
    }

    /// The choices that state keeps for a spec.
    pub(crate) async fn choices(&self, path: &Path) -> Result<BTreeMap<Arc<str>, Arc<str>>> {
        let mut choices = BTreeMap::new();
        // A spec that does not even say its name is refused by what follows, with its place.
        if let Ok(name) = spec::name_of(path) {
            let place = self.place(path, &name);
            if place.state.exists() {
                choices = spec::choices_of(&place.open()?.load().await?.meta);
            }
        }
        Ok(choices)
    }

    /// Where the state of a stack is, for a spec at `path`.
    pub(crate) fn place(&self, path: &Path, name: &str) -> Place {
        let dir = path.parent().unwrap_or(&self.settings.dir).to_path_buf();
        Place {
            name: name.to_owned(),
            env: self.settings.env.value.clone(),
            state: self.settings.state_of(&dir),
            spec: Some(path.to_path_buf()),
            dir,
        }
    }

    /// The stack a command is about when its spec need not be right, nor even there: state knows it.
    pub(crate) fn locate(&self, named: Option<&str>) -> Result<Place> {
        match self.find(named) {
            Ok(path) => {
                let name = spec::name_of(&path)?;
                Ok(self.place(&path, &name))
            }
            Err(missing) => {
                let dir = &self.settings.dir;
                let state = self.settings.state_of(dir);
                let known = stacks(&state, &self.settings.env.value)?;
                let place = |name: &str| Place {
                    name: name.to_owned(),
                    env: self.settings.env.value.clone(),
                    dir: dir.clone(),
                    spec: None,
                    state: state.clone(),
                };
                match (named, known.as_slice()) {
                    (Some(named), known) if known.iter().any(|name| name == named) => {
                        Ok(place(named))
                    }
                    (None, [only]) => Ok(place(only)),
                    (None, [_, ..]) => Err(Error::new(
                        ErrorKind::Invalid,
                        "state here knows several stacks; which one?",
                    )
                    .hint(format!("name its spec with `-f`: {}", known.join(", ")))),
                    _ => Err(missing),
                }
            }
        }
    }

    /// A stack that state knows, by name.
    pub(crate) fn locate_stack(&self, name: &str) -> Result<Place> {
        let env = &self.settings.env.value;
        let mut dirs = vec![self.settings.dir.clone(), self.settings.dir.join("specs")];
        dirs.push(self.settings.dir.join("specs").join(name));
        dirs.push(self.settings.dir.join(name));
        let mut known = Vec::new();
        for dir in dirs {
            let state = self.settings.state_of(&dir);
            let here = stacks(&state, env)?;
            if here.iter().any(|stack| stack == name) {
                return Ok(Place {
                    name: name.to_owned(),
                    env: env.clone(),
                    dir,
                    spec: None,
                    state,
                });
            }
            known.extend(here);
        }
        let message = format!("no state here knows a stack `{name}` in environment `{env}`");
        let error = Error::new(ErrorKind::NotFound, message);
        Err(match did_you_mean(name, known.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() => error.hint("name the state with `--state FILE`"),
            None => error.hint(format!("known are {}", known.join(", "))),
        })
    }

    /// An engine on the state of a place.
    pub(crate) async fn engine(&mut self, place: &Place, access: Access) -> Done<Engine> {
        let key = self.key(place, access).await?;
        let mut builder = Engine::builder()
            .registry(self.registry_at(&place.dir))
            .store(place.open()?)
            .key(key)
            .clock(SharedClock(self.world.clock.clone()))
            .entropy(SharedEntropy(self.world.entropy.clone()))
            .holder(self.holder())
            .lock(LockPolicy {
                timeout: self.settings.lock_timeout.value,
                ..LockPolicy::default()
            })
            .parallelism(self.settings.parallelism.value);
        if let Some(liveness) = &self.world.identity.liveness {
            builder = builder.liveness(liveness.clone());
        }
        let finder = Finder::new(&self.world, &place.dir)?;
        builder =
            builder.secrets(move |declared, kept| finder.find(declared.iter().copied(), kept));
        if access == Access::Change {
            builder = builder.checkers(fabrik_checks::checkers(self.settings.checks.config()?));
        }
        let engine = builder.build()?;
        self.redactors.add(engine.redactor());
        Ok(engine)
    }

    async fn key(&self, place: &Place, access: Access) -> Result<Key> {
        let source = key::source(&self.world, &place.state);
        if let Some(key) = key::read(&self.world, &source)? {
            return Ok(key);
        }
        let passing = Key::generate(&*self.world.entropy)?;
        if place.state.exists()
            && let Err(error) = check_readable(place, &passing, &source, &self.world).await
        {
            // Another first run may have made state and key since we looked.
            let now = key::source(&self.world, &place.state);
            return key::read(&self.world, &now)?.ok_or(error);
        }
        match access {
            Access::Look => Ok(passing),
            Access::Change => key::create(&self.world, &place.state, &*self.world.entropy),
        }
    }

    /// Who this is, for locks and history.
    pub(crate) fn holder(&self) -> Holder {
        let identity = &self.world.identity;
        Holder {
            who: identity.user.clone(),
            host: identity.host.clone(),
            pid: identity.pid,
            process: identity
                .liveness
                .as_ref()
                .map(|known| known.process(identity.pid))
                .unwrap_or_default(),
            command: command_line(&self.world.args),
        }
    }
}

/// Fails when a state holds secrets that this key does not open.
async fn check_readable(
    place: &Place,
    key: &Key,
    source: &KeySource,
    world: &crate::world::World,
) -> Result<()> {
    let cipher = fabrik_core::secrets::Cipher::new(key.clone(), world.entropy.clone());
    let store = fabrik_core::state::SealedStore::new(Arc::new(place.open()?), cipher);
    match store.load().await {
        Err(error) if error.kind() == ErrorKind::Auth => Err(key::missing(source)),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

/// Names of the stacks a state file knows in an environment; none when there is no file.
fn stacks(state: &Path, env: &str) -> Result<Vec<String>> {
    if !state.exists() {
        return Ok(Vec::new());
    }
    Ok(SqliteStore::stacks(state)?
        .into_iter()
        .filter(|stack| stack.env == env)
        .map(|stack| stack.stack)
        .collect())
}

/// The command line for history; values of `--var` are left out, for they may be anything.
fn command_line(args: &[std::ffi::OsString]) -> String {
    let mut words = vec!["fabrik".to_owned()];
    let mut hide = false;
    for word in args.iter().skip(1) {
        let word = word.to_string_lossy();
        let hidden = match word.strip_prefix("--var=") {
            Some(pair) => Some(format!("--var={}", name_only(pair))),
            None if hide => Some(name_only(&word)),
            None => None,
        };
        hide = word == "--var";
        words.push(hidden.unwrap_or_else(|| word.into_owned()));
    }
    words.join(" ")
}

fn name_only(pair: &str) -> String {
    format!("{}=…", pair.split('=').next().unwrap_or_default())
}

/// A clock that is shared.
#[derive(Clone, Debug)]
struct SharedClock(Arc<dyn Clock>);

impl Clock for SharedClock {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }
    fn sleep(&self, duration: std::time::Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }
    fn idle(&self, duration: std::time::Duration) -> BoxFuture<'static, ()> {
        self.0.idle(duration)
    }
}

/// A random source that is shared.
#[derive(Clone, Debug)]
struct SharedEntropy(Arc<dyn Entropy>);

impl Entropy for SharedEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<()> {
        self.0.fill(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_variables_stay_out_of_history() {
        let args: Vec<std::ffi::OsString> = [
            "/bin/fabrik",
            "apply",
            "--var",
            "a=canary",
            "--var=b=canary",
            "x",
        ]
        .iter()
        .map(Into::into)
        .collect();
        assert_eq!(command_line(&args), "fabrik apply --var a=… --var=b=… x");
    }
}

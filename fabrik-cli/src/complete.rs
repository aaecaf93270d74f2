//! Completing the command line while it is typed: names that the project, its state and this
//! program know, besides what is fixed.
//!
//! The script of `fabrik completions SHELL` calls the program with `FABRIK_COMPLETE=SHELL` and the
//! words typed so far. Answering changes nothing, asks nobody, and reads no service.
//! An argument's candidates follow from what its value is called in the help.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};
use clap_complete::env::Shells;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::state::StateStore as _;

use crate::app::App;
use crate::args::{GlobalArgs, parse};
use crate::env_vars;
use crate::exit::Exit;
use crate::output::text;
use crate::place::Place;
use crate::project;
use crate::reference::TOPICS;
use crate::session::Session;
use crate::settings::Settings;
use crate::spec;
use crate::world::{Terminal, World};

/// Runs completed at most.
const RUNS: usize = 50;

/// What a shell has to load.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for a shell nobody wrote this for.
pub(crate) fn script(shell: clap_complete::Shell, program: &Path) -> Result<String> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&name).ok_or_else(|| {
        Error::new(
            ErrorKind::Unsupported,
            format!("nothing is completed in `{name}`"),
        )
    })?;
    // Found by its name, it is the one that is called, also after an update.
    let program = match program.file_name() {
        Some(file) if file == "fabrik" => "fabrik".to_owned(),
        _ => program.display().to_string(),
    };
    let mut script = Vec::new();
    shell
        .write_registration(
            env_vars::FABRIK_COMPLETE,
            "fabrik",
            "fabrik",
            &program,
            &mut script,
        )
        .map_err(|error| Error::new(ErrorKind::Io, "the script was not written").cause(error))?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// Answers a shell that asks; `None` when none does.
pub(crate) fn answer(app: &App, world: &mut World) -> Option<Exit> {
    let asking = world.var(env_vars::FABRIK_COMPLETE)?.to_owned();
    let shells = Shells::builtins();
    let shell = shells.completer(&asking)?;
    let begin = world.args.iter().position(|word| word == "--")? + 1;
    let words = world.args.split_off(begin);
    let mut command = command(app, world, &words);
    let mut answer = Vec::new();
    // Whoever types has no use for an error.
    _ = shell.write_complete(&mut command, words, Some(&world.cwd), &mut answer);
    _ = world
        .stdout
        .write_all(&answer)
        .and_then(|()| world.stdout.flush());
    Some(Exit::DONE)
}

/// The definition of the command line, with what is known here.
fn command(app: &App, world: &World, words: &[OsString]) -> clap::Command {
    let names = Arc::new(Names::here(app, world, words));
    let mut command = add(parse::command(), &[], &names);
    command.build();
    command
}

/// Gives each argument of a command, and of those below it, its candidates.
fn add(command: clap::Command, above: &[String], names: &Arc<Names>) -> clap::Command {
    let mut path = above.to_vec();
    path.push(command.get_name().to_owned());
    let command = command.mut_args(|arg| {
        let value = arg.get_value_names().and_then(<[_]>::first);
        let what = value
            .map(|value| What::of(&path, value))
            .unwrap_or_default();
        if what.is_empty() {
            return arg;
        }
        let names = names.clone();
        arg.add(ArgValueCompleter::new(move |typed: &OsStr| {
            names.like(&what, typed)
        }))
    });
    command.mut_subcommands(|inner| add(inner, &path, names))
}

/// What an argument may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Address,
    App,
    Code,
    Environment,
    File,
    Kind,
    Output,
    Provider,
    Revision,
    Run,
    Secret,
    Spec,
    Stack,
    Template,
    Topic,
    Type,
}

impl What {
    /// By what the value is called, and the command it belongs to.
    fn of(command: &[String], value: &str) -> Vec<What> {
        let within = |name: &str| command.iter().any(|word| word == name);
        match value {
            "ADDRESS" | "GLOB" | "FROM" => vec![What::Address],
            "ADDRESS|TYPE NAME|ID" => vec![What::Address, What::Type],
            "APP" => vec![What::App],
            "APP|ADDRESS|SPEC" => vec![What::App, What::Address, What::Spec],
            "CODE" => vec![What::Code],
            "ENV" => vec![What::Environment],
            "NAME" if within("secrets") => vec![What::Secret],
            "NAME" if within("outputs") => vec![What::Output],
            "NAME" if within("destroy") => vec![What::Stack],
            "NAME|PATH" if within("provider") => vec![What::Provider, What::File],
            "NAME|SPEC" => vec![What::Output, What::Spec],
            "PLAN|SPEC" | "SPEC" => vec![What::Spec, What::File],
            "REVISION" => vec![What::Revision],
            "RUN" => vec![What::Run],
            "TEMPLATE" => vec![What::Template],
            "TOPIC" => vec![What::Topic, What::Kind, What::Type, What::Provider],
            "TYPE|KIND" => vec![What::Type, What::Kind],
            _ => Vec::new(),
        }
    }
}

/// What has a name here, and a word about it.
struct Names {
    found: Vec<(What, String, String)>,
    /// Where paths begin.
    cwd: PathBuf,
}

impl Names {
    /// What this program, the project and its state know.
    fn here(app: &App, world: &World, words: &[OsString]) -> Names {
        let mut names = Names {
            found: Vec::new(),
            cwd: world.cwd.clone(),
        };
        let global = global(words);
        let settings = Settings::resolve(&global, world)
            .unwrap_or_else(|_| Settings::fallback(&global, world));
        let mut session = Session::new(app, silent(world), settings);
        names.built_in(&session);
        for (id, path) in project::known_specs(&session.settings.dir) {
            names.add(What::Spec, id, &path.display().to_string());
        }
        // What is unfinished is still worth completing: mistakes are for other commands.
        _ = session.block_on(async |session: &mut Session| {
            names.declared(session).await;
            names.remembered(session).await;
            Ok(())
        });
        names.found.sort();
        names
            .found
            .dedup_by(|one, other| (one.0, &one.1) == (other.0, &other.1));
        names
    }

    fn add(&mut self, what: What, name: impl Into<String>, about: &str) {
        self.found.push((what, name.into(), about.to_owned()));
    }

    /// What does not depend on the project.
    fn built_in(&mut self, session: &Session) {
        let registry = &session.registry;
        for info in registry.types() {
            self.add(What::Type, &*info.name, &info.description);
        }
        for kind in registry.component_kinds() {
            self.add(What::Kind, kind, "a kind of app");
        }
        for provider in registry.providers() {
            let info = provider.info();
            self.add(What::Provider, &*info.name, &info.description);
        }
        for page in fabrik_core::codes::all() {
            self.add(What::Code, page.code, page.title);
        }
        for template in fabrik_templates::all() {
            self.add(What::Template, template.name, &template.description);
        }
        for (topic, about) in TOPICS {
            self.add(What::Topic, *topic, about);
        }
    }

    /// What the spec declares.
    async fn declared(&mut self, session: &Session) {
        let Ok(path) = session.find(None) else { return };
        for name in spec::environments_of(&path) {
            self.add(What::Environment, name, "an environment of the spec");
        }
        let Ok(loaded) = session.read(&path).await else {
            return;
        };
        let Some(stack) = loaded.stack else { return };
        for (address, declared) in &stack.resources {
            self.add(What::Address, address.as_str(), &declared.type_name);
        }
        for app in &stack.apps {
            let name = app.address.as_str();
            self.add(What::App, name.trim_start_matches("apps."), &app.kind);
            self.add(What::Output, format!("{name}.url"), "where it answers");
        }
        for name in stack.outputs.keys() {
            self.add(What::Output, &**name, "an output");
        }
        for name in stack.secrets.keys() {
            self.add(What::Secret, &**name, "a secret");
        }
    }

    /// What state knows: also of what has left the spec.
    async fn remembered(&mut self, session: &Session) {
        let Ok(place) = session.locate(None) else {
            return;
        };
        self.add(What::Stack, place.name.as_str(), "a stack");
        _ = self.of_state(&place, session).await;
    }

    async fn of_state(&mut self, place: &Place, session: &Session) -> Result<()> {
        // Opening would make the file.
        if !place.state.exists() {
            return Ok(());
        }
        let store = place.open()?;
        for row in &store.load().await?.rows {
            self.add(What::Address, row.address.as_str(), &row.type_name);
        }
        let now = session.world.clock.now();
        for run in store.runs(RUNS).await? {
            let when = text::ago(run.started, now);
            let about = format!("{} {when}", run.start.command);
            self.add(What::Run, run.id.to_string(), &about);
            if let Some((end, _)) = &run.end
                && end.revision > 0
            {
                self.add(What::Revision, end.revision.to_string(), &about);
            }
        }
        Ok(())
    }

    /// Those of some sorts that begin with what is typed.
    fn like(&self, sorts: &[What], typed: &OsStr) -> Vec<CompletionCandidate> {
        let begin = typed.to_string_lossy();
        let mut found: Vec<CompletionCandidate> = self
            .found
            .iter()
            .filter(|(what, name, _)| sorts.contains(what) && name.starts_with(&*begin))
            .map(|(_, name, about)| {
                let about = text::shorten(&text::one_line(about), 60);
                CompletionCandidate::new(name).help((!about.is_empty()).then(|| about.into()))
            })
            .collect();
        if sorts.contains(&What::File) {
            found.extend(PathCompleter::any().current_dir(&self.cwd).complete(typed));
        }
        found
    }
}

/// The same surroundings, in which nothing is said or asked.
fn silent(world: &World) -> World {
    World {
        args: Vec::new(),
        env: world.env.clone(),
        cwd: world.cwd.clone(),
        program: world.program.clone(),
        terminal: Terminal::default(),
        identity: world.identity.clone(),
        stdin: Box::new(std::io::empty()),
        stdout: Box::new(std::io::sink()),
        stderr: Box::new(std::io::sink()),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        process: false,
    }
}

/// The options that say where to look, from words that need not be complete.
fn global(words: &[OsString]) -> GlobalArgs {
    let value = |short: &str, long: &str| -> Option<OsString> {
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            if word == short || word == long {
                return words.next().cloned();
            }
            let joined = word.to_str().and_then(|word| word.strip_prefix(long));
            if let Some(value) = joined.and_then(|rest| rest.strip_prefix('=')) {
                return Some(value.into());
            }
        }
        None
    };
    GlobalArgs {
        directory: value("-C", "--directory").map(PathBuf::from),
        file: value("-f", "--file").map(PathBuf::from),
        env: value("-e", "--env").and_then(|env| env.into_string().ok()),
        state: value("--state", "--state").map(PathBuf::from),
        ..GlobalArgs::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "
fabrik: 1
id: bakery
secrets: { SESSION_KEY: ~ }
environments: { staging: {}, production: {} }
apps: { www: { kind: static, source: ./site } }
resources: [{ id: motto, type: local.file, spec: { path: motto.txt, content: x } }]
outputs: { motto: \"${motto.path}\" }
";

    /// What is offered for the last of some words, in a project with that spec.
    fn offered(spec: &str, words: &[&str]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("site")).unwrap();
        std::fs::write(dir.path().join("fabrik.yaml"), spec).unwrap();
        std::fs::write(dir.path().join("other.yaml"), "fabrik: 1\nid: other\n").unwrap();
        let world = World {
            cwd: dir.path().to_path_buf(),
            env: [("HOME".to_owned(), dir.path().display().to_string())].into(),
            ..silent(&World::of_process())
        };
        let words: Vec<OsString> = ["fabrik"].iter().chain(words).map(Into::into).collect();
        let mut command = command(&App::new(), &world, &words);
        let last = words.len() - 1;
        let found = clap_complete::engine::complete(&mut command, words, last, Some(dir.path()));
        let mut names: Vec<String> = found
            .unwrap()
            .iter()
            .map(|found| found.get_value().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with('-'))
            .collect();
        names.sort();
        // Nothing was made by asking.
        assert!(!dir.path().join(".fabrik").exists());
        names
    }

    #[test]
    fn names_of_the_project_are_offered() {
        assert_eq!(
            offered(SPEC, &["plan", "-e", ""]),
            ["production", "staging"]
        );
        let addresses = offered(SPEC, &["plan", "--target", "resources."]);
        assert_eq!(addresses, ["resources.motto"]);
        assert_eq!(offered(SPEC, &["eject", ""]), ["www"]);
        assert_eq!(offered(SPEC, &["outputs", "mo"]), ["motto"]);
        assert_eq!(offered(SPEC, &["secrets", "set", ""]), ["SESSION_KEY"]);
        assert_eq!(offered(SPEC, &["plan", "oth"]), ["other", "other.yaml"]);
        assert!(offered(SPEC, &["docs", "local.f"]).contains(&"local.file".to_owned()));
        assert!(offered(SPEC, &["explain", "FAB10"]).contains(&"FAB1003".to_owned()));
        assert!(offered(SPEC, &["new", "py"]).contains(&"python-api".to_owned()));
    }

    #[test]
    fn a_spec_with_mistakes_is_no_hindrance() {
        let broken = SPEC.replace("kind: static", "kind: statik");
        assert_eq!(offered(&broken, &["plan", "-e", "p"]), ["production"]);
        assert_eq!(offered("{", &["explain", "FAB5001"]), ["FAB5001"]);
        assert_eq!(offered("", &["stat"]), ["state", "status"]);
    }

    #[test]
    fn where_to_look_is_taken_from_what_is_typed() {
        let words = ["fabrik", "plan", "-C", "there", "--env=staging", "--file"];
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        let global = global(&words);
        assert_eq!(global.directory, Some("there".into()));
        assert_eq!(global.env.as_deref(), Some("staging"));
        assert_eq!(global.file, None);
    }

    #[test]
    fn every_shell_has_a_script_that_asks_this_program() {
        use clap::ValueEnum as _;
        for shell in clap_complete::Shell::value_variants() {
            let script = script(*shell, Path::new("/opt/fabrik")).unwrap();
            assert!(script.contains(env_vars::FABRIK_COMPLETE), "{shell}");
            assert!(!script.contains("/opt"), "{shell}");
        }
    }
}

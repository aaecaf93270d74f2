//! One run of the program: surroundings, settings, output, providers.

use std::future::Future;

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::provider::Registry;
use serde_json::json;

use crate::app::App;
use crate::args;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::host::Host;
use crate::output::{self, Output, OutputConfig, Verbosity};
use crate::panics::Redactors;
use crate::settings::Settings;
use crate::world::World;

/// One run of the program.
pub(crate) struct Session {
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) out: Output,
    pub(crate) registry: Registry,
    register: Vec<crate::app::Register>,
    pub(crate) host: Host,
    pub(crate) redactors: Redactors,
    pub(crate) helpers: Vec<(&'static str, crate::host::Helper)>,
}

impl Session {
    /// Brings everything together.
    pub(crate) fn new(app: &App, mut world: World, settings: Settings) -> Session {
        let config = OutputConfig {
            color: settings.color,
            width: world.width(),
            interactive_stdin: world.terminal.stdin && !settings.no_input.value,
            stderr_is_terminal: world.terminal.stderr,
            stdout_is_terminal: world.terminal.stdout,
            verbosity: match (settings.quiet, settings.verbose) {
                (true, _) => Verbosity::Quiet,
                (false, 0) => Verbosity::Normal,
                (false, times) => Verbosity::Verbose(times),
            },
            format: match settings.format.value {
                args::Format::Text => output::Format::Text,
                args::Format::Json => output::Format::Json,
                args::Format::Yaml => output::Format::Yaml,
            },
            json_events: settings.is_json(),
        };
        let stdout = std::mem::replace(&mut world.stdout, Box::new(std::io::sink()));
        let stderr = std::mem::replace(&mut world.stderr, Box::new(std::io::sink()));
        let host = Host {
            program: world.program.clone(),
            data_dir: world.data_dir(),
            dir: settings.dir.clone(),
            environment: settings.env.value.clone(),
            env: world.env.clone(),
        };
        Session {
            out: Output::new(stdout, stderr, config),
            registry: registry(&app.registrations(), &host),
            register: app.registrations(),
            helpers: app.helpers(),
            host,
            world,
            settings,
            redactors: Redactors::default(),
        }
    }

    /// The providers and kinds for a spec in a directory: paths in a spec start from there.
    pub(crate) fn registry_at(&self, dir: &std::path::Path) -> Registry {
        registry(
            &self.register,
            &Host {
                dir: dir.to_path_buf(),
                ..self.host.clone()
            },
        )
    }

    /// Whether somebody can be asked.
    pub(crate) fn can_ask(&self) -> bool {
        self.out.config().interactive_stdin
    }

    /// Whether data is for machines.
    pub(crate) fn is_machine(&self) -> bool {
        self.settings.format.value != args::Format::Text
    }

    /// Runs a future to its end, on threads of its own.
    pub(crate) fn block_on<T>(
        &mut self,
        future: impl AsyncFnOnce(&mut Session) -> Done<T>,
    ) -> Done<T> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| Error::new(ErrorKind::Io, "no threads can be started").cause(error))?;
        let result = runtime.block_on(boxed(future(self)));
        // A provider that hangs must not keep the program from ending.
        runtime.shutdown_background();
        result
    }

    /// Says why a command ended early, and gives the exit code.
    pub(crate) fn explain(&mut self, fail: Fail) -> Exit {
        let (error, exit) = match fail {
            Fail::Said(exit) => return exit,
            // Whoever read the output has seen enough.
            Fail::Closed => return Exit::DONE,
            Fail::Usage(error) => (*error, Exit::USAGE),
            Fail::Error(error) => {
                let exit = Exit::of_error(&error);
                (*error, exit)
            }
        };
        let redactors = self.redactors.clone();
        let mut error = error.map_text(&|text| redactors.clean(text));
        if exit == Exit::INTERNAL {
            error = internal(&error);
        }
        // When nobody reads the error, the exit code still tells.
        _ = self.out.error(&error);
        if self.settings.is_json() {
            _ = self.out.structured(&json!({
                "v": 1,
                "type": "error",
                "message": error.message(),
                "error": error.report(),
                "exit": exit.0,
            }));
        }
        exit
    }
}

fn registry(register: &[crate::app::Register], host: &Host) -> Registry {
    let mut registry = Registry::new();
    for register in register {
        register(&mut registry, host);
    }
    registry
}

/// The future on the heap: commands are large, and the main thread's stack is not.
fn boxed<'a, T>(
    future: impl Future<Output = T> + 'a,
) -> std::pin::Pin<Box<dyn Future<Output = T> + 'a>> {
    Box::pin(future)
}

/// Marks an error as a bug of ours.
fn internal(error: &Error) -> Error {
    let message = format!("internal error: {}", error.message());
    let mut marked = Error::new(ErrorKind::Unexpected, message);
    for cause in error.causes() {
        marked = marked.cause(cause);
    }
    for (key, value) in error.context_pairs() {
        marked = marked.context(key.to_owned(), value);
    }
    marked
        .context("version", env!("CARGO_PKG_VERSION"))
        .hint("this is a bug in Fabrik or a provider, not in your spec. What was done is in state: running the command again goes on from there. Please report it to whoever gave you this program, with the output of `fabrik doctor --json` and of this command with `-vv`")
}

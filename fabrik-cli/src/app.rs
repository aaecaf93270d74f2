//! The program as a value: providers are added, then it runs.

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::provider::{Provider, Registry};
use fabrik_core::role::Component;

use crate::args::parse::{self, Layout};
use crate::builtin;
use crate::exit::Exit;
use crate::fail::Fail;
use crate::host::Host;
use crate::logging;
use crate::output::Color;
use crate::panics;
use crate::session::Session;
use crate::settings::Settings;
use crate::world::World;

/// Adds providers once the surroundings are known.
pub(crate) type Register = std::sync::Arc<dyn Fn(&mut Registry, &Host) + Send + Sync>;

/// The `fabrik` program, with whichever providers it is given.
///
/// A binary of one's own is five lines:
///
/// ```no_run
/// # use fabrik_core::provider::{Cx, Provider, typed::ProviderBuilder};
/// # /// No configuration.
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # struct Config {}
/// # fn my_provider() -> impl Provider {
/// #     ProviderBuilder::new("mine", "0.1.0", async |_: &Cx, _: Config| Ok(())).build()
/// # }
/// fn main() -> std::process::ExitCode {
///     fabrik_cli::App::new().provider(my_provider()).main()
/// }
/// ```
#[derive(Default)]
pub struct App {
    register: Vec<Register>,
    helpers: Vec<(&'static str, crate::host::Helper)>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("registrations", &self.register.len())
            .finish_non_exhaustive()
    }
}

impl App {
    /// The program with the providers Fabrik brings.
    pub fn new() -> App {
        builtin::providers(App::bare())
    }

    /// The program with its kinds of apps, and no provider.
    pub fn bare() -> App {
        builtin::kinds(App::default())
    }

    /// Adds a provider; one of the same name is replaced.
    #[must_use]
    pub fn provider(self, provider: impl Provider) -> App {
        self.provider_arc(Arc::new(provider))
    }

    /// As [`App::provider`], for one that is shared.
    #[must_use]
    pub fn provider_arc(self, provider: Arc<dyn Provider>) -> App {
        self.register(move |registry, _| {
            registry.register_arc(provider.clone());
        })
    }

    /// Adds a kind of app.
    #[must_use]
    pub fn component(self, component: Arc<dyn Component>) -> App {
        self.register(move |registry, _| {
            registry.register_component(component.clone());
        })
    }

    /// Adds whatever `register` registers, given the surroundings.
    #[must_use]
    pub fn register(
        mut self,
        register: impl Fn(&mut Registry, &Host) + Send + Sync + 'static,
    ) -> App {
        self.register.push(Arc::new(register));
        self
    }

    /// Adds a helper process: `fabrik agent NAME …` runs it.
    #[must_use]
    pub fn helper(mut self, name: &'static str, helper: crate::host::Helper) -> App {
        self.helpers.push((name, helper));
        self
    }

    /// Runs in this process's surroundings: the whole of a `main` function.
    pub fn main(&self) -> ExitCode {
        self.run(World::of_process()).into()
    }

    /// Runs in the surroundings given.
    pub fn run(&self, mut world: World) -> Exit {
        if let Some(exit) = crate::complete::answer(self, &mut world) {
            return exit;
        }
        let layout = layout(&world);
        let cli = match parse::parse(&world.args, layout) {
            Ok(cli) => cli,
            Err(stopped) => {
                let stream = if stopped.asked_for {
                    &mut world.stdout
                } else {
                    &mut world.stderr
                };
                // When nobody reads the help, there is nobody to tell.
                _ = stream
                    .write_all(stopped.text.as_bytes())
                    .and_then(|()| stream.flush());
                return stopped.exit;
            }
        };
        let (settings, failed) = match Settings::resolve(&cli.global, &world) {
            Ok(settings) => (settings, None),
            Err(error) => (Settings::fallback(&cli.global, &world), Some(error)),
        };
        let mut session = Session::new(self, world, settings);
        if let Some(error) = failed {
            return session.explain(Fail::Usage(Box::new(error)));
        }
        if session.world.process {
            panics::install(&session.redactors);
        }
        if let Err(error) = logging::start(&session) {
            return session.explain(error.into());
        }
        let done = std::panic::catch_unwind(AssertUnwindSafe(|| {
            crate::commands::run(&mut session, cli.command)
        }));
        match done {
            Ok(Ok(exit)) => exit,
            Ok(Err(fail)) => session.explain(fail),
            Err(payload) => {
                let message = panics::message(payload.as_ref());
                session.explain(Error::new(ErrorKind::Unexpected, message).into())
            }
        }
    }

    /// What registers providers and kinds, given the surroundings.
    pub(crate) fn registrations(&self) -> Vec<Register> {
        self.register.clone()
    }

    /// The helper processes.
    pub(crate) fn helpers(&self) -> Vec<(&'static str, crate::host::Helper)> {
        self.helpers.clone()
    }
}

/// Layout of help, which is printed before settings are known.
fn layout(world: &World) -> Layout {
    let color = crate::settings::color(false, world);
    let shows = |terminal| match color {
        Color::Never => false,
        Color::Auto => terminal,
        Color::Always => true,
    };
    Layout {
        width: world.width(),
        color_out: shows(world.terminal.stdout),
        color_err: shows(world.terminal.stderr),
    }
}

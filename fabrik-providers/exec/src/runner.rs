//! Running commands.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Progress, Stop};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::Instrument as _;

use crate::capture::{Ears, OnLine, Sink, Source};
use crate::command::Command;
use crate::compose::{hops, launch};
use crate::env::{BaseEnv, Found};
use crate::failure::{self, Failed};
use crate::lines::Stream;
use crate::marks::{Marks, Nonce};
use crate::output::Output;
use crate::place::Place;
use crate::process::{Ended, Ending, Group, Run, code_of, spawn};

/// Runs commands. Clones share their limit of commands at once.
#[derive(Clone, Debug)]
pub struct Runner {
    env: Arc<BaseEnv>,
    grace: Duration,
    slots: Arc<Semaphore>,
}

impl Runner {
    /// A runner whose programs on this machine find this environment. Without further settings: 8
    /// commands at once, 5 s between asking a program to end and killing it.
    pub fn new(env: BaseEnv) -> Runner {
        Runner {
            env: Arc::new(env),
            grace: Duration::from_secs(5),
            slots: Arc::new(Semaphore::new(8)),
        }
    }

    /// Sets how long a program has between being asked to end and being killed; 5 s unless set.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Runner {
        self.grace = grace;
        self
    }

    /// Sets how many commands run at once; 8 unless set. An SSH server lets no more than 10 log in at
    /// once unless told otherwise (`MaxStartups`).
    #[must_use]
    pub fn max_at_once(mut self, commands: usize) -> Runner {
        self.slots = Arc::new(Semaphore::new(commands.clamp(1, 1024)));
        self
    }

    /// Runs a command and keeps its standard output.
    ///
    /// An exit code other than 0 is no error here; see [`Output::check`].
    ///
    /// # Errors
    /// - [`ErrorKind::Invalid`]: the place or the command cannot be one; nothing ran.
    /// - [`ErrorKind::Unsupported`]: the program, its folder, the engine or a shell is not there;
    ///   nothing ran. Never [`ErrorKind::NotFound`], which would say that the object is gone.
    /// - [`ErrorKind::Auth`], [`ErrorKind::Permission`], [`ErrorKind::Unavailable`]: the way to the
    ///   place is barred; the effect says whether the command may have begun.
    /// - [`ErrorKind::Timeout`], [`ErrorKind::Cancelled`]: it was ended.
    /// - [`ErrorKind::Quota`]: it wrote more than is kept, and was ended.
    pub async fn run(&self, cx: &Cx, place: &Place, command: &Command) -> Result<Output> {
        self.go(
            cx,
            place,
            command,
            input_of(command),
            Sink::Keep(command.max_output),
            None,
        )
        .await
    }

    /// Runs a command and gives each line of both outputs as it comes: clean, and cut at 4 KiB. Lines
    /// may be many, so none but the last are kept.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub async fn lines(
        &self,
        cx: &Cx,
        place: &Place,
        command: &Command,
        mut on_line: impl FnMut(Stream, &str) + Send,
    ) -> Result<Output> {
        self.go(
            cx,
            place,
            command,
            input_of(command),
            Sink::Lines,
            Some(&mut on_line),
        )
        .await
    }

    /// Runs a command and shows each line to the user as a line of a log.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub async fn logged(&self, cx: &Cx, place: &Place, command: &Command) -> Result<Output> {
        self.lines(cx, place, command, |_, line| {
            cx.progress(Progress::Log(line.to_owned()));
        })
        .await
    }

    /// Runs a command between a reader and a writer, of any length: a dump, a restore. The reader, if
    /// any, takes the place of the command's own input.
    ///
    /// # Errors
    /// As [`Runner::run`]; and [`ErrorKind::Io`] when the reader or the writer fails: then the command
    /// was ended.
    pub async fn copy(
        &self,
        cx: &Cx,
        place: &Place,
        command: &Command,
        from: Option<&mut (dyn AsyncRead + Send + Unpin)>,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<Output> {
        let source = match from {
            Some(reader) => Source::Reader(reader),
            None => input_of(command),
        };
        self.go(cx, place, command, source, Sink::Writer(to), None)
            .await
    }

    async fn go(
        &self,
        cx: &Cx,
        place: &Place,
        command: &Command,
        source: Source<'_>,
        sink: Sink<'_>,
        on_line: Option<OnLine<'_>>,
    ) -> Result<Output> {
        let name = command.name();
        let span = tracing::debug_span!("command", program = %name, place = %place);
        let begun = Instant::now();
        async {
            let result = self
                .attempt(cx, place, command, source, sink, on_line)
                .await;
            let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            match &result {
                Ok(output) => tracing::debug!(code = output.code, millis, "ended"),
                Err(error) => tracing::debug!(kind = ?error.kind(), millis, "failed"),
            }
            result.map_err(|error| {
                let error = if command.reads {
                    error.effect(Effect::None)
                } else {
                    error
                };
                error.context("command", &name)
            })
        }
        .instrument(span)
        .await
    }

    async fn attempt(
        &self,
        cx: &Cx,
        place: &Place,
        command: &Command,
        source: Source<'_>,
        sink: Sink<'_>,
        on_line: Option<OnLine<'_>>,
    ) -> Result<Output> {
        command.check()?;
        place.check()?;
        let _slot = self.slot(cx, command).await?;
        let left = cx.time_left();
        let limit = left.map_or(command.timeout, |left| left.min(command.timeout));
        let by_deadline = left.is_some_and(|left| left < command.timeout);
        if limit.is_zero() {
            return Err(failure::no_time(command));
        }

        let way = hops(place);
        let nonce = Nonce::random().ok_or_else(|| {
            Error::new(ErrorKind::Unexpected, "the system gives no random numbers")
                .effect(Effect::None)
        })?;
        let has_input = !matches!(source, Source::Nothing);
        let launch = launch(&way, command, &nonce, has_input, limit)?;
        if let Some(dir) = launch.dir.as_ref().filter(|dir| !dir.is_dir()) {
            return Err(failure::no_folder(&dir.to_string_lossy(), place));
        }
        let program = match self.env.find(&launch.program) {
            Found::At(program) => program,
            Found::NotExecutable(file) => {
                return Err(failure::not_executable(
                    &file.to_string_lossy(),
                    &Place::Here,
                ));
            }
            Found::Nowhere => return Err(failure::not_here(&launch.program, &way)),
        };

        let marks = Arc::new(Mutex::new(Marks::new(&nonce, way.len())));
        let begun = Instant::now();
        let child = spawn(&self.env, &program, &launch, has_input)
            .map_err(|error| failure::not_started(command, error))?;
        let ending = (!way.is_empty()).then(|| Ending {
            env: self.env.clone(),
            place: place.clone(),
            marks: marks.clone(),
            grace: self.grace,
        });
        let group = Group::of(&child, ending);
        let redactor = command.redactor();
        let ears = Ears::new(redactor.clone(), marks.clone(), on_line);
        let mut stdout = Vec::new();
        let (ended, everywhere) = Run {
            child,
            group,
            source,
            sink,
            ears: &ears,
            kept: &mut stdout,
            limit,
            grace: self.grace,
            stop: cx.stop().clone(),
        }
        .finish()
        .await;

        let stderr_tail = ears.into_tail();
        let levels = marks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .levels
            .clone();
        let failed = Failed {
            place,
            way: &way,
            command,
            levels: &levels,
            tail: &stderr_tail,
        };
        let code = match ended {
            Ended::Exit(status) => failed.exit(code_of(status))?,
            Ended::Limit => return Err(failed.limit(limit, by_deadline, everywhere)),
            Ended::Stopped => return Err(failed.stopped(everywhere)),
            Ended::Broken(broken) => return Err(failed.broken(broken, everywhere)),
            Ended::Lost(error) => return Err(failed.lost(&error)),
        };
        let label = failed.label().into();
        Ok(Output {
            code,
            stdout,
            stderr_tail,
            took: begun.elapsed(),
            label,
            effect: command.reads.then_some(Effect::None),
            redactor,
        })
    }

    /// A place among the commands that run at once.
    async fn slot(&self, cx: &Cx, command: &Command) -> Result<SemaphorePermit<'_>> {
        let mut stop = cx.stop().clone();
        let patience = cx.time_left().unwrap_or(Duration::MAX);
        tokio::select! {
            biased;
            () = stop.reached(Stop::Now) => {
                Err(Error::new(ErrorKind::Cancelled, "stopped on request").effect(Effect::None))
            }
            slot = self.slots.acquire() => slot.map_err(|_| failure::no_time(command)),
            () = tokio::time::sleep(patience) => Err(failure::no_time(command)),
        }
    }
}

fn input_of(command: &Command) -> Source<'_> {
    command
        .input
        .as_ref()
        .map_or(Source::Nothing, Source::Input)
}

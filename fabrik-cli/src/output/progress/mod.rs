//! A run as it happens: the same events shown live, plainly, hardly, or as JSON Lines.

mod closing;
mod footer;
mod lines;
mod steps;
mod stream;

use std::io::Write;
use std::time::Duration;

use fabrik_core::event::{Event, EventBody};
use fabrik_core::state::StepRef;
use jiff::Timestamp;

use super::console::{Output, OutputError, Result, Verbosity};
use super::style::{Style, Tone};
pub(crate) use lines::check as check_line;

use footer::Footer;
use steps::Steps;
use stream::JsonLines;

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Lines scroll; what is in flight stays pinned at the bottom.
    Live,
    /// Lines only, with a sign of life every ten seconds.
    Plain,
    /// Errors and the closing lines.
    Quiet,
    /// Every event as a line of JSON on standard output.
    Json,
}

impl Mode {
    /// The mode that fits an output.
    pub fn of(output: &Output) -> Mode {
        let config = output.config();
        match config.verbosity {
            _ if config.json_events => Mode::Json,
            Verbosity::Quiet => Mode::Quiet,
            Verbosity::Normal if config.stderr_is_terminal => Mode::Live,
            _ => Mode::Plain,
        }
    }
}

/// How a [`Reporter`] works.
#[derive(Default)]
pub struct ReporterOptions {
    /// How to show the run; `None` for what fits the output.
    pub mode: Option<Mode>,
    /// What is being changed, for the first line: `shop/production`.
    pub stack: String,
    /// A file that gets the JSON Lines as well (`--json-into`).
    pub json_into: Option<Box<dyn Write + Send>>,
    /// Most rows of the pinned footer; 0 for the usual 8.
    pub footer_rows: usize,
}

impl std::fmt::Debug for ReporterOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReporterOptions")
            .field("mode", &self.mode)
            .field("stack", &self.stack)
            .finish_non_exhaustive()
    }
}

/// How the user asked to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stopping {
    /// Not at all.
    #[default]
    No,
    /// Nothing new starts.
    Graceful,
    /// Calls in flight are dropped.
    Now,
}

/// A step still running gives a sign of life this often where nothing is pinned.
const STILL: Duration = Duration::from_secs(10);

/// Shows a run from its events. Time comes in with events and [`Reporter::tick`], so the same
/// events always look the same.
///
/// A reader that goes away never stops a run: what cannot be written is dropped, and
/// [`Output::is_closed`] tells afterwards.
#[derive(Debug)]
pub struct Reporter<'a> {
    output: &'a mut Output,
    mode: Mode,
    verbose: u8,
    stack: String,
    stdout_json: Option<JsonLines>,
    json_into: Option<JsonFile>,
    steps: Steps,
    footer: Footer,
    now: Option<Timestamp>,
    stopping: Stopping,
}

/// A file of JSON Lines, dropped when it can no longer be written.
struct JsonFile(JsonLines, Box<dyn Write + Send>);

impl std::fmt::Debug for JsonFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JsonFile")
    }
}

impl<'a> Reporter<'a> {
    /// A reporter on an output.
    pub fn new(output: &'a mut Output, options: ReporterOptions) -> Reporter<'a> {
        let mode = options.mode.unwrap_or_else(|| Mode::of(output));
        let rows = match options.footer_rows {
            0 => 8,
            rows => rows,
        };
        let verbose = match output.config().verbosity {
            Verbosity::Verbose(level) => level,
            _ => 0,
        };
        Reporter {
            mode,
            verbose,
            stack: options.stack,
            stdout_json: (mode == Mode::Json).then(JsonLines::default),
            json_into: options
                .json_into
                .map(|file| JsonFile(JsonLines::default(), file)),
            steps: Steps::default(),
            footer: Footer::new(rows),
            now: None,
            stopping: Stopping::No,
            output,
        }
    }

    /// How the run is shown.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Takes an event.
    ///
    /// # Errors
    /// When something other than a reader that went away keeps it from being written.
    pub fn event(&mut self, event: &Event) -> Result {
        self.advance(event.ts);
        let result = self.json(event).and_then(|()| match self.mode {
            Mode::Json => Ok(()),
            _ => self.show(event),
        });
        quiet_end(result)
    }

    /// Lets time pass: elapsed times, the spinner, signs of life.
    ///
    /// # Errors
    /// As [`Reporter::event`].
    pub fn tick(&mut self, now: Timestamp) -> Result {
        self.advance(now);
        let result = match self.mode {
            Mode::Live => self.draw(""),
            Mode::Plain => self.signs_of_life(),
            Mode::Quiet | Mode::Json => Ok(()),
        };
        quiet_end(result)
    }

    /// Shows that the user asked to stop.
    ///
    /// # Errors
    /// As [`Reporter::event`].
    pub fn stopping(&mut self, how: Stopping) -> Result {
        self.stopping = how;
        let words = match how {
            Stopping::No => return Ok(()),
            Stopping::Graceful => {
                "stopping: nothing new starts, what is in flight finishes; Ctrl-C again drops it"
            }
            Stopping::Now => "stopping now: what is in flight is dropped and marked as unsure",
        };
        let result = match self.mode {
            Mode::Json => Ok(()),
            Mode::Quiet => self.output.always(words),
            Mode::Live | Mode::Plain => {
                let line = self.style().paint(Tone::Warn, words) + "\n";
                self.print(&line)
            }
        };
        quiet_end(result)
    }

    /// The terminal has another width now.
    pub fn resize(&mut self, width: usize) {
        self.output.resize(width);
    }

    /// Shows what is in flight right now (a key or signal asked for it).
    ///
    /// # Errors
    /// As [`Reporter::event`].
    pub fn show_in_flight(&mut self) -> Result {
        let style = self.style();
        let mut text = String::new();
        for step in self.steps.in_flight() {
            text.push_str(&lines::in_flight(step, self.now, style));
        }
        if text.is_empty() {
            text.push_str("nothing is in flight\n");
        }
        quiet_end(self.print(&text))
    }

    /// Lets something else use the terminal, such as a question: takes the footer away first.
    ///
    /// # Errors
    /// As [`Reporter::event`].
    pub fn suspended<T>(&mut self, inner: impl FnOnce(&mut Output) -> T) -> Result<T> {
        let text = self.footer.erase();
        quiet_end(self.output.raw(&text))?;
        Ok(inner(self.output))
    }

    /// Shows where platforms tell more of what was done, unless it failed.
    ///
    /// # Errors
    /// As [`Reporter::event`].
    pub fn pages(&mut self, pages: &[(String, String)]) -> Result {
        if pages.is_empty() || !self.steps.succeeded() {
            return Ok(());
        }
        match self.mode {
            Mode::Json | Mode::Quiet => Ok(()),
            Mode::Live | Mode::Plain => {
                let text = lines::pages(pages, self.style());
                quiet_end(self.print(&text))
            }
        }
    }

    /// Takes the footer away and puts the URL, last and alone, on standard output. Without one,
    /// the output named `url` is taken.
    ///
    /// # Errors
    /// As [`Reporter::event`].
    pub fn finish(mut self, url: Option<&str>) -> Result {
        let text = self.footer.erase();
        let mut result = if text.is_empty() {
            Ok(())
        } else {
            self.output.raw(&text)
        };
        let url = match url {
            Some(url) => Some(super::text::one_line(url)),
            None => self.steps.url(),
        };
        if let Some(url) = url.filter(|_| self.mode != Mode::Json && self.steps.succeeded()) {
            result = result.and_then(|()| self.output.data(&url));
        }
        quiet_end(result)
    }

    /// Shows a recorded run again, with the signs of life it gave.
    ///
    /// # Errors
    /// As [`Reporter::event`].
    pub fn replay(mut self, events: &[Event]) -> Result {
        for event in events {
            while let Some(due) = self.steps.next_sign(STILL).filter(|due| *due < event.ts) {
                self.tick(due)?;
                if self.mode != Mode::Plain {
                    break;
                }
            }
            self.event(event)?;
        }
        self.finish(None)
    }

    fn style(&self) -> Style {
        self.output.style()
    }

    fn advance(&mut self, now: Timestamp) {
        self.now = Some(self.now.map_or(now, |old| old.max(now)));
    }

    fn json(&mut self, event: &Event) -> Result {
        if let Some(stream) = &mut self.stdout_json {
            let text = stream.lines(event)?;
            // A reader that left must not keep the file from being written.
            quiet_end(self.output.data(&text))?;
        }
        if let Some(JsonFile(stream, file)) = &mut self.json_into {
            let text = stream.lines(event)?;
            let written = file.write_all(text.as_bytes()).and_then(|()| file.flush());
            if let Err(error) = written {
                self.json_into = None;
                return Err(OutputError::Io(error));
            }
        }
        Ok(())
    }

    fn show(&mut self, event: &Event) -> Result {
        let style = self.style();
        let mut text = String::new();
        let before = self.steps.take(event);
        if self.mode == Mode::Quiet {
            text.push_str(&lines::quiet(event, &mut self.steps, style));
        } else {
            let view = lines::View {
                style,
                live: self.mode == Mode::Live,
                verbose: self.verbose,
                stack: &self.stack,
            };
            text.push_str(&lines::of(event, &before, &mut self.steps, &view));
        }
        if let EventBody::RunEnded { end } = &event.body {
            let quiet = self.mode == Mode::Quiet;
            let stack = self.stack.as_str();
            text.push_str(&closing::render(
                end,
                event.run,
                stack,
                &mut self.steps,
                quiet,
                style,
            ));
        }
        self.print(&text)
    }

    /// Puts lines above the footer.
    fn print(&mut self, text: &str) -> Result {
        match self.mode {
            Mode::Live => self.draw(text),
            _ if text.is_empty() => Ok(()),
            _ => self.output.always(text),
        }
    }

    fn draw(&mut self, text: &str) -> Result {
        let style = self.style();
        let rows = footer::rows(
            &self.steps,
            self.now,
            self.stopping,
            self.footer.most(),
            style,
        );
        let frame = self.footer.frame(text, &rows);
        if frame.is_empty() {
            return Ok(());
        }
        self.output.raw(&frame)
    }

    fn signs_of_life(&mut self) -> Result {
        let Some(now) = self.now else { return Ok(()) };
        let style = self.style();
        let due: Vec<StepRef> = self.steps.due(now, STILL);
        let mut text = String::new();
        for step in due {
            if let Some(step) = self.steps.in_flight_mut(step) {
                step.last_sign = now;
                text.push_str(&lines::still(step, now, style));
            }
        }
        if let Some(line) = self.steps.lock_sign(now, STILL) {
            text.push_str(&lines::waiting_for_lock(&line, style));
        }
        self.print(&text)
    }
}

/// A reader that went away is no error here.
fn quiet_end(result: Result) -> Result {
    match result {
        Err(OutputError::Closed) => Ok(()),
        other => other,
    }
}

//! The one thing that writes: two streams, and what may go to which.

use std::io::{self, Write};

use fabrik_core::error::{Error, ErrorKind};
use serde::Serialize;

use super::style::{Style, Tone};
use super::text;

/// How much is said besides data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors and the closing lines of a run.
    Quiet,
    /// What a person wants to see.
    #[default]
    Normal,
    /// More, by the number of `-v`.
    Verbose(u8),
}

/// The form of data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// Never.
    Never,
    /// On a stream that is a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
}

/// What [`Output`] has to know; the program finds it out.
#[derive(Clone, Copy, Debug)]
pub struct OutputConfig {
    /// When to colour (the caller has looked at `NO_COLOR` and `TERM`).
    pub color: Color,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether a person can answer a question.
    pub interactive_stdin: bool,
    /// Whether messages go to a terminal.
    pub stderr_is_terminal: bool,
    /// Whether data goes to a terminal.
    pub stdout_is_terminal: bool,
    /// How much is said.
    pub verbosity: Verbosity,
    /// The form of data.
    pub format: Format,
    /// Events of a run go to standard output as JSON Lines.
    pub json_events: bool,
}

impl Default for OutputConfig {
    fn default() -> Self {
        OutputConfig {
            color: Color::Auto,
            width: 80,
            interactive_stdin: false,
            stderr_is_terminal: false,
            stdout_is_terminal: false,
            verbosity: Verbosity::Normal,
            format: Format::Text,
            json_events: false,
        }
    }
}

/// Why something could not be written.
#[derive(Debug)]
#[non_exhaustive]
pub enum OutputError {
    /// The reader went away (`| head`): a quiet end.
    Closed,
    /// Anything else.
    Io(io::Error),
    /// The data has no such form.
    Form(String),
}

/// A result of writing.
pub type Result<T = ()> = std::result::Result<T, OutputError>;

impl std::fmt::Display for OutputError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OutputError::Closed => f.write_str("the reader of the output went away"),
            OutputError::Io(error) => write!(f, "the output could not be written: {error}"),
            OutputError::Form(why) => write!(f, "the output has no such form: {why}"),
        }
    }
}
impl std::error::Error for OutputError {}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => OutputError::Closed,
            _ => OutputError::Io(error),
        }
    }
}

impl From<OutputError> for Error {
    fn from(error: OutputError) -> Self {
        let kind = match error {
            OutputError::Form(_) => ErrorKind::Unexpected,
            _ => ErrorKind::Io,
        };
        Error::new(kind, error.to_string())
    }
}

/// Where everything the program says goes: data to one stream, messages to the other.
///
/// - Data goes out whatever the verbosity.
/// - Quiet leaves out messages, not errors.
/// - When a reader goes away, writing gives [`OutputError::Closed`] and [`Output::is_closed`] stays
///   true: the program ends without a word.
pub struct Output {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    config: OutputConfig,
    closed: bool,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("config", &self.config)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl Output {
    /// An output on two streams.
    pub fn new(
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        config: OutputConfig,
    ) -> Output {
        Output {
            stdout,
            stderr,
            config,
            closed: false,
        }
    }

    /// What it was told.
    pub fn config(&self) -> &OutputConfig {
        &self.config
    }

    /// The terminal has another width now.
    pub fn resize(&mut self, width: usize) {
        self.config.width = width;
    }

    /// Whether a reader went away.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// How messages look.
    pub fn style(&self) -> Style {
        self.style_on(self.config.stderr_is_terminal)
    }

    /// How data looks.
    pub fn data_style(&self) -> Style {
        self.style_on(self.config.stdout_is_terminal)
    }

    fn style_on(&self, terminal: bool) -> Style {
        Style {
            color: match self.config.color {
                Color::Never => false,
                Color::Auto => terminal,
                Color::Always => true,
            },
            width: self.config.width,
        }
    }

    /// Whether messages are left out.
    pub fn is_quiet(&self) -> bool {
        self.config.verbosity == Verbosity::Quiet
    }

    /// Writes data; a line break is added when the text does not end in one.
    pub fn data(&mut self, text: &str) -> Result {
        let result = write_text(&mut self.stdout, text);
        self.note(result)
    }

    /// Writes data in the chosen form; JSON when the form is text.
    pub fn structured(&mut self, value: &impl Serialize) -> Result {
        let json =
            serde_json::to_value(value).map_err(|error| OutputError::Form(error.to_string()))?;
        let text = match self.config.format {
            Format::Yaml => fabrik_core::yaml::to_text(&fabrik_core::value::from_json(&json)),
            Format::Text | Format::Json => serde_json::to_string_pretty(&json)
                .map_err(|error| OutputError::Form(error.to_string()))?,
        };
        self.data(&text)
    }

    /// Says something. The text is printed as it is.
    pub fn message(&mut self, text: &str) -> Result {
        if self.is_quiet() {
            return Ok(());
        }
        self.always(text)
    }

    /// Says that something is done.
    pub fn success(&mut self, text: &str) -> Result {
        let mark = self.style().paint(Tone::Good, "✓");
        self.message(&format!("{mark} {text}"))
    }

    /// Warns.
    pub fn warning(&mut self, text: &str) -> Result {
        self.labelled(Tone::Warn, "warning", text)
    }

    /// Says what to do.
    pub fn hint(&mut self, text: &str) -> Result {
        self.labelled(Tone::Hint, "help", text)
    }

    fn labelled(&mut self, tone: Tone, label: &str, text: &str) -> Result {
        let line = super::error::labelled(self.style(), tone, label, &text::printable(text), 0);
        self.message(&line)
    }

    /// Says what went wrong; also when quiet.
    pub fn error(&mut self, error: &Error) -> Result {
        let text = super::error::render(error, self.style());
        self.always(&text)
    }

    /// Says something also when quiet.
    pub fn always(&mut self, text: &str) -> Result {
        let result = write_text(&mut self.stderr, text);
        self.note(result)
    }

    /// Writes to the message stream exactly what is given: for what moves the cursor.
    pub(crate) fn raw(&mut self, text: &str) -> Result {
        let result = self
            .stderr
            .write_all(text.as_bytes())
            .and_then(|()| self.stderr.flush());
        self.note(result)
    }

    fn note(&mut self, result: io::Result<()>) -> Result {
        result.map_err(|error| {
            let error = OutputError::from(error);
            self.closed |= matches!(error, OutputError::Closed);
            error
        })
    }
}

fn write_text(stream: &mut dyn Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stream.write_all(b"\n")?;
    }
    stream.flush()
}

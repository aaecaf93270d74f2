//! What goes into a program and comes out of it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fabrik_core::secrets::Redactor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::ChildStdin;
use tokio::sync::watch;

use crate::command::Input;
use crate::lines::{Splitter, Stream, Tail, clean};
use crate::marks::Marks;

/// How long what a program left behind may be silent after its end, before nobody listens any more.
const SILENCE: Duration = Duration::from_secs(2);
/// How much is read at once.
const CHUNK: usize = 32 * 1024;

pub(crate) type OnLine<'a> = &'a mut (dyn FnMut(Stream, &str) + Send);
pub(crate) type Reader<'a> = &'a mut (dyn AsyncRead + Send + Unpin);
pub(crate) type Writer<'a> = &'a mut (dyn AsyncWrite + Send + Unpin);

/// What the program gets on standard input.
pub(crate) enum Source<'a> {
    Nothing,
    Input(&'a Input),
    Reader(Reader<'a>),
}

/// Where its standard output goes.
pub(crate) enum Sink<'a> {
    Keep(usize),
    Lines,
    Writer(Writer<'a>),
}

/// Why reading or writing was given up.
#[derive(Debug)]
pub(crate) enum Broken {
    /// More output than is kept.
    TooMuch,
    /// The caller's reader failed.
    Source(io::Error),
    /// The caller's writer failed.
    Sink(io::Error),
}

/// Writes the input. That the program does not read it all is its own business.
pub(crate) async fn feed(source: Source<'_>, pipe: Option<ChildStdin>) -> Result<(), Broken> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    match source {
        Source::Nothing => {}
        Source::Input(input) => _ = pipe.write_all(input.bytes()).await,
        Source::Reader(reader) => {
            let mut chunk = vec![0; CHUNK];
            loop {
                let length = reader.read(&mut chunk).await.map_err(Broken::Source)?;
                if length == 0 || pipe.write_all(&chunk[..length]).await.is_err() {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Takes lines from both outputs.
pub(crate) struct Ears<'a> {
    redactor: Redactor,
    marks: Arc<Mutex<Marks>>,
    heard: Mutex<Heard<'a>>,
    over: watch::Sender<bool>,
}

struct Heard<'a> {
    tail: Tail,
    on_line: Option<OnLine<'a>>,
}

impl<'a> Ears<'a> {
    pub(crate) fn new(
        redactor: Redactor,
        marks: Arc<Mutex<Marks>>,
        on_line: Option<OnLine<'a>>,
    ) -> Ears<'a> {
        let tail = Tail::default();
        Ears {
            redactor,
            marks,
            heard: Mutex::new(Heard { tail, on_line }),
            over: watch::channel(false).0,
        }
    }

    /// The last lines.
    pub(crate) fn into_tail(self) -> Vec<String> {
        let heard = self
            .heard
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        heard.tail.into_lines()
    }

    /// The program has ended; whatever still holds its streams is something it left behind.
    pub(crate) fn program_ended(&self) {
        self.over.send_replace(true);
    }

    /// Comes when the program has ended, and then some time has passed.
    pub(crate) async fn silence(&self) {
        let mut over = self.over.subscribe();
        // The sender is ours, so this cannot fail.
        _ = over.wait_for(|over| *over).await;
        tokio::time::sleep(SILENCE).await;
    }

    /// Reads what there is; 0 at the end, and when nothing comes after the program's end.
    async fn read(&self, pipe: &mut (impl AsyncRead + Unpin), chunk: &mut [u8]) -> usize {
        tokio::select! {
            biased;
            length = pipe.read(chunk) => length.unwrap_or(0),
            () = self.silence() => 0,
        }
    }

    /// Reads standard error to its end.
    pub(crate) async fn stderr(&self, mut pipe: impl AsyncRead + Unpin) {
        let mut splitter = Splitter::default();
        let mut each = |line: &[u8], dropped: usize| {
            let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
            marks.sift(line, dropped, &mut |line, dropped| {
                self.hear(Stream::Stderr, line, dropped);
            });
        };
        let mut chunk = vec![0; CHUNK];
        while let length @ 1.. = self.read(&mut pipe, &mut chunk).await {
            splitter.push(&chunk[..length], &mut each);
        }
        splitter.end(&mut each);
    }

    /// Reads standard output to its end.
    pub(crate) async fn stdout(
        &self,
        mut pipe: impl AsyncRead + Unpin,
        sink: Sink<'_>,
        kept: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let mut sink = sink;
        let mut splitter = Splitter::default();
        let mut each = |line: &[u8], dropped: usize| self.hear(Stream::Stdout, line, dropped);
        let mut chunk = vec![0; CHUNK];
        while let length @ 1.. = self.read(&mut pipe, &mut chunk).await {
            let chunk = &chunk[..length];
            match &mut sink {
                Sink::Keep(limit) if kept.len() + length > *limit => return Err(Broken::TooMuch),
                Sink::Keep(_) => kept.extend_from_slice(chunk),
                Sink::Lines => splitter.push(chunk, &mut each),
                Sink::Writer(writer) => writer.write_all(chunk).await.map_err(Broken::Sink)?,
            }
        }
        splitter.end(&mut each);
        if let Sink::Writer(writer) = sink {
            writer.flush().await.map_err(Broken::Sink)?;
        }
        Ok(())
    }

    fn hear(&self, stream: Stream, line: &[u8], dropped: usize) {
        let line = clean(&self.redactor, line, dropped);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(on_line) = &mut heard.on_line {
            on_line(stream, &line);
        }
        heard.tail.push(line);
    }
}

//! Logs: for whoever looks for a fault. To standard error or a file, without secrets.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use fabrik_core::error::{Error, ErrorKind, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::files;
use crate::panics::Redactors;
use crate::session::Session;

/// Starts logging, when asked for by `-vv`, `FABRIK_LOG` or `--log-file`.
///
/// # Errors
/// For a filter that is none, or a file that cannot be written.
pub(crate) fn start(session: &Session) -> Result<()> {
    let settings = &session.settings;
    let filter = match (&settings.log, settings.verbose) {
        (Some(filter), _) => filter.clone(),
        (None, 0 | 1) if settings.log_file.is_none() => return Ok(()),
        (None, 0..=2) => "info,fabrik=debug,fabrik_core=debug".to_owned(),
        (None, _) => "trace".to_owned(),
    };
    if !session.world.process {
        return Ok(());
    }
    let filter = EnvFilter::builder().parse(&filter).map_err(|error| {
        Error::new(
            ErrorKind::Invalid,
            format!("`{filter}` is no log filter: {error}"),
        )
        .hint("a filter looks like `debug` or `info,fabrik_core=trace`")
    })?;
    let sink: Box<dyn Write + Send> = match &settings.log_file {
        Some(path) => Box::new(
            OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(path)
                .map_err(|error| files::file_error("write", path, &error))?,
        ),
        None => Box::new(io::stderr()),
    };
    let writer = CleanWriter {
        sink: Arc::new(Mutex::new(sink)),
        redactors: session.redactors.clone(),
    };
    // Fails only when a program that embeds us logs already: then its log is used.
    _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer)
        .try_init();
    Ok(())
}

/// Makes writers that remove known secrets.
#[derive(Clone)]
struct CleanWriter {
    sink: Arc<Mutex<Box<dyn Write + Send>>>,
    redactors: Redactors,
}

/// Gathers one record, so that no secret is cut in two, and writes it clean when dropped.
struct CleanLine {
    writer: CleanWriter,
    line: Vec<u8>,
}

impl<'a> MakeWriter<'a> for CleanWriter {
    type Writer = CleanLine;
    fn make_writer(&'a self) -> CleanLine {
        CleanLine {
            writer: self.clone(),
            line: Vec::new(),
        }
    }
}

impl Write for CleanLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for CleanLine {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.line);
        let clean = fabrik_core::secrets::printable(&self.writer.redactors.clean(&text));
        let mut sink = self
            .writer
            .sink
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written must not stop the run.
        _ = sink.write_all(clean.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fabrik_core::secrets::Redactor;
    use fabrik_core::value::Value;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn secrets_written_in_parts_do_not_get_through() {
        let redactors = Redactors::default();
        let redactor = Redactor::default();
        redactor.learn(&Value::secret("canary-canary"));
        redactors.add(&redactor);
        let shared = Shared::default();
        let writer = CleanWriter {
            sink: Arc::new(Mutex::new(Box::new(shared.clone()))),
            redactors,
        };
        let mut line = writer.make_writer();
        line.write_all(b"token cana").unwrap();
        line.write_all(b"ry-canary sent\n").unwrap();
        drop(line);
        let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "token (secret) sent\n");
    }
}

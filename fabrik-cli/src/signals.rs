//! Signals of the process: stop, and "what are you doing?".

use tokio::signal::unix::{Signal as Unix, SignalKind, signal};

/// What somebody wants of a running command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Stop; each time more firmly (Ctrl-C, SIGTERM).
    Stop,
    /// Say what is in flight (SIGUSR1).
    Inspect,
}

/// Listens for signals; hears nothing inside another program.
pub(crate) struct Signals(Option<Streams>);

struct Streams {
    interrupt: Unix,
    terminate: Unix,
    inspect: Unix,
}

impl Signals {
    /// Begins to listen. From then on Ctrl-C no longer ends the process by itself.
    pub(crate) fn listen(process: bool) -> Signals {
        let streams = || -> std::io::Result<Streams> {
            Ok(Streams {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                inspect: signal(SignalKind::user_defined1())?,
            })
        };
        Signals(process.then(streams).and_then(Result::ok))
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Signal {
        let Some(streams) = &mut self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = streams.interrupt.recv() => Signal::Stop,
            _ = streams.terminate.recv() => Signal::Stop,
            _ = streams.inspect.recv() => Signal::Inspect,
        }
    }
}

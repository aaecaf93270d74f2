//! Waiting until something is so.

use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;

use crate::failure::seconds;

/// The user hears of a wait at least this often.
const NOTE_EVERY: Duration = Duration::from_secs(10);
/// How long is waited where the operation has no limit.
const LONGEST: Duration = Duration::from_secs(600);

/// Waits between looks at something that takes its time: half as long again each time.
///
/// ```
/// use std::time::Duration;
/// use fabrik_core::{error::Result, provider::Cx};
/// use fabrik_http::Wait;
///
/// # async fn is_built() -> Result<bool> { Ok(true) }
/// async fn built(cx: &Cx) -> Result<()> {
///     let mut wait = Wait::new(cx, "the build", Duration::from_secs(1), Duration::from_secs(10));
///     while !is_built().await? {
///         wait.next().await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Wait<'a> {
    cx: &'a Cx,
    what: &'a str,
    pause: Duration,
    longest: Duration,
    waited: Duration,
    silent: Duration,
    passing: Option<Error>,
}

impl<'a> Wait<'a> {
    /// A wait for something, in words for the user: "the build". `first` is the pause before the
    /// second look, `longest` that between two later ones.
    pub fn new(cx: &'a Cx, what: &'a str, first: Duration, longest: Duration) -> Wait<'a> {
        Wait {
            cx,
            what,
            pause: first,
            longest,
            waited: Duration::ZERO,
            silent: Duration::ZERO,
            passing: None,
        }
    }

    /// Waits once more, telling the user every 10 s what for.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] when the operation's time is up (10 minutes where it has no limit),
    /// [`ErrorKind::Cancelled`] when the run is stopped.
    pub async fn next(&mut self) -> Result<()> {
        let left = self
            .cx
            .time_left()
            .unwrap_or(LONGEST.saturating_sub(self.waited));
        if self.pause > left {
            let error = Error::new(
                ErrorKind::Timeout,
                format!("waited {} for {}", seconds(self.waited), self.what),
            )
            .hint("a longer `timeout` on the resource gives it more time");
            return Err(match self.passing.take() {
                Some(passing) => error.cause(passing),
                None => error,
            });
        }
        if self.silent >= NOTE_EVERY {
            let waited = seconds(self.waited);
            self.cx
                .note(format!("waiting for {}, {waited} so far", self.what));
            self.silent = Duration::ZERO;
        }
        self.cx.sleep(self.pause).await?;
        self.waited += self.pause;
        self.silent += self.pause;
        self.pause = self.pause.mul_f64(1.5).min(self.longest);
        Ok(())
    }

    /// What a look gave; a passing error counts as nothing seen, and is the cause of the timeout when
    /// nothing better comes.
    ///
    /// # Errors
    /// Those that do not pass.
    pub fn look_past<T>(&mut self, looked: Result<Option<T>>) -> Result<Option<T>> {
        match looked {
            Err(error) if error.is_temporary() => {
                self.passing = Some(error);
                Ok(None)
            }
            other => other,
        }
    }

    /// How long it was waited so far.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

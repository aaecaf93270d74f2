//! Waiting until something is so.

use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;

use crate::failure::seconds;

/// The user hears of a wait at least this often.
const NOTE_EVERY: Duration = Duration::from_secs(10);

/// How long to wait between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// From a first wait, half as long again each time, up to a longest.
    pub fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff { first, longest }
    }
}

/// Looks again and again until `look` finds something, telling the user every 10 s that it waits
/// for `what`.
///
/// - Ends with [`ErrorKind::Timeout`] when the operation's time is up (10 minutes where it has no
///   limit), and with [`ErrorKind::Cancelled`] when the run is stopped.
/// - A passing error of `look` is looked past; any other ends the wait.
///
/// # Errors
/// See above.
pub async fn poll<T>(
    cx: &Cx,
    what: &str,
    backoff: Backoff,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let (mut wait, mut waited, mut silent) = (backoff.first, Duration::ZERO, Duration::ZERO);
    loop {
        let passing = match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => None,
            Err(error) if error.is_temporary() => Some(error),
            Err(error) => return Err(error),
        };
        let left = cx
            .time_left()
            .unwrap_or(Duration::from_secs(600).saturating_sub(waited));
        if wait > left {
            let error = Error::new(
                ErrorKind::Timeout,
                format!("waited {} for {what}", seconds(waited)),
            )
            .hint("a longer `timeout` on the resource gives it more time");
            return Err(match passing {
                Some(passing) => error.cause(passing),
                None => error,
            });
        }
        if silent >= NOTE_EVERY {
            cx.note(format!("waiting for {what}, {} so far", seconds(waited)));
            silent = Duration::ZERO;
        }
        cx.sleep(wait).await?;
        waited += wait;
        silent += wait;
        wait = wait.mul_f64(1.5).min(backoff.longest);
    }
}

//! How far the service's clock is from ours, by the `Date` of its replies (RFC 9110, 6.6.1).

use std::sync::Mutex;

use fabrik_core::provider::Health;
use jiff::{SignedDuration, Timestamp};

use crate::client::Client;
use crate::transport::Answer;

/// From here on, signatures and short-lived tokens are refused by many services.
const TOO_FAR: SignedDuration = SignedDuration::from_secs(30);

/// The skew seen last.
#[derive(Debug, Default)]
pub(crate) struct Clocks(Mutex<Option<SignedDuration>>);

impl Clocks {
    /// Learns from an answer to a request that was sent and answered at these times of ours.
    pub(crate) fn learn(&self, answer: &Answer, sent: Timestamp, answered: Timestamp) {
        // A cache in between repeats an old date.
        let date = match answer.header("age") {
            None | Some("0") => answer.header("date"),
            Some(_) => None,
        };
        let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
            return;
        };
        if let Ok(date) = Timestamp::try_from(date) {
            let mut seen = self
                .0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *seen = Some(skew(date, sent, answered));
        }
    }
}

/// The least skew that explains a date: it has whole seconds, and was written at some time between
/// sending and answer.
fn skew(date: Timestamp, sent: Timestamp, answered: Timestamp) -> SignedDuration {
    let least = date.duration_since(answered);
    let most = date.duration_since(sent) + SignedDuration::from_secs(1);
    if least > SignedDuration::ZERO {
        least
    } else if most < SignedDuration::ZERO {
        most
    } else {
        SignedDuration::ZERO
    }
}

impl Client {
    /// How far the service's clock was ahead of ours at its last reply (behind: negative), as far as
    /// can be told for certain. `None` before the first reply, and where replies have no date.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        *self
            .0
            .clocks
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The same as a line for `fabrik doctor`; nothing where replies have no date.
    pub fn clock_health(&self) -> Option<Health> {
        let skew = self.clock_skew()?;
        let seconds = skew.abs().as_secs();
        Some(if seconds == 0 {
            Health::ok("clock", "the same as here, to a second")
        } else {
            let way = if skew.is_negative() {
                "behind"
            } else {
                "ahead of"
            };
            let text = format!("the service's clock is {seconds} s {way} this machine's");
            if skew.abs() < TOO_FAR {
                Health::ok("clock", text)
            } else {
                Health::warn("clock", text)
                    .hint("set the wrong one (on Linux: `timedatectl set-ntp true`)")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_skew() {
        let at = |text: &str| -> Timestamp { text.parse().expect("a time") };
        let of = |sent: &str, answered: &str| {
            let day = "2026-01-01T00:00:";
            let (sent, answered) = (
                at(&format!("{day}{sent}Z")),
                at(&format!("{day}{answered}Z")),
            );
            skew(at("2026-01-01T00:00:30Z"), sent, answered)
        };
        assert_eq!(of("30.2", "30.9"), SignedDuration::ZERO);
        assert_eq!(of("29", "31"), SignedDuration::ZERO);
        assert_eq!(of("30.9", "31.5"), SignedDuration::ZERO);
        assert_eq!(of("10", "11"), SignedDuration::from_secs(19));
        assert_eq!(of("45", "46"), SignedDuration::from_secs(-14));
    }
}

//! When a process that keeps ending is started again.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::RestartPolicy;

/// Counts crashes.
#[derive(Debug)]
pub(crate) struct Crashes {
    policy: RestartPolicy,
    recent: VecDeque<Instant>,
}

impl Crashes {
    pub(crate) fn new(policy: RestartPolicy) -> Self {
        Self {
            policy,
            recent: VecDeque::new(),
        }
    }

    /// How long to wait before the next start; `None` if there were too many crashes.
    pub(crate) fn next_pause(&mut self, now: Instant) -> Option<Duration> {
        self.recent.push_back(now);
        while self
            .recent
            .front()
            .is_some_and(|old| now - *old > self.policy.window)
        {
            self.recent.pop_front();
        }
        let count = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        if count >= self.policy.max_crashes.max(1) {
            return None;
        }
        let factor = 1_u32.checked_shl(count - 1).unwrap_or(u32::MAX);
        Some(
            self.policy
                .backoff
                .saturating_mul(factor)
                .min(self.policy.max_backoff),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Crashes;
    use crate::model::RestartPolicy;

    #[test]
    fn pauses_grow_and_end() {
        let policy = RestartPolicy {
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(3),
            max_crashes: 4,
            window: Duration::from_mins(1),
            ..RestartPolicy::default()
        };
        let mut crashes = Crashes::new(policy);
        let now = Instant::now();
        let pauses: Vec<_> = (0..4).map(|_| crashes.next_pause(now)).collect();
        let seconds = |count| Some(Duration::from_secs(count));
        assert_eq!(pauses, [seconds(1), seconds(2), seconds(3), None]);
        let later = now + Duration::from_mins(2);
        assert_eq!(crashes.next_pause(later), seconds(1));
    }
}

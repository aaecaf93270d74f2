//! Crash safety, judged by the service itself: however a run dies, running again leaves no
//! duplicates, no orphans, no foreign object touched, and readable state.
//!
//! `kill` kills real processes (`FABRIK_CRASH_KILLS=100` for the full bar, `FABRIK_CRASH_SEED` for
//! other moments); `boundary` breaks runs off at every write to the journal.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "helpers of tests fail loudly, show figures, and build texts simply"
)]

mod boundary;
mod judge;
mod kill;
mod wanted;

//! What the program prints, as snapshots: fixed data, fixed sizes, fixed times.

#![expect(
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "helpers of tests fail loudly and build texts simply"
)]

mod output {
    mod canary;
    mod diagnostics;
    mod events;
    mod listings;
    mod plans;
    mod speed;
    mod streams;
    mod support;
}

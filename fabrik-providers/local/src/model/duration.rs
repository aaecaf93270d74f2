//! Durations are whole milliseconds on the wire and in files.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// Longest duration that is stored: what does not fit is cut to this.
const MAX_MILLIS: u64 = u64::MAX;

pub(super) fn serialize<S: Serializer>(value: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(MAX_MILLIS))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    u64::deserialize(input).map(Duration::from_millis)
}

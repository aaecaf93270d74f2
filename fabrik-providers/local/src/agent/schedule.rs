//! When a job runs: five cron fields in a time zone.
//!
//! As cron has it: where both days are limited, either will do. When clocks are put forward, a run
//! that would fall into the hour that is not there comes as much later; when they are put back, a
//! run at a certain hour comes once, and one of every hour comes in both.

use std::path::Path;
use std::time::SystemTime;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

/// Where systems keep their time zones.
const ZONES: [&str; 3] = [
    "/usr/share/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/etc/zoneinfo",
];
/// A schedule that does not come within this many days never does: the 29th of February comes
/// within eight years.
const HORIZON: usize = 366 * 9;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A schedule in its time zone.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_day: bool,
    any_weekday: bool,
    every_hour: bool,
    zone: TimeZone,
}

impl Schedule {
    /// Reads the five fields; the time zone is looked up on this machine. The error says the field
    /// at fault (`schedule` or `timezone`), and why.
    pub(crate) fn parse(text: &str, zone: &str) -> Result<Self, (&'static str, String)> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = words[..] else {
            let message = format!("`{text}` has {} fields; cron has 5", words.len());
            return Err(("schedule", message));
        };
        let read = |word: &str, low: u8, high: u8, names: &[&str]| {
            field(word, low, high, names).ok_or_else(|| {
                let message = format!("`{word}` in `{text}` is not between {low} and {high}");
                ("schedule", message)
            })
        };
        let weekdays = read(weekday, 0, 7, &DAYS)?;
        Ok(Self {
            minutes: read(minute, 0, 59, &[])?,
            hours: read(hour, 0, 23, &[])?,
            days: read(day, 1, 31, &[])?,
            months: read(month, 1, 12, &MONTHS)?,
            // 7 is Sunday too.
            weekdays: (weekdays | weekdays >> 7) & 0x7f,
            any_day: day.starts_with('*'),
            any_weekday: weekday.starts_with('*'),
            every_hour: hour.starts_with('*'),
            zone: time_zone(zone).map_err(|message| ("timezone", message))?,
        })
    }

    /// The first time after `now`, in seconds since 1970; `None` when it never comes.
    pub(crate) fn next(&self, now: SystemTime) -> Option<u64> {
        let now = Timestamp::try_from(now).ok()?;
        let mut date = now.to_zoned(self.zone.clone()).date();
        // What clocks put back brought about may still be to come from the day before.
        date = date.yesterday().unwrap_or(date);
        for _ in 0..HORIZON {
            if self.has(date)
                && let Some(found) = self.on(date, now)
            {
                return u64::try_from(found.as_second()).ok();
            }
            date = date.checked_add(1_i32.day()).ok()?;
        }
        None
    }

    fn has(&self, date: Date) -> bool {
        let bit = |set: u64, at: i8| u8::try_from(at).is_ok_and(|at| set >> at & 1 == 1);
        let day = bit(self.days, date.day());
        let weekday = bit(self.weekdays, date.weekday().to_sunday_zero_offset());
        let fits = match (self.any_day, self.any_weekday) {
            (false, false) => day || weekday,
            _ => day && weekday,
        };
        bit(self.months, date.month()) && fits
    }

    /// The first time of a day after `now`.
    fn on(&self, date: Date, now: Timestamp) -> Option<Timestamp> {
        let times = (0..24i8)
            .filter(|hour| self.hours >> hour & 1 == 1)
            .flat_map(|hour| (0..60i8).map(move |minute| (hour, minute)))
            .filter(|(_, minute)| self.minutes >> minute & 1 == 1)
            .map(|(hour, minute)| date.at(hour, minute, 0, 0));
        times
            .flat_map(|time| self.instants(time))
            .flatten()
            .filter(|found| *found > now)
            .min()
    }

    /// When clocks show this time: once, twice or not at all.
    fn instants(&self, time: DateTime) -> [Option<Timestamp>; 2] {
        let found = self.zone.to_ambiguous_timestamp(time);
        match found.offset() {
            AmbiguousOffset::Unambiguous { offset } => [offset.to_timestamp(time).ok(), None],
            // The hour that is not there: as much later. One of every hour has that anyway.
            AmbiguousOffset::Gap { .. } if self.every_hour => [None, None],
            AmbiguousOffset::Gap { before, .. } => [before.to_timestamp(time).ok(), None],
            AmbiguousOffset::Fold { before, after } => [
                before.to_timestamp(time).ok(),
                after.to_timestamp(time).ok().filter(|_| self.every_hour),
            ],
        }
    }
}

fn time_zone(name: &str) -> Result<TimeZone, String> {
    if matches!(name, "" | "UTC" | "Etc/UTC" | "Z") {
        return Ok(TimeZone::UTC);
    }
    let mut any = false;
    for dir in ZONES.iter().map(Path::new).filter(|dir| dir.is_dir()) {
        if let Ok(known) = TimeZoneDatabase::from_dir(dir) {
            any = true;
            if let Ok(zone) = known.get(name) {
                return Ok(zone);
            }
        }
    }
    Err(if any {
        format!("`{name}` is no time zone that this machine knows, such as `Europe/Berlin`")
    } else {
        format!(
            "`{name}` cannot be looked up: this machine has no time zones; install the package `tzdata`"
        )
    })
}

/// The values of a field, a bit each.
fn field(word: &str, low: u8, high: u8, names: &[&str]) -> Option<u64> {
    let value = |word: &str| -> Option<u8> {
        let named = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(word));
        let named = named
            .and_then(|at| u8::try_from(at).ok())
            .map(|at| at + low);
        named
            .or_else(|| word.parse().ok())
            .filter(|value| (low..=high).contains(value))
    };
    let mut set = 0;
    for part in word.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (
                range,
                Some(step.parse::<u8>().ok().filter(|step| *step > 0)?),
            ),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((from, to)) => (value(from)?, value(to)?),
            // `5/10` goes on to the end.
            None => (value(range)?, step.map_or(value(range)?, |_| high)),
        };
        if from > to {
            return None;
        }
        for value in (from..=to).step_by(step.unwrap_or(1).into()) {
            set |= 1 << value;
        }
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn runs(schedule: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(schedule, zone).unwrap();
        let mut now: Timestamp = from.parse().unwrap();
        let mut found = Vec::new();
        for _ in 0..count {
            let next = schedule.next(SystemTime::from(now)).unwrap();
            now = Timestamp::try_from(SystemTime::UNIX_EPOCH + Duration::from_secs(next)).unwrap();
            found.push(now.to_string());
        }
        found
    }

    #[test]
    fn times_come_in_their_order() {
        assert_eq!(
            runs("*/20 3,5 * * *", "UTC", "2026-01-31T03:30:30Z", 5),
            [
                "2026-01-31T03:40:00Z",
                "2026-01-31T05:00:00Z",
                "2026-01-31T05:20:00Z",
                "2026-01-31T05:40:00Z",
                "2026-02-01T03:00:00Z"
            ]
        );
        // Either day will do when both are limited; else both must fit.
        assert_eq!(
            runs("0 0 13 * FRI", "UTC", "2026-02-01T00:00:00Z", 3),
            [
                "2026-02-06T00:00:00Z",
                "2026-02-13T00:00:00Z",
                "2026-02-20T00:00:00Z"
            ]
        );
        assert_eq!(
            runs("0 0 * * 7", "UTC", "2026-02-01T00:00:00Z", 1),
            ["2026-02-08T00:00:00Z"]
        );
        assert_eq!(
            runs("0 0 29 feb *", "UTC", "2026-02-01T00:00:00Z", 1),
            ["2028-02-29T00:00:00Z"]
        );
        let never = Schedule::parse("0 0 30 2 *", "UTC").unwrap();
        assert_eq!(never.next(SystemTime::UNIX_EPOCH), None);
    }

    #[test]
    fn a_time_zone_keeps_its_hours_over_the_changes_of_clocks() {
        // In winter and in summer.
        assert_eq!(
            runs("0 3 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
            [
                "2026-03-28T02:00:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-30T01:00:00Z"
            ]
        );
        // 02:30 is not there on 29 March: an hour later by the clock, the same wait.
        assert_eq!(
            runs("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
        );
        // 02:30 is there twice on 25 October: a daily run comes once,
        assert_eq!(
            runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        // and one of every hour in both.
        assert_eq!(
            runs("30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 4),
            [
                "2026-10-24T23:30:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:30:00Z"
            ]
        );
    }

    #[test]
    fn mistakes_name_their_field() {
        for (schedule, zone, field, says) in [
            ("* * * *", "UTC", "schedule", "has 4 fields"),
            ("61 * * * *", "UTC", "schedule", "`61` in"),
            ("5-1 * * * *", "UTC", "schedule", "`5-1` in"),
            ("*/0 * * * *", "UTC", "schedule", "`*/0` in"),
            (
                "* * * * *",
                "Mars/Base",
                "timezone",
                "`Mars/Base` is no time zone",
            ),
        ] {
            let (at, message) = Schedule::parse(schedule, zone).unwrap_err();
            assert_eq!(at, field);
            assert!(message.contains(says), "{message}");
        }
    }
}

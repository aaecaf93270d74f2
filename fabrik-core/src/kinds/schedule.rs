//! Schedules: the five fields of cron, and their names.

use crate::value::Value;

/// A field's name, its lowest and highest value, and names of values from the lowest on.
type Field = (&'static str, u8, u8, &'static [&'static str]);

const FIELDS: [Field; 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    (
        "month",
        1,
        12,
        &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
    ),
    (
        "day of the week",
        0,
        7,
        &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    ),
];

const NAMED: [(&str, &str); 6] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
];

/// A named schedule as five fields; everything else as it is.
pub(super) fn long(value: Value) -> Value {
    let named = value.as_str().and_then(|text| {
        let found = NAMED.iter().find(|(name, _)| *name == text.trim());
        found.map(|(_, fields)| Value::from(*fields))
    });
    named.unwrap_or(value)
}

/// Whether the text is a schedule; says what is wrong with it.
pub(super) fn check(text: &str) -> Result<(), String> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if words.len() != FIELDS.len() {
        return Err(format!(
            "a schedule has 5 fields (minute, hour, day of the month, month, day of the week): `{text}` has {} fields",
            words.len()
        ));
    }
    words
        .iter()
        .zip(FIELDS)
        .try_for_each(|(word, field)| word.split(',').try_for_each(|part| one(part, field)))
}

/// `*`, `5`, `MON`, `1-5`, each possibly with `/2`.
fn one(part: &str, field: Field) -> Result<(), String> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    if let Some(step) = step
        && !step.parse::<u8>().is_ok_and(|step| step > 0)
    {
        return Err(format!("`/{step}` is no step"));
    }
    if range == "*" {
        return Ok(());
    }
    match range.split_once('-') {
        Some((from, to)) => {
            if number(from, field)? > number(to, field)? {
                return Err(format!("`{range}` runs backwards"));
            }
            Ok(())
        }
        None => number(range, field).map(|_| ()),
    }
}

fn number(word: &str, (name, lowest, highest, names): Field) -> Result<u8, String> {
    let by_name = names
        .iter()
        .position(|known| known.eq_ignore_ascii_case(word))
        .and_then(|at| u8::try_from(at).ok())
        .map(|at| at + lowest);
    by_name
        .or_else(|| word.parse().ok())
        .filter(|number| (lowest..=highest).contains(number))
        .ok_or_else(|| format!("`{word}` is no {name}: it is {lowest} to {highest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        for good in [
            "* * * * *",
            "*/5 0-6 1,15 JAN-mar MON-FRI",
            "0 3 * * 7",
            "30 4 1 */2 *",
        ] {
            check(good).unwrap();
        }
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "a * * * *",
            "1, * * * *",
        ] {
            check(bad).unwrap_err();
        }
        for (_, fields) in NAMED {
            check(fields).unwrap();
        }
    }
}

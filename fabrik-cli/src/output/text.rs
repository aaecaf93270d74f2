//! Small text: width, wrapping, shortening, counts, durations, sizes.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

pub use fabrik_core::secrets::printable;

/// Columns a text takes on a terminal.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.width()
    }
}

/// Text from outside on one line: control characters made visible, line breaks and tabs as blanks.
pub fn one_line(text: &str) -> String {
    let text = printable(text.trim());
    if text.contains(['\n', '\t']) {
        text.split(['\n', '\t'])
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    } else {
        text
    }
}

/// The text cut to a number of columns, with `…` when something is missing.
pub fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut taken = 0;
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if taken + wide + 1 > columns {
            break;
        }
        taken += wide;
        out.push(character);
    }
    out.push('…');
    out
}

/// The text followed by blanks up to a number of columns.
pub fn pad(text: &str, columns: usize) -> String {
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n(
        ' ',
        columns.saturating_sub(width(text)),
    ));
    out
}

/// The text broken at blanks into lines of at most so many columns; longer words stand alone.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut taken = 0;
        for word in paragraph.split_whitespace() {
            let wide = width(word);
            if taken > 0 && taken + 1 + wide > columns {
                lines.push(std::mem::take(&mut line));
                taken = 0;
            }
            if taken > 0 {
                line.push(' ');
                taken += 1;
            }
            line.push_str(word);
            taken += wide;
        }
        lines.push(line);
    }
    lines
}

/// `1 change`, `2 changes`, `1,204 objects`.
pub fn count(number: usize, singular: &str) -> String {
    let plural = match singular {
        "is" => "are".to_owned(),
        other if other.ends_with('s') => format!("{other}es"),
        other => match other.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
            _ => format!("{other}s"),
        },
    };
    let word = if number == 1 { singular } else { &plural };
    format!("{} {word}", thousands(number))
}

/// A number with its thousands apart.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `84 ms`, `1.2s`, `41s`, `2m03s`, `1h05m`.
pub fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = duration.as_secs();
    match seconds {
        0 if millis < 100 => format!("{millis} ms"),
        0..10 => format!("{}.{}s", millis / 1000, millis % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// As [`duration`], from milliseconds.
pub fn millis(millis: u64) -> String {
    duration(Duration::from_millis(millis))
}

/// The time from one moment to a later one; nothing when they are the other way round.
pub fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}

/// `now`, `12s ago`, `3h ago`, `5d ago`, and the date when it is long ago.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = between(then, now).as_secs();
    match seconds {
        0..5 => "now".to_owned(),
        5..60 => format!("{seconds}s ago"),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        86_400..5_184_000 => format!("{}d ago", seconds / 86_400),
        _ => then.strftime("%Y-%m-%d").to_string(),
    }
}

/// `512 B`, `1.2 KiB`, `3.4 GiB`.
pub fn bytes(bytes: u64) -> String {
    let mut unit = 1_u64;
    let mut name = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if bytes / unit < 1024 {
            break;
        }
        unit *= 1024;
        name = next;
    }
    let mut out = String::new();
    if unit == 1 {
        _ = write!(out, "{bytes} B");
    } else {
        let tenths = u128::from(bytes) * 10 / u128::from(unit);
        _ = write!(out, "{}.{} {name}", tenths / 10, tenths % 10);
    }
    out
}

/// Text as one word for a shell.
pub fn shell_word(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._-/:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(harmless) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers() {
        assert_eq!(count(1, "change"), "1 change");
        assert_eq!(count(1204, "object"), "1,204 objects");
        assert_eq!(count(2, "key"), "2 keys");
        assert_eq!(count(2, "retry"), "2 retries");
        assert_eq!(bytes(1_288_490_189), "1.2 GiB");
        let times: Vec<String> = [84, 999, 1250, 41_000, 123_000, 3_900_000]
            .map(millis)
            .to_vec();
        assert_eq!(times, ["84 ms", "0.9s", "1.2s", "41s", "2m03s", "1h05m"]);
    }

    #[test]
    fn shortening_counts_columns() {
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(shorten("日本語", 5), "日本…");
        assert_eq!(shorten("日本語", 4), "日…");
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(one_line("a\n\tb\u{1b}[2J"), "a b\\u{1b}[2J");
    }

    #[test]
    fn shell_words() {
        assert_eq!(shell_word("resources.a"), "resources.a");
        assert_eq!(shell_word("resources.mx[\"a\"]"), "'resources.mx[\"a\"]'");
    }
}

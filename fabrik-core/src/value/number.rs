//! Numbers that keep the digits they were written with.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A decimal number as text: `1.50` stays `1.50`, yet equals `1.5`.
#[derive(Clone)]
pub struct Number(Arc<str>);

impl Number {
    /// Reads a JSON number (optional minus, digits, fraction, exponent).
    pub fn parse(text: &str) -> Option<Number> {
        is_number(text).then(|| Number(text.into()))
    }

    /// As [`Number::parse`], with short ones shared while much is decoded.
    pub(super) fn parse_shared(text: &str) -> Option<Number> {
        is_number(text).then(|| Number(super::share::text(text)))
    }

    /// The digits as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as a whole number, when it is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok().or_else(|| {
            let (negative, digits, exponent) = self.canonical();
            let digits = format!(
                "{digits}{}",
                "0".repeat(usize::try_from(exponent).ok().filter(|n| *n < 20)?)
            );
            let number: i64 = digits.parse().ok()?;
            Some(if negative { -number } else { number })
        })
    }

    /// Sign, significant digits without outer zeros, and the power of ten they are scaled by.
    fn canonical(&self) -> (bool, String, i64) {
        let negative = self.0.starts_with('-');
        let text = self.0.strip_prefix('-').unwrap_or(&self.0);
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i64>().unwrap_or(0)),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = format!("{whole}{fraction}");
        let mut exponent = exponent - i64::try_from(fraction.len()).unwrap_or(0);
        while digits.len() > 1 && digits.ends_with('0') {
            digits.pop();
            exponent += 1;
        }
        let digits = digits.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            (false, "0".to_owned(), 0)
        } else {
            (negative, digits, exponent)
        }
    }
}

fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let exponent_ok = exponent.is_none_or(|part| {
        digits(part.strip_prefix(['+', '-']).unwrap_or(part)) && part.len() <= 6
    });
    plain && fraction.is_none_or(digits) && exponent_ok
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.canonical() == other.canonical()
    }
}
impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let (left, right): (f64, f64) = (self.0.parse().ok()?, other.0.parse().ok()?);
        if self == other {
            Some(Ordering::Equal)
        } else {
            left.partial_cmp(&right)
        }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Number(number.to_string().into())
    }
}
impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Number(number.to_string().into())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stay_and_equality_is_numeric() {
        let number = |text| Number::parse(text).unwrap();
        assert_eq!(number("1.50").to_string(), "1.50");
        assert_eq!(number("1.50"), number("1.5"));
        assert_eq!(number("100"), number("1e2"));
        assert_eq!(number("-0"), number("0"));
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
        assert_eq!(number("1e3").as_i64(), Some(1000));
        assert_eq!(number("1.5").as_i64(), None);
        for bad in ["", "-", "01", "1.", ".5", "1e", "0x1", "NaN", "1e9999999"] {
            assert!(Number::parse(bad).is_none(), "{bad}");
        }
    }
}

//! Which release a server is, and what it can do.

use std::fmt;

use fabrik_core::error::{Error, ErrorKind, Result};

/// A release: major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

/// Conditions, `jsonPathOperator`, `cacheBust` and the options of ping came with this.
pub(crate) const V2_0: Version = Version(2, 0, 0);
/// Intervals below 20 s came with this.
pub(crate) const V2_1: Version = Version(2, 1, 0);
/// Bearer tokens came with this.
pub(crate) const V2_4: Version = Version(2, 4, 0);

impl Version {
    /// Reads `2.5.3`, also with something behind it (`2.0.0-beta.1`).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a release this provider does not know, or no release at all.
    pub(crate) fn parse(text: &str) -> Result<Version> {
        let unsupported = |what: String| {
            Error::new(ErrorKind::Unsupported, what).hint(
                "this provider knows the releases 1.23 and 2.x: update Uptime Kuma, or use a newer Fabrik",
            )
        };
        let shown: String = text
            .chars()
            .filter(char::is_ascii_graphic)
            .take(30)
            .collect();
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut numbers = numbers.split('.').map(str::parse);
        let (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(unsupported(format!(
                "the server says its release is `{shown}`, which is none"
            )));
        };
        let version = Version(major, minor, patch);
        if version.is_1() && version.1 < 23 || !(1..=2).contains(&major) {
            return Err(unsupported(format!(
                "the server is Uptime Kuma {version}, which is not supported"
            )));
        }
        Ok(version)
    }

    /// Whether it is 1.23.
    pub(crate) fn is_1(self) -> bool {
        self.0 == 1
    }

    /// The shortest interval in seconds.
    pub(crate) fn min_interval(self) -> u64 {
        if self < V2_1 { 20 } else { 1 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_and_others_refused() {
        assert_eq!(Version::parse("1.23.17").unwrap(), Version(1, 23, 17));
        assert_eq!(Version::parse("2.0.0-beta.2").unwrap(), Version(2, 0, 0));
        assert_eq!(Version::parse("2.0.3").unwrap().min_interval(), 20);
        assert_eq!(Version::parse("2.5.3").unwrap().min_interval(), 1);
        for (text, why) in [
            ("1.22.1", "is Uptime Kuma 1.22.1, which is not supported"),
            ("3.0.0", "is Uptime Kuma 3.0.0"),
            ("0.9.0", "not supported"),
            ("new", "its release is `new`, which is none"),
        ] {
            let error = Version::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(why), "{error}");
            assert!(error.hint_text().unwrap().contains("1.23 and 2.x"));
        }
    }
}

//! The few fields of a certificate that evidence tells, read from its DER bytes.
//!
//! Whether a certificate is good is decided by rustls; this only reads what it says.

use jiff::Timestamp;

const SEQUENCE: u8 = 0x30;
const EXPLICIT_0: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1e;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Who issued it: common name, and organisation where it tells more.
    pub(crate) issuer: String,
    /// Whether issuer and subject are the same.
    pub(crate) self_signed: bool,
    /// When it ends.
    pub(crate) not_after: Timestamp,
}

impl Certificate {
    /// Reads the fields; `None` when the bytes are no certificate.
    pub(crate) fn parse(der: &[u8]) -> Option<Certificate> {
        let mut outer = Reader(Reader(der).expect(SEQUENCE)?);
        let mut fields = Reader(outer.expect(SEQUENCE)?);
        if fields.peek() == Some(EXPLICIT_0) {
            fields.next()?; // version
        }
        fields.next()?; // serial number
        fields.next()?; // signature algorithm
        let issuer = fields.expect(SEQUENCE)?;
        let mut validity = Reader(fields.expect(SEQUENCE)?);
        validity.next()?; // not before
        let (tag, text) = validity.next()?;
        let subject = fields.expect(SEQUENCE)?;
        Some(Certificate {
            issuer: name_text(issuer),
            self_signed: issuer == subject,
            not_after: time(tag, text)?,
        })
    }

    /// Whole days until it ends; negative once it has ended.
    pub(crate) fn days_left(&self, now: Timestamp) -> i64 {
        (self.not_after.as_second() - now.as_second()) / 86_400
    }

    /// The day it ends, as `2026-10-21`.
    pub(crate) fn last_day(&self) -> String {
        self.not_after.to_string().chars().take(10).collect()
    }
}

/// Reads one DER element after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element's tag and content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let (digits, after) = rest.split_at_checked(count)?;
            rest = after;
            digits.iter().try_fold(0_usize, |sum, digit| {
                sum.checked_mul(256)?.checked_add(usize::from(*digit))
            })?
        };
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((tag, content))
    }

    /// The content of the next element, which must have this tag.
    fn expect(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next()
            .and_then(|(tag, content)| (tag == wanted).then_some(content))
    }
}

/// `R11 (Let's Encrypt)`.
fn name_text(name: &[u8]) -> String {
    let (mut common, mut organization) = (None, None);
    let mut sets = Reader(name);
    while let Some((_, set)) = sets.next() {
        let mut pairs = Reader(set);
        while let Some((_, pair)) = pairs.next() {
            let mut pair = Reader(pair);
            let (Some((_, oid)), Some((tag, text))) = (pair.next(), pair.next()) else {
                continue;
            };
            match oid {
                COMMON_NAME => common = Some(string(tag, text)),
                ORGANIZATION => organization = Some(string(tag, text)),
                _ => {}
            }
        }
    }
    match (common, organization) {
        (Some(common), Some(organization)) if !common.contains(&organization) => {
            format!("{common} ({organization})")
        }
        (Some(text), _) | (None, Some(text)) => text,
        (None, None) => "an unnamed issuer".to_owned(),
    }
}

fn string(tag: u8, text: &[u8]) -> String {
    if tag == BMP_STRING {
        let units: Vec<u16> = text
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(text).into_owned()
    }
}

fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let century = if year.parse::<u8>().ok()? < 50 {
                "20"
            } else {
                "19"
            };
            (format!("{century}{year}"), rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let two = |at: usize| rest.get(at..at + 2);
    format!(
        "{year}-{}-{}T{}:{}:{}Z",
        two(0)?,
        two(2)?,
        two(4)?,
        two(6)?,
        two(8)?
    )
    .parse()
    .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn der(common: &str, organization: Option<&str>, last_year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common);
        if let Some(organization) = organization {
            params
                .distinguished_name
                .push(DnType::OrganizationName, organization);
        }
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 3, 4);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn issuer_and_end() {
        let read = Certificate::parse(&der("R11", Some("Let's Encrypt"), 2030)).unwrap();
        assert_eq!(read.issuer, "R11 (Let's Encrypt)");
        assert_eq!(read.last_day(), "2030-03-04");
        assert!(read.self_signed);
        let now: Timestamp = "2030-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(read.days_left(now), 2);
        // After 2049 the time has another form.
        let read = Certificate::parse(&der("Only", None, 2060)).unwrap();
        assert_eq!(
            (read.issuer.as_str(), read.last_day().as_str()),
            ("Only", "2060-03-04")
        );
    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(at in 0_usize..400, with: u8, cut in 0_usize..400) {
            let mut bytes = der("Test", Some("Org"), 2030);
            let length = bytes.len();
            bytes[at % length] = with;
            _ = Certificate::parse(&bytes);
            _ = Certificate::parse(&bytes[..cut % length]);
        }
    }
}

//! The few DNS messages a check needs: one question out, one answer back (RFC 1035).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) const A: u16 = 1;
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const MX: u16 = 15;
pub(super) const TXT: u16 = 16;
pub(super) const AAAA: u16 = 28;
const OPT: u16 = 41;
const IN: u16 = 1;

const NO_ERROR: u8 = 0;
const NAME_ERROR: u8 = 3;
/// Largest answer taken over UDP: what passes every network unfragmented.
const UDP_SIZE: u16 = 1232;
/// A name has at most 127 labels, so more jumps than that are a loop.
const MAX_JUMPS: usize = 127;

/// A domain name, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(Vec<Vec<u8>>);

impl Name {
    /// Reads a name; others than ASCII ones are turned into their `xn--` form.
    pub(crate) fn parse(text: &str) -> Option<Name> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            let url = reqwest::Url::parse(&format!("http://{text}/")).ok()?;
            url.domain()?.to_owned()
        };
        let labels: Vec<Vec<u8>> = ascii.split('.').map(Into::into).collect();
        let good = |label: &Vec<u8>| {
            (1..=63).contains(&label.len())
                && label
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(byte))
        };
        let name = Name(labels);
        (name.0.iter().all(good) && name.wire_len() <= 255).then_some(name)
    }

    fn wire_len(&self) -> usize {
        self.0.iter().map(|label| label.len() + 1).sum::<usize>() + 1
    }

    fn write(&self, out: &mut Vec<u8>) {
        for label in &self.0 {
            out.push(u8::try_from(label.len()).unwrap_or(63));
            out.extend_from_slice(label);
        }
        out.push(0);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<_> = self.0.iter().map(|l| String::from_utf8_lossy(l)).collect();
        f.write_str(&labels.join("."))
    }
}

/// A question about a name, asking the server to find the answer.
pub(super) fn question(id: u16, name: &Name, code: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend(id.to_be_bytes());
    out.extend([0x01, 0x00]); // A standard query; recursion desired.
    for count in [1_u16, 0, 0, 1] {
        out.extend(count.to_be_bytes());
    }
    name.write(&mut out);
    out.extend(code.to_be_bytes());
    out.extend(IN.to_be_bytes());
    // EDNS: how large an answer may be.
    out.push(0);
    out.extend(OPT.to_be_bytes());
    out.extend(UDP_SIZE.to_be_bytes());
    out.extend([0; 6]);
    out
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// These values; none when the name has no such record.
    Values(Vec<String>),
    /// There is no such name.
    NoName,
    /// The answer did not fit and must be asked for over TCP.
    Truncated,
    /// The server would not or could not answer.
    Refused(&'static str),
}

/// Reads the answer to a question; `None` when it is damaged or answers something else.
pub(super) fn reply(message: &[u8], id: u16, name: &Name, code: u16) -> Option<Reply> {
    let mut reader = Reader { message, at: 0 };
    let (found_id, flags) = (reader.u16()?, reader.u16()?);
    let (questions, answers) = (reader.u16()?, reader.u16()?);
    reader.skip(4)?;
    if found_id != id || flags & 0x8000 == 0 {
        return None;
    }
    let failed = u8::try_from(flags & 0xf).ok()?;
    match questions {
        1 => {
            let asked = reader.name()?;
            if (asked, reader.u16()?, reader.u16()?) != (name.clone(), code, IN) {
                return None;
            }
        }
        // Servers that fail may leave the question out.
        0 if failed != NO_ERROR => {}
        _ => return None,
    }
    if flags & 0x0200 != 0 {
        return Some(Reply::Truncated);
    }
    match failed {
        NO_ERROR => {}
        NAME_ERROR => return Some(Reply::NoName),
        1 => return Some(Reply::Refused("it did not understand (FORMERR)")),
        2 => return Some(Reply::Refused("it could not find out (SERVFAIL)")),
        5 => return Some(Reply::Refused("it refuses to answer (REFUSED)")),
        _ => return Some(Reply::Refused("it failed to answer")),
    }
    let mut values = Vec::new();
    for _ in 0..answers {
        let owner = reader.name()?;
        let (kind, class) = (reader.u16()?, reader.u16()?);
        reader.skip(4)?;
        let length = usize::from(reader.u16()?);
        let end = reader.at.checked_add(length)?;
        // Aliases are followed by the server: addresses may belong to another owner.
        let ours = matches!(code, A | AAAA | TXT | MX) || owner == *name;
        if kind == code && class == IN && ours {
            values.push(reader.value(code, end)?);
        }
        if end > message.len() {
            return None;
        }
        reader.at = end;
    }
    Some(Reply::Values(values))
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.message.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(|_| ())
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn name(&mut self) -> Option<Name> {
        let mut labels = Vec::new();
        let mut back = None;
        for _ in 0..=MAX_JUMPS {
            match self.u8()? {
                0 => {
                    self.at = back.unwrap_or(self.at);
                    return Some(Name(labels));
                }
                first if first & 0xc0 == 0xc0 => {
                    let low = usize::from(self.u8()?);
                    back.get_or_insert(self.at);
                    self.at = usize::from(first & 0x3f) << 8 | low;
                }
                length if length < 0x40 => {
                    labels.push(self.take(usize::from(length))?.to_ascii_lowercase());
                }
                _ => return None,
            }
        }
        None
    }

    fn value(&mut self, code: u16, end: usize) -> Option<String> {
        Some(match code {
            A => Ipv4Addr::from(<[u8; 4]>::try_from(self.take(4)?).ok()?).to_string(),
            AAAA => Ipv6Addr::from(<[u8; 16]>::try_from(self.take(16)?).ok()?).to_string(),
            CNAME | NS => self.name()?.to_string(),
            MX => format!("{} {}", self.u16()?, self.name()?),
            _ => {
                let mut text = Vec::new();
                while self.at < end {
                    let length = usize::from(self.u8()?);
                    text.extend_from_slice(self.take(length)?);
                }
                String::from_utf8_lossy(&text).into_owned()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer as a server writes it: question, then records with a pointer to the name.
    fn answer(id: u16, name: &Name, code: u16, records: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut out = question(id, name, code);
        out.truncate(out.len() - 11);
        out[2..4].copy_from_slice(&[0x81, 0x80]);
        out[6..8].copy_from_slice(&u16::try_from(records.len()).unwrap().to_be_bytes());
        out[10..12].copy_from_slice(&[0, 0]);
        for (kind, data) in records {
            out.extend([0xc0, 12]);
            out.extend(kind.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 60]);
            out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend(data);
        }
        out
    }

    #[test]
    fn names() {
        assert_eq!(Name::parse("A.b.").unwrap().to_string(), "a.b");
        assert_eq!(
            Name::parse("bücher.example").unwrap().to_string(),
            "xn--bcher-kva.example"
        );
        assert!(Name::parse("_dmarc.example.com").is_some());
        let long = "a".repeat(64);
        for bad in [
            "",
            ".",
            "a..b",
            "a b",
            "a/b",
            long.as_str(),
            &"a.".repeat(200),
        ] {
            assert!(Name::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn values_of_each_type() {
        let name = Name::parse("x.example").unwrap();
        let one = |code, data: Vec<u8>| {
            reply(&answer(7, &name, code, &[(code, data)]), 7, &name, code).unwrap()
        };
        let text = |text: &str| Reply::Values(vec![text.to_owned()]);
        assert_eq!(one(A, vec![1, 2, 3, 4]), text("1.2.3.4"));
        let mut v6 = vec![0; 16];
        v6[15] = 1;
        assert_eq!(one(AAAA, v6), text("::1"));
        assert_eq!(one(CNAME, vec![1, b'W', 0xc0, 12]), text("w.x.example"));
        assert_eq!(one(MX, vec![0, 10, 1, b'm', 0]), text("10 m"));
        assert_eq!(one(TXT, vec![2, b'a', b'b', 1, b'c']), text("abc"));
    }

    #[test]
    fn answers_to_something_else_are_refused() {
        let (name, other) = (
            Name::parse("x.example").unwrap(),
            Name::parse("y.example").unwrap(),
        );
        let message = answer(7, &name, A, &[(A, vec![1, 2, 3, 4])]);
        assert!(reply(&message, 8, &name, A).is_none(), "another id");
        assert!(reply(&message, 7, &other, A).is_none(), "another name");
        assert!(reply(&message, 7, &name, AAAA).is_none(), "another type");
        let mut query = message.clone();
        query[2] = 0x01;
        assert!(reply(&query, 7, &name, A).is_none(), "no reply");
    }

    proptest! {
        #[test]
        fn damaged_messages_never_panic(
            changes in proptest::collection::vec((0_usize..200, any::<u8>()), 0..6),
            cut in 0_usize..200,
        ) {
            let name = Name::parse("x.example").unwrap();
            for code in [A, CNAME, MX, TXT] {
                let data = vec![0, 10, 1, b'm', 0xc0, 12];
                let mut message = answer(7, &name, code, &[(code, data.clone()), (code, data)]);
                for (at, byte) in &changes {
                    let length = message.len();
                    message[at % length] = *byte;
                }
                _ = reply(&message, 7, &name, code);
                message.truncate(cut % message.len());
                _ = reply(&message, 7, &name, code);
            }
        }

        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            _ = reply(&bytes, 7, &Name::parse("x").unwrap(), A);
        }
    }
}

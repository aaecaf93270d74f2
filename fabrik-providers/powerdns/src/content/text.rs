//! Texts: as they are, and in the presentation form of RFC 1035, section 5.1.

use std::fmt::Write as _;

/// Longest single text of a TXT record; longer ones are several in a row.
const LONGEST: usize = 255;

/// A text in its one form: as it is. What begins and ends with a quote is taken for presentation
/// form, as it stands in zone files.
pub(super) fn normal(value: &str) -> Result<String, String> {
    if !value.trim_start().starts_with('"') {
        return Ok(value.to_owned());
    }
    strings(value)
        .map(|bytes| readable(&bytes))
        .ok_or_else(|| "begins like a quoted text and does not end like one".to_owned())
}

/// A text as PowerDNS wants it: in quotes, cut where it is too long for one.
pub(super) fn to_wire(normal: &str) -> String {
    // What is not UTF-8 stays in presentation form.
    let bytes = strings(normal).unwrap_or_else(|| normal.as_bytes().to_vec());
    if bytes.is_empty() {
        return "\"\"".to_owned();
    }
    let parts: Vec<String> = bytes.chunks(LONGEST).map(quote).collect();
    parts.join(" ")
}

/// What PowerDNS shows of a text.
pub(super) fn from_wire(content: &str) -> String {
    strings(content).map_or_else(|| content.to_owned(), |bytes| readable(&bytes))
}

/// One text in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// The words of a content; texts in quotes are one word, without them. `None` when a quote is not
/// closed.
pub(super) fn tokens(value: &str) -> Option<Vec<String>> {
    let mut tokens = Vec::new();
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut token = String::new();
        if c == '"' {
            loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => token.push(chars.next()?),
                    other => token.push(other),
                }
            }
        } else {
            token.push(c);
            // Quotes inside a word (`alpn="h2,h3"`) may hold blanks.
            let mut inside = false;
            while let Some(next) = chars.next_if(|next| inside || !next.is_whitespace()) {
                inside ^= next == '"';
                token.push(next);
            }
            if inside {
                return None;
            }
        }
        tokens.push(token);
    }
    Some(tokens)
}

fn quote(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            0x20..=0x7e => out.push(char::from(*byte)),
            other => _ = write!(out, "\\{other:03}"),
        }
    }
    out.push('"');
    out
}

/// The bytes of quoted texts in a row; `None` for anything else.
fn strings(value: &str) -> Option<Vec<u8>> {
    let bytes = value.trim().as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if bytes[at] != b'"' {
            return None;
        }
        at += 1;
        loop {
            match *bytes.get(at)? {
                b'"' => {
                    at += 1;
                    break;
                }
                b'\\' => {
                    let digits = bytes.get(at + 1..at + 4);
                    let number = digits
                        .filter(|digits| digits.iter().all(u8::is_ascii_digit))
                        .and_then(|digits| std::str::from_utf8(digits).ok())
                        .and_then(|digits| digits.parse::<u8>().ok());
                    if let Some(byte) = number {
                        out.push(byte);
                        at += 4;
                    } else {
                        out.push(*bytes.get(at + 1)?);
                        at += 2;
                    }
                }
                byte => {
                    out.push(byte);
                    at += 1;
                }
            }
        }
    }
    (!bytes.is_empty()).then_some(out)
}

/// Bytes as text; in presentation form where they are none, or would be taken for that form.
fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.trim_start().starts_with('"') => text.to_owned(),
        _ => quote(bytes),
    }
}

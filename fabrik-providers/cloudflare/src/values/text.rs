//! Texts: quoting as in zone files, in both directions.

/// Longest piece of a text on the wire.
const PIECE: usize = 255;
/// Longest text of a record, with its quotes.
const LONGEST: usize = 8_192;

/// The words of a value: quoted ones without their quotes, a parameter's quotes kept.
pub(super) fn words(value: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut chars = value.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(first) = chars.peek().copied() else {
            return Ok(words);
        };
        let mut word = String::new();
        if first == '"' {
            chars.next();
            quoted_rest(&mut chars, &mut word)?;
        } else {
            while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                word.push(c);
                if c == '"' {
                    let mut inner = String::new();
                    quoted_rest(&mut chars, &mut inner)?;
                    word.push_str(&escaped(&inner));
                    word.push('"');
                }
            }
        }
        words.push(word);
    }
}

/// What follows an opening quote, up to the closing one.
fn quoted_rest(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    into: &mut String,
) -> Result<(), &'static str> {
    loop {
        match chars.next() {
            None => return Err("a quote is not closed"),
            Some('"') => return Ok(()),
            Some('\\') => match chars.next() {
                None => return Err("it ends with a `\\`"),
                Some(digit) if digit.is_ascii_digit() => {
                    // `\DDD`, a byte in decimal.
                    let mut code = digit.to_digit(10).unwrap_or_default();
                    for _ in 0..2 {
                        let Some(next) = chars.next().and_then(|c| c.to_digit(10)) else {
                            return Err("after a `\\` come three digits, or the character itself");
                        };
                        code = code * 10 + next;
                    }
                    into.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                }
                Some(c) => into.push(c),
            },
            Some(c) => into.push(c),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// A parameter of a service binding: `KEY="VALUE"`, or `KEY` alone.
pub(super) fn param(word: &str) -> String {
    match word.split_once('=') {
        None => word.to_ascii_lowercase(),
        Some((key, value)) => {
            let bare = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'));
            format!("{}=\"{}\"", key.to_ascii_lowercase(), bare.unwrap_or(value))
        }
    }
}

/// Whether a text is written in quotes, from its first to its last character.
fn is_quoted(value: &str) -> bool {
    value.len() > 1 && value.starts_with('"') && value.ends_with('"')
}

/// The text itself: pieces in quotes are put together, what is not in quotes is taken as it is.
fn plain(value: &str) -> Result<String, &'static str> {
    if !is_quoted(value.trim()) {
        return Ok(value.to_owned());
    }
    Ok(words(value)?.concat())
}

/// The canonical form of a text: without quotes, unless it would then read as if it had some.
pub(super) fn canonical(value: &str) -> Result<String, String> {
    let text = plain(value).map_err(|why| format!("`{value}` is no text of a record: {why}"))?;
    if text.is_empty() {
        return Err("a text must not be empty".to_owned());
    }
    if text.contains(['\r', '\n']) {
        return Err("a text must be one line".to_owned());
    }
    let length = to_wire_plain(&text).len();
    if length > LONGEST {
        return Err(format!(
            "a text has at most {LONGEST} characters with its quotes, not {length}"
        ));
    }
    Ok(safe(text))
}

fn safe(text: String) -> String {
    if is_quoted(text.trim()) {
        quoted(&text)
    } else {
        text
    }
}

/// Content for the API: in quotes, in pieces of 255 bytes.
pub(super) fn to_wire(value: &str) -> String {
    to_wire_plain(&plain(value).unwrap_or_else(|_| value.to_owned()))
}

fn to_wire_plain(text: &str) -> String {
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        let full = pieces
            .last()
            .is_some_and(|piece| piece.len() + c.len_utf8() > PIECE);
        if full {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    let pieces: Vec<String> = pieces.iter().map(|piece| quoted(piece)).collect();
    pieces.join(" ")
}

/// The canonical form of content as it is read: it comes back as it was set, in quotes or without.
pub(super) fn from_wire(content: &str) -> String {
    safe(plain(content).unwrap_or_else(|_| content.to_owned()))
}

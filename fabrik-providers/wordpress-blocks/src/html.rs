//! A small reader of HTML fragments: tags, text, comments. Enough to compare what two versions of
//! an editor saved for the same block, and to look for what must not be there. It is no browser's
//! parser and decides nothing about safety; that is [`ammonia`]'s part.

/// A piece of HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A start tag: its name in lower case, and attributes with decoded values in the order
    /// written. Whether it ends in `/>` is not kept.
    Open {
        /// The name in lower case.
        name: String,
        /// Names in lower case, and decoded values.
        attrs: Vec<(String, String)>,
    },
    /// An end tag.
    Close(String),
    /// Decoded text.
    Text(String),
    /// A comment or declaration, as written.
    Comment(String),
}

/// Reads HTML into pieces.
pub fn pieces(html: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest = html;
    let mut text = String::new();
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((piece, after)) = markup(rest) {
            flush(&mut out, &mut text);
            out.push(piece);
            rest = after;
        } else {
            text.push('<');
            rest = &rest[1..];
        }
    }
    text.push_str(rest);
    flush(&mut out, &mut text);
    out
}

fn flush(out: &mut Vec<Piece>, text: &mut String) {
    if !text.is_empty() {
        out.push(Piece::Text(decode(text)));
        text.clear();
    }
}

/// A tag or comment at the start of the text, and what follows.
fn markup(text: &str) -> Option<(Piece, &str)> {
    if let Some(body) = text.strip_prefix("<!--") {
        let end = body.find("-->").map_or(body.len(), |at| at + 3);
        return Some((Piece::Comment(text[..4 + end].to_owned()), &body[end..]));
    }
    if text.starts_with("<!") || text.starts_with("<?") {
        let end = text.find('>').map_or(text.len(), |at| at + 1);
        return Some((Piece::Comment(text[..end].to_owned()), &text[end..]));
    }
    if let Some(body) = text.strip_prefix("</") {
        if !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let end = body.find('>')?;
        let name = body[..end].split(is_blank).next().unwrap_or_default();
        return Some((Piece::Close(name.to_ascii_lowercase()), &body[end + 1..]));
    }
    if !text[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let name_end = text[1..].find(|c: char| is_blank(c) || matches!(c, '/' | '>'))? + 1;
    let name = text[1..name_end].to_ascii_lowercase();
    let (attrs, rest) = attributes(&text[name_end..])?;
    Some((Piece::Open { name, attrs }, rest))
}

fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace()
}

/// Attributes up to the end of a tag, and what follows.
fn attributes(text: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut attrs = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c| is_blank(c) || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return Some((attrs, after));
        }
        let end = rest.find(|c: char| is_blank(c) || matches!(c, '=' | '>' | '/'))?;
        // An equals sign at the start is part of a name.
        let end = if end == 0 { 1 } else { end };
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start_matches(is_blank);
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start_matches(is_blank);
            (value, rest) = match after.chars().next()? {
                quote @ ('"' | '\'') => {
                    let close = after[1..].find(quote)? + 1;
                    (&after[1..close], &after[close + 1..])
                }
                _ => after.split_at(after.find(|c: char| is_blank(c) || c == '>')?),
            };
        }
        if !attrs.iter().any(|(known, _)| *known == name) {
            attrs.push((name, decode(value)));
        }
    }
}

/// Named characters that editors and WordPress write.
const NAMED: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("hellip", "…"),
    ("mdash", "—"),
    ("ndash", "–"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("euro", "€"),
    ("bull", "•"),
    ("middot", "·"),
    ("times", "×"),
    ("shy", "\u{ad}"),
];

/// Text with character references replaced. Unknown ones stay.
pub fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((decoded, length)) = reference(rest) {
            out.push_str(&decoded);
            rest = &rest[length..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn reference(text: &str) -> Option<(String, usize)> {
    let end = text.bytes().take(12).position(|b| b == b';')?;
    let body = &text[1..end];
    if let Some((_, chars)) = NAMED.iter().find(|(name, _)| *name == body) {
        return Some(((*chars).to_owned(), end + 1));
    }
    let digits = body.strip_prefix('#')?;
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(number).map(|c| (c.to_string(), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_the_same_html_give_the_same_pieces() {
        let one = pieces("<IMG src='a.png' alt=\"x &amp; y\"/>a&nbsp;b &#91;c&#x5d;");
        let two = pieces("<img src=a.png   alt=\"x & y\" >a\u{a0}b [c]");
        assert_eq!(one, two);
    }

    #[test]
    fn what_is_no_tag_is_text() {
        assert_eq!(pieces("1 < 2 <"), [Piece::Text("1 < 2 <".into())]);
        assert_eq!(
            pieces("<!-- x -->y"),
            [Piece::Comment("<!-- x -->".into()), Piece::Text("y".into())]
        );
        // Cut off in the middle, at every place.
        let html = "<a href=\"x\" b = 'c' d>é&amp;</a><!-- é -->";
        for (at, _) in html.char_indices() {
            pieces(&html[..at]);
        }
    }
}

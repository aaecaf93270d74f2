//! Text that is safe in a page.
//!
//! WordPress stores what an administrator sends as it is and puts it into pages as it is: a
//! `<script>` in a title would run, `[shortcode]` in a sentence would be executed, a paragraph
//! that is a bare URL would become an embedded page. So whatever comes from a spec goes through
//! here: [`plain`] and [`attribute`] for plain text, [`inline`] for the small dialect of marks in
//! a sentence, [`sanitise`] for HTML of another origin, and checks for everything that is no text.

mod css;
mod ids;
mod inline;
mod link;

use fabrik_core::error::{Error, ErrorKind};

pub use css::{Rgb, color, contrast, font, length};
pub use ids::{ga4, gtm, shortcode_value, site_verification, slug};
pub use inline::{inline, sanitise};
pub use link::{TOKEN_END, TOKEN_START, is_token, link, token, url};

/// Plain text as the content of an element: nothing in it is a tag, a character reference, a
/// shortcode, or an address that WordPress would embed. Line breaks become spaces.
pub fn plain(text: &str) -> String {
    escape(&one_line(text), false)
}

/// Plain text as the value of an attribute in double quotes.
pub fn attribute(text: &str) -> String {
    // When the editor writes an attribute it leaves alone what looks like a character reference,
    // so text that looks like one would turn into the character. A joiner of no width keeps it
    // apart.
    let mut out = String::new();
    let text = one_line(text);
    for (at, c) in text.char_indices() {
        out.push(c);
        if c == '&' && looks_like_reference(&text[at + 1..]) {
            out.push('\u{2060}');
        }
    }
    escape(&out, true)
}

fn looks_like_reference(rest: &str) -> bool {
    let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '#');
    word.is_some_and(|end| end > 0 && rest[end..].starts_with(';'))
}

/// Without characters that have no place in text: controls, characters that are none, and the
/// two that frame placeholders. Line separators become line feeds.
pub fn clean(text: &str) -> String {
    let keep = |c: char| match c {
        '\t' | '\n' => Some(c),
        '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => Some('\n'),
        TOKEN_START | TOKEN_END => None,
        _ if c.is_control() || u32::from(c) & 0xfffe == 0xfffe => None,
        '\u{fdd0}'..='\u{fdef}' => None,
        _ => Some(c),
    };
    text.replace("\r\n", "\n")
        .chars()
        .filter_map(keep)
        .collect()
}

/// Clean text on one line: white space other than no-break spaces becomes one space.
fn one_line(text: &str) -> String {
    let clean = clean(text);
    let words: Vec<&str> = clean.split_ascii_whitespace().collect();
    words.join(" ")
}

/// Escapes clean text.
fn escape(text: &str, quotes: bool) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if quotes => out.push_str("&quot;"),
            '[' => out.push_str("&#91;"),
            ']' => out.push_str("&#93;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            _ => out.push(c),
        }
    }
    if is_bare_url(text) {
        // Still read as the same text, but no longer found by WordPress's search for addresses
        // that stand alone, which become embedded pages.
        return out.replacen("://", ":&#47;&#47;", 1);
    }
    out
}

/// Whether text is an address that WordPress would turn into an embedded page.
fn is_bare_url(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c.is_whitespace());
    let starts = |scheme: &str| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    (starts("http://") || starts("https://")) && !text.contains(|c: char| c.is_ascii_whitespace())
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

/// Text from a spec, short enough for a message.
fn shown(text: &str) -> String {
    let clean = clean(text);
    let mut short: String = clean.chars().take(60).collect();
    if short.len() < clean.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_text() {
        assert_eq!(plain("a < b & \"c\" > d"), "a &lt; b &amp; \"c\" &gt; d");
        assert_eq!(plain("[gallery ids=\"1\"]"), "&#91;gallery ids=\"1\"&#93;");
        assert_eq!(plain(" a\r\n\tb\u{a0}c\0\u{e000}x\u{e001} "), "a b&nbsp;cx");
        assert_eq!(plain("HTTPS://x.test/a"), "HTTPS:&#47;&#47;x.test/a");
        assert_eq!(plain("see https://x.test"), "see https://x.test");
        assert_eq!(plain("<!-- wp:html -->"), "&lt;!-- wp:html --&gt;");
    }

    #[test]
    fn an_attribute_cannot_be_left() {
        assert_eq!(attribute("\" onload=\"x"), "&quot; onload=&quot;x");
        assert_eq!(attribute("R&D &lt; x"), "R&amp;D &amp;\u{2060}lt; x");
    }
}

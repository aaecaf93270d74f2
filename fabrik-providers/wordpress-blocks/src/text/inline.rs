//! Sentences with a few marks, and HTML of other origin.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use fabrik_core::error::Result;

use super::{clean, escape, is_bare_url, link, url};

/// Text with marks, as HTML: `**bold**`, `*italic*` or `_italic_`, `` `code` ``,
/// `[text](address)`, and a line break where the text has one. A backslash before a mark takes its
/// meaning away. Everything else, tags among it, is text.
///
/// `resolve` turns the address of a link into what stands in the page, for targets such as
/// `page:about`; what it gives is checked as by [`link`]. The error is that of the first address
/// that is none.
pub fn inline(text: &str, resolve: &dyn Fn(&str) -> Result<String>) -> Result<String> {
    let clean = clean(text);
    let text = clean.trim_matches(|c: char| c.is_ascii_whitespace());
    // An address alone would become an embedded page.
    if is_bare_url(text)
        && let Ok(address) = url(text)
    {
        return Ok(finish(&anchor(&address, &escape_words(text))));
    }
    let mut reader = Reader { resolve, depth: 0 };
    let html = reader.run(text, true)?;
    Ok(finish(&html))
}

/// HTML of other origin with what is harmless in a sentence, and nothing else: `a` with `href` and
/// `title`, `strong b em i code br s sub sup kbd mark abbr small`. Shortcodes become text.
pub fn sanitise(html: &str) -> String {
    finish(&clean(html))
}

/// The allow-list, as a second line behind escaping. It knows HTML as browsers read it.
static ALLOWED: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let tags = [
        "a", "strong", "b", "em", "i", "code", "br", "s", "sub", "sup", "kbd", "mark", "abbr",
        "small",
    ];
    let dropped = [
        "script",
        "style",
        "iframe",
        "svg",
        "math",
        "object",
        "embed",
        "template",
        "noscript",
        "noembed",
        "noframes",
        "xmp",
        "plaintext",
        "textarea",
        "title",
        "select",
        "form",
        "audio",
        "video",
        "canvas",
        "frameset",
        "applet",
    ];
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(tags))
        .clean_content_tags(HashSet::from(dropped))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "title"])),
            ("abbr", HashSet::from(["title"])),
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .url_relative(UrlRelative::Custom(Box::new(relative)))
        .link_rel(Some("noopener noreferrer"));
    builder
});

/// Addresses on the site pass; those that name a host do not.
fn relative(address: &str) -> Option<std::borrow::Cow<'_, str>> {
    link(address).ok().map(std::borrow::Cow::Owned)
}

/// The allow-list, and then what it lets pass and WordPress would act on.
fn finish(html: &str) -> String {
    let html = ALLOWED.clean(html).to_string();
    let html = html.replace('[', "&#91;").replace(']', "&#93;");
    if is_bare_url(&html) {
        return html.replacen("://", ":&#47;&#47;", 1);
    }
    html
}

fn anchor(address: &str, html: &str) -> String {
    format!("<a href=\"{}\">{html}</a>", address.replace('&', "&amp;"))
}

/// Escaped text in which no address stands alone, because marks may be around it.
fn escape_words(text: &str) -> String {
    escape(text, false).replace('\t', " ")
}

/// Marks within marks; deeper ones are text.
const MAX_DEPTH: usize = 8;

struct Reader<'a> {
    resolve: &'a dyn Fn(&str) -> Result<String>,
    depth: usize,
}

impl Reader<'_> {
    fn run(&mut self, text: &str, links: bool) -> Result<String> {
        let mut out = String::new();
        let mut words = String::new();
        let mut rest = text;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            if let Some((html, length)) = self.mark(rest, before, links)? {
                out.push_str(&escape_words(&words));
                words.clear();
                out.push_str(&html);
                before = rest[..length].chars().next_back().unwrap_or(' ');
                rest = &rest[length..];
                continue;
            }
            let mut length = c.len_utf8();
            let escaped = rest[length..]
                .chars()
                .next()
                .filter(|next| "*_`[]()\\".contains(*next));
            match (c, escaped) {
                ('\\', Some(next)) => {
                    words.push(next);
                    length += next.len_utf8();
                }
                ('\n', _) => {
                    let line = words.trim_end_matches([' ', '\t']).to_owned();
                    out.push_str(&escape_words(&line));
                    words.clear();
                    out.push_str("<br>");
                }
                _ => words.push(c),
            }
            before = c;
            rest = &rest[length..];
        }
        out.push_str(&escape_words(&words));
        Ok(out)
    }

    /// The HTML of a mark at the start of the text, and the mark's length.
    fn mark(&mut self, text: &str, before: char, links: bool) -> Result<Option<(String, usize)>> {
        if self.depth >= MAX_DEPTH {
            return Ok(None);
        }
        if let Some(body) = text.strip_prefix('`') {
            return Ok(body.find('`').filter(|end| *end > 0).map(|end| {
                let code = escape_words(&body[..end].replace('\n', " "));
                (format!("<code>{code}</code>"), end + 2)
            }));
        }
        if links && text.starts_with('[') {
            return self.link(text);
        }
        for (mark, tag) in [("**", "strong"), ("*", "em"), ("_", "em")] {
            let Some(body) = text.strip_prefix(mark) else {
                continue;
            };
            // `snake_case` is a word.
            if mark == "_" && before.is_alphanumeric() {
                return Ok(None);
            }
            let Some(end) = closing(body, mark) else {
                continue;
            };
            self.depth += 1;
            let inner = self.run(&body[..end], links);
            self.depth -= 1;
            let length = end + 2 * mark.len();
            return Ok(Some((format!("<{tag}>{}</{tag}>", inner?), length)));
        }
        Ok(None)
    }

    fn link(&mut self, text: &str) -> Result<Option<(String, usize)>> {
        let Some(label_end) = find_unescaped(&text[1..], "](").map(|at| at + 1) else {
            return Ok(None);
        };
        let label = &text[1..label_end];
        let target = &text[label_end + 2..];
        let Some(target_end) = balanced(target) else {
            return Ok(None);
        };
        if label.trim().is_empty() || label.contains('\n') {
            return Ok(None);
        }
        let address = link(&(self.resolve)(&target[..target_end])?)?;
        self.depth += 1;
        let inner = self.run(label, false);
        self.depth -= 1;
        Ok(Some((
            anchor(&address, &inner?),
            label_end + 2 + target_end + 1,
        )))
    }
}

/// Where a mark ends: not after white space, not at the start, and with `_` not within a word.
fn closing(body: &str, mark: &str) -> Option<usize> {
    if body.starts_with(|c: char| c.is_whitespace()) {
        return None;
    }
    let mut from = 0;
    loop {
        let mut at = from + find_unescaped(&body[from..], mark)?;
        // Of three stars the last two end what the first two began.
        if mark == "**" && body[at..].starts_with("***") {
            at += 1;
        }
        let after = body[at + mark.len()..].chars().next();
        let last = body[..at].chars().next_back();
        let spaced = last.is_none_or(char::is_whitespace);
        let in_word = mark == "_" && after.is_some_and(char::is_alphanumeric);
        // A single star is not half of a double one.
        let half = mark == "*" && (after == Some('*') || last == Some('*'));
        if !spaced && !in_word && !half {
            return Some(at);
        }
        from = at
            + if half && after == Some('*') {
                2
            } else {
                mark.len()
            };
        if from >= body.len() {
            return None;
        }
    }
}

fn find_unescaped(text: &str, what: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(what)?;
        let slashes = text[..at].bytes().rev().take_while(|b| *b == b'\\').count();
        if slashes % 2 == 0 {
            return Some(at);
        }
        from = at + what.chars().next().map_or(1, char::len_utf8);
    }
}

/// The end of an address in parentheses, which may hold pairs of parentheses itself.
fn balanced(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open == 0 => return (at > 0).then_some(at),
            ')' => open -= 1,
            '\n' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        inline(text, &|target| Ok(target.to_owned())).unwrap()
    }

    const REL: &str = "rel=\"noopener noreferrer\"";

    #[test]
    fn marks_become_tags() {
        for (text, wanted) in [
            (
                "a **b** *c* _d_ `e*f*`",
                "a <strong>b</strong> <em>c</em> <em>d</em> <code>e*f*</code>",
            ),
            ("***x***", "<strong><em>x</em></strong>"),
            ("**a *b* c**", "<strong>a <em>b</em> c</strong>"),
            (
                "2 * 3 * 4 ** 5 snake_case_name __x",
                "2 * 3 * 4 ** 5 snake_case_name __x",
            ),
            ("one  \r\ntwo\nthree", "one<br>two<br>three"),
            ("\\*a\\* \\[b\\](c) C:\\dir", "*a* &#91;b&#93;(c) C:\\dir"),
            ("`open **open [open](", "`open **open &#91;open&#93;("),
            ("<b>x</b> & \u{a0}y", "&lt;b&gt;x&lt;/b&gt; &amp; &nbsp;y"),
            ("[gallery]", "&#91;gallery&#93;"),
            ("שלום **עולם** 😀", "שלום <strong>עולם</strong> 😀"),
        ] {
            assert_eq!(html(text), wanted, "{text}");
        }
        assert_eq!(
            html("[a **b**](/c?d=1&e=2)"),
            format!("<a href=\"/c?d=1&amp;e=2\" {REL}>a <strong>b</strong></a>")
        );
        assert_eq!(
            html("[x](https://a.test/b_(c))"),
            format!("<a href=\"https://a.test/b_(c)\" {REL}>x</a>")
        );
        assert_eq!(
            html("https://a.test"),
            format!("<a href=\"https://a.test/\" {REL}>https:&#47;&#47;a.test</a>")
                .replace("&#47;", "/")
        );
    }

    #[test]
    fn an_address_that_is_none_is_an_error() {
        let resolve = |target: &str| Ok(target.to_owned());
        for target in [
            "javascript:alert(1)",
            "//x.test",
            "data:text/html,x",
            "java script:x",
        ] {
            assert!(
                inline(&format!("[a]({target})"), &resolve).is_err(),
                "{target}"
            );
        }
    }

    #[test]
    fn html_of_other_origin_loses_what_it_must() {
        let html = "<p onclick=x>a<script>b</script> [c] &#91;d&#93; <a href=\"//e\" style=x>f</a> <!-- wp:html --><strong>g";
        assert_eq!(
            sanitise(html),
            format!("a &#91;c&#93; &#91;d&#93; <a {REL}>f</a> <strong>g</strong>")
        );
    }
}

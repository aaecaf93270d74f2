//! Addresses.

use fabrik_core::error::Result;
use url::Url;

use super::{invalid, shown};

/// Begins a placeholder: a name that the caller replaces later by something not known yet, such
/// as the address of a picture that has not been uploaded. A private character of Unicode.
pub const TOKEN_START: char = '\u{e000}';

/// Ends a placeholder.
pub const TOKEN_END: char = '\u{e001}';

/// A placeholder with a name.
pub fn token(name: &str) -> String {
    format!("{TOKEN_START}{name}{TOKEN_END}")
}

/// Whether text is one placeholder and nothing else, with a name of ASCII letters, digits and
/// `. _ : / - [ ]`.
pub fn is_token(text: &str) -> bool {
    let Some(name) = text
        .strip_prefix(TOKEN_START)
        .and_then(|t| t.strip_suffix(TOKEN_END))
    else {
        return false;
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "._:/-[]".contains(c);
    !name.is_empty() && name.chars().all(fits)
}

/// Schemes an address may have.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// Checks an address from a spec and writes it so that it is safe in a page: `http`, `https`,
/// `mailto`, `tel`, a path on the site, or `#anchor`. What it gives needs [`escaping`](super::attribute)
/// of `&` only.
///
/// Errors: another scheme, `//host` (which takes the scheme of the page), a user name before the
/// host, spaces and control characters, backslashes.
pub fn url(text: &str) -> Result<String> {
    let trimmed = text.trim_matches(' ');
    let wrong = |why: &str| {
        invalid(format!("{} is no address for a page: {why}", shown(text)))
            .hint("write https://…, mailto:…, tel:…, a path such as /about/, or #anchor")
    };
    if trimmed.is_empty() {
        return Err(wrong("it is empty"));
    }
    if trimmed.contains(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c)) {
        return Err(wrong("it has a space or an invisible character in it"));
    }
    if trimmed.contains('\\') {
        return Err(wrong("it has a backslash in it"));
    }
    if trimmed.starts_with("//") {
        return Err(wrong("it names a host without https:"));
    }
    let head = trimmed.split(['/', '?', '#']).next().unwrap_or_default();
    if !head.contains(':') {
        return Ok(encode(trimmed));
    }
    let parsed = Url::parse(trimmed).map_err(|error| wrong(&error.to_string()))?;
    if !SCHEMES.contains(&parsed.scheme()) {
        return Err(wrong(&format!(
            "{}: is not among http, https, mailto and tel",
            shown(parsed.scheme())
        )));
    }
    if matches!(parsed.scheme(), "http" | "https") {
        if parsed.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it has no host"));
        }
        // Brackets are what shortcodes are made of.
        if matches!(parsed.host(), Some(url::Host::Ipv6(_))) {
            return Err(wrong("its host is a number in brackets"));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(wrong("it has a user name in it"));
        }
        // `https:host` and `https:/host` mean the same to a browser; nobody means them.
        let rest = trimmed.split_once(':').map_or("", |(_, rest)| rest);
        if !rest.starts_with("//") || rest.starts_with("///") {
            return Err(wrong("two slashes must follow the scheme"));
        }
    }
    Ok(encode(parsed.as_str()))
}

/// A resolved target of a link: a placeholder, perhaps followed by a path or `#anchor`, or an
/// address as in [`url()`].
pub fn link(text: &str) -> Result<String> {
    if let Some(at) = text.find(TOKEN_END) {
        let (head, tail) = text.split_at(at + TOKEN_END.len_utf8());
        if is_token(head)
            && (tail.is_empty() || tail.starts_with(['/', '?', '#']) && !tail.starts_with("//"))
        {
            let tail = if tail.is_empty() {
                String::new()
            } else {
                url(tail)?
            };
            return Ok(format!("{head}{tail}"));
        }
    }
    url(text)
}

/// Joiners, marks of direction and the like: they make an address look like another one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}' | '\u{e001}' | '\u{fff9}'..='\u{fffb}')
}

/// Percent signs for what means something in HTML, in shortcodes, or (`;`) would end a character
/// reference.
fn encode(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '"' => out.push_str("%22"),
            '\'' => out.push_str("%27"),
            '`' => out.push_str("%60"),
            '[' => out.push_str("%5B"),
            ']' => out.push_str("%5D"),
            '{' => out.push_str("%7B"),
            '}' => out.push_str("%7D"),
            '|' => out.push_str("%7C"),
            '^' => out.push_str("%5E"),
            ';' => out.push_str("%3B"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_or_refused() {
        for (text, wanted) in [
            ("https://x.test", "https://x.test/"),
            (
                "HTTPS://X.test/a b".replace(' ', "%20").as_str(),
                "https://x.test/a%20b",
            ),
            ("/about/", "/about/"),
            ("about", "about"),
            ("#top", "#top"),
            ("?p=1&q=[x]", "?p=1&q=%5Bx%5D"),
            ("mailto:a@x.test", "mailto:a@x.test"),
            ("tel:+4912345", "tel:+4912345"),
            ("/a?x='\"<>", "/a?x=%27%22%3C%3E"),
            ("javascript&colon;alert(1)", "javascript&colon%3Balert(1)"),
        ] {
            assert_eq!(url(text).unwrap(), wanted);
        }
        for text in [
            "",
            " ",
            "javascript:alert(1)",
            "JaVaScRiPt:x",
            "java\tscript:x",
            "data:text/html,x",
            "vbscript:x",
            "//evil.test",
            "/\\evil.test",
            "https:evil.test",
            "http:///x",
            "https://user@x.test/",
            "\u{1}javascript:x",
            "file:///etc/passwd",
            "blob:x",
            "x y",
            "https://a\u{202e}b.test",
            "feed:x",
            "view-source:x",
            "https://",
            "http://[::1]/",
        ] {
            assert!(url(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn placeholders_pass_where_they_are_expected() {
        let image = token("media.hero.url");
        assert_eq!(link(&image).unwrap(), image);
        assert_eq!(
            link(&format!("{image}#form")).unwrap(),
            format!("{image}#form")
        );
        assert!(url(&image).is_err());
        for bad in [
            format!("{image}//x"),
            format!("x{image}"),
            token("a\"b"),
            token(""),
        ] {
            assert!(link(&bad).is_err(), "{bad:?}");
        }
    }
}

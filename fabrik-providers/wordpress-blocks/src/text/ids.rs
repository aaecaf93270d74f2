//! Names and ids that are put into scripts, shortcodes and addresses.

use fabrik_core::error::Result;

use super::{clean, invalid, shown};

/// A measurement id of Google Analytics 4: `G-` and at least four capital letters or digits.
pub fn ga4(text: &str) -> Result<&str> {
    tagged(text, "G-", 4).ok_or_else(|| {
        invalid(format!("{} is no Google Analytics 4 id", shown(text)))
            .hint("it looks like G-AB12CD34EF")
    })
}

/// A container id of Google Tag Manager: `GTM-` and capital letters or digits.
pub fn gtm(text: &str) -> Result<&str> {
    tagged(text, "GTM-", 1).ok_or_else(|| {
        invalid(format!("{} is no Google Tag Manager id", shown(text)))
            .hint("it looks like GTM-AB12CD3")
    })
}

fn tagged<'a>(text: &'a str, prefix: &str, least: usize) -> Option<&'a str> {
    let rest = text.strip_prefix(prefix)?;
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    (rest.len() >= least && rest.len() <= 40 && rest.bytes().all(fits)).then_some(text)
}

/// A code with which a search engine verifies a site: letters, digits, `- _ =`.
pub fn site_verification(text: &str) -> Result<&str> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'=');
    if (4..=200).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text);
    }
    Err(invalid(format!("{} is no verification code", shown(text)))
        .hint("give the value of `content` alone, not the whole meta tag"))
}

/// A slug that WordPress keeps as it is: lower-case words joined by `-` or `_`.
pub fn slug(text: &str) -> Result<&str> {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if text.len() <= 200 && text.split(['-', '_']).all(word) {
        return Ok(text);
    }
    Err(invalid(format!("{} is no slug", shown(text)))
        .hint("use lower-case letters and digits, with single dashes between words"))
}

/// Text as the value of a shortcode's attribute, in double quotes. WordPress looks for shortcodes
/// and their quotes in text, so both become character references.
pub fn shortcode_value(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '[' => out.push_str("&#91;"),
            ']' => out.push_str("&#93;"),
            '\\' => out.push_str("&#92;"),
            '\n' | '\t' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_or_refused() {
        assert!(ga4("G-AB12CD34EF").is_ok() && gtm("GTM-AB12").is_ok());
        for text in [
            "",
            "G-",
            "G-abcd",
            "UA-1234-5",
            "G-AB12');alert(1)//",
            "G-AB12\n",
        ] {
            assert!(ga4(text).is_err() && gtm(text).is_err(), "{text:?}");
        }
        assert!(slug("über").is_err() && slug("a--b").is_err() && slug("a-b_c1").is_ok());
        assert!(site_verification("<meta>").is_err());
        assert_eq!(shortcode_value("a\"]b"), "a&quot;&#93;b");
    }
}

//! Ids of objects of a site.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::value::Path;
use serde_json::Value as Json;

use super::links::is_open;

/// The id of what a site has once.
pub(crate) const SITE: &str = "site";

/// The id in a row.
pub(crate) fn of(raw: &Json) -> String {
    text(raw, "id")
}

/// A text of a row; empty where there is none.
pub(crate) fn text(raw: &Json, key: &str) -> String {
    match raw.get(key) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// A text of a row; `None` where it is empty or says that there is nothing.
pub(crate) fn some(raw: &Json, key: &str) -> Option<String> {
    Some(text(raw, key)).filter(|text| !text.is_empty() && text != "0")
}

/// Refuses what is not the number that WordPress gives its rows.
pub(crate) fn check(id: &str) -> Result<&str> {
    let digits = !id.is_empty() && id.len() <= 19 && id.bytes().all(|byte| byte.is_ascii_digit());
    if digits && !id.starts_with('0') {
        return Ok(id);
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!("`{id}` is not an id of WordPress: NUMBER, such as 42"),
    ))
}

/// Refuses an input that is no id.
pub(crate) fn field(field: &str, id: &str) -> Result<()> {
    if is_open(id) {
        return Ok(());
    }
    check(id).map(|_| ()).map_err(|_| {
        Error::new(
            ErrorKind::Invalid,
            format!("`{field}` is not an id of WordPress, which is a number"),
        )
        .field(Path::parse(field))
        .hint("refer to what this stack makes: `${resources.ID.id}`")
    })
}

/// Refuses a slug that WordPress would change.
pub(crate) fn slug(slug: &str) -> Result<()> {
    let good = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if is_open(slug) || (slug.len() <= 190 && slug.split(['-', '_']).all(good)) {
        return Ok(());
    }
    Err(
        Error::new(ErrorKind::Invalid, format!("`{slug}` cannot be a slug"))
            .field(Path::key("slug"))
            .hint("use lower-case letters and digits, with single `-` or `_` between them"),
    )
}

/// Refuses a text that WordPress would change.
pub(crate) fn title(field: &str, text: &str) -> Result<()> {
    let wrong = if text.trim() != text {
        "has white space at its ends"
    } else if text.chars().any(char::is_control) {
        "holds control characters"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Invalid, format!("`{field}` {wrong}"))
        .field(Path::parse(field))
        .hint("take them out"))
}

/// Whether this is the id of what a site has once. A word that is another names nothing; anything
/// else is refused.
pub(crate) fn site(id: &str) -> Result<bool> {
    if word(id) {
        return Ok(id == SITE);
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!("`{id}` is no id here: a site has this once, and its id is `site`"),
    ))
}

/// Whether an id is a word, as the ids are that are no numbers.
pub(crate) fn word(id: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    !id.is_empty() && id.len() <= 32 && id.bytes().all(good)
}

/// Refuses what is no e-mail address.
pub(crate) fn email(field: &str, email: &str) -> Result<()> {
    let good = email.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
    });
    let plain =
        !email.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    if is_open(email) || (good && plain && email.matches('@').count() == 1) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!("`{field}` is not an e-mail address"),
    )
    .field(Path::parse(field))
    .hint("write one address, such as `me@example.com`"))
}

/// Refuses what is no address of the web.
pub(crate) fn address(field: &str, url: &str) -> Result<()> {
    let begins = url.starts_with("https://") || url.starts_with("http://");
    let plain =
        !url.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"'`".contains(c));
    if is_open(url) || (begins && plain && url.len() > 10) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!("`{field}` is not an address of the web"),
    )
    .field(Path::parse(field))
    .hint("begin it with `https://`"))
}

//! Texts as REST gives them.

use serde_json::Value as Json;

/// A text of which the special characters are entities, as they are in some fields of WordPress.
pub(super) fn decoded(text: &str) -> String {
    let mut whole = text.to_owned();
    for (entity, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#039;", "'"),
        ("&#39;", "'"),
        ("&#8217;", "’"),
        ("&#038;", "&"),
        ("&amp;", "&"),
    ] {
        whole = whole.replace(entity, plain);
    }
    whole
}

/// The path of an address.
pub(super) fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/')
        .map_or_else(|| "/".to_owned(), |at| rest[at..].to_owned())
}

/// A text of an object; numbers as texts.
pub(super) fn of(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// An operation with what earlier ones gave filled in.
pub(super) fn filled(op: &Json, results: &[Json], nonce: &str) -> Json {
    match op {
        Json::String(text) => Json::String(crate::content::fill(text, results, nonce)),
        Json::Array(items) => items
            .iter()
            .map(|item| filled(item, results, nonce))
            .collect(),
        Json::Object(map) => Json::Object(
            map.iter()
                .map(|(key, item)| (key.clone(), filled(item, results, nonce)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{decoded, path_of};

    #[test]
    fn entities_become_characters_once() {
        assert_eq!(
            decoded("M&uuml;ller &amp; &quot;Co&quot; &amp;lt;"),
            "M&uuml;ller & \"Co\" &lt;"
        );
        assert_eq!(path_of("https://example.test/a/b/"), "/a/b/");
        assert_eq!(path_of("https://example.test"), "/");
    }
}

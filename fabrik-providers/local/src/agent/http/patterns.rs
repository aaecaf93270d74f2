//! Headers of one's own, by path pattern.

use http::HeaderMap;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};

use crate::error::Error;
use crate::glob::fits;
use crate::model::Headers;

/// What frames an answer is not for anyone to set.
const OURS: [HeaderName; 5] = [
    CONNECTION,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Checks patterns, names and values.
pub(crate) fn check(headers: &Headers) -> Result<(), Error> {
    for (pattern, fields) in headers {
        if !pattern.starts_with('/') {
            let message = format!("the pattern `{pattern}` must start with `/`");
            return Err(Error::invalid("headers", message));
        }
        for (name, value) in fields {
            let good = name
                .parse::<HeaderName>()
                .is_ok_and(|name| !OURS.contains(&name));
            if !good {
                let message = format!("`{name}` is not a header that can be set");
                return Err(Error::invalid("headers", message));
            }
            if HeaderValue::from_str(value).is_err() {
                let message = format!("the value of `{name}` cannot be sent");
                return Err(Error::invalid("headers", message));
            }
        }
    }
    Ok(())
}

/// Sets the headers of a path; those of a longer pattern win.
pub(super) fn put(answer: &mut HeaderMap, headers: &Headers, path: &str) {
    let mut fitting: Vec<_> = headers
        .iter()
        .filter(|(pattern, _)| fits(pattern, path))
        .collect();
    fitting.sort_by_key(|(pattern, _)| pattern.len());
    for (name, value) in fitting.into_iter().flat_map(|(_, fields)| fields) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            answer.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{check, put};
    use crate::model::Headers;

    fn headers(entries: &[(&str, &str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (pattern, name, value) in entries {
            headers
                .entry((*pattern).to_owned())
                .or_default()
                .insert((*name).to_owned(), (*value).to_owned());
        }
        headers
    }

    #[test]
    fn longer_patterns_win() {
        let headers = headers(&[("/*", "X-A", "all"), ("/a/*", "X-A", "a")]);
        let mut answer = http::HeaderMap::new();
        put(&mut answer, &headers, "/a/b");
        assert_eq!(answer["x-a"], "a");
    }

    #[test]
    fn what_frames_the_answer_cannot_be_set() {
        assert!(check(&headers(&[("/*", "X-A", "1")])).is_ok());
        assert!(check(&headers(&[("/*", "Content-Length", "1")])).is_err());
        assert!(check(&headers(&[("/*", "X-A", "a\nb")])).is_err());
        assert!(check(&headers(&[("x", "X-A", "1")])).is_err());
    }
}

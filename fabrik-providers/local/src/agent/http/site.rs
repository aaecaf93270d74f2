//! Answering from a static site.

use std::io::SeekFrom;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::BytesMut;
use http::header::{
    ACCEPT, ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::mpsc;

use super::body::{AnyBody, empty, queued};
use super::{pages, patterns, proxy};
use crate::agent::sites::{Content, FileEntry};

/// How much of a file is held in memory at a time.
const CHUNK: usize = 64 * 1024;

/// Answers a request from a content; `strip` is taken off the front of the path.
pub(super) async fn answer<B>(
    content: Arc<Content>,
    request: &Request<B>,
    strip: Option<&str>,
) -> Response<AnyBody> {
    let head = match *request.method() {
        Method::GET => false,
        Method::HEAD => true,
        _ => return method_not_allowed(),
    };
    let path = proxy::stripped(request.uri().path(), strip);
    let Ok(decoded) = percent_decode_str(&path).decode_utf8() else {
        return pages::page(StatusCode::BAD_REQUEST, "The address is not valid.");
    };
    let (status, name) = match resolve(&content, &decoded) {
        Resolved::File(name) => (StatusCode::OK, name),
        Resolved::Directory => return to_directory(request),
        Resolved::Nothing if content.spa && wants_page(request.headers(), &decoded) => {
            (StatusCode::OK, "index.html".to_owned())
        }
        Resolved::Nothing => (StatusCode::NOT_FOUND, content.not_found.clone()),
    };
    let Some(entry) = content.entry(&name) else {
        return pages::page(StatusCode::NOT_FOUND, "There is no such page.");
    };
    let validators = Validators::new(entry, content.since);
    if status == StatusCode::OK && validators.not_modified(request.headers()) {
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        validators.put(response.headers_mut());
        patterns::put(response.headers_mut(), &content.headers, &decoded);
        return response;
    }
    let range = match range(request.headers(), entry.bytes, &validators) {
        Asked::Part(range) if status == StatusCode::OK => Some(range),
        Asked::Impossible if status == StatusCode::OK => return impossible(entry.bytes),
        _ => None,
    };
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    validators.put(headers);
    headers.insert(CONTENT_TYPE, content_type(&name));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    patterns::put(headers, &content.headers, &decoded);
    let part = range.clone().unwrap_or(0..entry.bytes);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    if let Some(range) = range {
        let text = format!("bytes {}-{}/{}", range.start, range.end - 1, entry.bytes);
        headers.extend(HeaderValue::try_from(text).map(|value| (CONTENT_RANGE, value)));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    if !head {
        match open(&content, &name, part).await {
            Ok(body) => *response.body_mut() = body,
            Err(error) => {
                tracing::warn!(%error, name, "could not read a file of a site");
                return pages::page(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The page cannot be read.",
                );
            }
        }
    }
    response
}

enum Resolved {
    File(String),
    /// The path of a directory without its `/`.
    Directory,
    Nothing,
}

fn resolve(content: &Content, path: &str) -> Resolved {
    let name = path.strip_prefix('/').unwrap_or(path);
    let known = |name: String| content.entry(&name).is_some().then_some(name);
    if name.is_empty() || name.ends_with('/') {
        return known(format!("{name}index.html")).map_or(Resolved::Nothing, Resolved::File);
    }
    if let Some(name) = known(name.to_owned()).or_else(|| known(format!("{name}.html"))) {
        return Resolved::File(name);
    }
    match known(format!("{name}/index.html")) {
        Some(_) => Resolved::Directory,
        None => Resolved::Nothing,
    }
}

/// Whether an unknown path may be a page of an application that routes itself, and not one of
/// its files.
fn wants_page(headers: &HeaderMap, path: &str) -> bool {
    let accepts = |kind| {
        headers
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|accept| accept.contains(kind))
    };
    let is_file = path
        .rsplit('/')
        .next()
        .is_some_and(|last| last.contains('.'));
    accepts("text/html") || !is_file
}

fn to_directory<B>(request: &Request<B>) -> Response<AnyBody> {
    let mut target = format!("{}/", request.uri().path());
    if let Some(query) = request.uri().query() {
        target.push('?');
        target.push_str(query);
    }
    let mut response = pages::page(
        StatusCode::PERMANENT_REDIRECT,
        "The page is one step further.",
    );
    response
        .headers_mut()
        .extend(HeaderValue::try_from(target).map(|value| (LOCATION, value)));
    response
}

fn method_not_allowed() -> Response<AnyBody> {
    let mut response = pages::page(
        StatusCode::METHOD_NOT_ALLOWED,
        "Pages can be read and not written.",
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

fn impossible(bytes: u64) -> Response<AnyBody> {
    let mut response = pages::page(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "The file is not that long.",
    );
    let text = format!("bytes */{bytes}");
    response
        .headers_mut()
        .extend(HeaderValue::try_from(text).map(|value| (CONTENT_RANGE, value)));
    response
}

fn content_type(name: &str) -> HeaderValue {
    let guess = mime_guess::from_path(name).first_or_octet_stream();
    let text = match (guess.type_().as_str(), guess.subtype().as_str()) {
        ("text", _) | ("application", "javascript" | "json" | "xml") => {
            format!("{}; charset=utf-8", guess.essence_str())
        }
        _ => guess.essence_str().to_owned(),
    };
    let fallback = HeaderValue::from_static("application/octet-stream");
    HeaderValue::try_from(text).unwrap_or(fallback)
}

/// What tells a client whether its copy is still good.
struct Validators {
    etag: String,
    modified: SystemTime,
}

impl Validators {
    fn new(entry: &FileEntry, since: SystemTime) -> Self {
        let short = entry.sha256.get(..32).unwrap_or(&entry.sha256);
        Self {
            etag: format!("\"{short}\""),
            modified: since,
        }
    }

    fn put(&self, headers: &mut HeaderMap) {
        headers.extend(HeaderValue::try_from(self.etag.clone()).map(|value| (ETAG, value)));
        let date = httpdate::fmt_http_date(self.modified);
        headers.extend(HeaderValue::try_from(date).map(|value| (LAST_MODIFIED, value)));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }

    fn not_modified(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(IF_NONE_MATCH) {
            return headers
                .get_all(IF_NONE_MATCH)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .map(|tag| tag.trim().trim_start_matches("W/"))
                .any(|tag| tag == "*" || tag == self.etag);
        }
        // Dates have whole seconds, as this one has.
        let since = headers
            .get(IF_MODIFIED_SINCE)
            .and_then(|value| value.to_str().ok());
        since
            .and_then(|text| httpdate::parse_http_date(text).ok())
            .is_some_and(|since| self.modified <= since)
    }
}

enum Asked {
    All,
    Part(Range<u64>),
    Impossible,
}

/// The part that a request asks for. Several parts at once are answered with the whole.
fn range(headers: &HeaderMap, bytes: u64, validators: &Validators) -> Asked {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let Some(spec) = text(RANGE).and_then(|value| value.strip_prefix("bytes=")) else {
        return Asked::All;
    };
    if text(IF_RANGE).is_some_and(|tag| tag != validators.etag) {
        return Asked::All;
    }
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Asked::All;
    };
    let part = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(bytes),
        (Ok(first), Err(_)) if last.is_empty() => first..bytes,
        (Err(_), Ok(count)) if first.is_empty() => bytes.saturating_sub(count)..bytes,
        _ => return Asked::All,
    };
    if part.is_empty() {
        Asked::Impossible
    } else {
        Asked::Part(part)
    }
}

/// Opens a part of a file. The content is not needed any more once this returns.
async fn open(content: &Content, name: &str, part: Range<u64>) -> std::io::Result<AnyBody> {
    let mut file = File::open(content.path(name)).await?;
    if part.start > 0 {
        file.seek(SeekFrom::Start(part.start)).await?;
    }
    let mut rest = file.take(part.end - part.start);
    let (sender, parts) = mpsc::channel(2);
    tokio::spawn(async move {
        loop {
            let mut chunk = BytesMut::with_capacity(CHUNK);
            let part = match rest.read_buf(&mut chunk).await {
                Ok(0) => return,
                Ok(_) => Ok(chunk.freeze()),
                Err(error) => Err(error),
            };
            let last = part.is_err();
            if sender.send(part).await.is_err() || last {
                return;
            }
        }
    });
    Ok(queued(parts))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use http::HeaderMap;
    use http::header::{IF_RANGE, RANGE};

    use super::{Asked, Validators, content_type, range};
    use crate::agent::sites::FileEntry;

    #[test]
    fn text_has_a_charset() {
        assert_eq!(content_type("a.html"), "text/html; charset=utf-8");
        assert_eq!(content_type("a.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("a.png"), "image/png");
        assert_eq!(content_type("a.unknown-kind"), "application/octet-stream");
    }

    #[test]
    fn ranges() {
        let entry = FileEntry {
            sha256: "ab".into(),
            bytes: 10,
        };
        let validators = Validators::new(&entry, SystemTime::UNIX_EPOCH);
        let ask = |spec: &str| {
            let headers = HeaderMap::from_iter([(RANGE, spec.parse().unwrap())]);
            match range(&headers, 10, &validators) {
                Asked::All => "all".to_owned(),
                Asked::Part(part) => format!("{}..{}", part.start, part.end),
                Asked::Impossible => "impossible".to_owned(),
            }
        };
        let cases = [
            ("bytes=2-4", "2..5"),
            ("bytes=2-", "2..10"),
            ("bytes=-3", "7..10"),
            ("bytes=0-99", "0..10"),
            ("bytes=10-", "impossible"),
            ("bytes=4-2", "all"),
            ("bytes=0-1,3-4", "all"),
            ("lines=1-2", "all"),
        ];
        for (spec, expected) in cases {
            assert_eq!(ask(spec), expected, "{spec}");
        }
        let other = HeaderMap::from_iter([
            (RANGE, "bytes=2-4".parse().unwrap()),
            (IF_RANGE, "\"other\"".parse().unwrap()),
        ]);
        assert!(matches!(range(&other, 10, &validators), Asked::All));
    }
}

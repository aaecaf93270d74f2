//! Comparing the answer with what is expected.

use fabrik_core::verify::CheckFailure;
use serde_json::Value as Json;

use super::exchange::{Answer, shown};
use super::spec::Spec;

/// How much of a body evidence tells.
const EXCERPT: usize = 200;

/// Whether the answer is as expected.
pub(super) fn judge(spec: &Spec, answer: &Answer) -> Result<(), CheckFailure> {
    status(spec, answer)?;
    for (name, wanted) in &spec.header {
        header(name, wanted, answer)?;
    }
    let text = String::from_utf8_lossy(&answer.body);
    if let Some(unwanted) = spec
        .lacks
        .iter()
        .find(|unwanted| text.contains(unwanted.as_str()))
    {
        return Err(CheckFailure::new(format!(
            "{} answered with {unwanted:?} in the body",
            shown(&answer.url)
        ))
        .hint("an error of the program shows on the page: its log tells more"));
    }
    if let Some(wanted) = &spec.contains
        && !text.contains(wanted.as_str())
    {
        return Err(CheckFailure::new(format!(
            "{} answered without {wanted:?}; {}",
            shown(&answer.url),
            excerpt(&text)
        )));
    }
    if let Some(wanted) = &spec.body
        && text.trim() != wanted.trim()
    {
        return Err(CheckFailure::new(format!(
            "{} answered another body than {wanted:?}; {}",
            shown(&answer.url),
            excerpt(&text)
        )));
    }
    if !spec.json.is_empty() {
        json(spec, answer, &text)?;
    }
    Ok(())
}

fn status(spec: &Spec, answer: &Answer) -> Result<(), CheckFailure> {
    let status = answer.status;
    if spec.status.0.contains(&status) {
        return Ok(());
    }
    let location = answer
        .header("location")
        .map(|to| format!(" to {to}"))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&answer.body);
    let failure = CheckFailure::new(format!(
        "status {status}{location}, expected {} from {}; {}",
        spec.status,
        shown(&answer.url),
        if looks_like_html(answer, &text) {
            html(&text)
        } else {
            excerpt(&text)
        }
    ));
    Err(match status {
        401 | 403 => failure.hint("the page asks who calls: check a path that needs no login"),
        404 => failure.hint("does the app answer at this path? see `health`"),
        502..=504 => failure.hint(
            "the proxy works, the app behind it does not answer: does it listen on `port`, and on all addresses (0.0.0.0)?",
        ),
        _ => failure,
    })
}

fn header(name: &str, wanted: &str, answer: &Answer) -> Result<(), CheckFailure> {
    match answer.header(name) {
        Some(value) if value.contains(wanted) => Ok(()),
        Some(value) => Err(CheckFailure::new(format!(
            "{} answered with `{name}: {value}`, expected {wanted:?} in it",
            shown(&answer.url)
        ))),
        None => Err(CheckFailure::new(format!(
            "{} answered without the header `{name}`",
            shown(&answer.url)
        ))),
    }
}

fn json(spec: &Spec, answer: &Answer, text: &str) -> Result<(), CheckFailure> {
    let found: Json = serde_json::from_str(text).map_err(|error| {
        if looks_like_html(answer, text) {
            CheckFailure::new(format!(
                "{} {} where JSON was expected",
                shown(&answer.url),
                html(text)
            ))
            .hint("another program, a proxy or a login page may answer at this address")
        } else {
            CheckFailure::new(format!(
                "{} answered what is no JSON ({error}); {}",
                shown(&answer.url),
                excerpt(text)
            ))
        }
    })?;
    for (pointer, wanted) in &spec.json {
        let at = if pointer.is_empty() {
            "the body"
        } else {
            pointer
        };
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(CheckFailure::fatal(format!(
                "`{pointer}` is no JSON pointer: it begins with `/`"
            )));
        }
        match found.pointer(pointer) {
            Some(value) if same(value, wanted) => {}
            Some(value) => {
                return Err(CheckFailure::new(format!(
                    "{} answered {} at {at}, expected {wanted}",
                    shown(&answer.url),
                    cut(&value.to_string())
                )));
            }
            None => {
                return Err(CheckFailure::new(format!(
                    "{} answered nothing at {at}, expected {wanted}; {}",
                    shown(&answer.url),
                    excerpt(text)
                )));
            }
        }
    }
    Ok(())
}

/// Equal, with `1.0` equal to `1`.
fn same(left: &Json, right: &Json) -> bool {
    left == right
        || matches!((left.as_f64(), right.as_f64()), (Some(left), Some(right)) if (left - right).abs() < f64::EPSILON)
}

fn looks_like_html(answer: &Answer, text: &str) -> bool {
    let start: String = text.trim_start().chars().take(15).collect();
    let start = start.to_ascii_lowercase();
    answer.content_type().starts_with("text/html")
        || start.starts_with("<!doctype html")
        || start.starts_with("<html")
}

/// What kind of page it is.
fn html(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let login = ["type=\"password\"", "type='password'", "type=password"]
        .iter()
        .any(|mark| lower.contains(mark));
    let page = if login {
        "an HTML login page"
    } else {
        "an HTML page"
    };
    match title(text, &lower) {
        Some(title) => format!("answered {page} ({title:?})"),
        None => format!("answered {page}"),
    }
}

fn title(text: &str, lower: &str) -> Option<String> {
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = cut(&one_line(text.get(start..end)?));
    (!title.is_empty()).then_some(title)
}

fn excerpt(text: &str) -> String {
    let line = one_line(text);
    if line.is_empty() {
        "the body is empty".to_owned()
    } else {
        format!("body starts with {:?}", cut(&line))
    }
}

fn one_line(text: &str) -> String {
    let start: String = text.chars().take(EXCERPT * 4).collect();
    start.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

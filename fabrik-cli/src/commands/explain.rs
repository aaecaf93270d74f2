//! `fabrik explain`.

use fabrik_core::codes::{self, Page};
use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind};
use serde_json::{Value as Json, json};

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::{Tone, text};
use crate::session::Session;

/// Explains an error code, or lists them.
pub(super) fn explain(session: &mut Session, args: &ExplainArgs) -> Done {
    let Some(code) = &args.code else {
        return list(session);
    };
    let page = find(code).ok_or_else(|| {
        let message = format!("there is no error code `{code}`");
        let error = Error::new(ErrorKind::NotFound, message);
        let upper = code.to_ascii_uppercase();
        match did_you_mean(&upper, pages().map(|page| page.code)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`fabrik explain` lists them"),
        }
    })?;
    if session.is_machine() {
        session.out.structured(&as_json(page))?;
        return Ok(Exit::DONE);
    }
    let style = session.out.data_style();
    let title = |text: &str| style.paint(Tone::Strong, text);
    let text = format!(
        "{}: {}\n\n{}\n\n{}\n{}\n\n{}\n{}\n",
        title(page.code),
        page.title,
        wrapped(page.text, style.columns()),
        title("Example"),
        indented(page.example),
        title("What to do"),
        indented(&wrapped(page.fix, style.columns().saturating_sub(2))),
    );
    session.out.data(&text)?;
    Ok(Exit::DONE)
}

/// Every page: Fabrik's own codes, and those of the Compose linter.
fn pages() -> impl Iterator<Item = &'static Page> {
    codes::all().chain(fabrik_compose::pages::PAGES)
}

fn find(code: &str) -> Option<&'static Page> {
    codes::explain(code).or_else(|| fabrik_compose::explain(code))
}

fn list(session: &mut Session) -> Done {
    if session.is_machine() {
        let pages: Vec<Json> = pages().map(as_json).collect();
        session.out.structured(&json!({"v": 1, "codes": pages}))?;
        return Ok(Exit::DONE);
    }
    let lines: Vec<String> = pages()
        .map(|page| format!("{}  {}", page.code, page.title))
        .collect();
    session.out.data(&lines.join("\n"))?;
    session
        .out
        .message("\n`fabrik explain CODE` shows one in full")?;
    Ok(Exit::DONE)
}

fn as_json(page: &Page) -> Json {
    json!({
        "code": page.code,
        "title": page.title,
        "text": page.text.trim(),
        "example": page.example.trim(),
        "fix": page.fix.trim(),
    })
}

/// Paragraphs broken into lines that fit.
fn wrapped(paragraphs: &str, columns: usize) -> String {
    let lines = paragraphs.trim().lines();
    let lines = lines.flat_map(|line| match line {
        "" => vec![String::new()],
        line => text::wrap(line, columns),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn indented(text: &str) -> String {
    text.trim_matches('\n')
        .lines()
        .map(|line| format!("  {line}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

//! From bytes to text.

use crate::codes;
use crate::diagnostic::{Diagnostic, SourceMap, Span};

/// Most bytes all files together may have, so that all places fit 32 bits.
const MAX_BYTES: usize = 512 * 1024 * 1024;

/// Adds a file to the map and returns its text and the place its bytes start at; `None`, with the
/// mistake in `found`, when it is no UTF-8 text. A byte order mark at the start is dropped.
pub(super) fn read(
    sources: &mut SourceMap,
    name: &str,
    bytes: &[u8],
    found: &mut Vec<Diagnostic>,
) -> Option<(std::sync::Arc<str>, u32)> {
    let utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let before: usize = sources.files().iter().map(|file| file.text.len() + 1).sum();
    if before + bytes.len() > MAX_BYTES {
        let base = sources.add(name, "");
        found.push(
            Diagnostic::error(
                codes::ENCODING,
                format!("with `{name}` the files are too large"),
            )
            .at(Some(point(base, 0)), ""),
        );
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let text: std::sync::Arc<str> = text.into();
            let base = sources.add(name, text.clone());
            Some((text, base))
        }
        Err(error) => {
            let at = error.valid_up_to();
            let base = sources.add(name, String::from_utf8_lossy(bytes).into_owned());
            let (text, help) = if utf16 {
                ("the file is UTF-16", "save it as UTF-8")
            } else {
                ("these bytes are not UTF-8", "save the file as UTF-8 text")
            };
            found.push(
                Diagnostic::error(codes::ENCODING, text)
                    .at(Some(point(base, if utf16 { 0 } else { at })), "")
                    .help(help),
            );
            None
        }
    }
}

/// The place of the replacement character that stands for what is no UTF-8.
fn point(base: u32, at: usize) -> Span {
    let start = base + u32::try_from(at).unwrap_or(u32::MAX / 2);
    Span {
        start,
        end: start + u32::try_from(char::REPLACEMENT_CHARACTER.len_utf8()).unwrap_or(1),
    }
}

//! Bytes into lines, within bounds.

use std::collections::VecDeque;
use std::fmt::Write as _;

use fabrik_core::secrets::{Redactor, printable};

/// Longest part of a line that is kept while it comes in.
const LINE: usize = 16 * 1024;
/// Longest line that is passed on.
const SHOWN: usize = 4 * 1024;
/// How many last lines are kept.
const TAIL: usize = 40;

/// Where a program wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Cuts bytes into lines; what is too long of a line is counted, not kept.
#[derive(Default)]
pub(crate) struct Splitter {
    line: Vec<u8>,
    dropped: usize,
    open: bool,
}

impl Splitter {
    /// Takes bytes, gives each line that is complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(&[u8], usize)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..end]);
            self.finish_line(each);
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
        self.open |= !bytes.is_empty();
    }

    /// Gives what follows the last line break.
    pub(crate) fn end(&mut self, each: &mut dyn FnMut(&[u8], usize)) {
        if self.open {
            self.finish_line(each);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE - self.line.len();
        let kept = bytes.len().min(room);
        self.line.extend_from_slice(&bytes[..kept]);
        self.dropped += bytes.len() - kept;
    }

    fn finish_line(&mut self, each: &mut dyn FnMut(&[u8], usize)) {
        each(&self.line, self.dropped);
        self.line.clear();
        self.dropped = 0;
        self.open = false;
    }
}

/// A line as it may be shown: without secrets and control characters, not too long.
pub(crate) fn clean(redactor: &Redactor, line: &[u8], dropped: usize) -> String {
    let mut text = printable(&redactor.clean(&String::from_utf8_lossy(line)));
    if text.len() > SHOWN || dropped > 0 {
        let cut = text.floor_char_boundary(SHOWN);
        let rest = text.len() - cut + dropped;
        text.truncate(cut);
        _ = write!(text, " … ({rest} bytes more)");
    }
    text
}

/// The last lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail(VecDeque<String>);

impl Tail {
    pub(crate) fn push(&mut self, line: String) {
        if self.0.len() == TAIL {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.into()
    }
}

/// The last lines of a text that was kept whole.
pub(crate) fn last_lines(redactor: &Redactor, text: &[u8]) -> Vec<String> {
    // No need to clean a text of megabytes for the last lines of it.
    let from = text.len().saturating_sub(TAIL * 1024);
    let mut tail = Tail::default();
    let mut splitter = Splitter::default();
    let mut each = |line: &[u8], dropped: usize| tail.push(clean(redactor, line, dropped));
    splitter.push(&text[from..], &mut each);
    splitter.end(&mut each);
    tail.into_lines()
}

#[cfg(test)]
mod tests {
    use fabrik_core::value::Value;

    use super::*;

    fn split(chunks: &[&[u8]]) -> Vec<(Vec<u8>, usize)> {
        let mut found = Vec::new();
        let mut each = |line: &[u8], dropped: usize| found.push((line.to_vec(), dropped));
        let mut splitter = Splitter::default();
        for chunk in chunks {
            splitter.push(chunk, &mut each);
        }
        splitter.end(&mut each);
        found
    }

    #[test]
    fn lines_do_not_depend_on_chunks() {
        let expected: Vec<(Vec<u8>, usize)> = [&b"one"[..], b"", b"three"]
            .iter()
            .map(|line| (line.to_vec(), 0))
            .collect();
        assert_eq!(split(&[b"one\n\nthree"]), expected);
        assert_eq!(split(&[b"o", b"ne", b"\n", b"\nthr", b"ee\n"]), expected);
        assert!(split(&[b""]).is_empty());
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let chunk = vec![b'x'; 10_000];
        let found = split(&[&chunk, &chunk, &chunk, b"\nend"]);
        assert_eq!(found[0].0.len(), LINE);
        assert_eq!(found[0].1, 30_000 - LINE);
        assert_eq!(found[1].0, b"end");
        let shown = clean(&Redactor::default(), &found[0].0, found[0].1);
        assert!(shown.len() < SHOWN + 40);
        assert!(
            shown.ends_with(&format!("({} bytes more)", 30_000 - SHOWN)),
            "{shown}"
        );
    }

    #[test]
    fn a_secret_across_the_cut_is_removed_first() {
        let redactor = Redactor::default();
        redactor.learn(&Value::secret("canary-0123456789"));
        let mut line = vec![b'x'; SHOWN - 5];
        line.extend_from_slice(b"canary-0123456789 and more");
        assert!(!clean(&redactor, &line, 0).contains("canar"));
        assert_eq!(clean(&redactor, b"\x1b[31m\xff", 0), "\\u{1b}[31m\u{fffd}");
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let text: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let text = text.join("\n");
        let lines = last_lines(&Redactor::default(), text.as_bytes());
        assert_eq!(
            (lines.len(), lines[0].as_str(), lines[39].as_str()),
            (TAIL, "60", "99")
        );
    }
}

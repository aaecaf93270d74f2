//! Running text: paragraphs, headings, lists and quotations, by signs at the start of lines.

use fabrik_blocks::Block;
use fabrik_core::error::Result;

use super::blocks::{list, quote};
use super::dress::Dress;
use super::fields::Align;
use super::kit::{Build, split_paragraphs};

/// Blocks of running text. Headings in it stand below one of level `level - 1`.
pub(super) fn blocks(b: &Build<'_>, field: &str, text: &str, level: u8) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    for part in split_paragraphs(text) {
        paragraph_or_more(b, field, &part, level, &mut blocks)?;
    }
    if blocks.is_empty() {
        return Err(b.wrong(field, "is empty"));
    }
    Ok(blocks)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Words,
    Heading(u8),
    Bullet,
    Number,
    Quote,
}

/// What a line is, and where its text begins.
fn line_kind(line: &str) -> (Line, &str) {
    if let Some(rest) = line.strip_prefix("### ") {
        return (Line::Heading(1), rest);
    }
    if let Some(rest) = line.strip_prefix("## ") {
        return (Line::Heading(0), rest);
    }
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return (Line::Bullet, rest);
    }
    if let Some(rest) = line.strip_prefix("> ") {
        return (Line::Quote, rest);
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=3).contains(&digits)
        && let Some(rest) = line[digits..].strip_prefix(". ")
    {
        return (Line::Number, rest);
    }
    (Line::Words, line)
}

fn paragraph_or_more(
    b: &Build<'_>,
    field: &str,
    part: &str,
    level: u8,
    out: &mut Vec<Block>,
) -> Result<()> {
    // Lines of one kind that follow each other belong together.
    let mut runs: Vec<(Line, Vec<String>)> = Vec::new();
    for line in part.lines() {
        let (kind, text) = line_kind(line.trim_start());
        match runs.last_mut() {
            Some((last, lines)) if *last == kind && !matches!(kind, Line::Heading(_)) => {
                lines.push(text.to_owned());
            }
            // A line without a sign goes on with an item above it.
            Some((Line::Bullet | Line::Number, lines)) if kind == Line::Words => {
                if let Some(item) = lines.last_mut() {
                    item.push(' ');
                    item.push_str(text);
                }
            }
            _ => runs.push((kind, vec![text.to_owned()])),
        }
    }
    for (kind, lines) in runs {
        let whole = lines.join("\n");
        if whole.trim().is_empty() {
            continue;
        }
        match kind {
            Line::Words => out.push(b.paragraph(&b.inline(field, &whole)?, Align::Start, None)),
            Line::Heading(deeper) => {
                out.push(b.heading(level + deeper, &b.inline(field, &whole)?, Align::Start));
            }
            Line::Quote => {
                let words = b.paragraph(&b.inline(field, &whole)?, Align::Start, None);
                out.push(quote(vec![words], None, &Dress::default()));
            }
            Line::Bullet | Line::Number => {
                let mut items = Vec::new();
                for line in lines.iter().filter(|line| !line.trim().is_empty()) {
                    items.push(b.inline(field, line)?);
                }
                out.push(list(kind == Line::Number, &items, &Dress::default()));
            }
        }
    }
    Ok(())
}

//! Colours, and lines made of coloured parts whose width is known.

use anstyle::{AnsiColor, Style as Ansi};

use super::text;

/// How something is to look. Never carries meaning alone: the words do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Something good, or added.
    Good,
    /// Something bad, or removed.
    Bad,
    /// Worth a look, or changed.
    Warn,
    /// Hints, paths, literals.
    Hint,
    /// Of less interest.
    Dim,
    /// Headings and names.
    Strong,
    /// The part of a new text that changed.
    GoodMark,
    /// The part of an old text that changed.
    BadMark,
}

impl Tone {
    fn ansi(self) -> Ansi {
        let colour = |colour: AnsiColor| Ansi::new().fg_color(Some(colour.into()));
        match self {
            Tone::Plain => Ansi::new(),
            Tone::Good => colour(AnsiColor::Green),
            Tone::Bad => colour(AnsiColor::Red),
            Tone::Warn => colour(AnsiColor::Yellow),
            Tone::Hint => colour(AnsiColor::Cyan),
            Tone::Dim => Ansi::new().dimmed(),
            Tone::Strong => Ansi::new().bold(),
            Tone::GoodMark => colour(AnsiColor::Green).bold().underline(),
            Tone::BadMark => colour(AnsiColor::Red).bold().underline(),
        }
    }
}

/// What a renderer needs to know of the place its text goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Style::plain(80)
    }
}

impl Style {
    /// Widest layout: right-aligned marks further out are hard to follow.
    const WIDEST: usize = 120;

    /// Without colour.
    pub const fn plain(width: usize) -> Style {
        Style {
            color: false,
            width,
        }
    }

    /// With colour.
    pub const fn colored(width: usize) -> Style {
        Style { color: true, width }
    }

    /// Columns to lay out in: never absurdly narrow or wide.
    pub fn columns(&self) -> usize {
        self.width.clamp(40, Style::WIDEST)
    }

    /// Text in a tone.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 12);
        self.paint_into(&mut out, tone, text);
        out
    }

    fn paint_into(&self, out: &mut String, tone: Tone, text: &str) {
        if !self.color || tone == Tone::Plain || text.is_empty() {
            out.push_str(text);
        } else {
            use std::fmt::Write as _;
            let ansi = tone.ansi();
            _ = write!(out, "{ansi}{text}{ansi:#}");
        }
    }
}

/// One line of coloured parts. What is added must be printable already.
#[derive(Clone, Debug, Default)]
pub struct Line {
    parts: Vec<(Tone, String)>,
    width: usize,
}

impl Line {
    /// An empty line, indented.
    pub fn indent(columns: usize) -> Line {
        Line::default().spaces(columns)
    }

    /// Adds text.
    #[must_use]
    pub fn add(mut self, tone: Tone, text: impl Into<String>) -> Line {
        self.push(tone, text);
        self
    }

    /// Adds text.
    pub fn push(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.width += text::width(&text);
            match self.parts.last_mut() {
                Some((last, before)) if *last == tone => before.push_str(&text),
                _ => self.parts.push((tone, text)),
            }
        }
    }

    /// Adds plain text.
    #[must_use]
    pub fn plain(self, text: impl Into<String>) -> Line {
        self.add(Tone::Plain, text)
    }

    /// Adds blanks.
    #[must_use]
    pub fn spaces(self, columns: usize) -> Line {
        self.plain(" ".repeat(columns))
    }

    /// Adds blanks up to a column; at least one when something is there.
    #[must_use]
    pub fn pad_to(self, column: usize) -> Line {
        let least = usize::from(self.width > 0);
        let blanks = column.saturating_sub(self.width).max(least);
        self.spaces(blanks)
    }

    /// Adds another line's parts.
    #[must_use]
    pub fn join(mut self, other: Line) -> Line {
        self.width += other.width;
        self.parts.extend(other.parts);
        self
    }

    /// Columns taken.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The line cut to a number of columns, with `…` when something is missing.
    #[must_use]
    pub fn cut(self, columns: usize) -> Line {
        if self.width <= columns {
            return self;
        }
        let mut line = Line::default();
        for (tone, part) in self.parts {
            let room = columns.saturating_sub(line.width);
            if text::width(&part) < room {
                line.push(tone, part);
            } else {
                // Something follows or is too long: the mark must fit as well.
                line.push(tone, text::shorten(&(part + " "), room));
                break;
            }
        }
        line
    }

    /// The text, without blanks at the end and without a line break.
    pub fn render(&self, style: Style) -> String {
        let mut out = String::with_capacity(self.width + 16);
        let last = self
            .parts
            .iter()
            .rposition(|(_, text)| !text.trim_end_matches(' ').is_empty());
        for (index, (tone, text)) in self.parts.iter().enumerate() {
            match last {
                Some(last) if index < last => style.paint_into(&mut out, *tone, text),
                Some(last) if index == last => {
                    style.paint_into(&mut out, *tone, text.trim_end_matches(' '));
                }
                _ => break,
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_their_width() {
        let line = Line::indent(2)
            .add(Tone::Good, "日本")
            .pad_to(10)
            .plain("x  ");
        assert_eq!(line.width(), 13);
        assert_eq!(line.render(Style::plain(80)), "  日本    x");
        assert_eq!(line.clone().cut(5).render(Style::plain(80)), "  日…");
        assert_eq!(
            line.render(Style::colored(80)),
            "  \u{1b}[32m日本\u{1b}[0m    x"
        );
    }
}

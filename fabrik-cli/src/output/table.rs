//! Aligned columns.

use super::style::{Line, Style, Tone};
use super::text;

/// A table: a line of headings, then rows. The widest column gives way when there is no room.
#[derive(Clone, Debug, Default)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<(Tone, String)>>,
    kept: Option<usize>,
}

/// Blanks between columns.
const GAP: usize = 2;
/// No column is cut below this.
const LEAST: usize = 8;

impl Table {
    /// A table with these headings.
    pub fn new<'a>(head: impl IntoIterator<Item = &'a str>) -> Table {
        Table {
            head: head.into_iter().map(str::to_owned).collect(),
            rows: Vec::new(),
            kept: None,
        }
    }

    /// Never cuts this column (from 0): what is in it is to be copied.
    #[must_use]
    pub fn keep(mut self, column: usize) -> Table {
        self.kept = Some(column);
        self
    }

    /// Adds a row. Cells come from anywhere: they are made printable and put on one line.
    pub fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = (Tone, S)>) {
        let cells = cells.into_iter();
        self.rows.push(
            cells
                .map(|(tone, cell)| (tone, text::one_line(cell.as_ref())))
                .collect(),
        );
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, each ended. Columns without any content are left out.
    pub fn render(&self, style: Style) -> String {
        let columns = self
            .rows
            .iter()
            .map(Vec::len)
            .max()
            .unwrap_or(0)
            .max(self.head.len());
        let mut widths = vec![0; columns];
        for row in &self.rows {
            for (width, (_, cell)) in widths.iter_mut().zip(row) {
                *width = text::width(cell).max(*width);
            }
        }
        let shown: Vec<bool> = widths
            .iter()
            .map(|width| *width > 0 || self.rows.is_empty())
            .collect();
        for ((width, head), shown) in widths.iter_mut().zip(&self.head).zip(&shown) {
            if *shown {
                *width = text::width(head).max(*width);
            }
        }
        fit(&mut widths, self.kept, style.width);
        let mut out = String::new();
        let head = self.head.iter().map(|head| (Tone::Dim, head.as_str()));
        let rows = self.rows.iter().map(|row| {
            let cells: Vec<_> = row
                .iter()
                .map(|(tone, cell)| (*tone, cell.as_str()))
                .collect();
            cells
        });
        for row in std::iter::once(head.collect::<Vec<_>>()).chain(rows) {
            let mut line = Line::default();
            let mut column = 0;
            for (((tone, cell), width), shown) in row.into_iter().zip(&widths).zip(&shown) {
                if !shown {
                    continue;
                }
                if column > 0 {
                    line = line.pad_to(column);
                }
                line.push(tone, text::shorten(cell, *width));
                column += width + GAP;
            }
            out.push_str(&line.render(style));
            out.push('\n');
        }
        out
    }
}

/// Takes from the widest columns what is too much.
fn fit(widths: &mut [usize], kept: Option<usize>, room: usize) {
    let room = room.max(40);
    loop {
        let used = widths.iter().filter(|width| **width > 0);
        let total = used.clone().sum::<usize>() + GAP * used.count().saturating_sub(1);
        let Some(over) = total.checked_sub(room).filter(|over| *over > 0) else {
            return;
        };
        let cuttable = widths.iter_mut().enumerate();
        let cuttable = cuttable.filter(|(column, _)| Some(*column) != kept);
        let Some(widest) = cuttable.map(|(_, width)| width).max() else {
            return;
        };
        if *widest <= LEAST {
            return;
        }
        *widest = widest.saturating_sub(over.div_ceil(2)).max(LEAST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_give_way() {
        let mut table = Table::new(["APP", "EMPTY", "URL"]);
        table.row([
            (Tone::Plain, "日本"),
            (Tone::Plain, ""),
            (Tone::Plain, "https://a"),
        ]);
        table.row([
            (Tone::Plain, "b\u{1b}[0m"),
            (Tone::Plain, ""),
            (Tone::Plain, &"x".repeat(60)),
        ]);
        let text = table.render(Style::plain(40));
        assert_eq!(
            text,
            "APP         URL\n日本        https://a\nb\\u{1b}[0m  ".to_owned()
                + &"x".repeat(27)
                + "…\n"
        );
    }
}

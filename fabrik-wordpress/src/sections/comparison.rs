//! `comparison`: a table that sets things side by side.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::table;
use super::dress::Dress;
use super::fields::{Align, Figure, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// A table that sets things side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Comparison {
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// What is compared: the heads of the columns, without that of the first.
    columns: Vec<String>,
    /// Head of the first column.
    #[serde(default)]
    label: String,
    /// What it is compared by.
    rows: Vec<Row>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Row {
    /// What it is about.
    label: String,
    /// A value for each column; `yes` and `no` become signs.
    values: Vec<Figure>,
}

impl Section for Comparison {
    const KIND: &'static str = "comparison";
    const NAME: &'static str = "Comparison";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("columns", self.columns.len())?;
        b.count("rows", self.rows.len())?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, _) = b.head(&head, Align::Center)?;
        let mut heads = vec![fabrik_blocks::text::plain(&self.label)];
        for (index, column) in self.columns.iter().enumerate() {
            heads.push(b.plain(&format!("columns[{index}]"), column)?);
        }
        let mut rows = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let field = format!("rows[{index}]");
            if row.values.len() != self.columns.len() {
                return Err(b.wrong(
                    &format!("{field}.values"),
                    format!(
                        "has {} values for {} columns",
                        row.values.len(),
                        self.columns.len()
                    ),
                ));
            }
            let mut cells = vec![b.inline(&format!("{field}.label"), &row.label)?];
            for (at, value) in row.values.iter().enumerate() {
                cells.push(match value.0.as_str() {
                    "yes" => "✓".to_owned(),
                    "no" => "–".to_owned(),
                    text => b.inline(&format!("{field}.values[{at}]"), text)?,
                });
            }
            rows.push(cells);
        }
        let dress = Dress {
            align: Some("wide"),
            ..Dress::default()
        };
        inner.push(table(&heads, &rows, &dress));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

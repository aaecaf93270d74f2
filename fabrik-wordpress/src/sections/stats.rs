//! `stats`: figures that speak.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{column, paragraph};
use super::dress::Dress;
use super::fields::{Align, Figure, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// Figures that speak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Stats {
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// The figures, three or four for most.
    items: Vec<Stat>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stat {
    /// The figure, with its unit: `98 %`.
    value: Figure,
    /// What it counts.
    label: String,
}

impl Section for Stats {
    const KIND: &'static str = "stats";
    const NAME: &'static str = "Figures";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("items", self.items.len())?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, _) = b.head(&head, Align::Center)?;
        let mut made = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let value = b.plain(&format!("items[{index}].value"), &item.value.0)?;
            let dress = Dress {
                text_align: Some(("align", "center")),
                size: Some("clamp(2.25rem, 5vw, 3.5rem)"),
                weight: Some("700"),
                line_height: Some("1.1"),
                ..Dress::default()
            };
            let figure = paragraph(&value, &dress.class("fabrik-figure"));
            let label = b.plain(&format!("items[{index}].label"), &item.label)?;
            made.push(column(
                &Dress::default(),
                vec![figure, b.paragraph(&label, Align::Center, None)],
            ));
        }
        let per_row = if made.len() == 3 || made.len() > 4 && made.len() % 3 == 0 {
            3
        } else {
            4
        };
        inner.extend(b.rows(per_row, made));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

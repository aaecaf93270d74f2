//! `timeline`: what happened when.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{group, separator};
use super::dress::Dress;
use super::fields::{Align, Figure, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// What happened when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Timeline {
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// What happened, in order.
    items: Vec<Event>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Event {
    /// When: `2021`, `Spring 2024`.
    date: Figure,
    /// What.
    title: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Section for Timeline {
    const KIND: &'static str = "timeline";
    const NAME: &'static str = "Timeline";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("items", self.items.len())?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, level) = b.head(&head, Align::Center)?;
        let mut parts = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                parts.push(separator());
            }
            let field = format!("items[{index}]");
            parts.push(b.eyebrow(
                &b.plain(&format!("{field}.date"), &item.date.0)?,
                Align::Start,
            ));
            parts.push(b.heading(
                level,
                &b.inline(&format!("{field}.title"), &item.title)?,
                Align::Start,
            ));
            if let Some(text) = &item.text {
                parts.extend(b.paragraphs(&format!("{field}.text"), text, Align::Start, None)?);
            }
        }
        let dress = Dress {
            layout: Some(b.constrained(Some("760px"))),
            ..Dress::default()
        };
        inner.push(group("div", &dress, parts));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

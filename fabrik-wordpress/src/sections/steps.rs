//! `steps`: how something goes.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{group, list};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// How steps are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Beside each other, each in a card with its number.
    #[default]
    Cards,
    /// A numbered list.
    List,
}

/// How something goes, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Steps {
    /// How they are laid out.
    #[serde(default)]
    variant: Variant,
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// The steps, in order.
    steps: Vec<Step>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Step {
    /// What happens.
    title: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Section for Steps {
    const KIND: &'static str = "steps";
    const NAME: &'static str = "Steps";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("steps", self.steps.len())?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, level) = b.head(&head, Align::Center)?;
        if self.variant == Variant::List {
            let mut items = Vec::new();
            for (index, step) in self.steps.iter().enumerate() {
                let mut html = format!(
                    "<strong>{}</strong>",
                    b.plain(&format!("steps[{index}].title"), &step.title)?
                );
                if let Some(text) = &step.text {
                    html = format!(
                        "{html}<br>{}",
                        b.inline(&format!("steps[{index}].text"), text)?
                    );
                }
                items.push(html);
            }
            let dress = Dress {
                layout: Some(b.constrained(Some("760px"))),
                ..Dress::default()
            };
            inner.push(group(
                "div",
                &dress,
                vec![list(true, &items, &Dress::default())],
            ));
            return Ok(Shell::Band(self.look.clone(), inner));
        }
        let mut cards = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let field = format!("steps[{index}]");
            let parts = b.on_card(false, |b| -> Result<_> {
                let title = b.inline(&format!("{field}.title"), &step.title)?;
                let mut parts = vec![
                    b.eyebrow(&(index + 1).to_string(), Align::Start),
                    b.heading(level, &title, Align::Start),
                ];
                if let Some(text) = &step.text {
                    parts.extend(b.paragraphs(
                        &format!("{field}.text"),
                        text,
                        Align::Start,
                        None,
                    )?);
                }
                Ok(parts)
            })?;
            cards.push(b.card(parts, false));
        }
        let per_row = if cards.len() == 4 || cards.len() == 2 {
            u8::try_from(cards.len()).unwrap_or(3)
        } else {
            3
        };
        inner.extend(b.rows(per_row, cards));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

//! `pricing`: plans and what they cost.

use fabrik_blocks::Block;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{list, paragraph};
use super::dress::Dress;
use super::fields::{Align, Button, Figure, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// Plans and what they cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pricing {
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// The plans, two to four for most.
    plans: Vec<Plan>,
    /// What holds for all, such as taxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// Its name.
    name: String,
    /// What it costs, with its currency.
    price: Figure,
    /// For how long, such as `per month`.
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<String>,
    /// For whom it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    features: Vec<String>,
    /// How to get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    button: Option<Button>,
    /// Stands out as the one to take.
    #[serde(default)]
    highlighted: bool,
    /// Words above the name, such as `Most popular`.
    #[serde(skip_serializing_if = "Option::is_none")]
    badge: Option<String>,
}

impl Section for Pricing {
    const KIND: &'static str = "pricing";
    const NAME: &'static str = "Pricing";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("plans", self.plans.len())?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, level) = b.head(&head, Align::Center)?;
        let mut cards = Vec::new();
        for (index, plan) in self.plans.iter().enumerate() {
            let field = format!("plans[{index}]");
            let parts = b.on_card(plan.highlighted, |b| plan.blocks(b, &field, level))?;
            cards.push(b.card(parts, plan.highlighted));
        }
        let per_row = if cards.len() == 4 { 4 } else { 3 };
        inner.extend(b.rows(per_row, cards));
        if let Some(note) = &self.note {
            inner.extend(b.paragraphs("note", note, Align::Center, Some("0.9375rem"))?);
        }
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

impl Plan {
    fn blocks(&self, b: &mut Build<'_>, field: &str, level: u8) -> Result<Vec<Block>> {
        let mut parts = Vec::new();
        if let Some(badge) = &self.badge {
            parts.push(b.eyebrow(&b.plain(&format!("{field}.badge"), badge)?, Align::Start));
        }
        let name = b.plain(&format!("{field}.name"), &self.name)?;
        parts.push(b.heading(level, &name, Align::Start));
        let price = b.plain(&format!("{field}.price"), &self.price.0)?;
        let dress = Dress {
            size: Some("2.25rem"),
            weight: Some("700"),
            line_height: Some("1.2"),
            ..Dress::default()
        };
        parts.push(paragraph(&price, &dress.class("fabrik-price")));
        if let Some(period) = &self.period {
            let period = b.plain(&format!("{field}.period"), period)?;
            let dress = Dress {
                size: Some("0.9375rem"),
                margin: Some(["0", "1rem"]),
                ..Dress::default()
            };
            parts.push(paragraph(&period, &dress.class("fabrik-period")));
        }
        if let Some(text) = &self.text {
            parts.extend(b.paragraphs(&format!("{field}.text"), text, Align::Start, None)?);
        }
        let mut features = Vec::new();
        for (index, feature) in self.features.iter().enumerate() {
            features.push(b.inline(&format!("{field}.features[{index}]"), feature)?);
        }
        if !features.is_empty() {
            parts.push(list(false, &features, &Dress::default()));
        }
        if let Some(button) = &self.button {
            parts.push(b.one_button(&format!("{field}.button"), button, Align::Start)?);
        }
        Ok(parts)
    }
}

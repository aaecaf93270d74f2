//! `cta`: the one thing a visitor should do now.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::centered_pair;
use super::fields::{Align, Button, Look, Tone};
use super::kit::Build;
use super::{Section, Shell};

/// How a call to action is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Over the page's width, text in the middle.
    #[default]
    Banner,
    /// In a card on the page.
    Card,
    /// Text left, buttons right.
    Split,
}

/// The one thing a visitor should do now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cta {
    /// How it is laid out.
    #[serde(default)]
    variant: Variant,
    /// What is asked of the visitor.
    heading: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// How.
    buttons: Vec<Button>,
    /// How it looks. Where nothing is said, a banner has the brand's colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    look: Option<Look>,
}

impl Section for Cta {
    const KIND: &'static str = "cta";
    const NAME: &'static str = "Call to action";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.count("buttons", self.buttons.len())?;
        let tone = if self.variant == Variant::Card {
            Tone::Plain
        } else {
            Tone::Primary
        };
        let look = self.look.clone().unwrap_or(Look {
            tone,
            ..Look::default()
        });
        b.stand_on(&look);
        let align = if self.variant == Variant::Split {
            Align::Start
        } else {
            Align::Center
        };
        let words = |b: &mut Build<'_>| -> Result<_> {
            let mut parts = vec![b.heading(2, &b.inline("heading", &self.heading)?, align)];
            if let Some(text) = &self.text {
                parts.extend(b.paragraphs("text", text, align, Some("1.125rem"))?);
            }
            Ok((parts, b.buttons("buttons", &self.buttons, align)?))
        };
        let inner = match self.variant {
            Variant::Banner => {
                let (mut parts, buttons) = words(b)?;
                parts.extend(buttons);
                parts
            }
            Variant::Card => {
                let (mut parts, buttons) = b.on_card(false, words)?;
                parts.extend(buttons);
                vec![b.box_card(parts)]
            }
            Variant::Split => {
                let (parts, buttons) = words(b)?;
                vec![centered_pair([parts, buttons.into_iter().collect()])]
            }
        };
        Ok(Shell::Band(look, inner))
    }
}

//! `services`: what is offered, at more length than features.

use fabrik_blocks::Block;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{image, media_text};
use super::dress::Dress;
use super::fields::{Align, Link, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// How services are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Beside each other, each in a card.
    #[default]
    Cards,
    /// Below each other, pictures left and right in turn. Every one needs a picture.
    Rows,
}

/// What is offered, at more length than features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Services {
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
    /// The services.
    items: Vec<Service>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Service {
    /// Its name.
    title: String,
    /// What one gets.
    text: String,
    /// A picture of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// What the picture shows; empty for decoration.
    #[serde(skip_serializing_if = "Option::is_none")]
    alt: Option<String>,
    /// Where there is more about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<Link>,
}

impl Section for Services {
    const KIND: &'static str = "services";
    const NAME: &'static str = "Services";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("items", self.items.len())?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, level) = b.head(&head, Align::Center)?;
        let mut cards = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let field = format!("items[{index}]");
            let picture = match &item.image {
                Some(key) => Some(b.image(&format!("{field}.image"), key, item.alt.as_deref())?),
                None => None,
            };
            match (self.variant, picture) {
                (Variant::Rows, None) => {
                    return Err(b.wrong(&format!("{field}.image"), "a row needs a picture"));
                }
                (Variant::Rows, Some(picture)) => {
                    let parts = item.blocks(b, &field, level)?;
                    let dress = Dress {
                        margin: (index > 0).then_some(["2.5rem", "0"]),
                        ..Dress::default()
                    };
                    inner.push(media_text(&picture, index % 2 == 1, &dress, parts));
                }
                (Variant::Cards, picture) => {
                    let mut parts = Vec::new();
                    if let Some(picture) = picture {
                        let dress = Dress {
                            radius: Some(b.radius.clone()),
                            ..Dress::default()
                        };
                        parts.push(image(&picture, None, None, &dress));
                    }
                    parts.extend(b.on_card(false, |b| item.blocks(b, &field, level))?);
                    cards.push(b.card(parts, false));
                }
            }
        }
        if !cards.is_empty() {
            let per_row = if cards.len() == 2 || cards.len() == 4 {
                2
            } else {
                3
            };
            inner.extend(b.rows(per_row, cards));
        }
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

impl Service {
    fn blocks(&self, b: &mut Build<'_>, field: &str, level: u8) -> Result<Vec<Block>> {
        let title = b.inline(&format!("{field}.title"), &self.title)?;
        let mut parts = vec![b.heading(level, &title, Align::Start)];
        parts.extend(b.paragraphs(&format!("{field}.text"), &self.text, Align::Start, None)?);
        if let Some(link) = &self.link {
            parts.push(b.link_line(&format!("{field}.link"), link, Align::Start)?);
        }
        Ok(parts)
    }
}

//! `testimonials`: what customers say.

use fabrik_blocks::Block;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{Size, column, group, paragraph, quote, sized_image};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// How testimonials are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Beside each other.
    #[default]
    Grid,
    /// Beside each other, each in a card.
    Cards,
    /// Below each other, large.
    Single,
}

/// What customers say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Testimonials {
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
    /// What they say.
    items: Vec<Testimonial>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// What one customer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Testimonial {
    /// In their words.
    quote: String,
    /// Who says it.
    name: String,
    /// Their role or company.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// A picture of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// Stars, one to five.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    rating: Option<u8>,
}

impl Section for Testimonials {
    const KIND: &'static str = "testimonials";
    const NAME: &'static str = "Testimonials";

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
            let field = format!("items[{index}]");
            match self.variant {
                Variant::Grid => {
                    made.push(column(&Dress::default(), item.blocks(b, &field, None)?));
                }
                Variant::Cards => {
                    let parts = b.on_card(false, |b| item.blocks(b, &field, None))?;
                    made.push(b.card(parts, false));
                }
                Variant::Single => {
                    let dress = Dress {
                        layout: Some(b.constrained(Some("760px"))),
                        ..Dress::default()
                    };
                    let parts = item.blocks(b, &field, Some("clamp(1.25rem, 2.5vw, 1.75rem)"))?;
                    inner.push(group("div", &dress, parts));
                }
            }
        }
        if !made.is_empty() {
            let per_row = if made.len() == 2 || made.len() == 4 {
                2
            } else {
                3
            };
            inner.extend(b.rows(per_row, made));
        }
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

impl Testimonial {
    fn blocks(
        &self,
        b: &mut Build<'_>,
        field: &str,
        size: Option<&'static str>,
    ) -> Result<Vec<Block>> {
        let mut parts = Vec::new();
        if let Some(rating) = self.rating {
            if !(1..=5).contains(&rating) {
                return Err(b.wrong(&format!("{field}.rating"), "must be between 1 and 5"));
            }
            let stars = "★".repeat(usize::from(rating)) + &"☆".repeat(usize::from(5 - rating));
            parts.push(paragraph(&stars, &Dress::default().class("fabrik-rating")));
        }
        if let Some(key) = &self.image {
            let picture = b.image(&format!("{field}.image"), key, Some(&self.name))?;
            let round = Dress::default()
                .class("is-style-rounded")
                .class("fabrik-portrait");
            let styled = b.sizes_as_style();
            parts.push(sized_image(
                &picture,
                None,
                None,
                Size::Square(72),
                styled,
                &round,
            ));
        }
        let words = b.paragraphs(&format!("{field}.quote"), &self.quote, Align::Start, size)?;
        let mut cite = b.plain(&format!("{field}.name"), &self.name)?;
        if let Some(role) = &self.role {
            cite = format!("{cite}, {}", b.plain(&format!("{field}.role"), role)?);
        }
        parts.push(quote(
            words,
            Some(&cite),
            &Dress::default().class("is-style-plain"),
        ));
        Ok(parts)
    }
}

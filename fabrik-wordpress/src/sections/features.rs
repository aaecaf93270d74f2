//! `features`: what something offers, in short items.

use fabrik_blocks::Block;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{column, columns, image, paragraph};
use super::dress::Dress;
use super::fields::{Align, Link, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// How features are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Beside each other, without frames.
    #[default]
    Grid,
    /// Below each other: the title left, the text right.
    List,
    /// Beside each other, each in a card.
    Cards,
}

/// What something offers, in short items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Features {
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
    /// How many stand beside each other on wide screens.
    #[serde(default = "columns_default")]
    #[schemars(range(min = 1, max = 4))]
    columns: u8,
    /// The features.
    items: Vec<Feature>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Feature {
    /// A sign before the title, such as an emoji.
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<String>,
    /// A picture of the site above the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// What the picture shows; empty for decoration.
    #[serde(skip_serializing_if = "Option::is_none")]
    alt: Option<String>,
    /// Its name.
    title: String,
    /// What it means for the visitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Where there is more about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<Link>,
}

fn columns_default() -> u8 {
    3
}

impl Section for Features {
    const KIND: &'static str = "features";
    const NAME: &'static str = "Features";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("items", self.items.len())?;
        let per_row = b.columns_within("columns", self.columns, 4)?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let align = if self.variant == Variant::List {
            Align::Start
        } else {
            Align::Center
        };
        let (mut inner, level) = b.head(&head, align)?;
        let mut made = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let field = format!("items[{index}]");
            match self.variant {
                Variant::Cards => {
                    let parts = b.on_card(false, |b| item.blocks(b, &field, level))?;
                    made.push(b.card(parts, false));
                }
                Variant::Grid => {
                    let parts = item.blocks(b, &field, level)?;
                    made.push(column(&Dress::default(), parts));
                }
                Variant::List => {
                    let mut parts = item.blocks(b, &field, level)?;
                    let at = parts
                        .iter()
                        .position(|p| p.name() == "core/heading")
                        .map_or(0, |at| at + 1);
                    let rest = parts.split_off(at);
                    let dress = Dress {
                        align: Some("wide"),
                        ..Dress::default()
                    };
                    let pair = [parts, rest].map(|part| column(&Dress::default(), part));
                    inner.push(columns(&dress, pair.into()));
                }
            }
        }
        if !made.is_empty() {
            inner.extend(b.rows(per_row, made));
        }
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

impl Feature {
    fn blocks(&self, b: &mut Build<'_>, field: &str, level: u8) -> Result<Vec<Block>> {
        let mut parts = Vec::new();
        if let Some(key) = &self.image {
            let picture = b.image(&format!("{field}.image"), key, self.alt.as_deref())?;
            let dress = Dress {
                radius: Some(b.radius.clone()),
                ..Dress::default()
            };
            parts.push(image(&picture, None, None, &dress));
        }
        if let Some(icon) = &self.icon {
            let dress = Dress {
                size: Some("2rem"),
                line_height: Some("1"),
                ..Dress::default()
            };
            parts.push(paragraph(
                &b.plain(&format!("{field}.icon"), icon)?,
                &dress.class("fabrik-icon"),
            ));
        }
        let title = b.inline(&format!("{field}.title"), &self.title)?;
        parts.push(b.heading(level, &title, Align::Start));
        if let Some(text) = &self.text {
            parts.extend(b.paragraphs(&format!("{field}.text"), text, Align::Start, None)?);
        }
        if let Some(link) = &self.link {
            parts.push(b.link_line(&format!("{field}.link"), link, Align::Start)?);
        }
        Ok(parts)
    }
}

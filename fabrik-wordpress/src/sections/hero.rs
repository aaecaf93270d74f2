//! `hero`: what a page begins with.

use fabrik_blocks::Block;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{centered_pair, cover, group, image};
use super::dress::Dress;
use super::fields::{Align, Button, Look, Side, Tone};
use super::kit::Build;
use super::{Section, Shell};

/// How a hero is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Text alone.
    #[default]
    Plain,
    /// Text on a darkened picture over the page's width.
    Image,
    /// Text beside a picture.
    Split,
}

/// What a page begins with: what this is, for whom, and what to do next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Hero {
    /// How it is laid out. `image` and `split` need `image`.
    #[serde(default)]
    variant: Variant,
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The page's main heading.
    heading: String,
    /// What is said below it; an empty line begins a new paragraph.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What to do next. One or two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    buttons: Vec<Button>,
    /// A picture of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// What the picture shows here; empty for decoration.
    #[serde(skip_serializing_if = "Option::is_none")]
    alt: Option<String>,
    /// On which side the picture of `split` stands.
    #[serde(default)]
    image_side: Side,
    /// How text stands in `plain` and `image`.
    #[serde(default)]
    align: Align,
    /// How much the picture of `image` is darkened, in percent: text must be legible on it.
    #[serde(default = "overlay")]
    #[schemars(range(min = 30, max = 90))]
    overlay: u8,
    /// How high `image` is at least, in pixels.
    #[serde(default = "height")]
    #[schemars(range(min = 240, max = 1200))]
    height: u32,
    /// Level of the heading: 2 where the theme shows the page's title as its first heading.
    #[serde(default = "level")]
    #[schemars(range(min = 1, max = 2))]
    level: u8,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

fn overlay() -> u8 {
    60
}

fn height() -> u32 {
    560
}

fn level() -> u8 {
    1
}

impl Section for Hero {
    const KIND: &'static str = "hero";
    const NAME: &'static str = "Hero";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        if !(1..=2).contains(&self.level) {
            return Err(b.wrong("level", "must be 1 or 2"));
        }
        let picture = match (&self.image, self.variant) {
            (Some(key), Variant::Image | Variant::Split) => {
                Some(b.image("image", key, self.alt.as_deref())?)
            }
            (Some(_), Variant::Plain) => {
                return Err(b
                    .wrong("image", "a plain hero shows no picture")
                    .hint("set variant: split or variant: image"));
            }
            (None, Variant::Plain) => None,
            (None, _) => return Err(b.wrong("image", "this variant needs a picture")),
        };
        match (self.variant, picture) {
            (Variant::Image, Some(picture)) => {
                if !(30..=90).contains(&self.overlay) {
                    return Err(b.wrong(
                        "overlay",
                        "must be between 30 and 90, so that text is legible",
                    ));
                }
                if !(240..=1200).contains(&self.height) {
                    return Err(b.wrong("height", "must be between 240 and 1200"));
                }
                let before = b.stand_on_tone(Tone::Dark);
                let inner = self.words(b, self.align)?;
                b.stand_on_tone(before);
                let dress = Dress {
                    align: Some("full"),
                    padding: Some([
                        "4rem",
                        "clamp(1.25rem, 4vw, 2.5rem)",
                        "4rem",
                        "clamp(1.25rem, 4vw, 2.5rem)",
                    ]),
                    margin: Some(["0", "0"]),
                    anchor: b.anchor(&self.look)?,
                    ..Dress::default()
                }
                .class("fabrik-section")
                .class("fabrik-hero");
                // A cover of WordPress 6.1 has no layout of its own.
                let narrow = (self.align == Align::Center).then_some("860px");
                let within = Dress {
                    layout: Some(b.constrained(narrow)),
                    ..Dress::default()
                };
                let inner = vec![group("div", &within, inner)];
                let overlay = (self.overlay + 5) / 10 * 10;
                Ok(Shell::Whole(cover(
                    &picture,
                    overlay,
                    self.height,
                    &dress,
                    inner,
                )))
            }
            (Variant::Split, Some(picture)) => {
                b.stand_on(&self.look);
                let words = self.words(b, Align::Start)?;
                let dress = Dress {
                    radius: Some(b.radius.clone()),
                    ..Dress::default()
                };
                let picture = vec![image(&picture, None, None, &dress)];
                let pair = match self.image_side {
                    Side::Left => [picture, words],
                    Side::Right => [words, picture],
                };
                Ok(Shell::Band(self.look.clone(), vec![centered_pair(pair)]))
            }
            _ => {
                b.stand_on(&self.look);
                Ok(Shell::Band(self.look.clone(), self.words(b, self.align)?))
            }
        }
    }
}

impl Hero {
    fn words(&self, b: &Build<'_>, align: Align) -> Result<Vec<Block>> {
        let mut inner = Vec::new();
        if let Some(eyebrow) = &self.eyebrow {
            inner.push(b.eyebrow(&b.plain("eyebrow", eyebrow)?, align));
        }
        inner.push(b.heading(self.level, &b.inline("heading", &self.heading)?, align));
        if let Some(text) = &self.text {
            inner.extend(b.paragraphs(
                "text",
                text,
                align,
                Some("clamp(1.125rem, 1.6vw, 1.375rem)"),
            )?);
        }
        inner.extend(b.buttons("buttons", &self.buttons, align)?);
        Ok(inner)
    }
}

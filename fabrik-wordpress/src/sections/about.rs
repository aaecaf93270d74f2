//! `about`: a picture and a story beside it.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{list, media_text};
use super::dress::Dress;
use super::fields::{Align, Button, Look, Side};
use super::kit::Build;
use super::{Section, Shell};

/// A picture and a story beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    heading: String,
    /// The story; an empty line begins a new paragraph.
    text: String,
    /// Points below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    points: Vec<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    buttons: Vec<Button>,
    /// A picture of the site.
    image: String,
    /// What the picture shows; empty for decoration.
    #[serde(skip_serializing_if = "Option::is_none")]
    alt: Option<String>,
    /// On which side the picture stands.
    #[serde(default)]
    image_side: Side,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

impl Section for About {
    const KIND: &'static str = "about";
    const NAME: &'static str = "About";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        let picture = b.image("image", &self.image, self.alt.as_deref())?;
        let mut parts = Vec::new();
        if let Some(eyebrow) = &self.eyebrow {
            parts.push(b.eyebrow(&b.plain("eyebrow", eyebrow)?, Align::Start));
        }
        parts.push(b.heading(2, &b.inline("heading", &self.heading)?, Align::Start));
        parts.extend(b.paragraphs("text", &self.text, Align::Start, None)?);
        let mut points = Vec::new();
        for (index, point) in self.points.iter().enumerate() {
            points.push(b.inline(&format!("points[{index}]"), point)?);
        }
        if !points.is_empty() {
            parts.push(list(false, &points, &Dress::default()));
        }
        parts.extend(b.buttons("buttons", &self.buttons, Align::Start)?);
        let right = self.image_side == Side::Right;
        let block = media_text(&picture, right, &Dress::default(), parts);
        Ok(Shell::Band(self.look.clone(), vec![block]))
    }
}

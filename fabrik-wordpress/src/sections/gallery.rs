//! `gallery`: pictures.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::gallery;
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// Pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Gallery {
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// The pictures.
    images: Vec<Picture>,
    /// How many stand beside each other.
    #[serde(default = "columns_default")]
    #[schemars(range(min = 1, max = 8))]
    columns: u8,
    /// Whether pictures are cut to equal shapes.
    #[serde(default = "crop_default")]
    crop: bool,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A picture of a gallery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Picture {
    /// A picture of the site.
    image: String,
    /// What it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    alt: Option<String>,
    /// What is said below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
}

fn columns_default() -> u8 {
    3
}

fn crop_default() -> bool {
    true
}

impl Section for Gallery {
    const KIND: &'static str = "gallery";
    const NAME: &'static str = "Gallery";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("images", self.images.len())?;
        let columns = b.columns_within("columns", self.columns, 8)?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, _) = b.head(&head, Align::Center)?;
        let mut pictures = Vec::new();
        for (index, item) in self.images.iter().enumerate() {
            let field = format!("images[{index}]");
            let picture = b.image(&format!("{field}.image"), &item.image, item.alt.as_deref())?;
            let caption = match &item.caption {
                Some(caption) => Some(b.inline(&format!("{field}.caption"), caption)?),
                None => None,
            };
            pictures.push((picture, caption));
        }
        let dress = Dress {
            align: Some("wide"),
            ..Dress::default()
        };
        inner.push(gallery(&pictures, columns, self.crop, &dress));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

//! `logos`: whom one works with.

use fabrik_blocks::Json;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{Size, group, sized_image};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// Whom one works with: logos in a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Logos {
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// The logos.
    logos: Vec<Logo>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A logo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Logo {
    /// A picture of the site.
    image: String,
    /// Whose logo it is.
    name: String,
    /// Their site.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

impl Section for Logos {
    const KIND: &'static str = "logos";
    const NAME: &'static str = "Logos";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("logos", self.logos.len())?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, _) = b.head(&head, Align::Center)?;
        let mut row = Vec::new();
        for (index, logo) in self.logos.iter().enumerate() {
            let field = format!("logos[{index}]");
            let picture = b.image(&format!("{field}.image"), &logo.image, Some(&logo.name))?;
            let link = match &logo.to {
                Some(to) => Some(b.link(&format!("{field}.to"), to)?),
                None => None,
            };
            row.push(sized_image(
                &picture,
                None,
                link.as_deref(),
                Size::Width(140),
                b.sizes_as_style(),
                &Dress::default().class("fabrik-logo"),
            ));
        }
        let layout = Json::object([
            ("type", Json::from("flex")),
            ("flexWrap", Json::from("wrap")),
            ("justifyContent", Json::from("center")),
            ("verticalAlignment", Json::from("center")),
        ]);
        let dress = Dress {
            align: Some("wide"),
            gap: Some("clamp(1.5rem, 4vw, 3.5rem)"),
            layout: Some(layout),
            ..Dress::default()
        };
        inner.push(group("div", &dress.class("fabrik-logo-row"), row));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

//! `newsletter`: a form to subscribe with.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{group, shortcode};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::Build;
use super::{Section, Shell};

/// A form to subscribe with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Newsletter {
    /// What one subscribes to.
    heading: String,
    /// What one gets, and how often.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// A form of the site.
    form: String,
    /// What happens to the address, with a link to the privacy page.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

impl Section for Newsletter {
    const KIND: &'static str = "newsletter";
    const NAME: &'static str = "Newsletter";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        let mut parts = vec![b.heading(2, &b.inline("heading", &self.heading)?, Align::Center)];
        if let Some(text) = &self.text {
            parts.extend(b.paragraphs("text", text, Align::Center, Some("1.125rem"))?);
        }
        parts.push(shortcode(&b.form("form", &self.form)?));
        if let Some(note) = &self.note {
            parts.extend(b.paragraphs("note", note, Align::Center, Some("0.875rem"))?);
        }
        let dress = Dress {
            layout: Some(b.constrained(Some("640px"))),
            ..Dress::default()
        };
        Ok(Shell::Band(
            self.look.clone(),
            vec![group("div", &dress, parts)],
        ))
    }
}

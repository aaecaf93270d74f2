//! `posts`: the newest posts of the blog.

use fabrik_blocks::{Block, Json};
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields::{Align, Button, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// How posts are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Beside each other.
    #[default]
    Grid,
    /// Below each other.
    List,
}

/// The newest posts of the blog, as they are when the page is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Posts {
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
    /// How many.
    #[serde(default = "count_default")]
    #[schemars(range(min = 1, max = 24))]
    count: u8,
    /// How many stand beside each other in a grid.
    #[serde(default = "columns_default")]
    #[schemars(range(min = 2, max = 4))]
    columns: u8,
    /// Whether their beginnings are shown.
    #[serde(default = "yes")]
    excerpt: bool,
    /// Whether their dates are shown.
    #[serde(default = "yes")]
    date: bool,
    /// Whether their pictures are shown.
    #[serde(default = "yes")]
    image: bool,
    /// Where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    button: Option<Button>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

fn count_default() -> u8 {
    3
}

fn columns_default() -> u8 {
    3
}

fn yes() -> bool {
    true
}

impl Section for Posts {
    const KIND: &'static str = "posts";
    const NAME: &'static str = "Posts";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.columns_within("count", self.count, 24)?;
        if !(2..=4).contains(&self.columns) {
            return Err(b.wrong("columns", "must be between 2 and 4"));
        }
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, _) = b.head(&head, Align::Center)?;
        let mut attrs = vec![("postsToShow", Json::from(u32::from(self.count)))];
        if self.excerpt {
            attrs.push(("displayPostContent", Json::Bool(true)));
            attrs.push(("excerptLength", Json::from(24)));
        }
        if self.date {
            attrs.push(("displayPostDate", Json::Bool(true)));
        }
        if self.variant == Variant::Grid {
            attrs.push(("postLayout", Json::from("grid")));
            attrs.push(("columns", Json::from(u32::from(self.columns))));
        }
        if self.image {
            attrs.push(("displayFeaturedImage", Json::Bool(true)));
            attrs.push(("featuredImageSizeSlug", Json::from("medium_large")));
            attrs.push(("addLinkToFeaturedImage", Json::Bool(true)));
        }
        attrs.push(("align", Json::from("wide")));
        inner.push(Block::new("latest-posts").with_attrs(Json::object(attrs)));
        if let Some(button) = &self.button {
            inner.push(b.one_button("button", button, Align::Center)?);
        }
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

//! `team`: who works here.

use fabrik_blocks::Block;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{Size, column, sized_image, social_links};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// How people are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Beside each other, portraits round.
    #[default]
    Grid,
    /// Beside each other, each in a card.
    Cards,
}

/// Who works here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Team {
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
    /// The people.
    members: Vec<Member>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Member {
    /// Their name.
    name: String,
    /// What they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// A sentence about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// A portrait.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// Where else they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<Profile>,
}

/// A profile at a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Profile {
    /// The service.
    service: Service,
    /// The profile's address.
    url: String,
}

/// Services with a sign of their own in WordPress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "names of services say what they are")]
pub(super) enum Service {
    Bandcamp,
    Behance,
    Dribbble,
    Facebook,
    Flickr,
    Github,
    Instagram,
    Linkedin,
    Mastodon,
    Medium,
    Pinterest,
    Reddit,
    Soundcloud,
    Spotify,
    Telegram,
    Tiktok,
    Tumblr,
    Twitch,
    Twitter,
    Vimeo,
    Whatsapp,
    Youtube,
}

impl Service {
    fn slug(self) -> &'static str {
        match self {
            Service::Bandcamp => "bandcamp",
            Service::Behance => "behance",
            Service::Dribbble => "dribbble",
            Service::Facebook => "facebook",
            Service::Flickr => "flickr",
            Service::Github => "github",
            Service::Instagram => "instagram",
            Service::Linkedin => "linkedin",
            Service::Mastodon => "mastodon",
            Service::Medium => "medium",
            Service::Pinterest => "pinterest",
            Service::Reddit => "reddit",
            Service::Soundcloud => "soundcloud",
            Service::Spotify => "spotify",
            Service::Telegram => "telegram",
            Service::Tiktok => "tiktok",
            Service::Tumblr => "tumblr",
            Service::Twitch => "twitch",
            Service::Twitter => "twitter",
            Service::Vimeo => "vimeo",
            Service::Whatsapp => "whatsapp",
            Service::Youtube => "youtube",
        }
    }
}

fn columns_default() -> u8 {
    3
}

impl Section for Team {
    const KIND: &'static str = "team";
    const NAME: &'static str = "Team";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        b.count("members", self.members.len())?;
        let per_row = b.columns_within("columns", self.columns, 4)?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, level) = b.head(&head, Align::Center)?;
        let mut made = Vec::new();
        for (index, member) in self.members.iter().enumerate() {
            let field = format!("members[{index}]");
            if self.variant == Variant::Cards {
                let parts = b.on_card(false, |b| member.blocks(b, &field, level))?;
                made.push(b.card(parts, false));
            } else {
                made.push(column(&Dress::default(), member.blocks(b, &field, level)?));
            }
        }
        inner.extend(b.rows(per_row, made));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

impl Member {
    fn blocks(&self, b: &mut Build<'_>, field: &str, level: u8) -> Result<Vec<Block>> {
        let mut parts = Vec::new();
        if let Some(key) = &self.image {
            let picture = b.image(&format!("{field}.image"), key, Some(&self.name))?;
            let dress = Dress {
                align: Some("center"),
                ..Dress::default()
            };
            let round = dress.class("is-style-rounded");
            let styled = b.sizes_as_style();
            parts.push(sized_image(
                &picture,
                None,
                None,
                Size::Square(160),
                styled,
                &round,
            ));
        }
        let name = b.plain(&format!("{field}.name"), &self.name)?;
        parts.push(b.heading(level, &name, Align::Center));
        if let Some(role) = &self.role {
            let role = b.plain(&format!("{field}.role"), role)?;
            parts.push(b.paragraph(&role, Align::Center, Some("0.9375rem")));
        }
        if let Some(text) = &self.text {
            parts.extend(b.paragraphs(&format!("{field}.text"), text, Align::Center, None)?);
        }
        let mut links = Vec::new();
        for (index, link) in self.links.iter().enumerate() {
            links.push((
                link.service.slug(),
                b.address(&format!("{field}.links[{index}].url"), &link.url)?,
            ));
        }
        if !links.is_empty() {
            parts.push(social_links(&links, true));
        }
        Ok(parts)
    }
}

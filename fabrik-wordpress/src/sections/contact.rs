//! `contact`: how to reach somebody.

use fabrik_blocks::Block;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{attribute_of_address, column, columns, group, list, shortcode};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// How to reach somebody: a form, an address, or both. At least one of `form`, `address`, `email`
/// and `phone` is needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Contact {
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// A form of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<String>,
    /// A postal address, in lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// An e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// A telephone number, as people write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// When somebody is there, a line each: `Monday to Friday, 9–17`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hours: Vec<String>,
    /// Heading above the hours.
    #[serde(default = "hours_label")]
    hours_label: String,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

fn hours_label() -> String {
    "Opening hours".to_owned()
}

impl Section for Contact {
    const KIND: &'static str = "contact";
    const NAME: &'static str = "Contact";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let align = Align::Center;
        let (mut inner, level) = b.head(&head, align)?;
        let details = self.details(b, level)?;
        let form = match &self.form {
            Some(key) => Some(shortcode(&b.form("form", key)?)),
            None => None,
        };
        match (details.is_empty(), form) {
            (true, None) => {
                return Err(b
                    .wrong("form", "there is nothing to contact")
                    .hint("give a form, an address, an e-mail address or a telephone number"));
            }
            (false, Some(form)) => {
                let dress = Dress {
                    align: Some("wide"),
                    ..Dress::default()
                };
                let pair = vec![
                    column(&Dress::default(), details),
                    column(&Dress::default(), vec![form]),
                ];
                inner.push(columns(&dress, pair));
            }
            (true, Some(form)) => inner.push(self.narrow(b, vec![form])),
            (false, None) => inner.push(self.narrow(b, details)),
        }
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

impl Contact {
    fn narrow(&self, b: &Build<'_>, parts: Vec<Block>) -> Block {
        let dress = Dress {
            layout: Some(b.constrained(Some("680px"))),
            ..Dress::default()
        };
        group("div", &dress, parts)
    }

    fn details(&self, b: &Build<'_>, level: u8) -> Result<Vec<Block>> {
        let mut parts = Vec::new();
        if let Some(address) = &self.address {
            parts.extend(b.paragraphs("address", address, Align::Start, None)?);
        }
        if let Some(email) = &self.email {
            let plain = b.plain("email", email)?;
            let (name, host) = email.split_once('@').unwrap_or_default();
            let fits = |part: &str| {
                !part.is_empty()
                    && part
                        .chars()
                        .all(|c| c.is_alphanumeric() || "._+-".contains(c))
            };
            if !fits(name) || !fits(host) || !host.contains('.') {
                return Err(b.wrong("email", "is no e-mail address"));
            }
            let address = b.link("email", &format!("mailto:{email}"))?;
            let html = format!("<a href=\"{}\">{plain}</a>", attribute_of_address(&address));
            parts.push(b.paragraph(&html, Align::Start, None));
        }
        if let Some(phone) = &self.phone {
            let plain = b.plain("phone", phone)?;
            let number: String = phone
                .chars()
                .filter(|c| c.is_ascii_digit() || *c == '+')
                .collect();
            let fits = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-/().".contains(c);
            if number.len() < 3 || !phone.chars().all(fits) {
                return Err(b.wrong("phone", "is no telephone number"));
            }
            parts.push(b.paragraph(
                &format!("<a href=\"tel:{number}\">{plain}</a>"),
                Align::Start,
                None,
            ));
        }
        if !self.hours.is_empty() {
            parts.push(b.heading(
                level,
                &b.plain("hours_label", &self.hours_label)?,
                Align::Start,
            ));
            let mut lines = Vec::new();
            for (index, line) in self.hours.iter().enumerate() {
                lines.push(b.plain(&format!("hours[{index}]"), line)?);
            }
            parts.push(list(false, &lines, &Dress::default()));
        }
        Ok(parts)
    }
}

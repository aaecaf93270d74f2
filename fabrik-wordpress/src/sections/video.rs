//! `video`: a film of a service that WordPress knows.

use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{embed, group};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// A film of YouTube or Vimeo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Video {
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// The film's page: `https://www.youtube.com/watch?v=…`, `https://youtu.be/…` or `https://vimeo.com/…`.
    url: String,
    /// What is said below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

impl Section for Video {
    const KIND: &'static str = "video";
    const NAME: &'static str = "Video";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, _) = b.head(&head, Align::Center)?;
        let address = b.address("url", &self.url)?;
        let Some((service, page)) = film(&address) else {
            return Err(b
                .wrong("url", "is no film of YouTube or Vimeo")
                .hint("give the address of the film's page, such as https://www.youtube.com/watch?v=abc123"));
        };
        let caption = match &self.caption {
            Some(caption) => Some(b.inline("caption", caption)?),
            None => None,
        };
        let dress = Dress {
            layout: Some(b.constrained(Some("960px"))),
            ..Dress::default()
        };
        let block = embed(&page, "video", service, caption.as_deref());
        inner.push(group("div", &dress, vec![block]));
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

/// The service, and the film's page as that service writes it.
fn film(address: &str) -> Option<(&'static str, String)> {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let id = |text: &str, least: usize| {
        let end = text.find(['?', '&', '#', '/']).unwrap_or(text.len());
        let id = &text[..end];
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        (id.len() >= least && id.len() <= 32 && id.bytes().all(fits)).then(|| id.to_owned())
    };
    match host.strip_prefix("www.").unwrap_or(host) {
        "youtube.com" | "m.youtube.com" => {
            let found = match path.split_once("v=") {
                Some((before, after))
                    if before.starts_with("watch?") && before.ends_with(['?', '&']) =>
                {
                    after
                }
                _ => path
                    .strip_prefix("shorts/")
                    .or_else(|| path.strip_prefix("embed/"))?,
            };
            Some((
                "youtube",
                format!("https://www.youtube.com/watch?v={}", id(found, 6)?),
            ))
        }
        "youtu.be" => Some((
            "youtube",
            format!("https://www.youtube.com/watch?v={}", id(path, 6)?),
        )),
        "vimeo.com" => {
            let number = id(path, 3)?;
            number
                .bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| ("vimeo", format!("https://vimeo.com/{number}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::film;

    #[test]
    fn films_are_known_by_their_pages() {
        for (address, page) in [
            (
                "https://www.youtube.com/watch?v=abc-123_X",
                "https://www.youtube.com/watch?v=abc-123_X",
            ),
            (
                "https://youtube.com/watch?t=1&v=abc123&x=y",
                "https://www.youtube.com/watch?v=abc123",
            ),
            (
                "https://youtu.be/abc123?t=9",
                "https://www.youtube.com/watch?v=abc123",
            ),
            (
                "https://www.youtube.com/shorts/abc123",
                "https://www.youtube.com/watch?v=abc123",
            ),
            ("https://vimeo.com/12345", "https://vimeo.com/12345"),
        ] {
            assert_eq!(film(address).unwrap().1, page);
        }
        for address in [
            "https://evil.test/watch?v=abc123",
            "https://youtube.com.evil.test/watch?v=abc123",
            "https://www.youtube.com/watch?v=",
            "https://vimeo.com/abc",
            "https://vimeo.com",
            "https://www.youtube.com/redirect?q=//evil&v=abc123",
        ] {
            assert!(film(address).is_none(), "{address}");
        }
    }
}

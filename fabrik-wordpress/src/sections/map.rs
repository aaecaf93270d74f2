//! `map`: where somebody is.

use fabrik_blocks::text::attribute;
use fabrik_core::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::{attribute_of_address, button, buttons, html};
use super::dress::Dress;
use super::fields::{Align, Look};
use super::kit::{Build, Head};
use super::{Section, Shell};

/// Who draws a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Service {
    /// OpenStreetMap.
    #[default]
    Openstreetmap,
    /// Google Maps.
    Google,
}

/// How a map is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// In the page. The visitor's browser asks the map's service when the page is opened; accounts
    /// that may not put unfiltered HTML into pages cannot use it.
    Embed,
    /// As a button that opens the map: nothing is asked of anybody before.
    #[default]
    Link,
}

/// Where somebody is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Map {
    /// How the map is shown.
    #[serde(default)]
    variant: Variant,
    /// Who draws it.
    #[serde(default)]
    service: Service,
    /// A few words above the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    eyebrow: Option<String>,
    /// The section's heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<String>,
    /// What is said below the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<String>,
    /// Degrees north; south is negative.
    #[schemars(range(min = -90.0, max = 90.0))]
    latitude: f64,
    /// Degrees east; west is negative.
    #[schemars(range(min = -180.0, max = 180.0))]
    longitude: f64,
    /// How close, from 1 (the world) to 19 (a house).
    #[serde(default = "zoom_default")]
    #[schemars(range(min = 1, max = 19))]
    zoom: u8,
    /// The address, in lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// What the map is called for those who do not see it, and what the button says.
    #[serde(default = "label_default")]
    label: String,
    /// How it looks.
    #[serde(default)]
    look: Look,
}

fn zoom_default() -> u8 {
    15
}

fn label_default() -> String {
    "Open the map".to_owned()
}

impl Section for Map {
    const KIND: &'static str = "map";
    const NAME: &'static str = "Map";

    fn build(&self, b: &mut Build<'_>) -> Result<Shell> {
        b.stand_on(&self.look);
        if !(-90.0..=90.0).contains(&self.latitude) {
            return Err(b.wrong("latitude", "must be between -90 and 90"));
        }
        if !(-180.0..=180.0).contains(&self.longitude) {
            return Err(b.wrong("longitude", "must be between -180 and 180"));
        }
        b.columns_within("zoom", self.zoom, 19)?;
        let head = Head {
            eyebrow: self.eyebrow.as_deref(),
            heading: self.heading.as_deref(),
            intro: self.intro.as_deref(),
        };
        let (mut inner, _) = b.head(&head, Align::Center)?;
        if let Some(address) = &self.address {
            inner.extend(b.paragraphs("address", address, Align::Center, None)?);
        }
        let label = b.plain("label", &self.label)?;
        match self.variant {
            Variant::Link => {
                let dress = Dress {
                    radius: Some(b.radius.clone()),
                    ..Dress::default()
                };
                let outline = button(&label, &self.page(), true, &dress);
                inner.push(buttons(true, vec![outline]));
            }
            Variant::Embed => {
                // An editor saves this block's HTML as a browser writes it, with `<` and `>` as
                // they are in attributes; a title like `-->` would then end a comment.
                let text = format!(
                    "<iframe src=\"{}\" title=\"{}\" width=\"100%\" height=\"420\" style=\"border:0\" loading=\"lazy\" referrerpolicy=\"no-referrer\"></iframe>",
                    attribute_of_address(&self.frame()),
                    attribute(&self.label.replace(['<', '>'], ""))
                );
                inner.push(html(&text));
            }
        }
        Ok(Shell::Band(self.look.clone(), inner))
    }
}

impl Map {
    /// The map's own page.
    fn page(&self) -> String {
        let (lat, lon, zoom) = (self.latitude, self.longitude, self.zoom);
        match self.service {
            Service::Openstreetmap => {
                format!(
                    "https://www.openstreetmap.org/?mlat={lat:.6}&mlon={lon:.6}#map={zoom}/{lat:.6}/{lon:.6}"
                )
            }
            Service::Google => format!("https://www.google.com/maps?q={lat:.6},{lon:.6}&z={zoom}"),
        }
    }

    /// The map to stand in a frame.
    fn frame(&self) -> String {
        let (lat, lon, zoom) = (self.latitude, self.longitude, self.zoom);
        match self.service {
            Service::Openstreetmap => {
                // What is seen at a zoom halves with each step.
                let half = 360.0 / f64::from(1_u32 << zoom);
                let (west, east) = ((lon - half).max(-180.0), (lon + half).min(180.0));
                let (south, north) = ((lat - half / 2.0).max(-90.0), (lat + half / 2.0).min(90.0));
                format!(
                    "https://www.openstreetmap.org/export/embed.html?bbox={west:.6}%2C{south:.6}%2C{east:.6}%2C{north:.6}&layer=mapnik&marker={lat:.6}%2C{lon:.6}"
                )
            }
            Service::Google => {
                format!("https://www.google.com/maps?q={lat:.6},{lon:.6}&z={zoom}&output=embed")
            }
        }
    }
}

//! Fields that several types of section have.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// How a section stands out from the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tone {
    /// The page's own background.
    #[default]
    Plain,
    /// A quiet background, to tell neighbours apart.
    Muted,
    /// The brand's main colour.
    Primary,
    /// A dark background with light text.
    Dark,
}

/// Space above and below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Space {
    /// For narrow bands, such as logos.
    Small,
    /// What most sections have.
    #[default]
    Normal,
    /// For the section a page lives from.
    Large,
}

/// How text and headings of a section stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Align {
    /// At the start of the line: left, or right in languages written from the right.
    Start,
    /// In the middle.
    #[default]
    Center,
}

/// How a section looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Look {
    /// Its background and the colour of its text.
    pub(super) tone: Tone,
    /// Space above and below.
    pub(super) space: Space,
    /// A name to link to: `#prices`. Lower-case letters, digits and dashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) anchor: Option<String>,
}

/// A button's weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ButtonStyle {
    /// What the page wants visitors to do.
    #[default]
    Primary,
    /// The other thing they may do: an outline.
    Outline,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Button {
    /// What it says.
    pub(super) label: String,
    /// Where it leads: a page's key, a path, `#anchor`, or an address with `https:`, `mailto:`, `tel:`.
    pub(super) to: String,
    /// Its weight.
    #[serde(default)]
    pub(super) style: ButtonStyle,
}

/// A link in running text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    /// What it says; that it can stand alone helps those who jump from link to link.
    pub(super) label: String,
    /// Where it leads, as for a button.
    pub(super) to: String,
}

/// On which side of the text something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    /// Left.
    Left,
    /// Right.
    #[default]
    Right,
}

/// Short text that may be written as a number: a price, a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub(super) struct Figure(#[schemars(with = "FigureSchema")] pub(super) String);

/// What a figure may be written as.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum FigureSchema {
    /// As text: `"49 €"`.
    Text(String),
    /// As a number: `49`.
    Number(f64),
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Figure, D::Error> {
        match serde_json::Value::deserialize(from)? {
            serde_json::Value::String(text) => Ok(Figure(text)),
            serde_json::Value::Number(number) => Ok(Figure(number.to_string())),
            _ => Err(serde::de::Error::custom("expected text or a number")),
        }
    }
}

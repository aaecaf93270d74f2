//! Colours, fonts and more CSS of a theme.
//!
//! What a theme keeps where is in its file here: a list of values, each at its place in an option (or
//! in the JSON of a block theme's global styles). Only these values are read and written, so that what
//! somebody set in the customiser beside them stays.

mod astra;
mod block;
mod css;
mod generatepress;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Finding, TypeInfo};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::values::{self, Entry, Values};
use crate::content::{Content, Write, ids};
use crate::request::Facts;

/// A theme whose settings are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StyledTheme {
    /// Astra, 3.7 or newer, or a child of it.
    Astra,
    /// GeneratePress, 3.1 or newer, or a child of it.
    GeneratePress,
    /// Any theme made of blocks: its global styles.
    Block,
}

impl StyledTheme {
    fn name(self) -> &'static str {
        match self {
            Self::Astra => "astra",
            Self::GeneratePress => "generatepress",
            Self::Block => "block",
        }
    }

    fn of(id: &str) -> Result<StyledTheme> {
        [Self::Astra, Self::GeneratePress, Self::Block]
            .into_iter()
            .find(|theme| theme.name() == id)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Invalid,
                    "the id of a style is `astra`, `generatepress` or `block`",
                )
            })
    }
}

/// A colour with a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaletteColor {
    /// Its name in classes and variables: `primary`.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// `#1e73be`, `rgb(30 115 190)`, `hsl(…)`, `oklch(…)`.
    pub color: String,
}

/// Fonts, as CSS lists them: `Inter, sans-serif`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StyleFonts {
    /// Of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Of headings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
}

/// What has which colour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StyleColors {
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The ground of pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<String>,
    /// Headings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    /// Links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Links below the pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_hover: Option<String>,
    /// The ground of buttons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub button: Option<String>,
    /// The text of buttons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub button_text: Option<String>,
}

/// How the active theme looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThemeStyleSpec {
    /// Whose settings are written; it has to be the active theme.
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub theme: StyledTheme,
    /// Colours with names. Astra has nine places for them, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub palette: Vec<PaletteColor>,
    /// Fonts.
    #[serde(default)]
    pub fonts: StyleFonts,
    /// What has which colour.
    #[serde(default)]
    pub colors: StyleColors,
    /// Room between blocks: `compact`, `normal`, `airy`, or a length such as `1.5rem`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spacing: Option<String>,
    /// How round corners of buttons are: a length such as `8px`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius: Option<String>,
    /// More CSS. Nothing may be loaded by it from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub css: Option<String>,
}

/// What WordPress tells besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ThemeStyleOutputs {
    /// The site's address.
    pub url: String,
}

/// The type `wordpress.theme_style`.
pub struct ThemeStyle;

impl ThemeStyleSpec {
    fn nothing(theme: StyledTheme) -> ThemeStyleSpec {
        ThemeStyleSpec {
            theme,
            palette: Vec::new(),
            fonts: StyleFonts::default(),
            colors: StyleColors::default(),
            spacing: None,
            radius: None,
            css: None,
        }
    }

    /// All values with their places; always the same ones in the same order for one theme.
    fn entries(&self) -> Vec<Entry> {
        let mut entries = match self.theme {
            StyledTheme::Astra => astra::entries(self),
            StyledTheme::GeneratePress => generatepress::entries(self),
            StyledTheme::Block => block::entries(self),
        };
        let css = css::of(self);
        // Where no option holds it: among the CSS of the customiser, between two marks.
        entries.push(Entry::option("css", "fabrik:css", css.map(Json::from)));
        entries
    }

    fn gap(&self) -> Option<&str> {
        self.spacing.as_deref().map(|word| match word {
            "compact" => "1rem",
            "normal" => "1.5rem",
            "airy" => "2.5rem",
            length => length,
        })
    }
}

/// A value inside an option.
fn at(field: &str, name: &str, path: &[&str], value: Option<Json>) -> Entry {
    Entry {
        path: path.iter().map(|key| (*key).to_owned()).collect(),
        ..Entry::option(field, name, value)
    }
}

fn some(text: Option<&String>) -> Option<Json> {
    text.map(|text| json!(text))
}

impl Content for ThemeStyle {
    const TYPE: &'static str = "wordpress.theme_style";
    type Spec = ThemeStyleSpec;
    type Outputs = ThemeStyleOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "THEME".into(),
            ..info
        }
    }

    fn check(spec: &ThemeStyleSpec) -> Result<()> {
        css::check(spec)
    }

    fn preflight(_: &ThemeStyleSpec, facts: &Facts) -> Vec<Finding> {
        super::rights(facts, &["edit_theme_options"])
    }

    fn read(id: &str, prior: Option<&ThemeStyleSpec>) -> Result<Json> {
        let nothing = ThemeStyleSpec::nothing(StyledTheme::of(id)?);
        let mut op = values::read(id, &prior.unwrap_or(&nothing).entries());
        op["kind"] = json!("style");
        Ok(op)
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "style", "do": "list", "id": "", "entries": []}))
    }

    fn seen(
        raw: &Json,
        prior: Option<&ThemeStyleSpec>,
    ) -> Result<(ThemeStyleSpec, ThemeStyleOutputs)> {
        let theme = StyledTheme::of(&ids::of(raw))?;
        let mut spec = ThemeStyleSpec::nothing(theme);
        let sent = prior
            .filter(|prior| prior.theme == theme)
            .unwrap_or(&spec)
            .clone();
        let values = Values::of(raw);
        for (position, entry) in sent.entries().iter().enumerate() {
            let found = values.at(position);
            let is_as_sent = match (&entry.value, found) {
                (Some(sent), Some(found)) => values::same(sent, found),
                (None, _) => true,
                (Some(_), None) => false,
            };
            css::tell(
                &mut spec,
                &sent,
                &entry.field,
                found.filter(|_| !is_as_sent),
                is_as_sent,
            );
        }
        Ok((
            spec,
            ThemeStyleOutputs {
                url: ids::text(raw, "url"),
            },
        ))
    }

    fn write(write: &Write<'_, ThemeStyleSpec>) -> Result<Json> {
        let theme = match write.spec.or(write.prior) {
            Some(spec) => spec.theme,
            None => StyledTheme::of(write.id)?,
        };
        let entries = |spec: Option<&ThemeStyleSpec>| {
            spec.unwrap_or(&ThemeStyleSpec::nothing(theme)).entries()
        };
        let mut op = values::write(write, theme.name(), &entries);
        op["kind"] = json!("style");
        op["style"] = json!(theme.name());
        Ok(op)
    }
}

fn wrong(field: &str, text: String, hint: &str) -> Error {
    Error::new(ErrorKind::Invalid, text)
        .field(Path::parse(field))
        .hint(hint)
}

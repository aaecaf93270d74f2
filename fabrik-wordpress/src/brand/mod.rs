//! The brand: from a few colours to a whole palette, fonts and room, for any theme.

mod color;

use fabrik_core::error::{Error, Result};
use fabrik_core::value::Value;

pub(crate) use color::Color;

use crate::note::invalid;

/// A colour of the palette.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slug {
    /// What it is called in themes and sections.
    pub slug: &'static str,
    /// Its name in the editor.
    pub name: &'static str,
    /// What it is for.
    pub what: &'static str,
}

impl Slug {
    /// What a colour is called in a theme's palette. WordPress makes classes of it, `has-SLUG-color`
    /// among them, and some of those mean something else: `has-text-color`, `has-border-color`.
    pub(crate) fn in_theme(name: &str) -> String {
        format!("brand-{name}")
    }
}

/// The palette, the same for every theme.
pub(crate) const SLUGS: &[Slug] = &[
    Slug {
        slug: "primary",
        name: "Primary",
        what: "Buttons and links",
    },
    Slug {
        slug: "on-primary",
        name: "On primary",
        what: "Text on `primary`",
    },
    Slug {
        slug: "secondary",
        name: "Secondary",
        what: "Dark areas, such as a call to action",
    },
    Slug {
        slug: "on-secondary",
        name: "On secondary",
        what: "Text on `secondary`",
    },
    Slug {
        slug: "accent",
        name: "Accent",
        what: "Small marks that stand out",
    },
    Slug {
        slug: "background",
        name: "Background",
        what: "The page",
    },
    Slug {
        slug: "surface",
        name: "Surface",
        what: "Cards, and every other section",
    },
    Slug {
        slug: "border",
        name: "Border",
        what: "Lines around cards",
    },
    Slug {
        slug: "text",
        name: "Text",
        what: "Running text",
    },
    Slug {
        slug: "muted",
        name: "Muted",
        what: "Text that stands back",
    },
];

/// How much room there is.
pub(crate) const SPACINGS: &[&str] = &["compact", "normal", "airy"];

/// Text and what it stands on, and whether small text is set in it.
const PAIRS: &[(&str, &str)] = &[
    ("text", "background"),
    ("text", "surface"),
    ("muted", "background"),
    ("muted", "surface"),
    ("on-primary", "primary"),
    ("on-secondary", "secondary"),
    ("primary", "background"),
];
/// Contrast below which text is hard to read (WCAG 2, level AA).
const READABLE: f64 = 4.5;
/// Contrast below which not even large text can be read.
const LEAST: f64 = 3.0;

/// A brand with everything in it.
#[derive(Clone, Debug)]
pub(crate) struct Brand {
    /// Colours in the order of [`SLUGS`].
    pub colors: Vec<(Slug, Color)>,
    /// Font of running text.
    pub body: Option<String>,
    /// Font of headings.
    pub heading: Option<String>,
    /// `compact`, `normal` or `airy`.
    pub spacing: String,
    /// A length.
    pub radius: String,
    /// More CSS.
    pub css: Option<String>,
    /// Whether the spec (or preset) says anything.
    pub given: bool,
    /// Whether the theme has the palette, so that sections can name its colours.
    pub painted: bool,
}

impl Brand {
    /// Reads `brand`; mistakes and what is hard to read go to `notes` (true for mistakes).
    pub(crate) fn read(block: &Value, notes: &mut Vec<(bool, Error)>) -> Brand {
        let brand = block.get("brand").cloned().unwrap_or_default();
        let colors = colors(brand.get("colors"), notes);
        contrast(&colors, brand.get("colors"), notes);
        let mut font = |field: &str| {
            let text = brand.get("fonts")?.get(field)?.as_str()?;
            match check_font(text) {
                Ok(()) => Some(text.to_owned()),
                Err(error) => {
                    notes.push((true, error.field(path(&format!("brand.fonts.{field}")))));
                    None
                }
            }
        };
        let body = font("body");
        let heading = font("heading").or_else(|| body.clone());
        let text = |field: &str| brand.get(field).and_then(Value::as_str).map(str::to_owned);
        let css = text("css");
        if css.as_ref().is_some_and(|css| css.contains('<')) {
            notes.push((
                true,
                invalid(
                    "brand.css",
                    "`css` must not contain `<`: it would end the style sheet",
                ),
            ));
        }
        Brand {
            painted: false,
            given: brand.as_map().is_some_and(|map| !map.is_empty()),
            colors,
            body,
            heading,
            spacing: text("spacing").unwrap_or_else(|| "normal".to_owned()),
            radius: match text("radius").as_deref() {
                Some("none") => "0px".to_owned(),
                Some("small") => "4px".to_owned(),
                None | Some("medium") => "8px".to_owned(),
                Some("large") => "16px".to_owned(),
                Some(length) => length.to_owned(),
            },
            css,
        }
    }

    /// A colour of the palette.
    pub(crate) fn color(&self, slug: &str) -> Color {
        find(&self.colors, slug)
    }
}

fn path(text: &str) -> fabrik_core::value::Path {
    fabrik_core::value::Path::parse(text)
}

fn find(colors: &[(Slug, Color)], slug: &str) -> Color {
    colors
        .iter()
        .find(|(known, _)| known.slug == slug)
        .map_or(Color::WHITE, |(_, color)| *color)
}

/// The palette: what is given, and what follows from it.
fn colors(given: Option<&Value>, notes: &mut Vec<(bool, Error)>) -> Vec<(Slug, Color)> {
    let mut read = |slug: &str| {
        let text = given?.get(slug)?.as_str()?;
        let color = Color::parse(text);
        if color.is_none() {
            let field = format!("brand.colors.{slug}");
            notes.push((
                true,
                invalid(&field, format!("`{text}` is no colour"))
                    .hint("write `#rrggbb`, `rgb(r, g, b)` or `hsl(h, s%, l%)`"),
            ));
        }
        color
    };
    let written: Vec<Option<Color>> = SLUGS.iter().map(|slug| read(slug.slug)).collect();
    let get = |slug: &str| {
        let at = SLUGS.iter().position(|known| known.slug == slug);
        at.and_then(|at| written.get(at).copied().flatten())
    };
    let hex = |r, g, b| Color { r, g, b };
    let primary = get("primary").unwrap_or(hex(0x1d, 0x4e, 0xd8));
    let background = get("background").unwrap_or(Color::WHITE);
    let dark = background.luminance() < 0.2;
    let ink = if dark {
        Color::WHITE
    } else {
        hex(0x0f, 0x17, 0x2a)
    };
    let text = get("text").unwrap_or_else(|| ink.mix(primary, 0.06));
    let surface = get("surface").unwrap_or_else(|| background.mix(primary, 0.05));
    let secondary = get("secondary").unwrap_or_else(|| hex(0x0f, 0x17, 0x2a).mix(primary, 0.25));
    SLUGS
        .iter()
        .map(|slug| {
            let color = get(slug.slug).unwrap_or_else(|| match slug.slug {
                "primary" => primary,
                "on-primary" => on(primary),
                "secondary" => secondary,
                "on-secondary" => on(secondary),
                "accent" => primary.mix(hex(0xf5, 0x9e, 0x0b), 0.8),
                "background" => background,
                "surface" => surface,
                "border" => surface.mix(text, 0.15),
                "text" => text,
                _ => muted(text, surface),
            });
            (*slug, color)
        })
        .collect()
}

/// White or nearly black: what reads better on a colour.
fn on(color: Color) -> Color {
    let dark = Color {
        r: 0x0f,
        g: 0x17,
        b: 0x2a,
    };
    if color.contrast(Color::WHITE) >= color.contrast(dark) {
        Color::WHITE
    } else {
        dark
    }
}

/// As near to the background as stays readable.
fn muted(text: Color, surface: Color) -> Color {
    [0.4, 0.3, 0.2, 0.1, 0.0]
        .iter()
        .map(|share| text.mix(surface, *share))
        .find(|color| color.contrast(surface) >= READABLE + 0.3)
        .unwrap_or(text)
}

/// Tells what cannot be read, with numbers.
fn contrast(colors: &[(Slug, Color)], given: Option<&Value>, notes: &mut Vec<(bool, Error)>) {
    for (text, ground) in PAIRS {
        let (a, b) = (find(colors, text), find(colors, ground));
        let ratio = a.contrast(b);
        if ratio >= READABLE {
            continue;
        }
        let set = |slug: &str| given.is_some_and(|given| given.get(slug).is_some());
        // What follows from a colour that cannot be read cannot either: once is enough.
        if *text == "muted" && !set(text) {
            continue;
        }
        let field = if set(text) || !set(ground) {
            text
        } else {
            ground
        };
        let field = if set(field) {
            format!("brand.colors.{field}")
        } else {
            "brand.colors".to_owned()
        };
        let message = format!(
            "`{text}` ({a}) on `{ground}` ({b}) has a contrast of {ratio:.1}: text needs {READABLE}"
        );
        let hint = if ratio < LEAST {
            "make one of them darker or lighter; below 3.0 nobody can read it"
        } else {
            "make one of them darker or lighter"
        };
        notes.push((ratio < LEAST, invalid(&field, message).hint(hint)));
    }
}

/// Names of fonts stand in style sheets as they are.
fn check_font(text: &str) -> Result<()> {
    let fine = !text.is_empty()
        && text.len() <= 80
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " ,'-".contains(c));
    if fine {
        Ok(())
    } else {
        Err(invalid("", format!("`{text}` is no name of a font")).hint(
            "letters, digits, spaces and hyphens; fallbacks after commas: `Inter, sans-serif`",
        ))
    }
}

#[cfg(test)]
mod tests {
    use fabrik_core::value::from_json;
    use serde_json::json;

    use super::*;

    fn read(brand: &serde_json::Value) -> (Brand, Vec<(bool, String)>) {
        let mut notes = Vec::new();
        let brand = Brand::read(&from_json(&json!({"brand": brand})), &mut notes);
        let notes = notes
            .into_iter()
            .map(|(bad, error)| (bad, error.message().to_owned()))
            .collect();
        (brand, notes)
    }

    #[test]
    fn one_colour_makes_a_readable_palette() {
        for primary in [
            "#0f62fe", "#b91c1c", "#166534", "#000", "#7c3aed", "#0e7490",
        ] {
            let (brand, notes) = read(&json!({"colors": {"primary": primary}}));
            assert_eq!(notes, [], "{primary}");
            assert_eq!(brand.colors.len(), SLUGS.len());
        }
        let (brand, notes) =
            read(&json!({"colors": {"primary": "#7dd3fc", "background": "#0b1120"}}));
        assert_eq!(notes, []);
        assert!(brand.color("text").luminance() > 0.7);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_numbers() {
        let (_, notes) = read(&json!({"colors": {"text": "#ccc"}}));
        assert!(
            notes
                .iter()
                .any(|(bad, text)| *bad && text.contains("contrast of 1.6")),
            "{notes:?}"
        );
        let (_, notes) = read(&json!({"colors": {"primary": "#888"}}));
        assert!(
            notes
                .iter()
                .any(|(bad, text)| !bad && text.contains("text needs 4.5")),
            "{notes:?}"
        );
    }

    #[test]
    fn no_colours_and_fonts() {
        let (_, notes) = read(
            &json!({"colors": {"primary": "red;}</style>"}, "fonts": {"body": "x;}"}, "css": "</style>"}),
        );
        assert_eq!(notes.iter().filter(|(bad, _)| *bad).count(), 3);
    }
}

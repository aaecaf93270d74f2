//! Astra: option `astra-settings`, and the customiser's own copy of the palette.

use serde_json::{Value as Json, json};

use super::{ThemeStyleSpec, at, some};
use crate::content::values::Entry;

const SETTINGS: &str = "astra-settings";
const COPY: &str = "astra-color-palettes";
/// What a fresh Astra has, where the palette of a spec ends.
const USUAL: [&str; 9] = [
    "#046bd2", "#045cb4", "#1e293b", "#334155", "#f9fafb", "#ffffff", "#e2e8f0", "#cbd5e1",
    "#94a3b8",
];

pub(super) fn entries(spec: &ThemeStyleSpec) -> Vec<Entry> {
    // By their places: 0 and 1 brand, 2 headings, 3 text, 4 and 5 grounds.
    let places = [
        spec.colors.link.as_ref(),
        spec.colors
            .link_hover
            .as_ref()
            .or(spec.colors.link.as_ref()),
        spec.colors.heading.as_ref(),
        spec.colors.text.as_ref(),
        None,
        spec.colors.background.as_ref(),
    ];
    let palette: Option<Json> = (!spec.palette.is_empty()).then(|| {
        // What is used stands where Astra uses it, what is left of the palette behind.
        let mut rest = spec
            .palette
            .iter()
            .map(|color| &color.color)
            .filter(|color| !places.contains(&Some(color)));
        let colors = (0..9).map(|place| match places.get(place).copied().flatten() {
            Some(color) => color.clone(),
            None => rest
                .next()
                .cloned()
                .unwrap_or_else(|| USUAL[place].to_owned()),
        });
        colors.collect()
    });
    let colors = &spec.colors;
    let flag = palette.as_ref().map(|_| json!("palette_1"));
    vec![
        at(
            "palette",
            SETTINGS,
            &["global-color-palette", "palette"],
            palette.clone(),
        ),
        at("palette_copy", COPY, &["palettes", "palette_1"], palette),
        at("palette_current", COPY, &["currentPalette"], flag),
        at(
            "fonts.body",
            SETTINGS,
            &["body-font-family"],
            some(spec.fonts.body.as_ref()),
        ),
        at(
            "fonts.heading",
            SETTINGS,
            &["headings-font-family"],
            some(spec.fonts.heading.as_ref()),
        ),
        at(
            "colors.text",
            SETTINGS,
            &["text-color"],
            some(colors.text.as_ref()),
        ),
        at(
            "colors.link",
            SETTINGS,
            &["link-color"],
            some(colors.link.as_ref()),
        ),
        at(
            "colors.theme",
            SETTINGS,
            &["theme-color"],
            some(colors.link.as_ref()),
        ),
        at(
            "colors.link_hover",
            SETTINGS,
            &["link-h-color"],
            some(colors.link_hover.as_ref()),
        ),
        at(
            "colors.button",
            SETTINGS,
            &["button-bg-color"],
            some(colors.button.as_ref()),
        ),
        at(
            "colors.button_text",
            SETTINGS,
            &["button-color"],
            some(colors.button_text.as_ref()),
        ),
    ]
}

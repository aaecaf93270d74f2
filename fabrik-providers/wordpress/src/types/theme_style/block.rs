//! A block theme: the JSON of its global styles.

use serde_json::{Value as Json, json};

use super::{ThemeStyleSpec, at, some};
use crate::content::values::Entry;

/// Stands for the JSON of global styles among options.
const STYLES: &str = "fabrik:global_styles";

pub(super) fn entries(spec: &ThemeStyleSpec) -> Vec<Entry> {
    let colors = &spec.colors;
    let palette = (!spec.palette.is_empty()).then(|| {
        let list = spec
            .palette
            .iter()
            .map(|color| json!({"slug": color.slug, "name": color.name, "color": color.color}));
        list.collect::<Json>()
    });
    let entry = |field: &str, path: &[&str], value: Option<Json>| at(field, STYLES, path, value);
    vec![
        entry(
            "palette",
            &["settings", "color", "palette", "custom"],
            palette,
        ),
        entry(
            "fonts.body",
            &["styles", "typography", "fontFamily"],
            some(spec.fonts.body.as_ref()),
        ),
        entry(
            "fonts.heading",
            &["styles", "elements", "heading", "typography", "fontFamily"],
            some(spec.fonts.heading.as_ref()),
        ),
        entry(
            "colors.text",
            &["styles", "color", "text"],
            some(colors.text.as_ref()),
        ),
        entry(
            "colors.background",
            &["styles", "color", "background"],
            some(colors.background.as_ref()),
        ),
        entry(
            "colors.heading",
            &["styles", "elements", "heading", "color", "text"],
            some(colors.heading.as_ref()),
        ),
        entry(
            "colors.link",
            &["styles", "elements", "link", "color", "text"],
            some(colors.link.as_ref()),
        ),
        entry(
            "colors.link_hover",
            &["styles", "elements", "link", ":hover", "color", "text"],
            some(colors.link_hover.as_ref()),
        ),
        entry(
            "colors.button",
            &["styles", "elements", "button", "color", "background"],
            some(colors.button.as_ref()),
        ),
        entry(
            "colors.button_text",
            &["styles", "elements", "button", "color", "text"],
            some(colors.button_text.as_ref()),
        ),
        entry(
            "spacing",
            &["styles", "spacing", "blockGap"],
            spec.gap().map(Json::from),
        ),
        entry(
            "radius",
            &["styles", "elements", "button", "border", "radius"],
            some(spec.radius.as_ref()),
        ),
    ]
}

//! GeneratePress: option `generate_settings`. Its CSS is cached in two options of their own, which the
//! site deletes after a write.

use serde_json::{Value as Json, json};

use super::{ThemeStyleSpec, at, some};
use crate::content::values::Entry;

const SETTINGS: &str = "generate_settings";
/// Names that GeneratePress's own settings refer to, with what they are in a fresh one.
const USUAL: [(&str, &str, &str); 7] = [
    ("contrast", "Contrast", "#222222"),
    ("contrast-2", "Contrast 2", "#575760"),
    ("contrast-3", "Contrast 3", "#b2b2be"),
    ("base", "Base", "#f0f0f0"),
    ("base-2", "Base 2", "#f7f8f9"),
    ("base-3", "Base 3", "#ffffff"),
    ("accent", "Accent", "#1e73be"),
];

pub(super) fn entries(spec: &ThemeStyleSpec) -> Vec<Entry> {
    let colors = &spec.colors;
    let palette = (!spec.palette.is_empty()).then(|| {
        let mut list: Vec<Json> = spec
            .palette
            .iter()
            .map(|color| json!({"name": color.name, "slug": color.slug, "color": color.color}))
            .collect();
        for (slug, name, usual) in USUAL {
            if spec.palette.iter().any(|color| color.slug == slug) {
                continue;
            }
            let own = match slug {
                "contrast" => colors.text.as_deref(),
                "base-3" => colors.background.as_deref(),
                "accent" => colors.link.as_deref(),
                _ => None,
            };
            list.push(json!({"name": name, "slug": slug, "color": own.unwrap_or(usual)}));
        }
        Json::from(list)
    });
    let rule = |selector: &str, group: &str, font: &String| {
        json!({
            "selector": selector, "customSelector": "", "fontFamily": font, "fontWeight": "",
            "textTransform": "", "textDecoration": "", "fontStyle": "", "fontSize": "",
            "fontSizeTablet": "", "fontSizeMobile": "", "fontSizeUnit": "px", "lineHeight": "",
            "lineHeightUnit": "", "letterSpacing": "", "letterSpacingUnit": "px",
            "marginBottom": "", "marginBottomUnit": "px", "module": "core", "group": group,
        })
    };
    let mut rules = Vec::new();
    rules.extend(
        spec.fonts
            .body
            .as_ref()
            .map(|font| rule("body", "base", font)),
    );
    rules.extend(
        spec.fonts
            .heading
            .as_ref()
            .map(|font| rule("all-headings", "content", font)),
    );
    let fonts = (!rules.is_empty()).then(|| Json::from(rules));
    let flag = fonts.as_ref().map(|_| json!(true));
    vec![
        at("palette", SETTINGS, &["global_colors"], palette),
        at("fonts", SETTINGS, &["typography"], fonts),
        at("fonts_dynamic", SETTINGS, &["use_dynamic_typography"], flag),
        at(
            "colors.text",
            SETTINGS,
            &["text_color"],
            some(colors.text.as_ref()),
        ),
        at(
            "colors.background",
            SETTINGS,
            &["background_color"],
            some(colors.background.as_ref()),
        ),
        at(
            "colors.heading",
            SETTINGS,
            &["content_title_color"],
            some(colors.heading.as_ref()),
        ),
        at(
            "colors.link",
            SETTINGS,
            &["link_color"],
            some(colors.link.as_ref()),
        ),
        at(
            "colors.link_hover",
            SETTINGS,
            &["link_color_hover"],
            some(colors.link_hover.as_ref()),
        ),
        at(
            "colors.button",
            SETTINGS,
            &["form_button_background_color"],
            some(colors.button.as_ref()),
        ),
        at(
            "colors.button_text",
            SETTINGS,
            &["form_button_text_color"],
            some(colors.button_text.as_ref()),
        ),
    ]
}

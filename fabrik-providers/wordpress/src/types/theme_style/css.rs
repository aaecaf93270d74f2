//! What goes into CSS. WordPress does not protect its values, so only what cannot end one passes.

use std::fmt::Write as _;

use fabrik_core::error::Result;
use fabrik_core::secrets::printable;
use serde_json::Value as Json;

use super::{PaletteColor, StyledTheme, ThemeStyleSpec, wrong};

/// Most bytes of a spec's own CSS.
const MOST: usize = 100_000;

/// The CSS that no setting of the theme stands for, and the spec's own.
pub(super) fn of(spec: &ThemeStyleSpec) -> Option<String> {
    let mut css = String::new();
    if spec.theme != StyledTheme::Block {
        // Their own settings name neither the palette's classes nor these.
        for color in &spec.palette {
            css.push_str(&format_color(color));
        }
        if let Some(gap) = spec.gap() {
            let _ = writeln!(css, ":root{{--wp--style--block-gap:{gap}}}");
        }
        if let Some(radius) = &spec.radius {
            let _ = writeln!(
                css,
                ".wp-block-button__link,.wp-element-button,button,input[type=submit]{{border-radius:{radius}}}"
            );
        }
        let pairs = [
            ("color", spec.colors.button_text.as_ref()),
            ("background-color", spec.colors.button.as_ref()),
        ];
        for (property, color) in pairs {
            if let Some(color) = color {
                let _ = writeln!(
                    css,
                    ".wp-block-button__link:not(.has-background):not(.has-text-color){{{property}:{color}}}"
                );
            }
        }
        if let Some(color) = spec
            .colors
            .heading
            .as_ref()
            .filter(|_| spec.theme == StyledTheme::GeneratePress)
        {
            let _ = writeln!(css, "h1,h2,h3,h4,h5,h6{{color:{color}}}");
        }
    }
    css.push_str(spec.css.as_deref().unwrap_or_default().trim());
    Some(css.trim().to_owned()).filter(|css| !css.is_empty())
}

/// What a block theme makes of a palette by itself.
fn format_color(color: &PaletteColor) -> String {
    let PaletteColor { slug, color, .. } = color;
    format!(
        ":root{{--wp--preset--color--{slug}:{color}}}\n\
         .has-{slug}-color{{color:{color}!important}}\n\
         .has-{slug}-background-color{{background-color:{color}!important}}\n"
    )
}

pub(super) fn check(spec: &ThemeStyleSpec) -> Result<()> {
    for (index, entry) in spec.palette.iter().enumerate() {
        let good = |slug: &str| {
            !slug.is_empty()
                && slug.len() <= 50
                && slug.split('-').all(|part| {
                    !part.is_empty()
                        && part
                            .bytes()
                            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                })
        };
        if !good(&entry.slug) {
            return Err(wrong(
                &format!("palette[{index}].slug"),
                format!("`{}` cannot name a colour", printable(&entry.slug)),
                "lower-case letters and digits with single `-` between them",
            ));
        }
        let plain = !entry.name.is_empty()
            && entry.name.len() <= 80
            && !entry.name.contains(['<', '>', '&', '"', '\\'])
            && !entry.name.chars().any(char::is_control);
        if !plain {
            return Err(wrong(
                &format!("palette[{index}].name"),
                "this cannot be a colour's name for people".to_owned(),
                "plain words",
            ));
        }
        color(&format!("palette[{index}].color"), &entry.color)?;
    }
    if spec.theme == StyledTheme::Astra && spec.palette.len() > 9 {
        return Err(wrong(
            "palette",
            format!(
                "Astra has places for 9 colours, and here are {}",
                spec.palette.len()
            ),
            "leave some out",
        ));
    }
    let colors = &spec.colors;
    for (field, value) in [
        ("text", &colors.text),
        ("background", &colors.background),
        ("heading", &colors.heading),
        ("link", &colors.link),
        ("link_hover", &colors.link_hover),
        ("button", &colors.button),
        ("button_text", &colors.button_text),
    ] {
        if let Some(value) = value {
            color(&format!("colors.{field}"), value)?;
        }
    }
    for (field, value) in [("body", &spec.fonts.body), ("heading", &spec.fonts.heading)] {
        let good = |font: &String| {
            !font.trim().is_empty()
                && font.len() <= 200
                && font
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b" ,'-_".contains(&b))
                && font.matches('\'').count().is_multiple_of(2)
        };
        if let Some(font) = value.as_ref().filter(|font| !good(font)) {
            return Err(wrong(
                &format!("fonts.{field}"),
                format!("`{}` is no list of fonts", printable(font)),
                "names with commas between them: `Inter, sans-serif`",
            ));
        }
    }
    for (field, value) in [("spacing", spec.gap()), ("radius", spec.radius.as_deref())] {
        if let Some(value) = value.filter(|value| !is_length(value)) {
            return Err(wrong(
                field,
                format!("`{}` is no length", printable(value)),
                "a number with a unit: `8px`, `1.5rem`",
            ));
        }
    }
    match &spec.css {
        Some(css) => own(css),
        None => Ok(()),
    }
}

fn own(css: &str) -> Result<()> {
    let lower: String = css.to_ascii_lowercase().split_whitespace().collect();
    let bad = [
        "<",
        "@import",
        "javascript:",
        "expression(",
        "behavior:",
        "-moz-binding",
        "\\",
        "url(//",
        "url('//",
        "url(\"//",
        "http:",
        "https:",
        "image-set(",
    ];
    if let Some(bad) = bad.iter().find(|bad| lower.contains(**bad)) {
        return Err(wrong(
            "css",
            format!("`{bad}` may not be in CSS of a spec"),
            "nothing is loaded from elsewhere by it, and it stays CSS; upload images as media",
        ));
    }
    if css.len() > MOST || css.contains('\0') || css.contains("fabrik:") {
        return Err(wrong(
            "css",
            "this CSS is too long, or holds what is ours to write".to_owned(),
            "shorten it",
        ));
    }
    if css.matches('{').count() != css.matches('}').count() {
        return Err(wrong(
            "css",
            "`{` and `}` are not in pairs".to_owned(),
            "close what is open: WordPress refuses it otherwise",
        ));
    }
    Ok(())
}

fn is_length(text: &str) -> bool {
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let is_number = !number.is_empty() && number.len() <= 8 && number.parse::<f64>().is_ok();
    is_number && (["px", "rem", "em", "%", "vw", "vh", "ch"].contains(&unit) || text == "0")
}

/// Refuses what is no colour by itself.
fn color(field: &str, text: &str) -> Result<()> {
    let hex = |rest: &str| {
        [3, 4, 6, 8].contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let function = |text: &str| {
        let (name, rest) = text.split_once('(')?;
        let inside = rest.strip_suffix(')')?;
        let known = ["rgb", "rgba", "hsl", "hsla", "oklch", "oklab", "lab", "lch"].contains(&name);
        let numbers = inside.len() <= 60
            && inside
                .bytes()
                .all(|b| b.is_ascii_digit() || b" ,.%/-".contains(&b) || b"degrad".contains(&b));
        Some(known && numbers && !inside.trim().is_empty())
    };
    let variable = |text: &str| {
        let name = text.strip_prefix("var(--")?.strip_suffix(')')?;
        Some(
            !name.is_empty()
                && name.len() <= 80
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
        )
    };
    let good = text.strip_prefix('#').is_some_and(hex)
        || function(text) == Some(true)
        || variable(text) == Some(true);
    if good {
        return Ok(());
    }
    Err(wrong(
        field,
        format!("`{}` is no colour", printable(text)),
        "write `#1e73be`, `rgb(30 115 190)`, `hsl(208 73% 43%)` or `var(--wp--preset--color--NAME)`",
    ))
}

/// Puts what was found at one place into a spec: what was sent where it still is that, else what is
/// there as far as it can be told.
pub(super) fn tell(
    spec: &mut ThemeStyleSpec,
    sent: &ThemeStyleSpec,
    field: &str,
    found: Option<&Json>,
    as_sent: bool,
) {
    let text = found.and_then(Json::as_str).map(str::to_owned);
    // Something else that has no name in a spec.
    let other = || {
        text.clone()
            .or_else(|| (!as_sent).then(|| "(other)".to_owned()))
    };
    let keep = |into: &mut Option<String>, was: &Option<String>| {
        *into = if as_sent { was.clone() } else { text.clone() };
    };
    match field {
        "palette" if as_sent => spec.palette.clone_from(&sent.palette),
        "palette" => spec.palette = found.map(colors_of).unwrap_or_default(),
        "palette_copy" | "palette_current" if !as_sent => {
            spec.palette.push(PaletteColor {
                slug: "other".into(),
                name: "Other".into(),
                color: "#000".into(),
            });
        }
        "fonts" if as_sent => spec.fonts.clone_from(&sent.fonts),
        "fonts" => {
            let font = |selector: &str| {
                let rules = found.and_then(Json::as_array).into_iter().flatten();
                let mut of = rules.filter(|rule| rule["selector"] == selector);
                of.next()
                    .and_then(|rule| rule["fontFamily"].as_str())
                    .map(str::to_owned)
            };
            (spec.fonts.body, spec.fonts.heading) = (font("body"), font("all-headings"));
        }
        "fonts.body" => keep(&mut spec.fonts.body, &sent.fonts.body),
        "fonts.heading" => keep(&mut spec.fonts.heading, &sent.fonts.heading),
        "fonts_dynamic" if !as_sent => spec.fonts.body = other(),
        "colors.text" => keep(&mut spec.colors.text, &sent.colors.text),
        "colors.background" => keep(&mut spec.colors.background, &sent.colors.background),
        "colors.heading" => keep(&mut spec.colors.heading, &sent.colors.heading),
        "colors.link" => keep(&mut spec.colors.link, &sent.colors.link),
        "colors.theme" if !as_sent => spec.colors.link = other(),
        "colors.link_hover" => keep(&mut spec.colors.link_hover, &sent.colors.link_hover),
        "colors.button" => keep(&mut spec.colors.button, &sent.colors.button),
        "colors.button_text" => keep(&mut spec.colors.button_text, &sent.colors.button_text),
        "spacing" => keep(&mut spec.spacing, &sent.spacing),
        "radius" => keep(&mut spec.radius, &sent.radius),
        "css" if as_sent => {
            spec.css.clone_from(&sent.css);
            fill(spec, sent);
        }
        "css" => {
            spec.css = other();
            fill(spec, sent);
        }
        _ => {}
    }
}

/// What only the CSS shows in these themes.
fn fill(spec: &mut ThemeStyleSpec, sent: &ThemeStyleSpec) {
    if spec.theme == StyledTheme::Block {
        return;
    }
    spec.spacing.clone_from(&sent.spacing);
    spec.radius.clone_from(&sent.radius);
    if spec.theme == StyledTheme::Astra {
        spec.colors.background.clone_from(&sent.colors.background);
        spec.colors.heading.clone_from(&sent.colors.heading);
    }
}

fn colors_of(found: &Json) -> Vec<PaletteColor> {
    let list = found.as_array().into_iter().flatten().enumerate();
    list.map(|(index, color)| {
        let text = |key: &str| color[key].as_str().map(str::to_owned);
        PaletteColor {
            slug: text("slug").unwrap_or_else(|| format!("color-{index}")),
            name: text("name").unwrap_or_else(|| format!("Color {index}")),
            color: text("color")
                .or_else(|| color.as_str().map(str::to_owned))
                .unwrap_or_default(),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{color, is_length, own};

    #[test]
    fn only_colours_are_colours() {
        for good in [
            "#abc",
            "#1e73be",
            "#1e73be80",
            "rgb(30 115 190)",
            "rgba(0,0,0,.5)",
            "hsl(208deg 73% 43%)",
            "oklch(0.6 0.1 20 / 50%)",
            "var(--wp--preset--color--a)",
        ] {
            assert!(color("c", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "red;}</style><script>",
            "#12",
            "url(x)",
            "rgb(0,0,0);x",
            "expression(1)",
            "var(--a);}",
            "rgb()",
            "#ggg",
            "rgb(0,0,0))",
        ] {
            assert!(color("c", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lengths_have_a_unit() {
        for good in ["8px", "1.5rem", "0", "50%"] {
            assert!(is_length(good), "{good}");
        }
        for bad in ["", "8", "px", "8px;}", "calc(1px)", "-1px", "1e9px"] {
            assert!(!is_length(bad), "{bad}");
        }
    }

    #[test]
    fn css_stays_css_and_loads_nothing() {
        assert!(own(".a > .b{color:red}\n.c::before{content:'x'}").is_ok());
        for bad in [
            "</style><script>alert(1)</script>",
            "@import url(x)",
            "a{background:url(//x.test/a)}",
            "a{background:url( 'https://x.test')}",
            "a{b:javascript:1}",
            "a{",
            "a{c:\\65xpression(1)}",
        ] {
            assert!(own(bad).is_err(), "{bad}");
        }
    }
}

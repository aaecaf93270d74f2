//! Core, theme, plugins, and the brand in the theme.

use fabrik_core::error::Result;
use fabrik_core::value::{Map, Value};

use super::site::{Site, slug, text_of};
use crate::note::invalid;

/// The theme, when nothing is said: WordPress brings it along.
const USUAL: &str = "twentytwentyfive";

/// The palette in the order of Astra's places.
const ASTRA: &[&str] = &[
    "primary",
    "secondary",
    "text",
    "muted",
    "background",
    "surface",
    "border",
    "accent",
    "on-primary",
];

/// How the brand is written into a theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Astra,
    GeneratePress,
    Block,
    None,
}

/// The theme.
#[derive(Clone, Debug)]
pub(super) struct Theme {
    pub(super) slug: String,
    pub(super) style: Style,
    /// The template of pages that begin with their own heading.
    pub(super) template: Option<String>,
}

impl Theme {
    pub(super) fn of(block: &Value) -> Theme {
        let theme = block.get("theme").cloned().unwrap_or_default();
        let slug = text_of(&theme, "slug").unwrap_or_else(|| USUAL.to_owned());
        let style = match text_of(&theme, "style").as_deref() {
            Some("astra") => Style::Astra,
            Some("generatepress") => Style::GeneratePress,
            Some("block") => Style::Block,
            Some(_) => Style::None,
            None => Style::of_slug(&slug),
        };
        let usual = match slug.as_str() {
            "twentytwentyfive" | "twentytwentyfour" => Some("page-no-title"),
            "twentytwentythree" | "twentytwentytwo" => Some("blank"),
            _ => None,
        };
        let template = text_of(&theme, "template")
            .or_else(|| usual.map(str::to_owned))
            .filter(|template| !template.is_empty());
        Theme {
            slug,
            style,
            template,
        }
    }

    /// Whether the palette's slugs become classes. (Astra names its nine colours itself.)
    pub(super) fn has_palette(&self) -> bool {
        matches!(self.style, Style::Block | Style::GeneratePress)
    }

    /// A location by the theme's name for it: `primary` and `footer` are known everywhere. Block
    /// themes have none: their navigation takes a menu by itself.
    pub(super) fn location(&self, name: &str) -> Option<String> {
        match (self.style, name) {
            (Style::Block, _) => None,
            (Style::Astra, "footer") => Some("footer_menu".to_owned()),
            _ => Some(name.to_owned()),
        }
    }
}

impl Style {
    fn of_slug(slug: &str) -> Style {
        match slug {
            "astra" => Style::Astra,
            "generatepress" => Style::GeneratePress,
            "twentytwentytwo" | "twentytwentythree" | "twentytwentyfour" | "twentytwentyfive"
            | "twentytwentysix" => Style::Block,
            _ => Style::None,
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Style::Astra => Some("astra"),
            Style::GeneratePress => Some("generatepress"),
            Style::Block => Some("block"),
            Style::None => None,
        }
    }
}

/// Core, theme and plugins: what everything else comes after.
pub(super) fn foundation(site: &mut Site<'_>) -> Result<()> {
    let after = site.placed.parts.clone();
    let mut core = Map::new();
    for (field, to) in [("language", "language"), ("version", "version")] {
        if let Some(value) = site.at(field) {
            core.insert(to.into(), value);
        }
    }
    let mut done = after;
    if !core.is_empty() && !site.placed.rest {
        let address = site.add("core", "wordpress.core", core)?;
        site.depend(&address, done.clone());
        done.push(address);
    }
    if !site.placed.rest {
        let theme = site.at("theme").unwrap_or_default();
        let mut inputs = Map::from([("slug".into(), Value::from(site.theme.slug.as_str()))]);
        for field in ["source", "version"] {
            if let Some(value) = theme.get(field) {
                inputs.insert(field.into(), source(site, field, value, "theme"));
            }
        }
        let address = site.add("theme", "wordpress.theme", inputs)?;
        site.depend(&address, done.clone());
        done.push(address);
    }
    site.foundation.clone_from(&done);
    plugins(site, &done)
}

/// A zip file has to be there.
fn source(site: &mut Site<'_>, field: &str, value: &Value, at: &str) -> Value {
    let Some(text) = value.as_str().filter(|_| field == "source") else {
        return value.clone();
    };
    if text.contains("://") {
        return value.clone();
    }
    if let Err(error) = site.cx.files().read(text) {
        let error =
            invalid(&format!("{at}.source"), format!("`{text}` cannot be read")).cause(error);
        site.mistake(error);
    }
    value.clone()
}

/// Plugins the spec needs without naming them.
fn implied(site: &Site<'_>) -> Vec<&'static str> {
    let mut needed = Vec::new();
    if site
        .at("forms")
        .is_some_and(|forms| forms.as_map().is_some_and(|map| !map.is_empty()))
    {
        needed.push("contact-form-7");
    }
    match site.text("seo.plugin").as_deref() {
        Some("rank_math") => needed.push("seo-by-rank-math"),
        Some("yoast") => needed.push("wordpress-seo"),
        _ => {}
    }
    if !site.list("languages").is_empty() {
        needed.push("polylang");
    }
    needed
}

fn plugins(site: &mut Site<'_>, after: &[fabrik_core::address::Address]) -> Result<()> {
    let mut wanted = site.list("plugins");
    for slug in implied(site) {
        let named = |plugin: &Value| text_of(plugin, "slug").as_deref() == Some(slug);
        if !wanted.iter().any(named) {
            wanted.push(Value::map([("slug", Value::from(slug))]));
        }
    }
    for (index, plugin) in wanted.iter().enumerate() {
        let Some(folder) = text_of(plugin, "slug") else {
            continue;
        };
        let at = format!("plugins[{index}]");
        let mut inputs = Map::from([("slug".into(), Value::from(folder.as_str()))]);
        for field in ["source", "version", "active"] {
            if let Some(value) = plugin.get(field) {
                inputs.insert(field.into(), source(site, field, value, &at));
            }
        }
        if !site.plugins.insert(folder.clone()) {
            site.mistake(invalid(
                &at,
                format!("the plugin `{folder}` is listed twice"),
            ));
            continue;
        }
        let part = format!("plugin-{}", slug(&folder));
        let address = site.add(&part, "wordpress.plugin", inputs)?;
        site.depend(&address, after.to_vec());
        site.foundation.push(address);
        let options = plugin.get("options").and_then(Value::as_map).cloned();
        for (name, value) in options.unwrap_or_default() {
            super::extras::option(site, &name, &value)?;
        }
    }
    Ok(())
}

/// The brand in the theme.
pub(super) fn style(site: &mut Site<'_>) -> Result<()> {
    if !site.brand.given {
        return Ok(());
    }
    let Some(name) = site.theme.style.name() else {
        let message = format!(
            "how a brand gets into the theme `{}` is not known: colours and fonts are left out",
            site.theme.slug
        );
        let warning = invalid("brand", message)
            .hint("say `theme: { slug: …, style: block }` for a block theme, or choose Astra or GeneratePress");
        site.cx.warn(warning);
        return Ok(());
    };
    let brand = site.brand.clone();
    let entry = |(slug, color): &(crate::brand::Slug, crate::brand::Color)| {
        Value::map([
            ("slug", Value::from(crate::brand::Slug::in_theme(slug.slug))),
            ("name", Value::from(slug.name)),
            ("color", Value::from(color.to_string())),
        ])
    };
    let palette: Vec<Value> = match site.theme.style {
        // Its nine places have meanings: brand twice, headings, text, grounds, lines, others.
        Style::Astra => ASTRA
            .iter()
            .filter_map(|slug| brand.colors.iter().find(|(known, _)| known.slug == *slug))
            .map(entry)
            .collect(),
        _ => brand.colors.iter().map(entry).collect(),
    };
    let color = |slug: &str| Value::from(brand.color(slug).to_string());
    let colors = Value::map([
        ("text", color("text")),
        ("background", color("background")),
        ("heading", color("text")),
        ("link", color("primary")),
        ("button", color("primary")),
        ("button_text", color("on-primary")),
    ]);
    let mut inputs = Map::from([
        ("theme".into(), Value::from(name)),
        ("palette".into(), Value::list(palette)),
        ("colors".into(), colors),
        ("spacing".into(), Value::from(brand.spacing.as_str())),
        ("radius".into(), Value::from(brand.radius.as_str())),
    ]);
    let mut fonts = Map::new();
    for (field, font) in [("body", &brand.body), ("heading", &brand.heading)] {
        if let Some(font) = font {
            fonts.insert(field.into(), Value::from(font.as_str()));
        }
    }
    if !fonts.is_empty() {
        inputs.insert("fonts".into(), Value::map(fonts));
    }
    if let Some(css) = &brand.css {
        inputs.insert("css".into(), Value::from(css.as_str()));
    }
    site.add_content("style", "wordpress.theme_style", inputs)
        .map(|_| ())
}

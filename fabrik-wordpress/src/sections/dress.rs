//! How a block looks: attributes in its delimiter, and the classes and style that the editor
//! expects in its HTML for them.

use std::fmt::Write as _;

use fabrik_blocks::{Block, Json, Node};

/// A colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// One of the theme's palette, by slug.
    Preset(String),
    /// A colour of ours.
    Plain(&'static str),
}

/// What a block looks like. Everything is optional.
#[derive(Clone, Debug, Default)]
pub(super) struct Dress {
    /// `wide`, `full`, `center`: the block's place in the page.
    pub(super) align: Option<&'static str>,
    /// How text is aligned; the attribute's name differs between blocks.
    pub(super) text_align: Option<(&'static str, &'static str)>,
    pub(super) background: Option<Paint>,
    pub(super) text: Option<Paint>,
    pub(super) link: Option<Paint>,
    pub(super) classes: Vec<String>,
    /// Top, right, bottom, left.
    pub(super) padding: Option<[&'static str; 4]>,
    /// Top, bottom.
    pub(super) margin: Option<[&'static str; 2]>,
    pub(super) gap: Option<&'static str>,
    /// Width and colour of a line around.
    pub(super) border: Option<(&'static str, &'static str)>,
    pub(super) radius: Option<String>,
    pub(super) size: Option<&'static str>,
    pub(super) weight: Option<&'static str>,
    pub(super) line_height: Option<&'static str>,
    pub(super) spacing: Option<&'static str>,
    pub(super) transform: Option<&'static str>,
    pub(super) layout: Option<Json>,
    pub(super) anchor: Option<String>,
}

/// The custom property of a preset colour as block attributes write it.
fn reference(paint: &Paint) -> String {
    match paint {
        Paint::Preset(slug) => format!("var:preset|color|{slug}"),
        Paint::Plain(color) => (*color).to_owned(),
    }
}

impl Dress {
    pub(super) fn class(mut self, class: impl Into<String>) -> Dress {
        self.classes.push(class.into());
        self
    }

    /// Puts attributes after those the block has of its own, in the editor's order.
    pub(super) fn attrs(&self, own: Vec<(&'static str, Json)>) -> Json {
        let mut attrs = Json::object(own);
        if let Some(align) = self.align {
            attrs.set("align", Json::from(align));
        }
        if let Some((name, align)) = self.text_align {
            attrs.set(name, Json::from(align));
        }
        for (name, paint) in [
            ("backgroundColor", &self.background),
            ("textColor", &self.text),
        ] {
            if let Some(Paint::Preset(slug)) = paint {
                attrs.set(name, Json::from(slug.as_str()));
            }
        }
        if !self.classes.is_empty() {
            attrs.set("className", Json::from(self.classes.join(" ")));
        }
        let style = self.style_attr();
        if !style.is_empty() {
            attrs.set("style", style);
        }
        if let Some(layout) = &self.layout {
            attrs.set("layout", layout.clone());
        }
        attrs
    }

    fn style_attr(&self) -> Json {
        let mut spacing = Json::Object(Vec::new());
        if let Some([top, right, bottom, left]) = self.padding {
            let sides = [
                ("top", top),
                ("right", right),
                ("bottom", bottom),
                ("left", left),
            ];
            spacing.set(
                "padding",
                Json::object(sides.map(|(side, v)| (side, Json::from(v)))),
            );
        }
        if let Some([top, bottom]) = self.margin {
            let sides = [("top", top), ("bottom", bottom)];
            spacing.set(
                "margin",
                Json::object(sides.map(|(side, v)| (side, Json::from(v)))),
            );
        }
        if let Some(gap) = self.gap {
            spacing.set("blockGap", Json::from(gap));
        }
        let mut border = Json::Object(Vec::new());
        if let Some(radius) = &self.radius {
            border.set("radius", Json::from(radius.as_str()));
        }
        if let Some((width, color)) = self.border {
            border.set("width", Json::from(width));
            border.set("color", Json::from(color));
        }
        let mut color = Json::Object(Vec::new());
        for (name, paint) in [("background", &self.background), ("text", &self.text)] {
            if let Some(Paint::Plain(value)) = paint {
                color.set(name, Json::from(*value));
            }
        }
        let mut elements = Json::Object(Vec::new());
        if let Some(link) = &self.link {
            let color = Json::object([("text", Json::from(reference(link)))]);
            elements.set("link", Json::object([("color", color)]));
        }
        let mut typography = Json::Object(Vec::new());
        for (name, value) in [
            ("fontSize", self.size),
            ("fontWeight", self.weight),
            ("lineHeight", self.line_height),
            ("letterSpacing", self.spacing),
            ("textTransform", self.transform),
        ] {
            if let Some(value) = value {
                typography.set(name, Json::from(value));
            }
        }
        let mut style = Json::Object(Vec::new());
        for (name, part) in [
            ("spacing", spacing),
            ("border", border),
            ("color", color),
            ("elements", elements),
            ("typography", typography),
        ] {
            if !part.is_empty() {
                style.set(name, part);
            }
        }
        style
    }

    /// The attributes of the block's tag: id, class and style, each with a space before.
    pub(super) fn html(&self, own: &str) -> String {
        let mut html = String::new();
        if let Some(anchor) = &self.anchor {
            let _ = write!(html, " id=\"{anchor}\"");
        }
        let classes = self.class_list(own);
        if !classes.is_empty() {
            let _ = write!(html, " class=\"{classes}\"");
        }
        let style = self.css();
        if !style.is_empty() {
            let _ = write!(html, " style=\"{style}\"");
        }
        html
    }

    pub(super) fn class_list(&self, own: &str) -> String {
        let mut classes: Vec<String> = Vec::new();
        if !own.is_empty() {
            classes.push(own.to_owned());
        }
        if let Some(align) = self.align {
            classes.push(format!("align{align}"));
        }
        if let Some((_, align)) = self.text_align {
            classes.push(format!("has-text-align-{align}"));
        }
        classes.extend(self.classes.iter().cloned());
        if self.border.is_some() {
            classes.push("has-border-color".to_owned());
        }
        if let Some(Paint::Preset(slug)) = &self.text {
            classes.push(format!("has-{slug}-color"));
        }
        if let Some(Paint::Preset(slug)) = &self.background {
            classes.push(format!("has-{slug}-background-color"));
        }
        if self.text.is_some() {
            classes.push("has-text-color".to_owned());
        }
        if self.background.is_some() {
            classes.push("has-background".to_owned());
        }
        if self.link.is_some() {
            classes.push("has-link-color".to_owned());
        }
        classes.join(" ")
    }

    pub(super) fn css(&self) -> String {
        let mut css: Vec<(&str, &str)> = Vec::new();
        if let Some((width, color)) = self.border {
            css.push(("border-color", color));
            css.push(("border-width", width));
        }
        if let Some(radius) = &self.radius {
            css.push(("border-radius", radius));
        }
        if let Some(Paint::Plain(color)) = &self.text {
            css.push(("color", color));
        }
        if let Some(Paint::Plain(color)) = &self.background {
            css.push(("background-color", color));
        }
        if let Some([top, bottom]) = self.margin {
            css.push(("margin-top", top));
            css.push(("margin-bottom", bottom));
        }
        if let Some([top, right, bottom, left]) = self.padding {
            css.push(("padding-top", top));
            css.push(("padding-right", right));
            css.push(("padding-bottom", bottom));
            css.push(("padding-left", left));
        }
        for (name, value) in [
            ("font-size", self.size),
            ("font-weight", self.weight),
            ("letter-spacing", self.spacing),
            ("line-height", self.line_height),
            ("text-transform", self.transform),
        ] {
            if let Some(value) = value {
                css.push((name, value));
            }
        }
        let parts: Vec<String> = css
            .iter()
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        parts.join(";")
    }
}

/// A block whose inner blocks stand within its HTML.
pub(super) fn wrap(name: &str, attrs: Json, open: &str, inner: Vec<Block>, close: &str) -> Block {
    let mut content = vec![Node::Html(format!("\n{open}"))];
    for (index, block) in inner.into_iter().enumerate() {
        if index > 0 {
            content.push(Node::Html("\n\n".to_owned()));
        }
        content.push(Node::Block(block));
    }
    content.push(Node::Html(format!("{close}\n")));
    Block::new(name).with_attrs(attrs).with_content(content)
}

/// A block of HTML alone.
pub(super) fn leaf(name: &str, attrs: Json, html: &str) -> Block {
    Block::new(name)
        .with_attrs(attrs)
        .with_content([Node::Html(format!("\n{html}\n"))])
}

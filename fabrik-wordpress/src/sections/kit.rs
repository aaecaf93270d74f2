//! What sections are built with: text from fields made safe, pictures and links looked up, and the
//! shapes that many of them share.

use fabrik_blocks::text::{self, attribute, inline, is_token, plain};
use fabrik_blocks::{Block, Json};
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::value::Path;

use super::blocks::{
    attribute_of_address, button, buttons, column, columns, group, heading, paragraph,
};
use super::dress::{Dress, Paint};
use super::fields::{Align, Button, ButtonStyle, Link, Look, Space, Tone};
use super::{Cx, FormRef, Image, Pair};

/// Most items of one section: more is a mistake, or a page nobody reads.
const MAX_ITEMS: usize = 200;

/// A section being built.
pub(super) struct Build<'a> {
    pub(super) cx: &'a Cx<'a>,
    pub(super) warnings: Vec<String>,
    pub(super) radius: String,
    width: String,
    /// The tone of the section, for what stands on it.
    tone: Tone,
    primary: (Paint, Paint),
    muted: (Paint, Paint),
    dark: (Paint, Paint),
    card: (Paint, Paint),
}

/// What stands above a section's content.
pub(super) struct Head<'a> {
    pub(super) eyebrow: Option<&'a str>,
    pub(super) heading: Option<&'a str>,
    pub(super) intro: Option<&'a str>,
}

impl<'a> Build<'a> {
    pub(super) fn new(cx: &'a Cx<'a>) -> Result<Build<'a>> {
        let brand = cx.brand;
        let length = |value: &Option<String>, default: &str, field: &str| match value {
            None => Ok(default.to_owned()),
            Some(value) => text::length(value)
                .map(str::to_owned)
                .map_err(|error| error.field(Path::key("brand").join(field))),
        };
        Ok(Build {
            cx,
            warnings: Vec::new(),
            radius: length(&brand.radius, "12px", "radius")?,
            width: length(&brand.width, "1140px", "width")?,
            tone: Tone::Plain,
            primary: paints(brand.primary.as_ref(), "#1d4ed8", "#ffffff")?,
            muted: paints(brand.muted.as_ref(), "#f4f5f7", "#1f2937")?,
            dark: paints(brand.dark.as_ref(), "#111827", "#f9fafb")?,
            card: paints(brand.card.as_ref(), "#ffffff", "#1f2937")?,
        })
    }

    /// An error about a field, such as `items[2].title`.
    pub(super) fn wrong(&self, field: &str, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid, format!("`{field}`: {}", message.into()))
            .field(Path::parse(field))
    }

    fn at<T>(field: &str, result: Result<T>) -> Result<T> {
        result.map_err(|error| {
            let message = format!("`{field}`: {}", error.message());
            let again = Error::new(error.kind(), message).field(Path::parse(field));
            match error.hint_text() {
                Some(hint) => again.hint(hint),
                None => again,
            }
        })
    }

    /// A field's text without marks; empty is a mistake.
    pub(super) fn plain(&self, field: &str, value: &str) -> Result<String> {
        let html = plain(value);
        if html.is_empty() {
            return Err(self.wrong(field, "is empty"));
        }
        Ok(html)
    }

    /// A field's text with marks; empty is a mistake.
    pub(super) fn inline(&self, field: &str, value: &str) -> Result<String> {
        let html = Self::at(field, inline(value, &|target| self.cx.assets.link(target)))?;
        if html.is_empty() {
            return Err(self.wrong(field, "is empty"));
        }
        Ok(html)
    }

    /// Where a link leads.
    pub(super) fn link(&self, field: &str, target: &str) -> Result<String> {
        let resolved = Self::at(field, self.cx.assets.link(target))?;
        Self::at(field, text::link(&resolved))
    }

    /// An address outside the site.
    pub(super) fn address(&self, field: &str, value: &str) -> Result<String> {
        let address = Self::at(field, text::url(value))?;
        if address.starts_with("https://") || address.starts_with("http://") {
            return Ok(address);
        }
        Err(self.wrong(field, "a whole address is needed here, with https://"))
    }

    /// A picture of the site, with the text that the section gives it.
    pub(super) fn image(&mut self, field: &str, key: &str, alt: Option<&str>) -> Result<Image> {
        let Some(mut image) = self.cx.assets.image(key) else {
            return Err(self
                .wrong(field, format!("the site has no picture {key:?}"))
                .hint("name it under the site's media, or give the path of a file"));
        };
        let number = !image.id.is_empty() && image.id.bytes().all(|b| b.is_ascii_digit());
        if !number && !is_token(&image.id) {
            return Err(self.wrong(field, format!("the picture {key:?} has no id")));
        }
        image.url = Self::at(field, text::link(&image.url))?;
        if let Some(alt) = alt {
            alt.clone_into(&mut image.alt);
        } else if attribute(&image.alt).is_empty() {
            self.warnings.push(format!(
                "`{field}`: the picture {key:?} has no text for those who do not see it"
            ));
        }
        Ok(image)
    }

    /// Whether the editor writes the size of a picture as style, and can cut it to a square. It
    /// began to with 6.3 and wrote numbers in between; since 6.5 the form is the same.
    pub(super) fn sizes_as_style(&self) -> bool {
        self.cx.wordpress >= (6, 5)
    }

    /// A form of the site, as a shortcode.
    pub(super) fn form(&self, field: &str, key: &str) -> Result<String> {
        let Some(FormRef {
            shortcode,
            id,
            title,
        }) = self.cx.assets.form(key)
        else {
            return Err(self
                .wrong(field, format!("the site has no form {key:?}"))
                .hint("name it under the site's forms"));
        };
        let name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let id_fits = is_token(&id) || !id.is_empty() && id.bytes().all(fits);
        if shortcode.is_empty() || !shortcode.bytes().all(name) || !id_fits {
            return Err(self.wrong(field, format!("the form {key:?} has no usable shortcode")));
        }
        let title = title.map_or_else(String::new, |title| {
            format!(" title=\"{}\"", text::shortcode_value(&title))
        });
        Ok(format!("[{shortcode} id=\"{id}\"{title}]"))
    }

    /// Checks how many items there are.
    pub(super) fn count(&self, field: &str, count: usize) -> Result<()> {
        match count {
            0 => Err(self.wrong(field, "is empty").hint("give at least one")),
            1..=MAX_ITEMS => Ok(()),
            _ => Err(self.wrong(field, format!("has more than {MAX_ITEMS} items"))),
        }
    }

    /// Checks a number of columns.
    pub(super) fn columns_within(&self, field: &str, columns: u8, most: u8) -> Result<u8> {
        if (1..=most).contains(&columns) {
            return Ok(columns);
        }
        Err(self.wrong(field, format!("must be between 1 and {most}")))
    }

    fn paints(&self, tone: Tone) -> Option<&(Paint, Paint)> {
        match tone {
            Tone::Plain => None,
            Tone::Muted => Some(&self.muted),
            Tone::Primary => Some(&self.primary),
            Tone::Dark => Some(&self.dark),
        }
    }

    /// Sets the tone of what is built from here on; before any text.
    pub(super) fn stand_on(&mut self, look: &Look) {
        self.tone = look.tone;
    }

    /// Sets a tone for what stands on something else than the section.
    pub(super) fn stand_on_tone(&mut self, tone: Tone) -> Tone {
        std::mem::replace(&mut self.tone, tone)
    }

    /// The colour that text must be given on the present tone, where themes colour it themselves.
    fn ink(&self) -> Option<Paint> {
        self.paints(self.tone).map(|(_, text)| text.clone())
    }

    /// The whole band of a section: background, space above and below, a width for content.
    pub(super) fn band(&mut self, kind: &str, look: &Look, inner: Vec<Block>) -> Result<Block> {
        let space = match look.space {
            Space::Small => "clamp(1.5rem, 4vw, 2.5rem)",
            Space::Normal => "clamp(3rem, 8vw, 6rem)",
            Space::Large => "clamp(4rem, 12vw, 9rem)",
        };
        let mut dress = Dress {
            align: Some("full"),
            padding: Some([
                space,
                "clamp(1.25rem, 4vw, 2.5rem)",
                space,
                "clamp(1.25rem, 4vw, 2.5rem)",
            ]),
            margin: Some(["0", "0"]),
            layout: Some(self.constrained(None)),
            anchor: self.anchor(look)?,
            ..self.painted(look.tone)
        }
        .class("fabrik-section")
        .class(format!("fabrik-{}", kind.replace('_', "-")));
        if look.tone != Tone::Plain {
            dress.link = self.paints(look.tone).map(|(_, text)| text.clone());
        }
        Ok(group("section", &dress, inner))
    }

    /// Content in the middle, as wide as the brand says or narrower.
    pub(super) fn constrained(&self, narrow: Option<&'static str>) -> Json {
        let width = narrow.unwrap_or(&self.width);
        Json::object([
            ("type", Json::from("constrained")),
            ("contentSize", Json::from(width)),
            ("wideSize", Json::from(width)),
        ])
    }

    fn painted(&self, tone: Tone) -> Dress {
        let paints = self.paints(tone);
        Dress {
            background: paints.map(|(background, _)| background.clone()),
            text: paints.map(|(_, text)| text.clone()),
            ..Dress::default()
        }
    }

    /// The name to link to.
    pub(super) fn anchor(&self, look: &Look) -> Result<Option<String>> {
        let Some(anchor) = &look.anchor else {
            return Ok(None);
        };
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let starts = anchor
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_lowercase());
        if starts && anchor.len() <= 80 && anchor.bytes().all(fits) {
            return Ok(Some(anchor.clone()));
        }
        Err(self
            .wrong("look.anchor", format!("{anchor:?} is no anchor"))
            .hint("begin with a letter; lower-case letters, digits and dashes"))
    }

    /// A heading on the present tone; its HTML is safe.
    pub(super) fn heading(&self, level: u8, html: &str, align: Align) -> Block {
        let mut dress = Dress {
            text: self.ink(),
            ..Dress::default()
        };
        if align == Align::Center {
            dress.text_align = Some(("textAlign", "center"));
        }
        match level {
            1 => {
                dress.size = Some("clamp(2.25rem, 5vw, 3.75rem)");
                dress.line_height = Some("1.1");
            }
            2 => {
                dress.size = Some("clamp(1.75rem, 3.5vw, 2.5rem)");
                dress.line_height = Some("1.2");
            }
            _ => {
                dress.size = Some(if level == 3 { "1.375rem" } else { "1.125rem" });
                dress.weight = Some("600");
                dress.line_height = Some("1.35");
            }
        }
        heading(level, html, &dress)
    }

    /// A paragraph on the present tone; its HTML is safe.
    pub(super) fn paragraph(&self, html: &str, align: Align, size: Option<&'static str>) -> Block {
        let mut dress = Dress {
            size,
            ..Dress::default()
        };
        if align == Align::Center {
            dress.text_align = Some(("align", "center"));
        }
        paragraph(html, &dress)
    }

    /// A small line above a heading.
    pub(super) fn eyebrow(&self, html: &str, align: Align) -> Block {
        let mut dress = Dress {
            size: Some("0.875rem"),
            weight: Some("600"),
            spacing: Some("0.08em"),
            transform: Some("uppercase"),
            ..Dress::default()
        }
        .class("fabrik-eyebrow");
        if align == Align::Center {
            dress.text_align = Some(("align", "center"));
        }
        paragraph(html, &dress)
    }

    /// Paragraphs of a field: an empty line stands between them.
    pub(super) fn paragraphs(
        &self,
        field: &str,
        value: &str,
        align: Align,
        size: Option<&'static str>,
    ) -> Result<Vec<Block>> {
        let mut blocks = Vec::new();
        for part in split_paragraphs(value) {
            let html = self.inline(field, &part)?;
            blocks.push(self.paragraph(&html, align, size));
        }
        if blocks.is_empty() {
            return Err(self.wrong(field, "is empty"));
        }
        Ok(blocks)
    }

    /// What stands above a section's content, if anything does; and the level of headings below it.
    pub(super) fn head(&self, head: &Head<'_>, align: Align) -> Result<(Vec<Block>, u8)> {
        let mut inner = Vec::new();
        if let Some(eyebrow) = head.eyebrow {
            inner.push(self.eyebrow(&self.plain("eyebrow", eyebrow)?, align));
        }
        if let Some(text) = head.heading {
            inner.push(self.heading(2, &self.inline("heading", text)?, align));
        }
        if let Some(intro) = head.intro {
            inner.extend(self.paragraphs("intro", intro, align, Some("1.125rem"))?);
        }
        let level = if head.heading.is_some() { 3 } else { 2 };
        if inner.is_empty() {
            return Ok((inner, level));
        }
        let dress = Dress {
            margin: Some(["0", "clamp(1.5rem, 4vw, 3rem)"]),
            layout: Some(self.constrained((align == Align::Center).then_some("720px"))),
            ..Dress::default()
        }
        .class("fabrik-head");
        Ok((vec![group("div", &dress, inner)], level))
    }

    /// Buttons in a row.
    pub(super) fn buttons(
        &self,
        field: &str,
        list: &[Button],
        align: Align,
    ) -> Result<Option<Block>> {
        let mut made = Vec::new();
        for (index, item) in list.iter().enumerate() {
            made.push(self.button(&format!("{field}[{index}]"), item)?);
        }
        Ok((!made.is_empty()).then(|| buttons(align == Align::Center, made)))
    }

    /// One button in a row of its own.
    pub(super) fn one_button(&self, field: &str, item: &Button, align: Align) -> Result<Block> {
        Ok(buttons(
            align == Align::Center,
            vec![self.button(field, item)?],
        ))
    }

    fn button(&self, field: &str, item: &Button) -> Result<Block> {
        let label = self.plain(&format!("{field}.label"), &item.label)?;
        let address = self.link(&format!("{field}.to"), &item.to)?;
        let (background, text) = match self.tone {
            // On the brand's colour the pair is turned round.
            Tone::Primary => (self.primary.1.clone(), self.primary.0.clone()),
            _ => (self.primary.0.clone(), self.primary.1.clone()),
        };
        let outline = item.style == ButtonStyle::Outline;
        let dress = Dress {
            background: (!outline).then_some(background),
            text: if outline { self.ink() } else { Some(text) },
            radius: Some(self.radius.clone()),
            ..Dress::default()
        };
        Ok(button(&label, &address, outline, &dress))
    }

    /// A link in a line of its own.
    pub(super) fn link_line(&self, field: &str, item: &Link, align: Align) -> Result<Block> {
        let label = self.plain(&format!("{field}.label"), &item.label)?;
        let address = self.link(&format!("{field}.to"), &item.to)?;
        let html = format!("<a href=\"{}\">{label}</a>", attribute_of_address(&address));
        Ok(self.paragraph(&html, align, None))
    }

    /// A card that is a column: cards of one row are equally high.
    pub(super) fn card(&self, inner: Vec<Block>, strong: bool) -> Block {
        column(&self.card_dress(strong), inner)
    }

    /// A card that stands alone.
    pub(super) fn box_card(&self, inner: Vec<Block>) -> Block {
        group("div", &self.card_dress(false), inner)
    }

    fn card_dress(&self, strong: bool) -> Dress {
        let pair = if strong { &self.primary } else { &self.card };
        Dress {
            background: Some(pair.0.clone()),
            text: Some(pair.1.clone()),
            padding: Some(["2rem", "1.75rem", "2rem", "1.75rem"]),
            border: Some(("1px", "#0000001a")),
            radius: Some(self.radius.clone()),
            ..Dress::default()
        }
        .class(if strong {
            "fabrik-card is-strong"
        } else {
            "fabrik-card"
        })
    }

    /// Builds something that stands on a card: headings there take the card's colour.
    pub(super) fn on_card<T>(&mut self, strong: bool, make: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.tone, self.muted.clone());
        if strong {
            self.tone = Tone::Primary;
        } else {
            // A card is a quiet background of its own.
            self.muted = self.card.clone();
            self.tone = Tone::Muted;
        }
        let made = make(self);
        (self.tone, self.muted) = before;
        made
    }

    /// Columns in rows of so many; the last row is filled up, so that all are equally wide.
    pub(super) fn rows(&self, per_row: u8, mut all: Vec<Block>) -> Vec<Block> {
        let per_row = usize::from(per_row.max(1)).min(all.len().max(1));
        let is_card = |block: &Block| {
            let class = block.attrs().get("className").and_then(Json::as_str);
            class.is_some_and(|class| class.starts_with("fabrik-card"))
        };
        let cards = all.iter().any(is_card);
        while !all.len().is_multiple_of(per_row) {
            // As wide as a card, and of no height.
            let filler = Dress {
                padding: cards.then_some(["0", "1.75rem", "0", "1.75rem"]),
                ..Dress::default()
            };
            all.push(column(&filler, Vec::new()));
        }
        let mut rows = Vec::new();
        let mut rest = all.into_iter().peekable();
        while rest.peek().is_some() {
            let row: Vec<Block> = rest.by_ref().take(per_row).collect();
            let dress = Dress {
                align: Some("wide"),
                margin: (!rows.is_empty()).then_some(["2rem", "0"]),
                ..Dress::default()
            };
            rows.push(columns(&dress, row));
        }
        rows
    }
}

/// Parts of a text between empty lines.
pub(super) fn split_paragraphs(text: &str) -> Vec<String> {
    let text = text::clean(text);
    let mut parts = vec![String::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            if !part.is_empty() {
                part.push('\n');
            }
            part.push_str(line);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn paints(
    pair: Option<&Pair>,
    background: &'static str,
    text: &'static str,
) -> Result<(Paint, Paint)> {
    match pair {
        None => Ok((Paint::Plain(background), Paint::Plain(text))),
        Some(pair) => Ok((
            Paint::Preset(slug(&pair.background)?),
            Paint::Preset(slug(&pair.text)?),
        )),
    }
}

/// A palette slug as the editor's class names have it: a dash between letters and digits.
fn slug(text: &str) -> Result<String> {
    let mut out = String::new();
    for part in text::slug(text)?.split(['-', '_']) {
        let mut last_is_digit = None;
        if !out.is_empty() {
            out.push('-');
        }
        for c in part.chars() {
            let digit = c.is_ascii_digit();
            if last_is_digit.is_some_and(|last| last != digit) {
                out.push('-');
            }
            last_is_digit = Some(digit);
            out.push(c);
        }
    }
    Ok(out)
}

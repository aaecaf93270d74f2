//! Sections of pages: what a designer would call a block of a page (a hero, a price list, common
//! questions), from typed fields to WordPress's block markup.
//!
//! Each type is one file: its fields, and how it becomes blocks. Every form that is written is the
//! oldest that the editor of all supported versions takes (6.1 to 7.1), because newer editors bring
//! older forms up to date in silence, while an older one calls a newer form broken. Text goes
//! through [`fabrik_blocks::text`]; fields hold no HTML.

mod about;
mod blocks;
mod comparison;
mod contact;
mod cta;
mod dress;
mod faq;
mod features;
mod fields;
mod gallery;
mod hero;
mod kit;
mod logos;
mod map;
mod newsletter;
mod posts;
mod pricing;
mod products;
mod prose;
mod raw_html;
mod recognise;
mod services;
mod stats;
mod steps;
mod team;
mod testimonials;
mod text;
mod timeline;
mod video;

use fabrik_blocks::{Block, section};
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::hex;
use fabrik_core::provider::typed::decode;
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

pub use recognise::{Recognised, recognise};

use kit::Build;

/// Text that stands in markup: what it says, or a placeholder
/// ([`fabrik_blocks::text::token`]) that the caller replaces by what is not known yet. What
/// replaces it must be a number (for ids) or an address as [`fabrik_blocks::text::url`] gives it.
pub type Token = String;

/// What sections are made with.
pub struct Cx<'a> {
    /// Version of WordPress, such as `(6, 3)`: older ones get other blocks for some sections.
    pub wordpress: (u32, u32),
    /// The brand's colours.
    pub brand: &'a BrandRefs,
    /// Pictures, links and forms of the site.
    pub assets: &'a dyn Assets,
}

/// What a section may refer to.
pub trait Assets {
    /// A picture of the site.
    fn image(&self, key: &str) -> Option<Image>;

    /// Where a link goes: a page's key to a placeholder, an address to itself. What is given back
    /// is checked by [`fabrik_blocks::text::link`].
    ///
    /// # Errors
    /// `Invalid` when there is no such page.
    fn link(&self, target: &str) -> Result<String>;

    /// A form of the site.
    fn form(&self, key: &str) -> Option<FormRef>;
}

/// A picture in the media library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its id there.
    pub id: Token,
    /// Its address.
    pub url: Token,
    /// What it shows, for those who do not see it; empty for decoration.
    pub alt: String,
    /// Its width in pixels.
    pub width: Option<u32>,
    /// Its height in pixels.
    pub height: Option<u32>,
}

/// A form of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormRef {
    /// The shortcode's name, such as `contact-form-7`.
    pub shortcode: String,
    /// The form's id there.
    pub id: Token,
    /// Its title.
    pub title: Option<String>,
}

/// Slugs of the theme's palette by what the brand uses them for. What is not given is painted with
/// plain colours that suit any theme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandRefs {
    /// The brand's main colour, and text on it: main buttons, the tone `primary`.
    pub primary: Option<Pair>,
    /// A quiet background, and text on it: the tone `muted`.
    pub muted: Option<Pair>,
    /// A dark background, and text on it: the tone `dark`.
    pub dark: Option<Pair>,
    /// The background of cards, and text on it.
    pub card: Option<Pair>,
    /// How round corners of cards and buttons are: a length. Default `12px`.
    pub radius: Option<String>,
    /// How wide content is: a length. Default `1140px`.
    pub width: Option<String>,
}

/// Two colours of the palette that are used together; their contrast is the caller's matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Slug of the background's colour.
    pub background: String,
    /// Slug of the text's colour.
    pub text: String,
}

/// A section as block markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup {
    /// One block, marked as ours with the section's id; placeholders are in it.
    pub text: String,
    /// What was put up with: a picture without a text, a tone that the brand lacks.
    pub warnings: Vec<String>,
}

/// A type of section.
trait Section: DeserializeOwned + Serialize + JsonSchema {
    /// Its name in a spec.
    const KIND: &'static str;
    /// Its name in the editor.
    const NAME: &'static str;

    /// Its blocks, within the shell that all sections have, and how that looks.
    fn build(&self, b: &mut Build<'_>) -> Result<Shell>;
}

/// What a section is made of.
enum Shell {
    /// Blocks within a band over the page's width.
    Band(fields::Look, Vec<Block>),
    /// A block that is such a band itself.
    Whole(Block),
}

struct Kind {
    kind: &'static str,
    name: &'static str,
    schema: fn() -> Json,
    build: fn(&Value, &mut Build<'_>) -> Result<(Json, Shell)>,
    normal: fn(&Value) -> Result<Json>,
}

const fn kind<S: Section>() -> Kind {
    Kind {
        kind: S::KIND,
        name: S::NAME,
        schema: schema_of::<S>,
        build: build::<S>,
        normal: |fields| normal(&decode::<S>(fields)?),
    }
}

fn schema_of<S: Section>() -> Json {
    schemars::schema_for!(S).to_value()
}

fn build<S: Section>(fields: &Value, b: &mut Build<'_>) -> Result<(Json, Shell)> {
    let section: S = decode(fields)?;
    let shell = section.build(b)?;
    Ok((normal(&section)?, shell))
}

/// Fields with defaults filled in: what is left out and what is the default are the same.
fn normal<S: Section>(section: &S) -> Result<Json> {
    serde_json::to_value(section).map_err(|error| {
        Error::new(
            ErrorKind::Unexpected,
            format!("fields do not serialise: {error}"),
        )
    })
}

/// All types, in the order of the documentation.
const ALL: &[Kind] = &[
    kind::<hero::Hero>(),
    kind::<features::Features>(),
    kind::<cta::Cta>(),
    kind::<pricing::Pricing>(),
    kind::<testimonials::Testimonials>(),
    kind::<faq::Faq>(),
    kind::<contact::Contact>(),
    kind::<team::Team>(),
    kind::<stats::Stats>(),
    kind::<gallery::Gallery>(),
    kind::<logos::Logos>(),
    kind::<steps::Steps>(),
    kind::<services::Services>(),
    kind::<about::About>(),
    kind::<posts::Posts>(),
    kind::<newsletter::Newsletter>(),
    kind::<map::Map>(),
    kind::<products::Products>(),
    kind::<timeline::Timeline>(),
    kind::<video::Video>(),
    kind::<comparison::Comparison>(),
    kind::<text::Text>(),
    kind::<raw_html::RawHtml>(),
];

const KINDS: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        names[at] = ALL[at].kind;
        at += 1;
    }
    names
};

/// Names of all types.
pub fn kinds() -> &'static [&'static str] {
    &KINDS
}

fn find(kind: &str) -> Option<&'static Kind> {
    ALL.iter().find(|known| known.kind == kind)
}

/// JSON Schema of a type's fields, with defaults, variants and descriptions.
pub fn schema(kind: &str) -> Option<Json> {
    find(kind).map(|known| (known.schema)())
}

/// Turns a section into block markup. `id` is unique in the page and stays with the section, such
/// as `home.hero`.
///
/// # Errors
/// `Invalid` with the field at fault: an unknown type, fields that do not fit, a picture or form
/// that the site does not have, an address that is none. `Refused` for `raw_html` without consent.
/// `Unresolved` for fields that are not known yet.
pub fn render(kind: &str, id: &str, fields: &Value, cx: &Cx<'_>) -> Result<Markup> {
    let Some(known) = find(kind) else {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("there is no section type {kind:?}"),
        )
        .hint(format!("there are: {}", KINDS.join(", ")))
        .field(Path::root().join("type")));
    };
    check_id(id)?;
    let mut b = Build::new(cx)?;
    let (json, shell) = (known.build)(fields, &mut b)?;
    let mut block = match shell {
        Shell::Whole(block) => block,
        Shell::Band(look, blocks) => b.band(kind, &look, blocks)?,
    };
    section::mark(&mut block, known.name, id, &fields_hash(kind, &json));
    Ok(Markup {
        text: block.write(),
        warnings: b.warnings,
    })
}

fn check_id(id: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=120).contains(&id.len()) && id.chars().all(fits) {
        return Ok(());
    }
    Err(
        Error::new(ErrorKind::Invalid, format!("{id:?} is no id of a section"))
            .hint("use letters, digits, dots, dashes and underscores; at most 120"),
    )
}

/// Identifies fields: 16 hexadecimal digits that stand in the marker.
fn fields_hash(kind: &str, fields: &Json) -> String {
    // Keys of JSON objects are sorted here.
    let mut hash = Sha256::new();
    hash.update(kind);
    hash.update([0]);
    hash.update(fields.to_string());
    hex::encode(&hash.finalize()[..8])
}

//! Sections with what this site has: its images, pages, forms and colours.

use std::cell::RefCell;
use std::collections::BTreeMap;

use fabrik_core::error::{Error, Result};
use fabrik_core::value::Value;
use serde_json::Value as Json;

use crate::brand::{Brand, Slug};
use crate::expand::Picture;
use crate::note::unknown;
use crate::sections::{self, Assets, BrandRefs, FormRef, Image, Pair};
use crate::token::token;

/// The version of WordPress that sections are written for unless the spec names one.
pub(crate) const WORDPRESS: (u32, u32) = (6, 3);

/// Kinds of sections.
pub(crate) fn kinds() -> &'static [&'static str] {
    sections::kinds()
}

/// The schema of a kind's fields, with an `id`, and without references within.
pub(crate) fn schema(kind: &str) -> Option<Json> {
    let schema = sections::schema(kind)?;
    let defs = schema.get("$defs").cloned().unwrap_or_default();
    let mut inlined = inline(&schema, &defs, 0);
    let map = inlined.as_object_mut()?;
    for field in ["$defs", "$schema", "title"] {
        map.remove(field);
    }
    map.entry("description")
        .or_insert_with(|| format!("A section `{kind}`.").into());
    let properties = map
        .entry("properties")
        .or_insert_with(|| serde_json::json!({}));
    properties.as_object_mut()?.entry("id").or_insert_with(|| {
        serde_json::json!({
            "type": "string",
            "pattern": crate::schema::ID,
            "description": "Its name in the page, by which it is known when the page changes; the kind unless set.",
        })
    });
    Some(inlined)
}

/// A schema with what its references name in their place.
fn inline(schema: &Json, defs: &Json, depth: usize) -> Json {
    match schema {
        Json::Object(map) if depth < 32 => {
            if let Some(name) = map
                .get("$ref")
                .and_then(Json::as_str)
                .and_then(|target| target.strip_prefix("#/$defs/"))
            {
                let mut found = inline(&defs[name], defs, depth + 1);
                // What stands beside a reference says more than what it refers to.
                if let Some(found) = found.as_object_mut() {
                    for (key, value) in map.iter().filter(|(key, _)| *key != "$ref") {
                        found.insert(key.clone(), inline(value, defs, depth + 1));
                    }
                }
                return found;
            }
            map.iter()
                .filter(|(key, _)| *key != "$defs")
                .map(|(key, value)| (key.clone(), inline(value, defs, depth + 1)))
                .collect()
        }
        Json::Array(items) => items
            .iter()
            .map(|item| inline(item, defs, depth + 1))
            .collect(),
        other => other.clone(),
    }
}

/// Pages by id, for links.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pages: BTreeMap<String, String>,
}

impl Links {
    /// Paths of pages by their ids.
    pub(crate) fn new(pages: BTreeMap<String, String>) -> Links {
        Links { pages }
    }

    /// Where a link goes: a page's id (`about`, `page:about`, with `#part` if need be) to its path;
    /// an address to itself.
    ///
    /// # Errors
    /// There is no such page.
    pub(crate) fn resolve(&self, target: &str) -> Result<String> {
        let named = target.strip_prefix("page:");
        if named.is_none() && crate::normalise::is_address(target) {
            return Ok(target.to_owned());
        }
        let name = named.unwrap_or(target);
        let (id, part) = match name.split_once('#') {
            Some((id, part)) => (id, format!("#{part}")),
            None => (name, String::new()),
        };
        match self.pages.get(id) {
            Some(path) => Ok(format!("{path}{part}")),
            None => Err(unknown(
                "",
                format!("there is no page `{id}` to link to"),
                id,
                self.pages.keys().map(String::as_str),
            )
            .hint_or("write the id of a page, `/path`, `#part`, or a whole URL")),
        }
    }
}

trait HintOr {
    fn hint_or(self, hint: &str) -> Self;
}

impl HintOr for Error {
    fn hint_or(self, hint: &str) -> Self {
        if self.hint_text().is_some() {
            self
        } else {
            self.hint(hint)
        }
    }
}

/// What sections of one page are rendered with.
pub(crate) struct Studio<'s> {
    /// Finds an image.
    pub(crate) image: &'s dyn Fn(&str) -> Result<Picture>,
    /// Pages.
    pub(crate) links: &'s Links,
    /// Titles of forms by key.
    pub(crate) forms: &'s BTreeMap<String, String>,
    /// The look.
    pub(crate) brand: &'s Brand,
    /// The version of WordPress.
    pub(crate) version: (u32, u32),
}

/// Answers what sections ask, and keeps why an answer could not be given: that tells more than
/// "there is none".
struct Answers<'s> {
    studio: &'s Studio<'s>,
    failed: RefCell<Option<Error>>,
}

impl Assets for Answers<'_> {
    fn image(&self, key: &str) -> Option<Image> {
        match (self.studio.image)(key) {
            Ok(picture) => Some(Image {
                id: picture.token("id"),
                url: picture.token("url"),
                alt: picture.alt.clone(),
                width: Some(picture.facts.width),
                height: Some(picture.facts.height),
            }),
            Err(error) => {
                self.failed.borrow_mut().get_or_insert(error);
                None
            }
        }
    }

    fn link(&self, target: &str) -> Result<String> {
        self.studio.links.resolve(target)
    }

    fn form(&self, key: &str) -> Option<FormRef> {
        let forms = self.studio.forms;
        let Some(title) = forms.get(key) else {
            let known = forms.keys().map(String::as_str);
            let text = format!("there is no form `{key}` in `forms`");
            let error = unknown("", text, key, known);
            self.failed.borrow_mut().get_or_insert(error);
            return None;
        };
        Some(FormRef {
            shortcode: "contact-form-7".to_owned(),
            id: token(&format!("form-{key}.id")),
            title: Some(title.clone()),
        })
    }
}

/// The palette as sections use it.
fn refs(brand: &Brand) -> BrandRefs {
    if !brand.painted {
        return BrandRefs {
            radius: Some(brand.radius.clone()),
            ..BrandRefs::default()
        };
    }
    let pair = |background: &str, text: &str| {
        Some(Pair {
            background: Slug::in_theme(background),
            text: Slug::in_theme(text),
        })
    };
    BrandRefs {
        primary: pair("primary", "on-primary"),
        muted: pair("surface", "text"),
        dark: pair("secondary", "on-secondary"),
        card: pair("background", "text"),
        radius: Some(brand.radius.clone()),
        width: None,
    }
}

/// Renders a section: its markup with placeholders, and warnings.
///
/// # Errors
/// With the field of the section that is at fault.
pub(crate) fn section(
    kind: &str,
    id: &str,
    fields: &Value,
    studio: &Studio<'_>,
) -> Result<(String, Vec<String>)> {
    let answers = Answers {
        studio,
        failed: RefCell::new(None),
    };
    let brand = refs(studio.brand);
    let cx = sections::Cx {
        wordpress: studio.version,
        brand: &brand,
        assets: &answers,
    };
    match sections::render(kind, id, fields, &cx) {
        Ok(markup) => Ok((markup.text, markup.warnings)),
        Err(error) => Err(match answers.failed.into_inner() {
            Some(why) => match error.field_path() {
                Some(field) => why.field(field.clone()),
                None => why,
            },
            None => error,
        }),
    }
}

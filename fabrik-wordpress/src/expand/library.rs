//! Images: found beside the spec, checked, and put into the media library once each.

use std::cell::RefCell;
use std::collections::BTreeMap;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, Result};
use fabrik_core::role::{Files, Parts};
use fabrik_core::value::{Map, Value};

use super::site::{Site, slug, text_of};
use crate::image::{self, Facts, Refused};
use crate::note::invalid;
use crate::token::token;

/// Largest image taken.
const MOST: usize = 32 * 1024 * 1024;

/// An image that some page uses.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// Its file, relative to the spec.
    pub(crate) source: String,
    /// What the file says.
    pub(crate) facts: Facts,
    /// What it shows.
    pub(crate) alt: String,
    pub(crate) title: Option<String>,
    pub(crate) caption: Option<String>,
    /// Name of its part.
    pub(crate) part: String,
}

impl Picture {
    /// The name it gets on the site: plain letters, and the ending of what it is.
    fn file_name(&self) -> String {
        let name = self.source.rsplit('/').next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let ending = match self.facts.mime {
            "image/jpeg" => "jpg",
            other => other.strip_prefix("image/").unwrap_or("png"),
        };
        format!("{}.{ending}", slug(&stem.replace(['.', '_'], "-")))
    }

    /// The placeholder of its id or URL.
    pub(crate) fn token(&self, output: &str) -> String {
        token(&format!("{}.{output}", self.part))
    }
}

/// Reads a file and tells what it is.
fn look(files: &dyn Files, source: &str) -> Result<Facts> {
    let bytes = files
        .read(source)
        .map_err(|error| invalid("", format!("the image `{source}` is not there")).cause(error))?;
    if bytes.len() > MOST {
        return Err(invalid(
            "",
            format!("the image `{source}` is larger than 32 MiB"),
        ));
    }
    match image::facts(&bytes) {
        Ok(facts) => Ok(facts),
        Err(Refused::Svg) => Err(invalid(
            "",
            format!("`{source}` is an SVG, which WordPress refuses"),
        )
        .hint("export it as PNG, twice as large as it is shown")),
        Err(Refused::Unknown) => Err(invalid("", format!("`{source}` is no image"))
            .hint("PNG, JPEG, GIF and WebP are taken; the content counts, not the name")),
    }
}

/// Every image of a site, found when it is asked for.
pub(super) struct Library<'f> {
    files: &'f dyn Files,
    named: BTreeMap<String, Value>,
    found: RefCell<BTreeMap<String, std::result::Result<Picture, Error>>>,
}

impl<'f> Library<'f> {
    /// With the images the spec names.
    pub(super) fn new(files: &'f dyn Files, media: Option<&Value>) -> Library<'f> {
        let named = media.and_then(Value::as_map).cloned().unwrap_or_default();
        Library {
            files,
            named: named
                .into_iter()
                .map(|(key, value)| (key.to_string(), value))
                .collect(),
            found: RefCell::default(),
        }
    }

    /// An image by its name in `media`, or its path.
    ///
    /// # Errors
    /// There is none, or it is none.
    pub(super) fn get(&self, key: &str) -> Result<Picture> {
        if let Some(known) = self.found.borrow().get(key) {
            return known.clone();
        }
        let found = self.find(key);
        self.found
            .borrow_mut()
            .insert(key.to_owned(), found.clone());
        found
    }

    fn find(&self, key: &str) -> Result<Picture> {
        // A path is also known by the name that `media` gives it.
        let same = |media: &&Value| text_of(media, "source").as_deref() == Some(key);
        let named = self
            .named
            .get(key)
            .or_else(|| self.named.values().find(same));
        let source = match named {
            Some(media) => text_of(media, "source").unwrap_or_default(),
            None => key.to_owned(),
        };
        if source.contains("://") {
            return Err(invalid(
                "",
                format!("`{source}` is elsewhere: images lie beside the spec"),
            )
            .hint("save it below the spec's folder and give its path"));
        }
        let facts = look(self.files, &source).map_err(|error| {
            if named.is_none() && !key.contains(['.', '/']) {
                let known = self.named.keys().map(String::as_str);
                crate::note::unknown(
                    "",
                    format!("there is no image `{key}` in `media`"),
                    key,
                    known,
                )
            } else {
                error
            }
        })?;
        let text = |field: &str| named.and_then(|media| text_of(media, field));
        Ok(Picture {
            facts,
            alt: text("alt").unwrap_or_default(),
            title: text("title"),
            caption: text("caption"),
            part: format!("media-{}", slug(&source.replace(['/', '.', '_'], "-"))),
            source,
        })
    }

    /// Everything that was asked for and found, by part.
    pub(super) fn used(self) -> BTreeMap<String, Picture> {
        let found = self.found.into_inner().into_values();
        found
            .filter_map(Result::ok)
            .map(|picture| (picture.part.clone(), picture))
            .collect()
    }
}

impl Site<'_> {
    /// An image outside of sections: a logo, a featured image.
    pub(super) fn picture(&mut self, key: &str, field: &str) -> Option<Picture> {
        let media = self.at("media");
        let found = Library::new(self.cx.files(), media.as_ref()).get(key);
        match found {
            Ok(picture) => {
                let known = self.pictures.entry(picture.part.clone());
                Some(known.or_insert(picture).clone())
            }
            Err(error) => {
                self.mistake(error.field(fabrik_core::value::Path::parse(field)));
                None
            }
        }
    }

    /// The address of an image's part.
    pub(super) fn picture_address(&mut self, picture: &Picture) -> Result<Address> {
        self.cx.parts().base().part(&picture.part)
    }

    /// A reference to an image's id.
    pub(super) fn picture_id(&mut self, picture: &Picture) -> Result<Value> {
        let address = self.picture_address(picture)?;
        Ok(Parts::output(&address, "id"))
    }
}

/// Declares every image that is used.
pub(super) fn declare(site: &mut Site<'_>) -> Result<()> {
    let pictures: Vec<Picture> = site.pictures.values().cloned().collect();
    for picture in pictures {
        let mut inputs = Map::from([
            ("source".into(), Value::from(picture.source.as_str())),
            ("name".into(), Value::from(picture.file_name())),
        ]);
        for (field, text) in [
            ("alt", Some(&picture.alt).filter(|alt| !alt.is_empty())),
            ("title", picture.title.as_ref()),
            ("caption", picture.caption.as_ref()),
        ] {
            if let Some(text) = text {
                inputs.insert(field.into(), Value::from(text.as_str()));
            }
        }
        site.add_content(&picture.part, "wordpress.media", inputs)?;
    }
    Ok(())
}

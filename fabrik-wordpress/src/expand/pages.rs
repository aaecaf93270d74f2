//! Pages: gathered with their paths, then rendered and declared.

use std::collections::{BTreeMap, BTreeSet};

use fabrik_core::address::Address;
use fabrik_core::error::{Error, Result};
use fabrik_core::kinds::app_name;
use fabrik_core::role::{Files, Parts};
use fabrik_core::value::{Map, Path, Value};

use super::library::Library;
use super::site::{Site, slug, text_of};
use crate::brand::Brand;
use crate::legal;
use crate::note::{invalid, unknown};
use crate::render::{self, Links};
use crate::token;

/// A page on its way.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) slug: String,
    pub(super) parent: Option<String>,
    /// Where it answers, from the site's root: `/about/`.
    pub(super) path: String,
    /// Its block, with what the preset gives.
    pub(super) block: Value,
    /// Where it stands in the spec: `pages[3]`.
    pub(super) at: String,
    pub(super) front: bool,
    pub(super) posts: bool,
    pub(super) language: Option<String>,
    /// Markdown of a page without sections, such as a legal one.
    pub(super) markdown: Option<String>,
}

impl Page {
    /// The page it is a translation of.
    pub(super) fn translation_of(&self) -> Option<String> {
        text_of(&self.block, "translation_of")
    }
}

/// Every page, with its path; mistakes are noted.
pub(super) fn gather(site: &mut Site<'_>) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    let blocks = site.list("pages");
    for (index, block) in blocks.iter().enumerate() {
        let origin = site.page_origins.get(index).copied().flatten();
        let at = origin.map_or_else(|| "preset".to_owned(), |at| format!("pages[{at}]"));
        let Some(id) = text_of(block, "id") else {
            continue;
        };
        if pages.iter().any(|page| page.id == id) {
            site.mistake(invalid(
                &format!("{at}.id"),
                format!("there are two pages `{id}`"),
            ));
            continue;
        }
        let Some(title) = text_of(block, "title") else {
            let error = invalid(&at, format!("the page `{id}` has no `title`"));
            site.mistake(error);
            continue;
        };
        pages.push(Page {
            slug: text_of(block, "slug").unwrap_or_else(|| id.replace('_', "-")),
            parent: text_of(block, "parent"),
            path: String::new(),
            front: block.get("front").and_then(Value::as_bool) == Some(true),
            posts: block.get("posts").and_then(Value::as_bool) == Some(true),
            language: text_of(block, "language"),
            markdown: text_of(block, "text"),
            block: block.clone(),
            title,
            at,
            id,
        });
    }
    if !pages.iter().any(|page| page.front)
        && let Some(home) = pages.iter_mut().find(|page| page.id == "home")
    {
        home.front = true;
    }
    legal_pages(site, &mut pages);
    check_front(site, &pages);
    paths(site, &mut pages);
    pages
}

/// Legal pages that the spec asks for and does not write itself.
fn legal_pages(site: &mut Site<'_>, pages: &mut Vec<Page>) {
    let Some(block) = site.at("legal") else {
        return;
    };
    let mut languages: Vec<String> = site
        .list("legal.languages")
        .iter()
        .filter_map(|language| language.as_str().map(str::to_owned))
        .collect();
    if languages.is_empty() {
        let own = site.language();
        let known = legal::LANGUAGES.contains(&own.as_str());
        languages.push(if known { own } else { "en".to_owned() });
    }
    for kind in legal::KINDS {
        let Some(wanted) = block.get(kind) else {
            continue;
        };
        if wanted.get("enabled").and_then(Value::as_bool) == Some(false)
            || pages.iter().any(|page| page.id == *kind)
        {
            continue;
        }
        for (index, language) in languages.iter().enumerate() {
            let Some(template) = legal::template(kind, language) else {
                continue;
            };
            let id = if index == 0 {
                (*kind).to_owned()
            } else {
                format!("{kind}-{language}")
            };
            let own = |field: &str| text_of(wanted, field).filter(|_| index == 0);
            let at = format!("legal.{kind}");
            let text = match own("text") {
                Some(file) => read_text(site, &file, &format!("{at}.text")),
                None => {
                    let (text, missing) = legal::fill(template, site.block.get("contact"));
                    for field in missing {
                        let message = format!("the {kind} page needs `contact.{field}`");
                        site.mistake(
                            invalid(&at, message).hint("legal pages name who runs the site"),
                        );
                    }
                    Some(text)
                }
            };
            let title = own("title").unwrap_or_else(|| legal::title(kind, language).to_owned());
            let mut extra = Map::new();
            if index > 0 {
                extra.insert("translation_of".into(), Value::from(*kind));
            }
            let several = !site.list("languages").is_empty();
            pages.push(Page {
                slug: own("slug").unwrap_or_else(|| slug(&title)),
                parent: None,
                path: String::new(),
                block: Value::map(extra),
                at,
                front: false,
                posts: false,
                language: several.then(|| language.clone()),
                markdown: text,
                title,
                id,
            });
        }
    }
}

/// The text of a file, or a mistake.
pub(super) fn read_text(site: &mut Site<'_>, file: &str, field: &str) -> Option<String> {
    let read = site.cx.files().read(file);
    let text = read.and_then(|bytes| {
        String::from_utf8(bytes).map_err(|_| invalid("", format!("`{file}` is not UTF-8 text")))
    });
    match text {
        Ok(text) => Some(text),
        Err(error) => {
            let error = invalid(field, format!("`{file}` cannot be read")).cause(error);
            site.mistake(error);
            None
        }
    }
}

fn check_front(site: &mut Site<'_>, pages: &[Page]) {
    let no_translation: Vec<&Page> = pages
        .iter()
        .filter(|page| page.front && page.translation_of().is_none())
        .collect();
    if let [_, second, ..] = no_translation.as_slice() {
        let message = format!("`{}` is a second front page", second.id);
        site.mistake(invalid(&format!("{}.front", second.at), message));
    }
}

/// Where each page answers; parents that are not there and circles are mistakes.
fn paths(site: &mut Site<'_>, pages: &mut [Page]) {
    let prefix = site
        .at("domains")
        .and_then(|domains| text_of(domains.as_list()?.first()?, "path"))
        .unwrap_or_default();
    let default = default_language(site);
    let by_id: BTreeMap<String, usize> = pages
        .iter()
        .enumerate()
        .map(|(at, page)| (page.id.clone(), at))
        .collect();
    let mut found: Vec<Error> = Vec::new();
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut slugs: BTreeMap<String, String> = BTreeMap::new();
    let snapshot = pages.to_vec();
    for page in pages.iter_mut() {
        let mut parts = vec![page.slug.clone()];
        let mut above = page.parent.clone();
        let mut seen = BTreeSet::from([page.id.clone()]);
        while let Some(id) = above.take() {
            let Some(parent) = by_id.get(&id).and_then(|at| snapshot.get(*at)) else {
                let known = by_id.keys().map(String::as_str);
                let text = format!("there is no page `{id}` to be below");
                found.push(unknown(&format!("{}.parent", page.at), text, &id, known));
                break;
            };
            if !seen.insert(id.clone()) {
                let text = format!("`{}` is below itself", page.id);
                found.push(invalid(&format!("{}.parent", page.at), text));
                break;
            }
            parts.push(parent.slug.clone());
            above.clone_from(&parent.parent);
        }
        parts.reverse();
        let foreign = page
            .language
            .as_ref()
            .filter(|language| default.as_ref().is_some_and(|default| default != *language));
        let language = foreign
            .map(|language| format!("/{language}"))
            .unwrap_or_default();
        let front = page.front || is_front_translation(page, &snapshot);
        page.path = if front {
            format!("{prefix}{language}/")
        } else {
            format!("{prefix}{language}/{}/", parts.join("/"))
        };
        // WordPress keeps slugs apart below one parent, also those of other languages.
        let slot = format!(
            "{} {}",
            page.parent.as_deref().unwrap_or_default(),
            page.slug
        );
        if let Some(other) = slugs.insert(slot, page.id.clone()) {
            let text = format!(
                "`{}` and `{other}` have the same slug `{}`",
                page.id, page.slug
            );
            found.push(invalid(&page.at, text).hint("give one of them another `slug`"));
        } else if let Some(other) = all.insert(page.path.clone(), page.id.clone()) {
            let text = format!(
                "`{}` and `{other}` would both answer at {}",
                page.id, page.path
            );
            found.push(invalid(&page.at, text).hint("give one of them another `slug`"));
        }
    }
    for error in found {
        site.mistake(error);
    }
}

fn is_front_translation(page: &Page, pages: &[Page]) -> bool {
    let Some(of) = page.translation_of() else {
        return false;
    };
    pages.iter().any(|other| other.id == of && other.front)
}

/// The code of the language that has no part in addresses.
pub(super) fn default_language(site: &Site<'_>) -> Option<String> {
    let languages = site.list("languages");
    let marked = languages
        .iter()
        .find(|language| language.get("default").and_then(Value::as_bool) == Some(true));
    text_of(marked.or(languages.first())?, "code")
}

/// Where links to pages lead.
pub(super) fn links(pages: &[Page]) -> Links {
    let paths = pages
        .iter()
        .map(|page| (page.id.clone(), page.path.clone()));
    Links::new(paths.collect())
}

/// Renders every page, parents first, and declares its part.
pub(super) fn declare(site: &mut Site<'_>, pages: &[Page], links: &Links) -> Result<()> {
    let name = app_name(site.cx.parts().base());
    let allow_unsafe = site.at("allow_unsafe").and_then(|on| on.as_bool()) == Some(true);
    let media = site.at("media");
    let mut failed: Vec<Error> = Vec::new();
    let mut warned: Vec<Error> = Vec::new();
    let mut rendered: Vec<Vec<(String, String)>> = Vec::new();
    let library = Library::new(site.cx.files(), media.as_ref());
    for page in pages {
        let mut studio = Studio {
            library: &library,
            links,
            forms: &site.forms,
            brand: &site.brand,
            site: &name,
            version: version(&site.block),
            allow_unsafe,
            files: site.cx.files(),
            failed: &mut failed,
            warned: &mut warned,
        };
        rendered.push(studio.page(page));
    }
    site.pictures.extend(library.used());
    for error in failed {
        site.cx.mistake(error);
    }
    for error in warned {
        site.cx.warn(error);
    }
    // Parents first, because their parts are referred to.
    let mut order: Vec<usize> = (0..pages.len()).collect();
    order.sort_by_key(|at| depth(pages, *at));
    for at in order {
        if let (Some(page), Some(sections)) = (pages.get(at), rendered.get(at)) {
            let address = declare_one(site, page, sections, at)?;
            site.page_parts.insert(page.id.clone(), address);
        }
    }
    Ok(())
}

fn depth(pages: &[Page], at: usize) -> usize {
    let mut depth = 0;
    let mut here = pages.get(at).and_then(|page| page.parent.clone());
    while let Some(id) = here
        && depth < pages.len()
    {
        depth += 1;
        here = pages
            .iter()
            .find(|page| page.id == id)
            .and_then(|page| page.parent.clone());
    }
    depth
}

/// The version sections are written for: the spec's, else the oldest in wide use.
pub(super) fn version(block: &Value) -> (u32, u32) {
    let text = text_of(block, "version").unwrap_or_default();
    let mut parts = text.split('.').map_while(|part| part.parse().ok());
    match (parts.next(), parts.next()) {
        (Some(major), minor) => (major, minor.unwrap_or(0)),
        _ => render::WORDPRESS,
    }
}

fn declare_one(
    site: &mut Site<'_>,
    page: &Page,
    sections: &[(String, String)],
    order: usize,
) -> Result<Address> {
    let markups = section_values(site, sections);
    let mut inputs = Map::from([
        ("slug".into(), Value::from(page.slug.as_str())),
        ("title".into(), Value::from(page.title.as_str())),
        ("sections".into(), markups),
    ]);
    if let Some(parent) = page.parent.as_ref().and_then(|id| site.page_parts.get(id)) {
        inputs.insert("parent".into(), Parts::output(parent, "id"));
    }
    let template = match page.block.get("template").and_then(Value::as_str) {
        Some(written) => Some(written.to_owned()).filter(|text| !text.is_empty()),
        // Legal texts begin with their title, which the theme prints.
        None if page.markdown.is_some() => None,
        None => site.theme.template.clone(),
    };
    if let Some(template) = template {
        inputs.insert("template".into(), Value::from(template));
    }
    for field in ["status", "excerpt"] {
        if let Some(value) = page.block.get(field) {
            inputs.insert(field.into(), value.clone());
        }
    }
    inputs.insert("menu_order".into(), Value::from(order as u64));
    if let Some(key) = text_of(&page.block, "image")
        && let Some(picture) = site.picture(&key, &format!("{}.image", page.at))
    {
        inputs.insert("featured_media".into(), site.picture_id(&picture)?);
    }
    let address = site.add_content(&format!("page-{}", page.id), "wordpress.page", inputs)?;
    if page.slug == "privacy-policy" {
        // Every new WordPress has a draft of that name.
        site.adopt(&address);
    }
    Ok(address)
}

/// Sections as the provider takes them, with references to images.
pub(super) fn section_values(site: &mut Site<'_>, sections: &[(String, String)]) -> Value {
    let base = site.cx.parts().base().clone();
    let known = |name: &str| {
        let (part, output) = name.split_once('.')?;
        Some(Parts::output(&base.part(part).ok()?, output))
    };
    Value::list(sections.iter().map(|(id, markup)| {
        Value::map([
            ("id", Value::from(id.as_str())),
            ("markup", token::resolve(markup, &known)),
        ])
    }))
}

/// What renders pages and posts.
pub(super) struct Studio<'s> {
    pub(super) library: &'s Library<'s>,
    pub(super) links: &'s Links,
    pub(super) forms: &'s BTreeMap<String, String>,
    pub(super) brand: &'s Brand,
    pub(super) site: &'s str,
    pub(super) version: (u32, u32),
    pub(super) allow_unsafe: bool,
    pub(super) files: &'s dyn Files,
    pub(super) failed: &'s mut Vec<Error>,
    pub(super) warned: &'s mut Vec<Error>,
}

impl Studio<'_> {
    /// The sections of a page: id and markup.
    fn page(&mut self, page: &Page) -> Vec<(String, String)> {
        let mut sections = Vec::new();
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let listed = page.block.get("sections").and_then(Value::as_list);
        let overrides = page.block.get("overrides").cloned().unwrap_or_default();
        let mut unused: BTreeSet<String> = overrides
            .as_map()
            .map(|map| map.keys().map(ToString::to_string).collect())
            .unwrap_or_default();
        for (index, section) in listed.unwrap_or_default().iter().enumerate() {
            let Some((kind, fields)) = section.as_map().and_then(|map| map.iter().next()) else {
                continue;
            };
            let at = if page.at == "preset" {
                String::new()
            } else {
                format!("{}.sections[{index}].{kind}", page.at)
            };
            let times = taken.entry(kind.to_string()).or_default();
            *times += 1;
            let usual = if *times == 1 {
                kind.to_string()
            } else {
                format!("{kind}-{times}")
            };
            let id = text_of(fields, "id").unwrap_or(usual);
            unused.remove(&id);
            let mut fields = fields.without(&Path::key("id"));
            if let Some(over) = overrides.get(&id) {
                fields = crate::preset::lay(&fields, over);
            }
            let full = format!("{}.{id}", page.id);
            if sections.iter().any(|(known, _)| *known == full) {
                let text = format!("two sections of the page `{}` have the id `{id}`", page.id);
                self.failed.push(invalid(&at, text));
                continue;
            }
            if let Some(markup) = self.section(kind, &full, &fields, &at) {
                sections.push((full, markup));
            }
        }
        for id in unused {
            let text = format!("the page `{}` has no section `{id}` to change", page.id);
            let known = sections
                .iter()
                .filter_map(|(full, _)| full.split_once('.').map(|(_, id)| id));
            self.failed.push(unknown(
                &format!("{}.overrides.{id}", page.at),
                text,
                &id,
                known,
            ));
        }
        if let Some(text) = self.markdown_of(page) {
            let id = format!("{}.text", page.id);
            if let Some(markup) = self.markdown(&text, &page.title, &id, "", &page.at) {
                sections.push((id, markup));
            }
        }
        sections
    }

    /// A page's own Markdown: a file for pages, the text itself for legal ones.
    fn markdown_of(&mut self, page: &Page) -> Option<String> {
        let text = page.markdown.as_ref()?;
        if page.block.get("text").is_none() {
            return Some(text.clone());
        }
        let read = self.files.read(text).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| invalid("", format!("`{text}` is not UTF-8 text")))
        });
        match read {
            Ok(text) => Some(text),
            Err(error) => {
                let field = format!("{}.text", page.at);
                self.failed
                    .push(invalid(&field, format!("`{text}` cannot be read")).cause(error));
                None
            }
        }
    }

    fn section(&mut self, kind: &str, id: &str, fields: &Value, at: &str) -> Option<String> {
        let studio = render::Studio {
            image: &|key| self.library.get(key),
            links: self.links,
            forms: self.forms,
            brand: self.brand,
            version: self.version,
        };
        match render::section(kind, id, fields, &studio) {
            Ok((markup, warnings)) => {
                for warning in warnings {
                    self.warned.push(invalid(at, warning));
                }
                Some(markup)
            }
            Err(error) => {
                self.failed.push(below(error, at));
                None
            }
        }
    }

    /// Markdown as one section.
    pub(super) fn markdown(
        &mut self,
        text: &str,
        name: &str,
        id: &str,
        folder: &str,
        at: &str,
    ) -> Option<String> {
        let image = |key: &str| {
            let path = crate::markdown::join(folder, key);
            let known = self.library.get(key);
            known.or_else(|error| self.library.get(&path).map_err(|_| error))
        };
        let studio = render::Studio {
            image: &image,
            links: self.links,
            forms: self.forms,
            brand: self.brand,
            version: self.version,
        };
        match crate::markdown::section(text, name, id, &studio, self.allow_unsafe) {
            Ok(markup) => Some(markup),
            Err(error) => {
                let message = format!("{} (in the text of `{id}`, {})", error.message(), self.site);
                let mut told = invalid(at, message);
                if let Some(hint) = error.hint_text() {
                    told = told.hint(hint);
                }
                self.failed.push(told);
                None
            }
        }
    }
}

/// An error about a field of a section, as one about the block.
fn below(error: Error, at: &str) -> Error {
    if at.is_empty() {
        return error.field(Path::key("preset"));
    }
    let mut path = Path::parse(at);
    for segment in error.field_path().into_iter().flat_map(Path::segments) {
        path.push(segment.clone());
    }
    error.field(path)
}

//! What the steps of an expansion share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, Result};
use fabrik_core::expr::{self, Expr, Function, Reference};
use fabrik_core::role::{ComponentCx, ComponentOut, Parts};
use fabrik_core::value::{Map, Path, Segment, Value};

use super::library::Picture;
use super::pages::Page;
use super::place::Placed;
use crate::brand::Brand;
use crate::note::invalid;
use crate::preset::Merged;
use crate::token;

/// Fields that may wait for other resources. Everything else decides which parts there are, or
/// stands in pages.
const MAY_WAIT: &[&str] = &[
    "site",
    "editor",
    "options",
    "settings",
    "plugins",
    "analytics",
];

/// Refuses what is not known where it has to be, secrets on pages, and the characters of
/// placeholders.
pub(super) fn check_known(block: &Value) -> Result<()> {
    let mut found: Option<Error> = None;
    block.walk(&mut |path, value| {
        let may_wait = first(path).is_some_and(|first| MAY_WAIT.contains(&first));
        if found.is_some() || may_wait {
            return;
        }
        let error = match value {
            Value::Expr(expr) if !is_shared(path) => Some(format!(
                "`{path}` must be known when the stack is planned: it waits for {expr}"
            )),
            Value::Secret(_) | Value::Sealed(_) => {
                Some(format!("`{path}` is a secret, and this would publish it"))
            }
            Value::Str(text) if token::is_marked(text) => Some(format!(
                "`{path}` holds the private-use characters U+E000 or U+E001"
            )),
            _ => None,
        };
        found = error.map(|message| invalid("", message).field(path.clone()));
    });
    found.map_or(Ok(()), Err)
}

/// Fields the core looks after.
fn is_shared(path: &Path) -> bool {
    first(path).is_some_and(|first| {
        [
            "domains",
            "redirects",
            "tls",
            "health",
            "limits",
            "monitor",
            "dns",
            "backup",
        ]
        .contains(&first)
    })
}

/// The field of the block a path leads into.
fn first(path: &Path) -> Option<&str> {
    match path.segments().first()? {
        Segment::Key(key) => Some(key),
        Segment::Index(_) => None,
    }
}

/// One site on its way into parts.
pub(super) struct Site<'a> {
    /// Where parts go.
    pub(super) cx: &'a mut dyn ComponentCx,
    /// The block with its preset.
    pub(super) block: Value,
    /// For each page of the block, its place in the spec.
    pub(super) page_origins: Vec<Option<usize>>,
    /// For each menu likewise.
    pub(super) menu_origins: Vec<Option<usize>>,
    /// Where it runs.
    pub(super) placed: Placed,
    /// The look.
    pub(super) brand: Brand,
    /// The theme's folder and how the brand gets into it.
    pub(super) theme: super::look::Theme,
    /// What content comes after.
    pub(super) foundation: Vec<Address>,
    /// Images by key.
    pub(super) pictures: BTreeMap<String, Picture>,
    /// Parts that menus, SEO and checks refer to, by page id.
    pub(super) page_parts: BTreeMap<String, Address>,
    /// Parts of categories by slug.
    pub(super) categories: BTreeMap<String, Address>,
    /// Parts of authors by login.
    pub(super) authors: BTreeMap<String, Address>,
    /// Titles of forms by key.
    pub(super) forms: BTreeMap<String, String>,
    /// Plugins that will be there.
    pub(super) plugins: BTreeSet<String>,
}

impl<'a> Site<'a> {
    pub(super) fn new(cx: &'a mut dyn ComponentCx, merged: Merged, placed: Placed) -> Site<'a> {
        let mut notes = Vec::new();
        let mut brand = Brand::read(&merged.block, &mut notes);
        let theme = super::look::Theme::of(&merged.block);
        brand.painted = brand.given && theme.has_palette();
        for (bad, note) in notes {
            if bad {
                cx.mistake(note);
            } else {
                cx.warn(note);
            }
        }
        Site {
            theme,
            cx,
            block: merged.block,
            page_origins: merged.pages,
            menu_origins: merged.menus,
            placed,
            brand,
            foundation: Vec::new(),
            pictures: BTreeMap::new(),
            page_parts: BTreeMap::new(),
            categories: BTreeMap::new(),
            authors: BTreeMap::new(),
            forms: BTreeMap::new(),
            plugins: BTreeSet::new(),
        }
    }

    /// A value of the block.
    pub(super) fn at(&self, path: &str) -> Option<Value> {
        self.block
            .at(&Path::parse(path))
            .filter(|value| !value.is_null())
    }

    /// A text of the block.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.at(path)
            .and_then(|value| value.as_str().map(str::to_owned))
    }

    /// The items of a list of the block.
    pub(super) fn list(&self, path: &str) -> Vec<Value> {
        let value = self.at(path);
        let list = value.as_ref().and_then(Value::as_list);
        list.unwrap_or_default().to_vec()
    }

    /// Notes a mistake.
    pub(super) fn mistake(&mut self, error: Error) {
        self.cx.mistake(error);
    }

    /// Adds a part on the site's own instance of the provider.
    pub(super) fn add(&mut self, name: &str, type_name: &str, inputs: Map) -> Result<Address> {
        let instance = self.placed.instance.clone();
        let inputs = Value::Map(Arc::new(inputs));
        self.cx
            .parts()
            .scoped(instance, "", |parts| parts.add(name, type_name, inputs))
    }

    /// Takes over what is there under the same name, such as the draft that WordPress makes.
    pub(super) fn adopt(&mut self, address: &Address) {
        if let Some(part) = self.cx.parts().part_mut(address) {
            Arc::make_mut(&mut part.options).adopt = true;
        }
    }

    /// As [`Site::add`], after theme and plugins.
    pub(super) fn add_content(
        &mut self,
        name: &str,
        type_name: &str,
        inputs: Map,
    ) -> Result<Address> {
        let address = self.add(name, type_name, inputs)?;
        let after = self.foundation.clone();
        self.depend(&address, after);
        Ok(address)
    }

    /// Puts a part after others.
    pub(super) fn depend(&mut self, address: &Address, after: Vec<Address>) {
        if let Some(part) = self.cx.parts().part_mut(address) {
            part.depends_on.extend(after);
        }
    }

    /// The site's language as a code: `de` of `de_DE`.
    pub(super) fn language(&self) -> String {
        let locale = self.text("language");
        let locale = locale.as_deref().unwrap_or("en_US");
        locale.split('_').next().unwrap_or(locale).to_owned()
    }

    /// What the component gives.
    pub(super) fn out(self, pages: &[Page]) -> ComponentOut {
        let mut out = self.placed.out;
        out.outputs.insert("url".into(), self.placed.url.clone());
        let admin = fabrik_core::kinds::url_at(&self.placed.url, "/wp-admin/");
        out.outputs.insert("admin_url".into(), admin);
        let urls = pages.iter().filter_map(|page| {
            let address = self.page_parts.get(&page.id)?;
            Some((page.id.clone(), Parts::output(address, "url")))
        });
        out.outputs.insert("pages".into(), Value::map(urls));
        out.url = self.placed.url;
        out
    }
}

/// A map from the fields that are there.
pub(super) fn fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map {
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.into(), value.filter(|value| !value.is_null())?)))
        .collect()
}

/// Fields of a value under the same or other names.
pub(super) fn take(from: &Value, names: &[(&str, &str)]) -> Map {
    names
        .iter()
        .filter_map(|(name, to)| {
            let value = from.get(name).filter(|value| !value.is_null())?;
            Some(((*to).into(), value.clone()))
        })
        .collect()
}

/// A text as one slug.
pub(super) fn slug(text: &str) -> String {
    let call = Expr::Call(Function::Slug, vec![Expr::Literal(Value::from(text))]);
    let nothing_known = |_: &Reference| Ok(None);
    expr::evaluate(&call, &nothing_known)
        .ok()
        .and_then(|slug| slug.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// The text of a field.
pub(super) fn text_of(value: &Value, field: &str) -> Option<String> {
    value.get(field).and_then(Value::as_str).map(str::to_owned)
}

//! Menus: entries that name pages are references to them.

use std::collections::BTreeSet;

use fabrik_core::error::Result;
use fabrik_core::role::Parts;
use fabrik_core::value::{Map, Value};

use super::pages::Page;
use super::site::{Site, slug, text_of};
use crate::note::{invalid, unknown};
use crate::{normalise, preset};

/// Declares every menu.
pub(super) fn declare(site: &mut Site<'_>, pages: &[Page]) -> Result<()> {
    let mut taken = BTreeSet::new();
    for (index, menu) in site.list("menus").iter().enumerate() {
        let origin = site.menu_origins.get(index).copied().flatten();
        let at = origin.map(|at| format!("menus[{at}]"));
        let locations = preset::locations(menu);
        let language = text_of(menu, "language");
        let id = text_of(menu, "id").or_else(|| {
            let location = locations.first()?;
            Some(match &language {
                Some(language) => format!("{}-{language}", slug(location)),
                None => slug(location),
            })
        });
        let shown = at.clone().unwrap_or_default();
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            site.mistake(invalid(&shown, "a menu needs an `id` or a `location`"));
            continue;
        };
        if !taken.insert(id.clone()) {
            let text = format!("there are two menus `{id}`");
            site.mistake(invalid(&shown, text).hint("give one of them another `id`"));
            continue;
        }
        let items = menu
            .get("items")
            .and_then(Value::as_list)
            .unwrap_or_default();
        let items = entries(site, pages, items, at.as_deref(), "items")?;
        let name = text_of(menu, "name").unwrap_or_else(|| {
            let mut chars = id.chars();
            let first = chars.next().map(|first| first.to_uppercase().to_string());
            format!("{}{}", first.unwrap_or_default(), chars.as_str())
        });
        let locations: Vec<Value> = locations
            .iter()
            .filter_map(|location| site.theme.location(location))
            .map(Value::from)
            .collect();
        let inputs = Map::from([
            ("slug".into(), Value::from(id.as_str())),
            ("name".into(), Value::from(name)),
            ("locations".into(), Value::list(locations)),
            ("items".into(), Value::list(items)),
        ]);
        site.add_content(&format!("menu-{id}"), "wordpress.menu", inputs)?;
    }
    Ok(())
}

/// The entries of one level. Entries of a preset whose page is gone are left out; in the spec that
/// is a mistake.
fn entries(
    site: &mut Site<'_>,
    pages: &[Page],
    items: &[Value],
    menu: Option<&str>,
    within: &str,
) -> Result<Vec<Value>> {
    let mut done = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let here = format!("{within}[{index}]");
        let at = menu.map(|menu| format!("{menu}.{here}"));
        let place = at.clone().unwrap_or_default();
        let mut entry = Map::new();
        let mut title = text_of(item, "title");
        let targets = ["page", "category", "url"]
            .iter()
            .filter(|field| item.get(field).is_some())
            .count();
        if targets > 1 {
            let text = "an entry leads to one of `page`, `category` and `url`";
            site.mistake(invalid(&place, text));
            continue;
        }
        if let Some(id) = text_of(item, "page") {
            let Some(page) = pages.iter().find(|page| page.id == id) else {
                if at.is_some() {
                    let known = pages.iter().map(|page| page.id.as_str());
                    let text = format!("the menu names the page `{id}`, which is not there");
                    let error = unknown(&format!("{place}.page"), text, &id, known);
                    site.mistake(error);
                }
                continue;
            };
            title = title.or_else(|| Some(page.title.clone()));
            if let Some(address) = site.page_parts.get(&id) {
                entry.insert("page".into(), Parts::output(address, "id"));
            }
        } else if let Some(name) = text_of(item, "category") {
            match site.categories.get(&name) {
                Some(address) => {
                    entry.insert("category".into(), Parts::output(address, "id"));
                }
                None => {
                    let known: Vec<&str> = site.categories.keys().map(String::as_str).collect();
                    let text = format!("the menu names the category `{name}`, which is not there");
                    let error = unknown(&format!("{place}.category"), text, &name, known);
                    site.mistake(error);
                    continue;
                }
            }
            title = title.or(Some(name));
        } else {
            let url = text_of(item, "url").unwrap_or_else(|| "#".to_owned());
            match fabrik_blocks::text::url(&url) {
                Ok(url) if normalise::is_address(&url) => {
                    entry.insert("url".into(), Value::from(url));
                }
                Ok(_) => {
                    let text = format!("`{url}` is no address");
                    let hint =
                        "write `/path`, `#part` or a whole URL; `page:` names a page of the spec";
                    site.mistake(invalid(&format!("{place}.url"), text).hint(hint));
                    continue;
                }
                Err(error) => {
                    let error =
                        error.field(fabrik_core::value::Path::parse(&format!("{place}.url")));
                    site.mistake(error);
                    continue;
                }
            }
        }
        let Some(title) = title else {
            site.mistake(invalid(&place, "this entry of a menu has no `title`"));
            continue;
        };
        entry.insert("title".into(), Value::from(title));
        if item.get("new_tab").and_then(Value::as_bool) == Some(true) {
            entry.insert("target".into(), Value::from("_blank"));
        }
        if let Some(below) = item.get("items").and_then(Value::as_list) {
            let inner = entries(site, pages, below, menu, &format!("{here}.items"))?;
            if !inner.is_empty() {
                entry.insert("children".into(), Value::list(inner));
            }
        }
        done.push(Value::map(entry));
    }
    Ok(done)
}

//! From a site's block to resources.

mod checks;
mod content;
mod extras;
mod library;
mod look;
mod menus;
mod pages;
mod place;
mod posts;
mod site;

use fabrik_core::error::Result;
use fabrik_core::role::{ComponentCx, ComponentOut};
use fabrik_core::value::Value;

use crate::preset;
pub(crate) use library::Picture;
use site::Site;

/// Expands a block.
pub(crate) fn expand(block: &Value, cx: &mut dyn ComponentCx) -> Result<ComponentOut> {
    site::check_known(block)?;
    place::check_database(block)?;
    let merged = preset::merge(block)?;
    let placed = place::place(&merged.block, cx)?;
    let mut site = Site::new(cx, merged, placed);
    look::foundation(&mut site)?;
    let pages = pages::gather(&mut site);
    let mut posts = posts::gather(&mut site);
    let links = pages::links(&pages);
    look::style(&mut site)?;
    content::forms(&mut site)?;
    content::people(&mut site)?;
    pages::declare(&mut site, &pages, &links)?;
    posts::declare(&mut site, &mut posts, &links)?;
    menus::declare(&mut site, &pages)?;
    extras::declare(&mut site, &pages, &posts)?;
    checks::declare(&mut site, &pages);
    Ok(site.out(&pages))
}

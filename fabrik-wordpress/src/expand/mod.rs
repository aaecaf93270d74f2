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
    let posts = posts::gather(&mut site);
    look::style(&mut site)?;
    content::forms(&mut site)?;
    content::people(&mut site)?;
    pages::declare(&mut site, &pages)?;
    posts::declare(&mut site, &posts)?;
    library::declare(&mut site)?;
    menus::declare(&mut site, &pages)?;
    extras::declare(&mut site, &pages, &posts)?;
    checks::declare(&mut site, &pages);
    Ok(site.out(&pages))
}

//! Checks after apply: every published page answers, without an error of PHP in it.

use fabrik_core::address::Address;
use fabrik_core::kinds::url_at;
use fabrik_core::value::{Map, Value};
use fabrik_core::verify;

use super::pages::Page;
use super::site::{Site, text_of};

/// What PHP prints when a page fails.
const PHP_ERRORS: &[&str] = &[
    "<b>Fatal error</b>",
    "<b>Parse error</b>",
    "<b>Warning</b>:",
    "<b>Notice</b>:",
    "<b>Deprecated</b>:",
    "There has been a critical error on this website",
    "Error establishing a database connection",
];

/// One check a page.
pub(super) fn declare(site: &mut Site<'_>, pages: &[Page]) {
    let base = site.cx.parts().base().clone();
    let off = site.at("health.enabled").and_then(|on| on.as_bool()) == Some(false);
    if off {
        return;
    }
    let prefix = site
        .at("domains")
        .and_then(|domains| text_of(domains.as_list()?.first()?, "path"))
        .unwrap_or_default();
    for page in pages {
        if page
            .block
            .get("status")
            .is_some_and(|status| status.as_str() != Some("publish"))
        {
            continue;
        }
        let Some(address) = site.page_parts.get(&page.id).cloned() else {
            continue;
        };
        // The site's URL has the path of its domain already.
        let path = page
            .path
            .strip_prefix(prefix.as_str())
            .unwrap_or(&page.path);
        let spec = Map::from([
            ("url".into(), url_at(&site.placed.url, path)),
            (
                "lacks".into(),
                Value::list(PHP_ERRORS.iter().map(|text| Value::from(*text))),
            ),
        ]);
        let name = format!("{base}.page-{}", page.id);
        let mut check = verify::declare(name, "http", Value::map(spec));
        check.concerns = concerns(site, &address);
        site.cx.parts().checks.push(check);
    }
    // Those of an existing site say nothing of what they concern.
    let made: Vec<Address> = site
        .cx
        .parts()
        .resources
        .iter()
        .map(|part| part.address.clone())
        .collect();
    for check in &mut site.cx.parts().checks {
        if check.concerns.is_empty() {
            check.concerns.clone_from(&made);
        }
    }
}

/// The page, and what shows on every page.
fn concerns(site: &Site<'_>, page: &Address) -> Vec<Address> {
    let mut all = site.foundation.clone();
    all.push(page.clone());
    all
}

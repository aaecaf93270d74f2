//! A site as a Blueprint (version 1) for WordPress Playground: a recipe that makes it once.
//!
//! The format is that of `@wp-playground/blueprints` (its `blueprint-schema.json`). A Blueprint has
//! no state and no rollback: it is for showing a site, not for running one.

use std::collections::BTreeMap;

use fabrik_core::address::Address;
use fabrik_core::error::Result;
use fabrik_core::role::Files;
use fabrik_core::stack::Stack;
use fabrik_core::value::Value;
use serde_json::{Value as Json, json};

use super::{Parts, text};

/// Makes pages, posts, menus and the like from data; the same program for every site.
const PROGRAM: &str = include_str!("blueprint.php");

/// The Blueprint of a site; of the only one unless named. Images are written into it.
///
/// # Errors
/// There is no such site, or an image cannot be read.
pub fn blueprint(stack: &Stack, app: Option<&str>, files: &dyn Files) -> Result<Json> {
    // What is known only when it exists is a mark that the program replaces.
    let stands_for = |address: &Address, _: &str, output: &str| {
        let name = address.as_str().rsplit('.').next().unwrap_or_default();
        Value::from(format!("{{{{{name}.{output}}}}}"))
    };
    let parts = Parts::of(stack, app, &stands_for)?;
    let mut steps = Vec::new();
    if let Some(theme) = parts.one("theme") {
        steps.push(json!({
            "step": "installTheme",
            "themeData": {"resource": "wordpress.org/themes", "slug": text(&theme.inputs, "slug")},
            "options": {"activate": true},
        }));
    }
    for plugin in parts.all("plugin") {
        steps.push(json!({
            "step": "installPlugin",
            "pluginData": {"resource": "wordpress.org/plugins", "slug": text(&plugin.inputs, "slug")},
            "options": {"activate": plugin.inputs["active"] != json!(false)},
        }));
    }
    let settings = parts
        .one("settings")
        .map(|part| part.inputs.clone())
        .unwrap_or_default();
    let language = text(&settings, "language");
    if !language.is_empty() && language != "en_US" {
        steps.push(json!({"step": "setSiteLanguage", "language": language}));
    }
    let mut options = serde_json::Map::new();
    for (field, option) in [
        ("title", "blogname"),
        ("tagline", "blogdescription"),
        ("timezone", "timezone_string"),
        ("date_format", "date_format"),
        ("time_format", "time_format"),
        ("start_of_week", "start_of_week"),
        ("posts_per_page", "posts_per_page"),
        ("permalinks", "permalink_structure"),
    ] {
        if let Some(value) = settings.get(field) {
            options.insert(option.to_owned(), value.clone());
        }
    }
    steps.push(json!({"step": "setSiteOptions", "options": options}));
    let mut data: BTreeMap<&str, Vec<Json>> = BTreeMap::new();
    for kind in [
        "media",
        "category",
        "page",
        "post",
        "menu",
        "front_page",
        "privacy_page",
        "theme_style",
    ] {
        for part in parts.all(kind) {
            let name = part.address.as_str().rsplit('.').next().unwrap_or_default();
            let mut entry = json!({"name": name, "inputs": part.inputs});
            if kind == "media" {
                let source = text(&part.inputs, "source");
                entry["bytes"] = json!(base64(&files.read(source)?));
            }
            data.entry(kind).or_default().push(entry);
        }
    }
    let data = base64(json!(data).to_string().as_bytes());
    steps.push(json!({"step": "runPHP", "code": PROGRAM.replace("{{DATA}}", &data)}));
    Ok(json!({
        "$schema": "https://playground.wordpress.net/blueprint-schema.json",
        "meta": {"title": text(&settings, "title"), "author": "fabrik"},
        "preferredVersions": {"php": "8.2", "wp": "latest"},
        "landingPage": "/",
        "login": true,
        "features": {"networking": true},
        "steps": steps,
    }))
}

/// Base64 with the usual alphabet (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4_usize {
            if place > three.len() {
                out.push('=');
            } else {
                let index = bits >> (18 - 6 * place) & 63;
                out.push(char::from(LETTERS[usize::try_from(index).unwrap_or(0)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }
}

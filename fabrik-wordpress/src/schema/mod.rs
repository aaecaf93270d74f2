//! The JSON Schema of a site's block, in long form.

mod build;
mod content;
mod look;
mod place;

use fabrik_core::kinds;
use serde_json::{Value as Json, json};

pub(crate) use build::ID;

use build::{choice, flag, full_text, list_of, map_of, object, pattern, text};

/// What a preset may be.
pub(crate) const PRESETS: &[&str] = &["company", "landing", "saas", "ecommerce", "content", "none"];

/// The block's schema.
pub(crate) fn block() -> Json {
    let mut fields: Vec<(&str, Json)> = vec![
        (
            "preset",
            choice(
                "What the site begins with: pages, menus and a look, which everything said here overrides; `none` for nothing.",
                PRESETS,
            ),
        ),
        ("title", full_text("The site's title.")),
        ("tagline", text("What the site is about, in one line.")),
        (
            "language",
            pattern(
                "The site's language, as a locale: `en_US`, `de_DE`.",
                "^[a-z]{2,3}(_[A-Z]{2}(_[a-z]+)?)?$",
            ),
        ),
        ("contact", look::contact()),
        ("brand", look::brand()),
        ("theme", look::theme()),
        (
            "pages",
            list_of(
                "The pages. One with the id of a page of the preset changes that page.",
                &content::page(),
            ),
        ),
        ("posts", content::posts()),
        (
            "categories",
            list_of("Categories of posts.", &content::category()),
        ),
        ("authors", list_of("Authors of posts.", &content::author())),
        (
            "menus",
            list_of(
                "The menus. One for the location of a menu of the preset replaces it.",
                &content::menu(),
            ),
        ),
        (
            "media",
            map_of(
                "Images by a name, for sections to use; a path may be used without being named here.",
                Some(ID),
                &content::media(),
            ),
        ),
        (
            "forms",
            map_of(
                "Forms by a name, for sections to use.",
                Some(ID),
                &content::form(),
            ),
        ),
        ("seo", look::seo()),
        ("analytics", look::analytics()),
        ("plugins", list_of("The plugins.", &look::plugin())),
        (
            "languages",
            list_of(
                "The languages of a site with several, the default one first (needs the plugin `polylang`, which is added).",
                &content::language(),
            ),
        ),
        ("legal", content::legal()),
        ("editor", place::editor()),
        ("settings", place::settings()),
        (
            "options",
            map_of(
                "Options of WordPress and plugins by name. A map is merged into what is there; anything else replaces it.",
                Some("^[A-Za-z0-9_:.-]+$"),
                &json!({"description": "The value, or the entries to set in it."}),
            ),
        ),
        ("site", place::site()),
        ("database", place::database()),
        ("version", place::version()),
        (
            "php",
            full_text("The version of PHP, where the runtime brings it along."),
        ),
        (
            "allow_unsafe",
            flag(
                "Whether HTML in Markdown is taken as it is. Whoever writes it can run scripts in every visitor's browser.",
            ),
        ),
    ];
    fields.extend(kinds::web_fields());
    let mut schema = object(
        "A WordPress site: its look, pages, posts, menus and settings.",
        &fields,
        &["title"],
    );
    schema["x-fabrik"] = json!({"shorthands": kinds::web_shorthands()});
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every field has a description, and maps say what they do with unknown keys.
    #[test]
    fn the_schema_is_complete() {
        fn visit(schema: &Json, at: &str) {
            if let Some(properties) = schema["properties"].as_object() {
                assert!(schema.get("additionalProperties").is_some(), "{at}");
                for (name, field) in properties {
                    let at = format!("{at}.{name}");
                    assert!(field["description"].is_string(), "{at} has no description");
                    visit(field, &at);
                }
            }
            for below in ["items", "additionalProperties"] {
                if schema[below].is_object() {
                    visit(&schema[below], &format!("{at}[]"));
                }
            }
        }
        let schema = block();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        visit(&schema, "wordpress");
        let editor = kinds::editor_schema(&schema);
        jsonschema::draft202012::meta::validate(&editor).unwrap();
        visit(&editor, "wordpress");
    }
}

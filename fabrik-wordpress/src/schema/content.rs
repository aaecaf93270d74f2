//! Schemas of pages, posts, menus, forms and languages.

use serde_json::{Value as Json, json};

use super::build::{
    ID, SLUG, choice, email, flag, full_text, list_of, map_of, object, pattern, short, text, url,
};
use super::look::{page_seo, words};
use crate::render;

fn id(what: &str) -> Json {
    pattern(what, ID)
}

fn slug(what: &str) -> Json {
    pattern(what, SLUG)
}

/// One of `pages`.
pub(super) fn page() -> Json {
    object(
        "A page.",
        &[
            ("id", id("Its name in this spec; also its slug unless set.")),
            ("title", full_text("Its title.")),
            ("slug", slug("The last part of its address.")),
            ("parent", id("The id of the page it is below.")),
            (
                "sections",
                list_of("What it shows, from top to bottom.", &section()),
            ),
            (
                "overrides",
                map_of(
                    "Changes to sections of the preset's page, by the section's id or kind.",
                    None,
                    &map_of(
                        "Fields to set.",
                        None,
                        &json!({"description": "The value."}),
                    ),
                ),
            ),
            (
                "text",
                full_text(
                    "A Markdown file with its content, relative to the spec; after the sections.",
                ),
            ),
            ("seo", page_seo()),
            (
                "template",
                text("The theme's template for it; empty for the default."),
            ),
            ("excerpt", text("A summary.")),
            ("image", full_text("Its featured image.")),
            (
                "status",
                choice("Whether it is seen.", &["publish", "draft", "private"]),
            ),
            (
                "front",
                flag("Whether it is the front page; the page `home` is unless another is."),
            ),
            ("posts", flag("Whether it lists the posts.")),
            ("language", code("Its language, of `languages`.")),
            (
                "translation_of",
                id("The id of the page it is a translation of."),
            ),
            ("remove", flag("Whether a page of the preset is left out.")),
        ],
        &["id"],
    )
}

fn code(what: &str) -> Json {
    pattern(what, "^[a-z]{2,3}(-[a-z]{2})?$")
}

/// One of `sections`: a map with one key, the kind.
pub(super) fn section() -> Json {
    let kinds: serde_json::Map<String, Json> = render::kinds()
        .iter()
        .filter_map(|kind| Some(((*kind).to_owned(), render::schema(kind)?)))
        .collect();
    short(
        json!({
            "type": "object",
            "description": "A section: its kind, and what it shows.",
            "properties": kinds,
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        }),
        text("The kind alone, when everything in it has a default."),
    )
}

/// `posts`.
pub(super) fn posts() -> Json {
    let post = object(
        "A post.",
        &[
            ("slug", slug("The last part of its address.")),
            ("title", full_text("Its title.")),
            (
                "file",
                full_text("A Markdown file with its text, relative to the spec."),
            ),
            ("text", full_text("Its text, in Markdown.")),
            (
                "date",
                pattern(
                    "When it appears: `2026-03-14` or with a time `2026-03-14 09:30`.",
                    DATE,
                ),
            ),
            (
                "status",
                choice("Whether it is seen.", &["publish", "draft", "private"]),
            ),
            ("excerpt", text("A summary.")),
            ("categories", words("Slugs of `categories`.")),
            ("tags", words("Tags.")),
            ("author", full_text("Login of one of `authors`.")),
            ("image", full_text("Its featured image.")),
            ("seo", page_seo()),
        ],
        &["slug"],
    );
    short(
        object(
            "The posts: a folder of Markdown files with front matter, and posts written here.",
            &[
                ("folder", full_text("The folder, relative to the spec.")),
                ("items", list_of("Posts written here.", &post)),
            ],
            &[],
        ),
        json!({"type": ["string", "array"], "items": {"type": "object"}, "description": "The folder, or the posts."}),
    )
}

/// A day, with or without a time.
pub(crate) const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?$";

/// One of `categories`.
pub(super) fn category() -> Json {
    short(
        object(
            "A category.",
            &[
                ("slug", slug("Its name in this spec and in addresses.")),
                ("name", full_text("Its name.")),
                ("description", text("What it is for.")),
                ("parent", slug("The slug of the category it is below.")),
            ],
            &["slug"],
        ),
        full_text("Its slug."),
    )
}

/// One of `authors`.
pub(super) fn author() -> Json {
    object(
        "An author: an account that can write posts and nobody can log in to until its password is set.",
        &[
            (
                "login",
                pattern("The login name.", "^[a-z0-9][a-z0-9._@-]*$"),
            ),
            ("name", full_text("The name shown.")),
            ("email", email("The mail address.")),
            ("bio", text("A few words.")),
            ("url", url("A home page.")),
        ],
        &["login", "name", "email"],
    )
}

/// One of `menus`.
pub(super) fn menu() -> Json {
    object(
        "A menu.",
        &[
            (
                "id",
                id("Its name in this spec, and its slug; the location unless set."),
            ),
            ("name", full_text("Its name in the editor.")),
            (
                "locations",
                list_of("Where the theme shows it.", &full_text("The location.")),
            ),
            ("items", list_of("What it holds.", &menu_item(MENU_DEPTH))),
            ("language", code("The language it is for.")),
        ],
        &["items"],
    )
}

/// How deep menus may nest.
const MENU_DEPTH: usize = 3;

/// An entry of a menu; entries nest this deep.
fn menu_item(depth: usize) -> Json {
    let mut fields = vec![
        (
            "title",
            full_text("What it says; the page's title unless set."),
        ),
        ("page", id("The id of a page.")),
        ("category", slug("The slug of a category.")),
        (
            "url",
            full_text("An address: `/path`, `#part`, `https://…`, `mailto:…`, `tel:…`."),
        ),
        ("new_tab", flag("Whether it opens in a new tab.")),
    ];
    if depth > 1 {
        fields.push(("items", list_of("Entries below it.", &menu_item(depth - 1))));
    }
    short(
        object("An entry.", &fields, &[]),
        full_text("The id of a page, or an address."),
    )
}

/// One of `media`.
pub(super) fn media() -> Json {
    short(
        object(
            "An image.",
            &[
                ("source", full_text("The file, relative to the spec.")),
                ("alt", text("What it shows, for those who do not see it.")),
                ("title", text("Its title in the media library.")),
                ("caption", text("What stands below it.")),
            ],
            &["source"],
        ),
        full_text("The file, relative to the spec."),
    )
}

/// One of `forms`.
pub(super) fn form() -> Json {
    let field = object(
        "A field.",
        &[
            (
                "name",
                pattern("Its name, for messages.", "^[a-z][a-z0-9_-]*$"),
            ),
            ("label", full_text("What stands above it.")),
            (
                "type",
                choice(
                    "What is entered.",
                    &[
                        "text",
                        "email",
                        "tel",
                        "url",
                        "number",
                        "date",
                        "textarea",
                        "select",
                        "checkbox",
                        "radio",
                        "acceptance",
                    ],
                ),
            ),
            ("required", flag("Whether it must be filled in.")),
            (
                "options",
                list_of("What can be chosen.", &full_text("A choice.")),
            ),
        ],
        &["name"],
    );
    object(
        "A form.",
        &[
            ("title", full_text("Its name in the editor.")),
            (
                "plugin",
                choice(
                    "The plugin that handles it; added when missing.",
                    &["contact-form-7"],
                ),
            ),
            (
                "fields",
                list_of(
                    "Its fields; name, mail address and message unless set.",
                    &field,
                ),
            ),
            ("submit", full_text("What the button says.")),
            (
                "to",
                email("Who gets the messages; the contact's address unless set."),
            ),
            ("subject", full_text("The subject of the messages.")),
            (
                "from",
                full_text("The sender, of an address that the server may send for."),
            ),
            (
                "messages",
                map_of(
                    "What the visitor is told, by event: `mail_sent_ok`, `validation_error`, …",
                    Some("^[a-z_]+$"),
                    &full_text("The text."),
                ),
            ),
        ],
        &[],
    )
}

/// One of `languages`.
pub(super) fn language() -> Json {
    object(
        "A language.",
        &[
            ("code", code("Its code: `en`, `de`.")),
            ("name", full_text("Its name, as shown in the switch.")),
            (
                "locale",
                pattern("The locale: `en_US`.", "^[a-z]{2,3}(_[A-Z]{2}(_[a-z]+)?)?$"),
            ),
            (
                "default",
                flag("Whether it is the default; the first is unless set."),
            ),
        ],
        &["code", "name", "locale"],
    )
}

/// `legal`.
pub(super) fn legal() -> Json {
    let page = |what: &str| {
        short(
            object(
                what,
                &[
                    ("enabled", flag("Whether there is such a page.")),
                    ("title", full_text("Its title.")),
                    ("slug", slug("The last part of its address.")),
                    (
                        "text",
                        full_text("A Markdown file of your own instead of the template."),
                    ),
                ],
                &[],
            ),
            flag("Whether there is such a page."),
        )
    };
    object(
        "Legal pages from templates, filled from `contact`. They are a start: have them reviewed by a lawyer before use.",
        &[
            ("privacy", page("The privacy policy.")),
            ("terms", page("Terms and conditions.")),
            ("cookies", page("The cookie policy.")),
            ("imprint", page("The imprint (legal notice).")),
            (
                "languages",
                list_of(
                    "Languages to write them in; the site's unless set.",
                    &choice("A language.", crate::legal::LANGUAGES),
                ),
            ),
        ],
        &[],
    )
}

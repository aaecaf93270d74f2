//! Schemas of what a site looks like and says of itself.

use serde_json::{Value as Json, json};

use super::build::{
    choice, email, flag, full_text, list_of, map_of, object, pattern, short, text, url,
};
use crate::brand;

/// `contact`.
pub(super) fn contact() -> Json {
    let address = object(
        "The postal address.",
        &[
            ("street", full_text("Street and number.")),
            ("zip", full_text("The postal code.")),
            ("city", full_text("The town.")),
            ("country", full_text("The country.")),
        ],
        &[],
    );
    object(
        "Who runs the site: for contact sections and legal pages.",
        &[
            ("company", full_text("The company's full legal name.")),
            ("person", full_text("Who represents it.")),
            ("email", email("The mail address.")),
            ("phone", full_text("The telephone number.")),
            (
                "address",
                short(
                    address,
                    full_text("The whole address, parts separated by commas."),
                ),
            ),
            ("hours", text("When somebody is there.")),
            (
                "register",
                text("Court and number of the company's registration."),
            ),
            ("vat", text("The VAT number.")),
            (
                "responsible",
                text("Who is responsible for the content, when it is somebody else."),
            ),
            (
                "social",
                map_of(
                    "Profiles by network: `mastodon: https://…`.",
                    Some("^[a-z]+$"),
                    &url("The profile's address."),
                ),
            ),
        ],
        &[],
    )
}

/// `brand`.
pub(super) fn brand() -> Json {
    let color =
        |what: &str| full_text(&format!("{what}: `#rgb`, `#rrggbb`, `rgb(…)` or `hsl(…)`."));
    let colors: Vec<(&str, Json)> = brand::SLUGS
        .iter()
        .map(|slug| (slug.slug, color(slug.what)))
        .collect();
    let fonts = object(
        "Font families, by name or as a list for fallbacks: `Inter, sans-serif`.",
        &[
            ("body", full_text("Of running text.")),
            (
                "heading",
                full_text("Of headings; that of running text unless set."),
            ),
        ],
        &[],
    );
    object(
        "The site's look: one palette for every theme.",
        &[
            (
                "colors",
                short(
                    object(
                        "The palette. `primary` is enough: the others follow from it.",
                        &colors,
                        &[],
                    ),
                    color("The main colour"),
                ),
            ),
            ("fonts", short(fonts, full_text("The font of everything."))),
            ("logo", full_text("An image file, relative to the spec.")),
            (
                "favicon",
                full_text("A square image file, 512 pixels or more, relative to the spec."),
            ),
            (
                "spacing",
                choice("Room between and within sections.", brand::SPACINGS),
            ),
            (
                "radius",
                pattern(
                    "How round corners are: `none`, `small`, `medium`, `large`, or a length.",
                    "^(none|small|medium|large|[0-9]{1,3}(\\.[0-9]+)?(px|rem|em))$",
                ),
            ),
            ("css", text("More CSS, for what nothing else covers.")),
        ],
        &[],
    )
}

/// `theme`.
pub(super) fn theme() -> Json {
    short(
        object(
            "The theme.",
            &[
                ("slug", pattern("Its folder.", "^[a-z0-9][a-z0-9_-]*$")),
                ("source", source()),
                ("version", full_text("The version.")),
                (
                    "style",
                    choice(
                        "How the brand is written into it; found out from known slugs unless set.",
                        &["astra", "generatepress", "block", "none"],
                    ),
                ),
                (
                    "template",
                    text("The template of pages; empty for the theme's own."),
                ),
            ],
            &["slug"],
        ),
        full_text("Its folder, such as `twentytwentyfive`."),
    )
}

fn source() -> Json {
    full_text("A zip file, relative to the spec, or a URL; from the public directory unless set.")
}

/// One of `plugins`.
pub(super) fn plugin() -> Json {
    short(
        object(
            "A plugin.",
            &[
                (
                    "slug",
                    pattern("Its folder.", "^[A-Za-z0-9][A-Za-z0-9._-]*$"),
                ),
                ("source", source()),
                ("version", full_text("The version.")),
                (
                    "active",
                    flag("Whether it is switched on; it is unless set."),
                ),
                (
                    "options",
                    map_of(
                        "Its options by name, as `options` of the site.",
                        None,
                        &json!({"description": "The value, or the entries to set in it."}),
                    ),
                ),
                (
                    "remove",
                    flag("Whether a plugin of the preset is left out."),
                ),
            ],
            &["slug"],
        ),
        full_text("Its folder, such as `contact-form-7`."),
    )
}

/// `seo` of the site.
pub(super) fn seo() -> Json {
    object(
        "What search engines and networks are told of the whole site.",
        &[
            (
                "plugin",
                choice(
                    "Who prints it; `fabrik` is a small must-use plugin that needs nothing else.",
                    &["fabrik", "rank_math", "yoast", "none"],
                ),
            ),
            (
                "title_template",
                full_text("Titles of pages; `%title%`, `%sep%` and `%sitename%` are filled in."),
            ),
            ("separator", full_text("What stands for `%sep%`.")),
            ("title", full_text("The title of the front page.")),
            (
                "description",
                full_text("The description of the front page."),
            ),
            (
                "organisation",
                object(
                    "Who is behind the site, for structured data.",
                    &[
                        ("name", full_text("The name.")),
                        (
                            "logo",
                            full_text("An image file; the brand's logo unless set."),
                        ),
                        (
                            "type",
                            choice("What it is; a company unless set.", &["company", "person"]),
                        ),
                    ],
                    &[],
                ),
            ),
            (
                "social",
                map_of(
                    "Profiles by network; those of `contact` unless set.",
                    Some("^[a-z]+$"),
                    &url("The profile's address."),
                ),
            ),
            (
                "sitemap",
                flag("Whether there is an XML sitemap; there is unless set."),
            ),
            (
                "verification",
                map_of(
                    "Codes that prove ownership, by engine: `google`, `bing`, `yandex`, `baidu`.",
                    Some("^(google|bing|yandex|baidu)$"),
                    &pattern("The code.", "^[A-Za-z0-9_=-]{4,120}$"),
                ),
            ),
        ],
        &[],
    )
}

/// `seo` of a page or post.
pub(super) fn page_seo() -> Json {
    object(
        "What search engines and networks are told of it.",
        &[
            ("title", full_text("The title.")),
            ("description", full_text("The description.")),
            ("keyword", full_text("The word it is written for.")),
            (
                "canonical",
                url("The address that counts, when it is another."),
            ),
            ("noindex", flag("Whether it stays out of search engines.")),
            ("image", full_text("The image shown in networks.")),
            (
                "schema",
                full_text("The schema.org type, such as `AboutPage`."),
            ),
        ],
        &[],
    )
}

/// `analytics`.
pub(super) fn analytics() -> Json {
    object(
        "Counting of visits.",
        &[
            (
                "google_analytics_id",
                pattern("The measurement id.", "^G-[A-Z0-9]{4,}$"),
            ),
            (
                "gtm_id",
                pattern("The container id of Google Tag Manager.", "^GTM-[A-Z0-9]+$"),
            ),
            (
                "consent",
                flag("Whether nothing is stored before the visitor agrees; so unless set."),
            ),
        ],
        &[],
    )
}

/// A list of words, such as tags.
pub(super) fn words(description: &str) -> Json {
    list_of(description, &full_text("One."))
}

//! What sections accept and refuse.

use fabrik_blocks::Section;
use fabrik_blocks::text::token;
use fabrik_core::error::{ErrorKind, Result};
use fabrik_core::value::from_json;
use fabrik_wordpress::sections::{
    Assets, BrandRefs, Cx, FormRef, Image, Pair, kinds, recognise, render, schema,
};
use serde_json::{Value as Json, json};

use crate::support::{brand, markup, plain_samples};

#[test]
fn every_type_has_a_schema_with_descriptions_and_a_sample() {
    assert!(kinds().len() >= 23);
    let samples = plain_samples("x");
    for kind in kinds() {
        let schema = schema(kind).unwrap();
        assert!(
            schema["description"]
                .as_str()
                .is_some_and(|d| !d.is_empty()),
            "{kind}"
        );
        assert_eq!(schema["additionalProperties"], json!(false), "{kind}");
        let fields = schema["properties"].as_object().unwrap();
        for (name, field) in fields {
            assert!(
                field["description"].as_str().is_some_and(|d| !d.is_empty()),
                "{kind}.{name}"
            );
            // Some sample sets it.
            let used = samples
                .iter()
                .any(|(k, fields)| k == kind && fields.get(name).is_some());
            assert!(
                used || name == "look"
                    || [
                        "zoom",
                        "overlay",
                        "height",
                        "level",
                        "excerpt",
                        "date",
                        "image",
                        "columns",
                        "rating",
                        "allow_unsafe"
                    ]
                    .contains(&name.as_str()),
                "{kind}.{name} is in no sample"
            );
        }
    }
    assert!(schema("nonsense").is_none());
}

#[test]
fn a_mistake_names_its_field() {
    let cases: Vec<(&str, Json, &str)> = vec![
        ("hero", json!({}), "heading"),
        ("hero", json!({"heading": "x", "colour": "red"}), "colour"),
        ("hero", json!({"heading": " "}), "heading"),
        ("hero", json!({"heading": "x", "variant": "split"}), "image"),
        (
            "hero",
            json!({"heading": "x", "variant": "image", "image": "nope"}),
            "image",
        ),
        ("hero", json!({"heading": "x", "image": "pic1"}), "image"),
        ("hero", json!({"heading": "x", "level": 3}), "level"),
        (
            "hero",
            json!({"heading": "x", "variant": "tilted"}),
            "variant",
        ),
        (
            "hero",
            json!({"heading": "x", "buttons": [{"label": "y", "to": "javascript:x"}]}),
            "buttons[0].to",
        ),
        (
            "hero",
            json!({"heading": "x", "buttons": [{"label": "y", "to": "page:gone"}]}),
            "buttons[0].to",
        ),
        (
            "hero",
            json!({"heading": "x", "text": "[a](page:gone)"}),
            "text",
        ),
        (
            "hero",
            json!({"heading": "x", "look": {"anchor": "A b"}}),
            "look.anchor",
        ),
        ("features", json!({"items": []}), "items"),
        (
            "features",
            json!({"items": [{"title": "x"}, {"title": "x", "link": {"label": "", "to": "/"}}]}),
            "items[1].link.label",
        ),
        (
            "features",
            json!({"items": [{"title": "x"}], "columns": 9}),
            "columns",
        ),
        ("contact", json!({}), "form"),
        ("contact", json!({"email": "a@b"}), "email"),
        ("contact", json!({"phone": "call me"}), "phone"),
        ("contact", json!({"form": "gone"}), "form"),
        (
            "team",
            json!({"members": [{"name": "x", "links": [{"service": "github", "url": "/a"}]}]}),
            "members[0].links[0].url",
        ),
        (
            "testimonials",
            json!({"items": [{"quote": "x", "name": "y", "rating": 6}]}),
            "items[0].rating",
        ),
        (
            "video",
            json!({"url": "https://evil.test/watch?v=abc123"}),
            "url",
        ),
        ("map", json!({"latitude": 95, "longitude": 0}), "latitude"),
        (
            "comparison",
            json!({"columns": ["a"], "rows": [{"label": "x", "values": []}]}),
            "rows[0].values",
        ),
        (
            "services",
            json!({"variant": "rows", "items": [{"title": "x", "text": "y"}]}),
            "items[0].image",
        ),
        (
            "products",
            json!({"variant": "shop", "category": "A B"}),
            "category",
        ),
        (
            "raw_html",
            json!({"html": "<!-- wp:html -->", "allow_unsafe": true}),
            "html",
        ),
        ("nonsense", json!({}), "type"),
    ];
    for (kind, fields, field) in cases {
        let error = markup(kind, &fields, (7, 1), &brand(), "x").unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Invalid,
            "{kind} {fields}: {error:?}"
        );
        let at = error
            .field_path()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert_eq!(at, field, "{kind} {fields}: {error:?}");
    }
    let error = markup("raw_html", &json!({"html": "<b>"}), (7, 1), &brand(), "x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
}

#[test]
fn a_brand_that_is_none_is_refused() {
    let hero = json!({"heading": "x", "look": {"tone": "dark"}});
    for slug in ["", "a b", "x\"onload", "Ä", "a;b"] {
        let pair = Pair {
            background: slug.to_owned(),
            text: "base".to_owned(),
        };
        let brand = BrandRefs {
            dark: Some(pair),
            ..BrandRefs::default()
        };
        assert_eq!(
            markup("hero", &hero, (7, 1), &brand, "x")
                .unwrap_err()
                .kind(),
            ErrorKind::Invalid,
            "{slug}"
        );
    }
    let brand = BrandRefs {
        radius: Some("1px;x".to_owned()),
        ..BrandRefs::default()
    };
    assert!(markup("hero", &hero, (7, 1), &brand, "x").is_err());
}

#[test]
fn the_same_fields_give_the_same_bytes_and_old_wordpress_other_questions() {
    let faq = json!({"items": [{"question": "Why?", "answer": "Because."}]});
    let new = markup("faq", &faq, (6, 3), &brand(), "x").unwrap();
    let old = markup("faq", &faq, (6, 2), &brand(), "x").unwrap();
    assert!(new.text.contains("<!-- wp:details") && !old.text.contains("<!-- wp:details"));
    assert_eq!(new, markup("faq", &faq, (7, 1), &brand(), "x").unwrap());
    // What is left out and what is the default are the same.
    let said = json!({"variant": "details", "items": faq["items"], "look": {}});
    assert_eq!(new, markup("faq", &said, (7, 1), &brand(), "x").unwrap());
}

/// Headings go down a level at a time, whatever a section leaves out.
#[test]
fn headings_are_in_order() {
    for (kind, fields) in plain_samples("x") {
        let text = markup(kind, &fields, (6, 1), &brand(), "x").unwrap().text;
        let mut last = 1;
        for part in text.split("<h").skip(1) {
            let Some(level) = part.chars().next().and_then(|c| c.to_digit(10)) else {
                continue;
            };
            assert!(level <= last + 1, "{kind} {fields}: h{level} after h{last}");
            last = level;
        }
    }
}

#[test]
fn a_picture_without_a_text_is_warned_about() {
    let split = json!({"variant": "split", "heading": "x", "image": "pic1"});
    assert_eq!(
        markup("hero", &split, (7, 1), &brand(), "")
            .unwrap()
            .warnings
            .len(),
        1
    );
    assert_eq!(
        markup("hero", &split, (7, 1), &brand(), "A hill")
            .unwrap()
            .warnings
            .len(),
        0
    );
    let mut decoration = split.clone();
    decoration["alt"] = json!("");
    assert_eq!(
        markup("hero", &decoration, (7, 1), &brand(), "")
            .unwrap()
            .warnings
            .len(),
        0
    );
}

/// Sections of text come back as they were written, and an edit by hand is seen.
#[test]
fn what_was_made_is_recognised() {
    let cases = [
        (
            "hero",
            json!({"eyebrow": "E", "heading": "A **b** *c*", "text": "One\n\nTwo\nthree", "look": {"tone": "dark", "space": "large", "anchor": "top"}}),
        ),
        (
            "hero",
            json!({"heading": "x", "align": "start", "level": 2}),
        ),
        (
            "faq",
            json!({"heading": "Q", "items": [{"question": "Why? [1]", "answer": "See [there](https://a.test/b)."}, {"question": "How", "answer": "So\n\nand so"}]}),
        ),
        (
            "faq",
            json!({"variant": "headings", "items": [{"question": "Why", "answer": "So"}], "look": {"tone": "muted"}}),
        ),
        (
            "stats",
            json!({"intro": "I", "items": [{"value": "98 %", "label": "a"}, {"value": "12", "label": "b"}]}),
        ),
        (
            "features",
            json!({"variant": "cards", "items": [{"icon": "★", "title": "T", "text": "x"}, {"title": "U"}, {"title": "V"}, {"title": "W"}]}),
        ),
        (
            "features",
            json!({"heading": "H", "items": [{"title": "T", "text": "x_y * z"}]}),
        ),
        (
            "steps",
            json!({"eyebrow": "E", "steps": [{"title": "T", "text": "x"}, {"title": "U"}]}),
        ),
    ];
    for (kind, fields) in cases {
        let text = markup(kind, &fields, (7, 1), &brand(), "x").unwrap().text;
        let block = Section::new("home.part", text.clone()).block().unwrap();
        let found = recognise(&block).unwrap();
        assert_eq!((found.kind, found.id.as_str()), (kind, "home.part"));
        // Rendered again, it is the same.
        let again = fabrik_core::value::to_wire(&found.fields.clone().unwrap()).unwrap();
        assert!(found.exact, "{kind} {fields}: {again}");
        assert_eq!(
            markup(kind, &again, (7, 1), &brand(), "x").unwrap().text,
            text,
            "{kind} {fields}"
        );
    }
    let made = markup("hero", &json!({"heading": "Old"}), (7, 1), &brand(), "x")
        .unwrap()
        .text;
    let block = Section::new("home.part", made.replace(">Old<", ">New<"))
        .block()
        .unwrap();
    let found = recognise(&block).unwrap();
    assert!(!found.exact);
    assert_eq!(
        found.fields.unwrap().get("heading").unwrap().as_str(),
        Some("New")
    );
    // Every type is known, with or without its fields.
    for (kind, fields) in plain_samples("x") {
        let text = markup(kind, &fields, (7, 1), &brand(), "x").unwrap().text;
        let found = recognise(&Section::new("home.part", text).block().unwrap()).unwrap();
        assert_eq!(found.kind, kind);
    }
    assert!(recognise(&fabrik_blocks::Block::new("group")).is_none());
}

/// What is not known when a page is rendered stands in it as a placeholder.
#[test]
fn placeholders_stand_where_their_values_will() {
    struct Later;
    impl Assets for Later {
        fn image(&self, key: &str) -> Option<Image> {
            Some(Image {
                id: token(&format!("media.{key}.id")),
                url: token(&format!("media.{key}.url")),
                alt: "A hill".to_owned(),
                width: None,
                height: None,
            })
        }

        fn link(&self, target: &str) -> Result<String> {
            Ok(target
                .strip_prefix("page:")
                .map_or(target.to_owned(), |page| {
                    token(&format!("pages.{page}.path")) + "#top"
                }))
        }

        fn form(&self, key: &str) -> Option<FormRef> {
            Some(FormRef {
                shortcode: "contact-form-7".to_owned(),
                id: token(&format!("forms.{key}.id")),
                title: None,
            })
        }
    }
    let brand = brand();
    let cx = Cx {
        wordpress: (7, 1),
        brand: &brand,
        assets: &Later,
    };
    for (kind, fields) in plain_samples("[x](page:about) \u{e000}forged\u{e001}") {
        let text = render(kind, "home.part", &from_json(&fields), &cx)
            .unwrap()
            .text;
        // It is block markup already.
        assert!(
            Section::new("home.part", text.clone()).block().is_ok(),
            "{kind}: {text}"
        );
        let mut known = text.clone();
        while let Some(start) = known.find('\u{e000}') {
            let end = start + known[start..].find('\u{e001}').unwrap();
            let name = known[start + 3..end].to_owned();
            let value = match name.rsplit_once('.').unwrap() {
                (_, "id") => "17",
                (_, "url") => "https://a.test/b.jpg",
                (_, "path") => "/about/",
                _ => panic!("{name}"),
            };
            known.replace_range(start..end + 3, value);
        }
        let block = Section::new("home.part", known.clone())
            .block()
            .unwrap_or_else(|e| panic!("{kind}: {e:?}\n{known}"));
        block.walk(&mut |block| assert!(block.attrs() != &fabrik_blocks::Json::Null, "{known}"));
    }
}

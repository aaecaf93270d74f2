//! A site for sections to stand in, and one full set of fields for each type and variant.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::value::{Value, from_json};
use fabrik_wordpress::sections::{Assets, BrandRefs, Cx, FormRef, Image, Markup, Pair, render};
use serde_json::{Value as Json, json};

/// A small site: pictures of any key that begins with `pic`, one form, pages by key.
pub struct Site {
    /// What every picture shows.
    pub alt: String,
}

impl Assets for Site {
    fn image(&self, key: &str) -> Option<Image> {
        let number = key.strip_prefix("pic")?;
        Some(Image {
            id: format!("4{number}"),
            url: format!("http://localhost/wp-content/uploads/2026/11/{key}.jpg"),
            alt: self.alt.clone(),
            width: Some(1200),
            height: Some(800),
        })
    }

    fn link(&self, target: &str) -> Result<String> {
        match target.strip_prefix("page:") {
            Some("about") => Ok("/about/".to_owned()),
            Some(other) => Err(Error::new(
                ErrorKind::Invalid,
                format!("there is no page {other:?}"),
            )),
            None => Ok(target.to_owned()),
        }
    }

    fn form(&self, key: &str) -> Option<FormRef> {
        (key == "contact").then(|| FormRef {
            shortcode: "contact-form-7".to_owned(),
            id: "abc123".to_owned(),
            title: Some(self.alt.clone()),
        })
    }
}

/// A brand with a palette.
pub fn brand() -> BrandRefs {
    let pair = |background: &str, text: &str| {
        Some(Pair {
            background: background.to_owned(),
            text: text.to_owned(),
        })
    };
    BrandRefs {
        primary: pair("accent", "base2"),
        muted: pair("base-3", "contrast"),
        dark: pair("contrast", "base"),
        card: pair("base", "contrast"),
        radius: Some("8px".to_owned()),
        width: None,
    }
}

/// Renders as the caller of the library would.
pub fn markup(
    kind: &str,
    fields: &Json,
    version: (u32, u32),
    brand: &BrandRefs,
    alt: &str,
) -> Result<Markup> {
    let site = Site {
        alt: alt.to_owned(),
    };
    let cx = Cx {
        wordpress: version,
        brand,
        assets: &site,
    };
    let value: Value = from_json(fields);
    render(kind, "home.part", &value, &cx)
}

/// A full set of fields for each type and variant, with `t` in every field that holds text.
pub fn samples(t: &str) -> Vec<(&'static str, Json)> {
    let mut all = plain_samples(t);
    // Tones and spaces, on whatever comes.
    let looks = [
        json!({"tone": "muted", "space": "small", "anchor": "part-1"}),
        json!({"tone": "primary", "space": "large"}),
        json!({"tone": "dark"}),
    ];
    let with_looks: Vec<_> = all
        .iter()
        .flat_map(|(kind, fields)| {
            looks.iter().map(move |look| {
                let mut fields = fields.clone();
                fields["look"] = look.clone();
                (*kind, fields)
            })
        })
        .collect();
    all.extend(with_looks);
    all
}

/// As [`samples`], without looks.
pub fn plain_samples(t: &str) -> Vec<(&'static str, Json)> {
    let buttons = json!([
        {"label": t, "to": "page:about"},
        {"label": t, "to": "https://example.test/a?b=1&c=2", "style": "outline"},
    ]);
    let link = json!({"label": t, "to": "mailto:a@example.test"});
    let head = |mut fields: Json| {
        for name in ["eyebrow", "heading", "intro"] {
            fields[name] = json!(t);
        }
        fields
    };
    let mut all = Vec::new();
    for variant in ["plain", "image", "split"] {
        for align in ["start", "center"] {
            let mut fields = json!({
                "variant": variant, "align": align, "eyebrow": t, "heading": t, "text": t, "buttons": buttons,
            });
            if variant != "plain" {
                fields["image"] = json!("pic1");
                fields["alt"] = json!(t);
                fields["image_side"] = json!("left");
            }
            all.push(("hero", fields));
        }
    }
    all.push(("hero", json!({"variant": "image", "heading": t, "image": "pic2", "overlay": 50, "height": 300, "level": 2})));
    all.push((
        "hero",
        json!({"variant": "split", "heading": t, "image": "pic2"}),
    ));
    for variant in ["grid", "list", "cards"] {
        let item =
            json!({"icon": t, "image": "pic1", "alt": t, "title": t, "text": t, "link": link});
        let fields = json!({"variant": variant, "columns": 2, "items": [item, {"title": t}, {"title": t, "text": t}]});
        all.push(("features", head(fields.clone())));
        all.push(("features", fields));
    }
    for variant in ["banner", "card", "split"] {
        all.push((
            "cta",
            json!({"variant": variant, "heading": t, "text": t, "buttons": buttons}),
        ));
    }
    let plan = json!({
        "name": t, "price": t, "period": t, "text": t, "features": [t, t], "badge": t, "highlighted": true,
        "button": {"label": t, "to": "/buy/"},
    });
    all.push((
        "pricing",
        head(json!({"plans": [plan, {"name": t, "price": 49.5}], "note": t})),
    ));
    for variant in ["grid", "cards", "single"] {
        let item = json!({"quote": t, "name": t, "role": t, "image": "pic1", "rating": 4});
        all.push((
            "testimonials",
            head(json!({"variant": variant, "items": [item, {"quote": t, "name": t}]})),
        ));
    }
    for variant in ["details", "headings"] {
        let items =
            json!([{"question": t, "answer": t}, {"question": t, "answer": format!("{t}\n\n{t}")}]);
        all.push(("faq", head(json!({"variant": variant, "items": items}))));
    }
    all.push(("contact", head(json!({"form": "contact", "address": format!("{t}\n{t}"), "email": "a.b@example.test", "phone": "+49 (30) 123-45", "hours": [t, t], "hours_label": t}))));
    all.push(("contact", json!({"form": "contact"})));
    all.push(("contact", json!({"address": t})));
    for variant in ["grid", "cards"] {
        let links = json!([{"service": "github", "url": "https://github.com/a"}, {"service": "linkedin", "url": "https://example.test/in/a?x=1&y=2"}]);
        let member = json!({"name": t, "role": t, "text": t, "image": "pic1", "links": links});
        all.push((
            "team",
            head(json!({"variant": variant, "columns": 4, "members": [member, {"name": t}]})),
        ));
    }
    all.push(("stats", head(json!({"items": [{"value": t, "label": t}, {"value": 98, "label": t}, {"value": "4.9", "label": t}]}))));
    for crop in [true, false] {
        let images = json!([{"image": "pic1", "alt": t, "caption": t}, {"image": "pic2"}]);
        all.push((
            "gallery",
            head(json!({"images": images, "columns": 2, "crop": crop})),
        ));
    }
    all.push(("logos", head(json!({"logos": [{"image": "pic1", "name": t, "to": "https://example.test/"}, {"image": "pic2", "name": t}]}))));
    for variant in ["cards", "list"] {
        all.push((
            "steps",
            head(json!({"variant": variant, "steps": [{"title": t, "text": t}, {"title": t}]})),
        ));
    }
    for variant in ["cards", "rows"] {
        let item = json!({"title": t, "text": t, "image": "pic1", "alt": t, "link": link});
        all.push((
            "services",
            head(json!({"variant": variant, "items": [item, item]})),
        ));
    }
    for side in ["left", "right"] {
        all.push(("about", json!({"eyebrow": t, "heading": t, "text": format!("{t}\n\n{t}"), "points": [t, t], "buttons": buttons, "image": "pic1", "alt": t, "image_side": side})));
    }
    for variant in ["grid", "list"] {
        all.push((
            "posts",
            head(json!({"variant": variant, "count": 4, "button": {"label": t, "to": "/blog/"}})),
        ));
    }
    all.push((
        "newsletter",
        json!({"heading": t, "text": t, "form": "contact", "note": t}),
    ));
    for (variant, service) in [
        ("embed", "openstreetmap"),
        ("embed", "google"),
        ("link", "openstreetmap"),
        ("link", "google"),
    ] {
        all.push(("map", head(json!({"variant": variant, "service": service, "latitude": 52.52, "longitude": 13.405, "address": t, "label": t}))));
    }
    let product = json!({"name": t, "price": t, "text": t, "image": "pic1", "alt": t, "button": {"label": t, "to": "/buy/"}});
    all.push(("products", head(json!({"items": [product, product]}))));
    all.push((
        "products",
        head(json!({"variant": "shop", "count": 8, "category": "new-things", "order": "price"})),
    ));
    all.push((
        "timeline",
        head(json!({"items": [{"date": t, "title": t, "text": t}, {"date": 2024, "title": t}]})),
    ));
    all.push((
        "video",
        head(json!({"url": "https://www.youtube.com/watch?v=abc123XYZ", "caption": t})),
    ));
    all.push(("video", json!({"url": "https://vimeo.com/76979871"})));
    all.push(("comparison", head(json!({"label": t, "columns": [t, t], "rows": [{"label": t, "values": ["yes", t]}, {"label": t, "values": ["no", 3]}]}))));
    for variant in ["narrow", "wide", "columns"] {
        let text = format!(
            "{t}\n\n## {t}\n\n{t}\n{t}\n\n- {t}\n- {t}\n\n1. {t}\n2. {t}\n\n> {t}\n\n### {t}\n{t}"
        );
        all.push((
            "text",
            head(json!({"variant": variant, "text": text, "align": "center"})),
        ));
        all.push(("text", json!({"variant": variant, "text": t})));
    }
    all.push((
        "raw_html",
        json!({"html": "<div class=\"x\"><b>y</b></div>", "allow_unsafe": true}),
    ));
    all
}

/// Texts that are hard on markup.
pub const TEXTS: &[&str] = &[
    "Plain words",
    "R&D <b>bold</b> \"quoted\" 'single' & &amp; &lt;i&gt; &#65; &copy",
    "Ünï Cödé, 日本語, ﷽, 😀👩‍👩‍👧‍👦, e\u{301}",
    "שלום עולם (RTL) مرحبا \u{202b}abc\u{202c}",
    "no\u{a0}break\u{a0}space \u{2009}thin \u{200b}zero \u{feff}bom",
    "--> <!-- wp:paragraph --> <!-- /wp:group --> -- --- <!-- more -->",
    "C:\\temp\\new \\u0022 \\\" \\\\ \\n \\-- $1 ${x} {{y}} %s",
    "[gallery ids=\"1\"] [[escaped]] [embed]https://example.test[/embed]",
    "**bold *both*** _it_ `co<d>e` [link](https://example.test/?a=1&b=2#c) \\*not\\*",
    "line one\nline two\r\nline three",
    "https://www.youtube.com/watch?v=abc123",
    "** * _ ` [ ]( ]] [[ ( ) ~~ ## - > 1.",
    "\u{1}\u{7f}\u{80}\u{fffe}control\u{e000}x\u{e001}\tand\u{2028}sep",
    "a very long line without end a very long line without end a very long line without end a very long line without end a very long line without end a very long line",
    "{\"json\": true, \"x\": [1, null]}",
    "=1+1 @SUM | 100% #hash $5 ^caret ~tilde `tick",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "}; } --> /--> {\"a\":1} -->",
];

/// Entries of the corpus, of all groups.
pub fn corpus() -> Vec<String> {
    let groups: std::collections::BTreeMap<String, Vec<String>> =
        serde_json::from_str(include_str!("../data/xss.json")).unwrap();
    groups.into_values().flatten().collect()
}

/// Every text in fields, with its place as a JSON pointer.
pub fn leaves(fields: &Json) -> Vec<(String, String)> {
    fn walk(json: &Json, path: &str, out: &mut Vec<(String, String)>) {
        match json {
            Json::String(text) => out.push((path.to_owned(), text.clone())),
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{path}/{index}"), out);
                }
            }
            Json::Object(map) => {
                for (key, item) in map {
                    walk(item, &format!("{path}/{key}"), out);
                }
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(fields, "", &mut out);
    out
}

/// Puts a text in a place.
pub fn put(fields: &mut Json, path: &str, text: String) {
    *fields.pointer_mut(path).unwrap() = Json::String(text);
}

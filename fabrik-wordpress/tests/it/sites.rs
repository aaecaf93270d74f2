//! Whole sites.

use fabrik_core::value::to_wire_masked;
use serde_json::json;

use super::support::{folder, inputs, png, stack_in};

const SMALL: &str = r##"
fabrik: 1
id: acme
apps:
  site:
    kind: wordpress
    domain: acme.example
    title: Acme
    tagline: Things that work
    language: de_DE
    contact: { company: Acme GmbH, email: hallo@acme.example, address: { street: Weg 1, zip: "20095", city: Hamburg } }
    brand: { colors: "#0f62fe", fonts: Inter, logo: logo.png }
    theme: twentytwentyfive
    pages:
      - id: home
        title: Start
        sections:
          - hero: { heading: Hallo, variant: split, image: hero.png, buttons: [{ label: Kontakt, to: contact }] }
          - contact: { form: contact }
        seo: { description: Alles über Acme }
      - { id: contact, title: Kontakt, slug: kontakt, sections: [{ contact: { form: contact } }] }
      - { id: blog, title: Neues, posts: true }
      - { id: team, title: Team, parent: contact, sections: [{ text: { text: Wir } }] }
    posts: posts
    categories: [news]
    authors: [{ login: ada, name: Ada, email: ada@acme.example }]
    menus:
      - location: primary
        items: [home, { page: contact, items: [team] }, { title: Mehr, url: "https://example.com" }]
    forms: { contact: { to: info@acme.example } }
    legal: { privacy: true, imprint: true }
    editor: { login: eva, email: eva@acme.example }
    analytics: { google_analytics_id: G-ABCD1234 }
    on: { runtime: host, dns: host, monitor: host }
"##;

const POST: &[u8] = b"---\ntitle: Hallo Welt\ndate: 2026-03-14\ncategories: [news]\nauthor: ada\nimage: a.png\n---\n\nEin *Absatz* & [mehr](page:contact).\n\n![Bild](a.png)\n\n- eins\n- zwei\n";

#[test]
fn a_small_site_becomes_resources() {
    let dir = folder(&[
        ("logo.png", &png(400, 100)),
        ("hero.png", &png(1200, 800)),
        ("posts/hallo.md", POST),
        ("posts/a.png", &png(640, 480)),
    ]);
    let stack = stack_in(dir.path(), SMALL);
    let parts: Vec<String> = stack
        .resources
        .values()
        .map(|part| {
            let name = part.address.as_str().strip_prefix("apps.site.").unwrap();
            format!("{name} {}", part.type_name)
        })
        .collect();
    insta::assert_snapshot!("small_parts", parts.join("\n"));
    let instance = &stack.instances["wordpress.site"];
    assert_eq!(
        to_wire_masked(&instance.config),
        json!({"container": {"name": "${apps.site.run.name}"}, "url": "https://acme.example"})
    );
    assert!(stack.secrets.contains_key("SITE_WP_ADMIN_PASSWORD"));
    assert!(stack.secrets.contains_key("SITE_WP_EDITOR_PASSWORD"));
    assert_eq!(
        inputs(&stack, "menu-primary")["items"],
        json!([
            {"title": "Start", "page": "${apps.site.page-home.id}"},
            {"title": "Kontakt", "page": "${apps.site.page-contact.id}", "children": [
                {"title": "Team", "page": "${apps.site.page-team.id}"},
            ]},
            {"title": "Mehr", "url": "https://example.com/"},
        ])
    );
    assert_eq!(
        inputs(&stack, "front-page"),
        json!({"page": "${apps.site.page-home.id}", "posts_page": "${apps.site.page-blog.id}"})
    );
    assert_eq!(
        inputs(&stack, "page-team")["parent"],
        "${apps.site.page-contact.id}"
    );
    let home = inputs(&stack, "page-home").to_string();
    assert!(home.contains("apps.site.media-hero-png.url"), "{home}");
    assert!(home.contains("apps.site.form-contact.id"), "{home}");
    let post = inputs(&stack, "post-hallo");
    assert_eq!(post["categories"], json!(["${apps.site.category-news.id}"]));
    let text = post["sections"][0]["markup"].as_str().unwrap();
    assert!(text.contains("/kontakt/"), "{text}");
    assert!(text.contains("media-posts-a-png"), "{text}");
    let media = inputs(&stack, "media-hero-png");
    assert_eq!(media["source"], "hero.png");
    let checks: Vec<&str> = stack.checks.iter().map(|check| &*check.name).collect();
    assert!(checks.contains(&"apps.site.page-team"), "{checks:?}");
    assert!(checks.contains(&"apps.site.tls"), "{checks:?}");
    let team = stack
        .checks
        .iter()
        .find(|check| &*check.name == "apps.site.page-team");
    assert_eq!(
        to_wire_masked(&team.unwrap().spec)["url"],
        "https://acme.example/kontakt/team/"
    );
}

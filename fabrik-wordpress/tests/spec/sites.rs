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

#[test]
fn every_preset_is_a_site_by_itself() {
    for preset in ["company", "landing", "saas", "ecommerce", "content", "none"] {
        let spec = format!(
            "fabrik: 1\nid: acme\napps:\n  site:\n    kind: wordpress\n    preset: {preset}\n    site: /srv/www\n    domain: acme.example\n    title: Acme\n    tagline: Things that work\n    contact: {{ company: Acme Ltd, email: a@acme.example, address: 1 Road }}\n"
        );
        let dir = folder(&[]);
        let loaded = super::support::load_in(dir.path(), &spec);
        assert_eq!(
            super::support::told(&loaded),
            Vec::<String>::new(),
            "{preset}"
        );
        let stack = loaded.stack.unwrap();
        let count = |kind: &str| {
            let all = stack.resources.values();
            all.filter(|part| *part.type_name == *kind).count()
        };
        if preset == "none" {
            assert_eq!(count("wordpress.page"), 0);
            continue;
        }
        assert!(count("wordpress.page") >= 4, "{preset}");
        assert_eq!(count("wordpress.menu"), 2, "{preset}");
        assert_eq!(count("wordpress.form"), 1, "{preset}");
        let home = inputs(&stack, "page-home").to_string();
        assert!(
            home.contains("Acme") && !home.contains("{title}"),
            "{preset}"
        );
    }
}

#[test]
fn a_preset_is_changed_deep_down() {
    let spec = r##"
fabrik: 1
id: acme
apps:
  site:
    kind: wordpress
    preset: company
    site: /srv/www
    domain: acme.example
    title: Acme
    contact: { company: Acme Ltd, email: a@acme.example, address: 1 Road }
    brand: { colors: { primary: "#b91c1c" } }
    pages:
      - { id: home, overrides: { hero: { heading: Other words } } }
      - { id: about, remove: true }
      - { id: services, title: What we do }
      - { id: jobs, title: Jobs, parent: services, sections: [{ text: { text: Come } }] }
    menus:
      - { location: footer, items: [jobs] }
"##;
    let dir = folder(&[]);
    let stack = stack_in(dir.path(), spec);
    assert!(
        inputs(&stack, "page-home")
            .to_string()
            .contains("Other words")
    );
    assert!(
        inputs(&stack, "page-home")
            .to_string()
            .contains("How we work")
    );
    assert_eq!(inputs(&stack, "page-services")["title"], "What we do");
    let primary = inputs(&stack, "menu-primary");
    let titles: Vec<&str> = primary["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, ["Home", "What we do", "Contact"]);
    assert_eq!(
        inputs(&stack, "menu-footer")["items"][0]["page"],
        "${apps.site.page-jobs.id}"
    );
    let style = inputs(&stack, "style");
    assert_eq!(style["palette"][0]["color"], "#b91c1c");
    assert_eq!(style["radius"], "8px");
}

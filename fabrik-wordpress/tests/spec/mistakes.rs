//! What bad input gets: each mistake at its line.

use super::support::{folder, load_in, png, told};

#[test]
fn every_mistake_is_told_at_its_line() {
    let spec = r##"fabrik: 1
id: acme
apps:
  site:
    kind: wordpress
    site: /srv/www
    domain: acme.example
    title: Acme
    brand: { colors: { primary: red, text: "#ddd" }, fonts: "x;y" }
    pages:
      - id: home
        title: Home
        sections:
          - hero: { heading: Hi, variant: split, image: nothing.png }
          - hero: { heading: Hi, variant: split, image: logo.svg }
          - cta: { heading: Go, buttons: [{ label: Go, to: abuot }] }
          - contact: { form: contcat }
      - id: about
        title: About
        parent: hom
      - id: about
        title: Twice
    forms: { contact: {} }
    menus:
      - location: primary
        items: [home, abut, { title: Bad, url: "javascript:alert(1)" }]
    editor: { login: eva, email: eva@acme.example }
"##;
    let dir = folder(&[("logo.svg", b"<svg/>"), ("x.png", &png(1, 1))]);
    let loaded = load_in(dir.path(), spec);
    assert!(loaded.stack.is_none());
    insta::assert_snapshot!("mistakes", told(&loaded).join("\n"));
}

#[test]
fn shapes_are_told_with_suggestions() {
    let spec = r"fabrik: 1
id: acme
apps:
  site:
    kind: wordpress
    preset: compny
    site: /srv/www
    title: Acme
    pages:
      - id: home
        title: Home
        sections:
          - heroo: { heading: Hi }
          - hero: { headin: Hi }
      - { id: Home Page, title: x }
    analytics: { google_analytics_id: UA-1 }
    tagine: x
";
    let dir = folder(&[]);
    insta::assert_snapshot!("shapes", told(&load_in(dir.path(), spec)).join("\n"));
}

fn first(spec: &str) -> String {
    let dir = folder(&[]);
    let head = "fabrik: 1\nid: acme\napps:\n  site:\n    kind: wordpress\n    title: Acme\n";
    told(&load_in(dir.path(), &format!("{head}{spec}"))).join("\n")
}

#[test]
fn postgres_is_refused_with_the_reason() {
    let text = first(
        "    domain: a.example\n    contact: { email: a@b.example }\n    database: postgres\n    on: host\n",
    );
    assert!(
        text.starts_with("error 9: WordPress does not run on PostgreSQL"),
        "{text}"
    );
}

#[test]
fn places_that_are_none() {
    let text = first("    domain: a.example\n    site: { ssh: deploy@example.com }\n");
    assert!(
        text.contains("the folder of WordPress on that machine is missing"),
        "{text}"
    );
    let text = first(
        "    site: { path: /x, rest: { url: \"https://a.example\", user: a, password: b } }\n",
    );
    assert!(text.contains("not both"), "{text}");
    let text = first("    domain: a.example\n    on: host\n");
    assert!(text.contains("needs a mail address"), "{text}");
}

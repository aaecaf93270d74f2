//! Pages full of attacks, in real WordPress, in a real browser: nothing runs, nothing is loaded
//! from elsewhere.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fabrik_blocks::html::decode;
use fabrik_wordpress_site::Site;
use serde_json::{Value as Json, json};
use support::{brand, corpus, leaves, markup, plain_samples, put};

/// How many pages; each has every section, and over all each field gets as many entries.
const PAGES: usize = 24;

/// Stands in samples for the next entry.
const SLOT: &str = "@@slot@@";

/// A section with entries in its fields from a place in the corpus on. Fields that refuse theirs
/// get a word instead.
fn attacked(kind: &str, fields: &Json, corpus: &[String], at: &mut usize) -> String {
    let mut fields = fields.clone();
    for (path, text) in leaves(&fields) {
        let mut text = text;
        while text.contains(SLOT) {
            text = text.replacen(SLOT, &corpus[*at % corpus.len()], 1);
            *at += 1;
        }
        put(&mut fields, &path, text);
    }
    let alt = corpus[*at % corpus.len()].clone();
    loop {
        match markup(kind, &fields, (7, 1), &brand(), &alt) {
            Ok(markup) => return markup.text,
            Err(error) => {
                let field = error
                    .field_path()
                    .unwrap_or_else(|| panic!("{error:?}"))
                    .to_string();
                let path = format!(
                    "/{}",
                    field.replace('[', "/").replace(']', "").replace('.', "/")
                );
                assert_ne!(
                    fields.pointer(&path),
                    Some(&json!("word")),
                    "{kind}: {error:?}"
                );
                put(&mut fields, &path, "word".to_owned());
            }
        }
    }
}

fn store(site: &Site, pages: &BTreeMap<String, String>) {
    let content = site.path().join("wp-content");
    let plugins = content.join("mu-plugins");
    fs::create_dir_all(&plugins).unwrap();
    fs::write(
        plugins.join("fabrik-canary.php"),
        include_str!("browser/canary.php"),
    )
    .unwrap();
    let paths: Vec<String> = pages.keys().map(|slug| format!("/{slug}/")).collect();
    fs::write(content.join("fabrik-paths.json"), json!(paths).to_string()).unwrap();
    fs::write(content.join("fabrik-pages.json"), json!(pages).to_string()).unwrap();
    let stored = site.eval(
        "kses_remove_filters(); $n = 0;
        foreach ( json_decode( file_get_contents( WP_CONTENT_DIR . '/fabrik-pages.json' ), true ) as $slug => $text ) {
            $id = wp_insert_post( wp_slash( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_title' => $slug, 'post_name' => $slug, 'post_content' => $text ) ) );
            if ( get_post( $id )->post_content === $text ) { $n++; }
        }
        echo $n;",
    );
    assert_eq!(
        stored,
        pages.len().to_string(),
        "what is stored is not what was sent"
    );
}

/// Opens all pages in headless Chromium; what each told.
fn browse(site: &Site) -> Option<BTreeMap<String, Json>> {
    let chromium = site.installed().chromium()?;
    let profile = tempfile::tempdir().unwrap();
    let output = profile.path().join("dom.html");
    let mut child = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--virtual-time-budget=3600000",
            "--dump-dom",
        ])
        .arg(format!(
            "--user-data-dir={}",
            profile.path().join("profile").display()
        ))
        .arg(format!("{}/?fabrik_runner=1", site.url()))
        .stdout(fs::File::create(&output).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(300);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the browser did not end");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let dom = fs::read_to_string(output).unwrap();
    let report = dom
        .split("id=\"fabrik-report\">")
        .nth(1)
        .and_then(|rest| rest.split("</pre>").next());
    let report = decode(report.unwrap_or_else(|| panic!("no report in:\n{dom}")));
    if report == "running" {
        return Some(BTreeMap::new());
    }
    Some(serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {report}")))
}

#[test]
fn pages_full_of_attacks_do_nothing() {
    let Some(site) = Site::builder().build() else {
        return;
    };
    let corpus = corpus();
    let samples = plain_samples(SLOT);
    let samples: Vec<_> = samples
        .iter()
        .filter(|(kind, _)| *kind != "raw_html")
        .collect();
    let mut pages = BTreeMap::new();
    let mut at = 0;
    for page in 0..PAGES {
        let parts: Vec<String> = samples
            .iter()
            .map(|(kind, fields)| attacked(kind, fields, &corpus, &mut at))
            .collect();
        pages.insert(format!("attacked-{page:02}"), parts.join("\n\n"));
    }
    // What is compared with, and what shows that the browser would have told.
    let plain: Vec<String> = plain_samples("word")
        .iter()
        .filter(|(kind, _)| *kind != "raw_html")
        .map(|(kind, fields)| markup(kind, fields, (7, 1), &brand(), "word").unwrap().text)
        .collect();
    pages.insert("plain".to_owned(), plain.join("\n\n"));
    for (slug, html) in [
        ("script", "<script>alert(1)</script>"),
        ("handler", "<p onmouseover=\"alert(1)\">x</p>"),
        ("scheme", "<p><a href=\"javascript:alert(1)\">x</a></p>"),
        ("host", "<p><img src=\"https://evil.test/x.png\"></p>"),
        ("shortcode", "<p>[canary]</p>"),
    ] {
        let text = format!(
            "<!-- wp:group -->\n<div class=\"wp-block-group fabrik-section\"><!-- wp:html -->\n{html}\n<!-- /wp:html --></div>\n<!-- /wp:group -->"
        );
        pages.insert(format!("bad-{slug}"), text);
    }
    store(&site, &pages);
    // On a busy machine the browser's time may run out before the last page has come; it says so.
    let mut reports = None;
    for _ in 0..4 {
        reports = browse(&site);
        if reports.as_ref().is_none_or(|reports| !reports.is_empty()) {
            break;
        }
    }
    let Some(reports) = reports else {
        println!("no Chromium");
        return;
    };
    assert_eq!(reports.len(), pages.len());
    let plain = &reports["/plain/"];
    assert_eq!(plain["sections"], json!(samples.len()), "{plain}");
    for (path, report) in &reports {
        let empty = report["ran"] == json!([]) && report["found"] == json!([]);
        if path.starts_with("/bad-") {
            assert!(!empty, "{path} was not found out: {report}");
            continue;
        }
        assert!(empty, "{path}: {report:#}");
        for same in ["sections", "scripts"] {
            assert_eq!(report[same], plain[same], "{path}: {same}");
        }
    }
    println!("{at} entries in fields of {PAGES} pages");
}

//! `fabrik wp`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fabrik_cli::App;
use serde_json::{Value as Json, json};

use crate::context::{Ran, TestContext};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn example(name: &str) -> TestContext {
    let context = TestContext::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/wordpress");
    copy(&examples.join(name), &context.dir());
    context
}

fn run(context: &TestContext, words: &[&str]) -> Ran {
    context.run_app(&App::new(), words)
}

/// Every address in a page that is no file beside it.
fn dead(dir: &Path, file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut dead = Vec::new();
    for mark in ["href=\"", "src=\""] {
        for part in text.split(mark).skip(1) {
            let target = part.split('"').next().unwrap();
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.contains(':') {
                continue;
            }
            let path = file.parent().unwrap().join(target);
            if !path.is_file() {
                dead.push(format!(
                    "{} in {}",
                    target,
                    file.strip_prefix(dir).unwrap().display()
                ));
            }
        }
    }
    dead
}

#[test]
fn a_preview_is_a_folder_whose_links_work() {
    for (name, front) in [
        ("company", "Strom, der zu Ihrem Haus passt"),
        ("content", "Slow reporting"),
    ] {
        let context = example(name);
        let spec = format!("{name}.yaml");
        let ran = run(&context, &["wp", "preview", &spec, "--json"]).code(0);
        let told: Json = serde_json::from_str(&ran.out).unwrap();
        let pages = told["pages"].as_array().unwrap();
        assert!(pages.len() >= 13, "{told}");
        let out = context.dir().join("preview");
        let index = std::fs::read_to_string(out.join("index.html")).unwrap();
        assert!(index.contains(front), "{name}");
        assert!(index.contains("<nav>"), "{name}");
        assert!(
            !index.contains('\u{e000}') && !index.contains("${"),
            "{name}"
        );
        assert!(!index.contains("<!-- wp:"), "{name}");
        let style = std::fs::read_to_string(out.join("style.css")).unwrap();
        assert!(style.contains("--brand-primary: #0"), "{style}");
        for page in pages {
            let file = context.dir().join(page.as_str().unwrap());
            assert_eq!(dead(&out, &file), Vec::<String>::new(), "{name}");
        }
        // Again over itself, but over nothing else.
        run(&context, &["wp", "preview", &spec]).code(0);
        let other = run(&context, &["wp", "preview", &spec, "--out", "images"]);
        assert_eq!(other.exit, 1, "{}", other.all());
    }
}

#[test]
fn a_blueprint_has_the_whole_site() {
    let context = example("content");
    let ran = run(&context, &["wp", "blueprint", "content.yaml"]).code(0);
    let made: Json = serde_json::from_str(&ran.out).unwrap();
    let steps: Vec<&str> = made["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        ["installTheme", "installPlugin", "setSiteOptions", "runPHP"]
    );
    assert_eq!(made["steps"][2]["options"]["blogname"], "Harbour Notes");
    let nothing = TestContext::with_spec("fabrik: 1\nid: none\n");
    let ran = run(&nothing, &["wp", "blueprint"]).code(1);
    assert!(
        ran.err.contains("no app of `kind: wordpress`"),
        "{}",
        ran.all()
    );
}

/// A directory on loopback; counts how often it is asked.
fn directory() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            count.fetch_add(1, Ordering::SeqCst);
            let one = json!({
                "slug": "contact-form-7", "name": "Contact Form 7 &#8211; \u{1b}[31mforms", "version": "6.1.6",
                "active_installs": 10_000_000, "requires": "6.7", "requires_php": "7.4",
                "download_link": "https://downloads.example/contact-form-7.zip",
            });
            let (status, body) = match &first {
                first if first.contains("nothing-here") => {
                    ("404 Not Found", json!({"error": "Plugin not found."}))
                }
                first if first.contains("query_plugins") => {
                    ("200 OK", json!({"info": {"results": 1}, "plugins": [one]}))
                }
                _ => ("200 OK", one),
            };
            let body = body.to_string();
            let reply = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(reply.as_bytes()).unwrap();
        }
    });
    (base, asked)
}

#[test]
fn the_directory_is_asked_once_a_day() {
    let (base, asked) = directory();
    let mut context = TestContext::new();
    context.env.insert("FABRIK_WORDPRESS_API".to_owned(), base);
    let ran = run(&context, &["wp", "plugins", "search", "contact", "form"]).code(0);
    assert!(ran.out.contains("contact-form-7"), "{}", ran.all());
    assert!(ran.out.contains("WP 6.7, PHP 7.4"), "{}", ran.all());
    assert!(
        !ran.out.contains('\u{1b}'),
        "control characters of others are not shown"
    );
    run(&context, &["wp", "plugins", "search", "contact", "form"]).code(0);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    run(
        &context,
        &["wp", "plugins", "search", "contact", "form", "--fresh"],
    )
    .code(0);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let ran = run(
        &context,
        &["wp", "plugins", "show", "contact-form-7", "--json"],
    )
    .code(0);
    let one: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(one["zip"], "https://downloads.example/contact-form-7.zip");
    let ran = run(&context, &["wp", "plugins", "show", "nothing-here"]).code(1);
    assert!(
        ran.err.contains("there is no plugin `nothing-here`"),
        "{}",
        ran.all()
    );
}

#[test]
fn a_directory_that_is_not_there() {
    let mut context = TestContext::new();
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    context
        .env
        .insert("FABRIK_WORDPRESS_API".to_owned(), format!("http://{gone}"));
    let ran = run(&context, &["wp", "themes", "search", "blog"]);
    assert_ne!(ran.exit, 0, "{}", ran.all());
    assert!(ran.err.contains("wordpress.org"), "{}", ran.all());
}

//! Every example is valid, does what it says, and leaves nothing behind.

use crate::support::{self, Place, get, page};

/// The one line a program prints that is a URL.
#[track_caller]
fn url(out: &str) -> String {
    let found = out.lines().find(|line| line.starts_with("http://"));
    found
        .unwrap_or_else(|| panic!("no URL in {out:?}"))
        .to_owned()
}

/// Specs, with the environments each is to be used with; overlays are no specs of their own.
pub(crate) const SPECS: &[(&str, &[&str])] = &[
    ("environments/shop.yaml", &["staging", "production"]),
    ("files/fabrik.yaml", &["default"]),
    ("hello/hello.yaml", &["default"]),
    ("service/fabrik.yaml", &["default"]),
    ("verify/fabrik.yaml", &["default"]),
];
/// Specs that need services; `tests/stacks` runs them, on fakes.
const ON_SERVICES: &[(&str, &[&str])] = &[
    ("base-stack/fabrik.yaml", &["default"]),
    ("staging-production/fabrik.yaml", &["staging", "production"]),
];
const OVERLAYS: &[&str] = &["environments/shop.production.yaml"];

#[test]
fn every_spec_is_valid_and_known_here() {
    let modeline = "# yaml-language-server: $schema=../../schemas/fabrik.schema.json\n";
    let mut yaml: Vec<String> = support::files("examples")
        .iter()
        .filter_map(|file| file.strip_prefix("examples/"))
        .filter(|file| file.ends_with(".yaml"))
        .map(str::to_owned)
        .collect();
    yaml.retain(|file| !OVERLAYS.contains(&file.as_str()));
    // Sites need a WordPress to be applied; the crate `fabrik-wordpress` tests them.
    yaml.retain(|file| !file.starts_with("wordpress/"));
    let all = || SPECS.iter().chain(ON_SERVICES);
    let mut known: Vec<&str> = all().map(|(file, _)| *file).collect();
    known.sort_unstable();
    assert_eq!(yaml, known, "a spec that no test runs, or one that is gone");
    for (file, envs) in all() {
        let text = support::read(&format!("examples/{file}"));
        assert!(text.starts_with(modeline), "{file} begins with no modeline");
        let (folder, name) = file.split_once('/').unwrap();
        let place = Place::with_example(folder);
        for env in *envs {
            place.run(&["validate", name, "-e", env]).code(0);
        }
    }
}

#[test]
fn hello_from_nothing_to_nothing() {
    let place = Place::with_example("hello");
    let first = place.run(&["apply", "hello.yaml", "--yes"]).code(0);
    let url = url(&first.out);
    let shown = page(&url);
    assert!(shown.body.contains("<h1>Hello</h1>"), "{}", shown.body);
    assert!(shown.head.contains("text/html"), "{}", shown.head);
    page(&format!("{url}/style.css"));

    place
        .run(&["plan", "hello.yaml", "--detailed-exitcode"])
        .code(0);
    let again = place.run(&["apply", "hello.yaml", "--yes"]).code(0);
    assert!(again.err.contains("No changes"), "{}", again.all());

    let html = place.text("site/index.html").unwrap();
    place.write(
        "site/index.html",
        &html.replace("<h1>Hello", "<h1>Good evening"),
    );
    let plan = place
        .run(&["plan", "hello.yaml", "--detailed-exitcode"])
        .code(2);
    assert!(plan.out.contains("1 update, 2 unchanged"), "{}", plan.all());
    place.run(&["apply", "hello.yaml", "--yes"]).code(0);
    assert!(page(&url).body.contains("<h1>Good evening</h1>"));

    place.run(&["destroy", "hello.yaml", "--yes"]).code(0);
    assert!(get(&url).is_none_or(|answer| answer.status == 404));
    let rows = place.run(&["state", "list", "-f", "hello.yaml"]).code(0);
    assert_eq!(rows.out, "");
    place.nothing_runs();
}

#[test]
fn a_service_changes_without_a_lost_request() {
    let place = Place::with_example("service");
    let url = url(&place.run(&["apply", "--yes"]).code(0).out);
    assert!(page(&url).body.starts_with("Good morning from process"));

    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut asked = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                page(&url);
                asked += 1;
            }
            asked
        });
        let applied = place.run(&["apply", "--yes", "--var", "greeting=Bonjour"]);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let asked = asking.join().expect("every request is answered");
        applied.code(0);
        assert!(asked > 10, "only {asked} requests");
    });
    assert!(page(&url).body.starts_with("Bonjour from process"));

    let logs = place.run(&["logs", "greeter"]).code(0);
    assert!(
        logs.out.contains("with a token of 32 characters"),
        "{}",
        logs.all()
    );
    place.run(&["rollback", "1", "--yes"]).code(0);
    assert!(page(&url).body.starts_with("Good morning from process"));
    place.run(&["destroy", "--yes"]).code(0);
    place.nothing_runs();
}

#[test]
fn files_with_references_conditions_and_a_generated_secret() {
    let place = Place::with_example("files");
    let applied = place.run(&["apply", "--yes"]).code(0);
    assert_eq!(
        place.text("out/motto.txt").as_deref(),
        Some("Plans are honest.\n")
    );
    assert_eq!(
        place.text("out/chapter-two.txt").as_deref(),
        Some("THE END\n")
    );
    let settings = place.text("out/settings.ini").unwrap();
    let key = settings.trim().strip_prefix("session_key = ").unwrap();
    assert_eq!(key.len(), 32);
    assert!(!applied.all().contains(key), "{}", applied.all());
    place.run(&["plan", "--detailed-exitcode"]).code(0);

    let without = ["--var", "readme=false"];
    place
        .run(&["apply", "--yes", without[0], without[1]])
        .code(0);
    assert_eq!(place.text("out/README.txt"), None);
    assert_eq!(
        place.text("out/settings.ini"),
        Some(settings),
        "made once, and kept"
    );

    place.run(&["destroy", "--yes"]).code(0);
    assert_eq!(place.text("out/motto.txt"), None);
    place.nothing_runs();
}

#[test]
fn environments_live_apart() {
    let place = Place::with_example("environments");
    let none = place.run(&["plan", "shop.yaml"]).code(65);
    assert!(none.err.contains("staging"), "{}", none.all());
    for env in ["staging", "production"] {
        place
            .run(&["apply", "shop.yaml", "-e", env, "--yes"])
            .code(0);
    }
    let banner = |env: &str| place.text(&format!("out/{env}/banner.txt"));
    assert_eq!(
        banner("staging").unwrap(),
        "A first look to staging.shop.localhost\n"
    );
    assert_eq!(
        banner("production").unwrap(),
        "A warm welcome to shop.localhost\n"
    );
    assert!(place.text("out/staging/robots.txt").is_some());
    assert!(place.text("out/production/robots.txt").is_none());
    place
        .run(&["destroy", "shop.yaml", "-e", "staging", "--yes"])
        .code(0);
    assert_eq!(banner("staging"), None);
    assert!(banner("production").is_some());
    place
        .run(&["destroy", "shop.yaml", "-e", "production", "--yes"])
        .code(0);
    place.nothing_runs();
}

#[test]
fn a_failed_check_takes_everything_back() {
    let place = Place::with_example("verify");
    let url = url(&place.run(&["apply", "--yes"]).code(0).out);
    let mood = |url: &str| page(url).head.to_ascii_lowercase().contains("x-mood: open");
    assert!(mood(&url));
    let failed = place
        .run(&["apply", "--yes", "--var", "mood=closed"])
        .code(6);
    assert!(failed.err.contains("rolled back"), "{}", failed.all());
    assert!(mood(&url));
    place.run(&["plan", "--detailed-exitcode"]).code(0);
    place.run(&["destroy", "--yes"]).code(0);
    place.nothing_runs();
}

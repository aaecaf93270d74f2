//! Each example site on a real WordPress: from a bare installation, over WP-CLI; then nothing is
//! left to do, in one call; and every page answers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::print_stderr, reason = "the times are to be read")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fabrik_core::clock::SystemClock;
use fabrik_core::diagnostic::Severity;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::plan::Plan;
use fabrik_core::provider::Registry;
use fabrik_core::role::Files;
use fabrik_core::spec::{LoadRequest, Source, load};
use fabrik_core::stack::{CheckDecl, Stack};
use fabrik_core::state::RunResult;
use fabrik_exec::BaseEnv;
use fabrik_provider_wordpress::provider_at;
use fabrik_testkit::stack::Stage;
use fabrik_wordpress::Wordpress;
use fabrik_wordpress_site::{Database, Fixture, Site, Version};

/// The folder of an example, and of zip files of the fixtures.
struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>> {
        let path = self.0.join(path);
        std::fs::read(&path).map_err(|error| Error::new(ErrorKind::NotFound, error.to_string()))
    }
    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.0.join(folder)).unwrap() {
            let name = entry.unwrap().file_name();
            found.push(format!("{folder}/{}", name.to_string_lossy()));
        }
        found.sort();
        Ok(found)
    }
}

struct World {
    site: Site,
    stage: Stage,
    stack: Arc<Stack>,
    checks: Vec<CheckDecl>,
    dir: tempfile::TempDir,
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/wordpress")
        .join(name)
}

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

impl World {
    fn of(name: &str, version: Version, database: Database) -> Option<World> {
        let site = Site::builder()
            .version(version)
            .database(database)
            .build()?;
        site.install_languages(&["de_DE"]);
        let dir = tempfile::tempdir().unwrap();
        copy(&example(name), dir.path());
        // Counts the calls, and keeps what PHP compiled between them.
        let kept = dir.path().join("opcache");
        std::fs::create_dir_all(&kept).unwrap();
        let mut words = site.wp();
        let settings = format!(
            "-d opcache.enable=1 -d opcache.enable_cli=1 -d opcache.file_cache_only=1 -d opcache.file_cache={}",
            kept.display()
        );
        words.splice(1..1, settings.split(' ').map(str::to_owned));
        let calls = dir.path().join("calls");
        let wp = dir.path().join("wp");
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let text = format!(
            "#!/bin/sh\necho x >> '{}'\nexec {} \"$@\"\n",
            calls.display(),
            quoted.join(" ")
        );
        std::fs::write(&wp, text).unwrap();
        std::fs::set_permissions(&wp, std::fs::Permissions::from_mode(0o755)).unwrap();

        let mut plugins = Vec::new();
        for plugin in ["contact-form-7", "polylang"] {
            Fixture::plugin(plugin).zip(dir.path());
            plugins.push(plugin);
        }
        let base = site.url();
        let env = BaseEnv::new("/usr/local/bin:/usr/bin:/bin");
        let mut registry = Registry::new();
        registry.register(provider_at(env.clone(), dir.path()));
        registry.register_component(Arc::new(Wordpress));
        let spec = std::fs::read(dir.path().join(format!("{name}.yaml"))).unwrap();
        // The site of the test, and plugins that no registry here carries.
        let several = String::from_utf8_lossy(&spec).contains("\n    languages:");
        let listed: Vec<String> = plugins
            .iter()
            .filter(|plugin| several || **plugin != "polylang")
            .map(|plugin| format!("{{ slug: {plugin}, source: {plugin}.zip }}"))
            .collect();
        let overlay = format!(
            "apps:\n  site:\n    site: {{ ssh: ~, path: '{}', wp: ['{}'], url: '{base}' }}\n    plugins: [{}]\n    tls: false\n    editor: {{ password: not-a-secret-of-the-test }}\n{}",
            site.path().display(),
            wp.display(),
            listed.join(", "),
            missing(&registry),
        );
        let files = Folder(dir.path().to_owned());
        let mut request = LoadRequest::new(&registry, "site.yaml", &spec);
        request.overlays.push(Source {
            name: "test.yaml",
            bytes: overlay.as_bytes(),
        });
        request.files = &files;
        let loaded = load(&request);
        for item in &loaded.diagnostics.items {
            assert_ne!(item.severity, Severity::Error, "{item:?}");
        }
        let mut stack = loaded.stack.unwrap();
        // The stage makes no checks; the test does.
        let checks = std::mem::take(&mut stack.checks);
        let stack = Arc::new(stack);
        let config = serde_json::json!({"path": site.path(), "wp": [wp]});
        let stage = Stage::builder()
            .provider(provider_at(env, dir.path()), config)
            .clock(SystemClock)
            .build()
            .unwrap();
        Some(World {
            site,
            stage,
            stack,
            checks,
            dir,
        })
    }

    fn calls(&self) -> usize {
        std::fs::read_to_string(self.dir.path().join("calls"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    async fn plan(&self) -> Plan {
        let plan = self.stage.plan(&self.stack).await;
        plan.unwrap_or_else(|error| panic!("{error:?}"))
    }
}

/// What of the example cannot be done because the provider has no such type (yet).
fn missing(registry: &Registry) -> String {
    let mut without = String::new();
    if registry.type_info("wordpress.theme_style").is_err() {
        without += "    theme: { slug: twentytwentyfive, style: none }\n";
    }
    if registry.type_info("wordpress.translation").is_err() {
        without += "    languages: ~\n";
    }
    without
}

async fn whole_site(name: &str, version: Version, database: Database) {
    let Some(world) = World::of(name, version, database) else {
        return;
    };
    let begun = Instant::now();
    let report = world.stage.apply(&world.stack).await.unwrap();
    let took = begun.elapsed();
    assert_eq!(
        report.end.result,
        RunResult::Succeeded,
        "{:#?}",
        report.end.error
    );
    let calls = world.calls();
    let begun = Instant::now();
    let plan = world.plan().await;
    let planned = begun.elapsed();
    let left: Vec<String> = plan
        .changes
        .iter()
        .map(|change| format!("{}: {:?}", change.address, change))
        .collect();
    eprintln!(
        "{name}: {} resources in {took:.1?} ({calls} calls); plan without changes in {planned:.1?} ({} calls)",
        world.stack.resources.len(),
        world.calls() - calls,
    );
    assert!(left.is_empty(), "{}", left.join("\n\n"));
    assert_eq!(
        world.calls() - calls,
        1,
        "a plan without changes is one call"
    );
    for check in &world.checks {
        let spec = fabrik_core::value::to_wire_masked(&check.spec);
        let Some(url) = spec["url"].as_str() else {
            continue;
        };
        let Some(path) = url.strip_prefix(world.site.url().trim_end_matches('/')) else {
            continue;
        };
        if path.starts_with("/en/") {
            // The fixture of Polylang keeps languages, but leads no addresses.
            continue;
        }
        let page = world.site.get(path);
        assert_eq!(page.status, 200, "{path}");
        for lacks in spec["lacks"].as_array().into_iter().flatten() {
            let text = lacks.as_str().unwrap();
            assert!(!page.body.contains(text), "{path}: {text}");
        }
    }
    assert!(took < Duration::from_secs(120), "{name} took {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn company() {
    whole_site("company", Version::New, Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn landing() {
    whole_site("landing", Version::New, Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saas() {
    whole_site("saas", Version::New, Database::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ecommerce() {
    whole_site("ecommerce", Version::New, Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content() {
    whole_site("content", Version::New, Database::MariaDb).await;
}

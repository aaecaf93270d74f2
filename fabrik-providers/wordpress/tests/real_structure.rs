//! Plugins, themes, media and files against real WordPress.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use fabrik_core::clock::SystemClock;
use fabrik_core::engine::RunReport;
use fabrik_core::stack::Stack;
use fabrik_core::state::RunResult;
use fabrik_exec::BaseEnv;
use fabrik_provider_wordpress::provider_at;
use fabrik_testkit::stack::Stage;
use fabrik_wordpress_site::{Database, Fixture, Site, SiteBuilder, Version};
use serde_json::{Value as Json, json};

struct World {
    site: Site,
    stage: Stage,
    files: tempfile::TempDir,
}

impl World {
    fn of(site: SiteBuilder) -> Option<World> {
        let site = site.build()?;
        let files = tempfile::tempdir().unwrap();
        let env = BaseEnv::new("/usr/local/bin:/usr/bin:/bin");
        let config = json!({"path": site.path(), "wp": site.wp()});
        let stage = Stage::builder()
            .provider(provider_at(env, files.path()), config)
            .clock(SystemClock)
            .build()
            .unwrap();
        Some(World { site, stage, files })
    }

    fn load(&self, resources: &Json) -> Arc<Stack> {
        self.stage.load(&json!({"resources": resources})).unwrap()
    }

    /// A fixture's zip beside the spec.
    fn zip(&self, fixture: &Fixture) -> String {
        fixture.zip(self.files.path());
        format!("{}.zip", fixture.name())
    }

    fn active(&self) -> Vec<String> {
        let text = self
            .site
            .wp_cli(&["option", "get", "active_plugins", "--format=json"]);
        serde_json::from_str(&text).unwrap()
    }
}

fn words(report: &RunReport) -> String {
    format!("{report:?}")
}

fn plugins(names: &[&str]) -> Json {
    names
        .iter()
        .map(|name| ((*name).replace('-', "_"), json!({"type": "wordpress.plugin", "spec": {"slug": name, "source": format!("{name}.zip")}})))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

const SIX: [&str; 6] = [
    "fabrik-a", "fabrik-b", "fabrik-c", "fabrik-d", "fabrik-e", "fabrik-f",
];

async fn six_plugins(database: Database) {
    let Some(world) = World::of(Site::builder().database(database)) else {
        return;
    };
    for name in SIX {
        world.zip(&Fixture::plugin(name));
    }
    let fresh = world.site.dump();
    let stack = world.load(&plugins(&SIX));
    let report = world.stage.settle(&stack).await.unwrap();
    assert_eq!(
        report.end.result,
        RunResult::Succeeded,
        "{}",
        words(&report)
    );
    assert_eq!(world.active().len(), 6, "{:?}", world.active());
    world.stage.destroy(&stack).await.unwrap();
    assert!(world.active().is_empty());
    fresh.assert_same(&world.site.dump());
}

#[tokio::test(flavor = "multi_thread")]
async fn six_plugins_of_one_apply_are_all_active() {
    six_plugins(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn six_plugins_on_mariadb() {
    six_plugins(Database::MariaDb).await;
}

/// One bad plugin among good ones: it is taken out, the site answers, and a rollback leaves nothing.
async fn one_bad(name: &str, says: &str) {
    let Some(world) = World::of(Site::builder()) else {
        return;
    };
    for name in ["fabrik-a", "fabrik-table", name] {
        world.zip(&Fixture::plugin(name));
    }
    let fresh = world.site.dump();
    let stack = world.load(&plugins(&["fabrik-a", "fabrik-table", name]));
    let report = world.stage.apply(&stack).await.unwrap();
    assert_eq!(
        report.end.result,
        RunResult::RolledBack,
        "{}",
        words(&report)
    );
    let said = words(&report);
    assert!(said.contains(says), "{said}");
    assert_eq!(world.site.get("/").status, 200);
    assert_eq!(world.site.get("/wp-json/").status, 200);
    fresh.assert_same(&world.site.dump());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_breaks_the_site_is_taken_out() {
    one_bad(
        "fabrik-fatal-on-load",
        "fabrik_fixture_function_that_is_not_there",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_only_visitors_notice_is_taken_out() {
    one_bad("fabrik-fatal-on-front", "answers 500").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_while_activated_is_taken_out() {
    one_bad(
        "fabrik-fatal-on-activation",
        "fabrik_fixture_function_that_is_not_there",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_said_before_anything_is_touched() {
    let Some(world) = World::of(Site::builder().with(Fixture::plugin("fabrik-harmless"))) else {
        return;
    };
    for fixture in ["fabrik-future-php", "fabrik-a"] {
        world.zip(&Fixture::plugin(fixture));
    }
    std::fs::write(
        world.files.path().join("logo.svg"),
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
    )
    .unwrap();
    std::fs::write(world.files.path().join("fake.png"), "<?php echo 1;").unwrap();
    let fresh = world.site.dump();
    let cases = [
        (
            json!({"type": "wordpress.plugin", "spec": {"slug": "fabrik-future-php", "source": "fabrik-future-php.zip"}}),
            "needs PHP 99.0",
        ),
        (
            json!({"type": "wordpress.plugin", "spec": {"slug": "other", "source": "fabrik-a.zip"}}),
            "holds `fabrik-a`",
        ),
        (
            json!({"type": "wordpress.plugin", "spec": {"slug": "fabrik-a", "source": "missing.zip"}}),
            "cannot be read",
        ),
        (
            json!({"type": "wordpress.plugin", "spec": {"slug": "fabrik-a", "source": "fabrik-a.zip", "version": "9"}}),
            "holds version 1.0.0",
        ),
        (
            json!({"type": "wordpress.plugin", "spec": {"slug": "../evil"}}),
            "cannot be the name",
        ),
        (
            json!({"type": "wordpress.media", "spec": {"source": "logo.svg"}}),
            "SVG",
        ),
        (
            json!({"type": "wordpress.media", "spec": {"source": "fake.png"}}),
            "not what its name says",
        ),
        (
            json!({"type": "wordpress.analytics", "spec": {"google_analytics_id": "UA-1"}}),
            "no id of Google Analytics",
        ),
        (
            json!({"type": "wordpress.core", "spec": {"version": "99"}}),
            "older than 99",
        ),
        (
            json!({"type": "wordpress.core", "spec": {"constants": {"DB_PASSWORD": "x"}}}),
            "not set from a spec",
        ),
    ];
    for (resource, says) in cases {
        let stack = world.load(&json!({"it": resource}));
        let said = match world.stage.plan(&stack).await {
            Ok(plan) => format!("{plan:?}"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(says), "{resource}: {said}");
        // Nor does an apply touch anything.
        let applied = world.stage.apply(&stack).await;
        assert!(
            !applied.is_ok_and(|report| report.end.result == RunResult::Succeeded),
            "{resource}"
        );
    }
    fresh.assert_same(&world.site.dump());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_comes_and_goes() {
    let Some(world) = World::of(Site::builder()) else {
        return;
    };
    let source = world.zip(&Fixture::theme("fabrik-classic"));
    let fresh = world.site.dump();
    let stack = world.load(&json!({
        "theme": {"type": "wordpress.theme", "spec": {"slug": "fabrik-classic", "source": source}},
    }));
    world.stage.settle(&stack).await.unwrap();
    assert!(world.site.get("/").body.contains("site-footer"));
    // One that is there already is used, and stays.
    let other = world.load(&json!({
        "theme": {"type": "wordpress.theme", "spec": {"slug": "twentytwentyfour"}},
    }));
    world.stage.settle(&other).await.unwrap();
    assert_eq!(
        world.site.wp_cli(&["option", "get", "stylesheet"]),
        "twentytwentyfour"
    );
    world.stage.destroy(&other).await.unwrap();
    fresh.assert_same(&world.site.dump());
}

#[tokio::test(flavor = "multi_thread")]
async fn analytics_and_constants_leave_nothing_behind() {
    let Some(world) = World::of(Site::builder()) else {
        return;
    };
    world.site.install_languages(&["it_IT"]);
    let fresh = world.site.dump();
    let spec = |id: &str, edit: bool| {
        json!({
            "analytics": {"type": "wordpress.analytics", "spec": {"google_analytics_id": id, "gtm_id": "GTM-ABC1234"}},
            "core": {"type": "wordpress.core", "spec": {"version": "6.3", "language": "it_IT", "constants": {"DISALLOW_FILE_EDIT": edit, "WP_POST_REVISIONS": 5, "FABRIK_NOTE": "it's \\ \"so\""}}},
        })
    };
    let stack = world.load(&spec("G-ABCD1234", true));
    world.stage.settle(&stack).await.unwrap();
    let page = world.site.get("/").body;
    assert!(page.contains("gtag('config','G-ABCD1234')"), "{page}");
    assert!(page.contains("'analytics_storage':'denied'"));
    assert!(page.contains("lang=\"it-IT\""));
    assert_eq!(
        world
            .site
            .eval("echo json_encode([DISALLOW_FILE_EDIT, WP_POST_REVISIONS, FABRIK_NOTE]);"),
        r#"[true,5,"it's \\ \"so\""]"#
    );
    // Changed by hand: seen, and mended.
    let file = world
        .site
        .path()
        .join("wp-content/mu-plugins/fabrik-analytics.php");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("denied", "granted")).unwrap();
    assert!(!world.stage.plan(&stack).await.unwrap().changes.is_empty());
    world.stage.settle(&stack).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let other = world.load(&spec("G-ZZZZ9999", false));
    world.stage.settle(&other).await.unwrap();
    assert!(world.site.get("/").body.contains("G-ZZZZ9999"));
    world.stage.destroy(&other).await.unwrap();
    fresh.assert_same(&world.site.dump());
}

/// A small PNG of one colour.
fn png(world: &World, name: &str, red: u8) {
    let path = world.files.path().join(name);
    world.site.eval(&format!("$i = imagecreatetruecolor(600, 400); imagefill($i, 0, 0, imagecolorallocate($i, {red}, 20, 30)); imagepng($i, '{}');", path.display()));
}

async fn media(version: Version, database: Database) {
    let Some(world) = World::of(Site::builder().version(version).database(database)) else {
        return;
    };
    for (name, red) in [("a.png", 10), ("b.png", 200)] {
        png(&world, name, red);
    }
    let fresh = world.site.dump();
    let spec = |alt: &str| {
        json!({
            "a": {"type": "wordpress.media", "spec": {"source": "a.png", "alt": alt, "caption": "Ünï & \"co\" \\ it's"}},
            "b": {"type": "wordpress.media", "spec": {"source": "b.png", "name": "other.png", "title": "B"}},
        })
    };
    let stack = world.load(&spec("An image"));
    world.stage.settle(&stack).await.unwrap();
    let row = world.stage.row("resources.a").await.unwrap();
    let outputs = format!("{row:?}");
    assert!(
        outputs.contains("image/png") && outputs.contains("a.png"),
        "{outputs}"
    );
    let count = || {
        world
            .site
            .wp_cli(&["post", "list", "--post_type=attachment", "--format=count"])
    };
    assert_eq!(count(), "2");
    // Other words, the same file.
    let other = world.load(&spec("Other words"));
    world.stage.settle(&other).await.unwrap();
    assert_eq!(count(), "2");
    // Another file: another object.
    png(&world, "a.png", 99);
    world.stage.settle(&other).await.unwrap();
    assert_eq!(count(), "2");
    world.stage.destroy(&other).await.unwrap();
    fresh.assert_same(&world.site.dump());
}

#[tokio::test(flavor = "multi_thread")]
async fn media_on_sqlite() {
    media(Version::New, Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn media_on_the_old_wordpress() {
    media(Version::Old, Database::MariaDb).await;
}

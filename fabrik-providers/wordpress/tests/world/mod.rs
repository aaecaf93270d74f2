//! A real site, an engine over the provider, and state.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "not every test program uses all of it")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use fabrik_core::plan::Plan;
use fabrik_core::stack::Stack;
use fabrik_exec::BaseEnv;
use fabrik_provider_wordpress::provider;
use fabrik_testkit::stack::Stage;
use fabrik_wordpress_site::{Database, Dump, Fixture, Site, Version};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) stage: Stage,
    dir: TempDir,
}

/// What programs find here.
pub(crate) fn env() -> BaseEnv {
    BaseEnv::new("/usr/local/bin:/usr/bin:/bin")
}

/// `None` where WordPress is not installed for tests.
pub(crate) fn world() -> Option<World> {
    world_of(Version::New, Database::Sqlite, &[])
}

pub(crate) fn world_of(
    version: Version,
    database: Database,
    fixtures: &[Fixture],
) -> Option<World> {
    let mut builder = Site::builder().version(version).database(database);
    for fixture in fixtures {
        builder = builder.with(fixture.clone());
    }
    World::of(builder.build()?)
}

impl World {
    fn of(site: Site) -> Option<World> {
        let dir = tempfile::tempdir().unwrap();
        // Counts the calls.
        let script = dir.path().join("wp");
        let words: Vec<String> = command(&site, &dir.path().join("opcache"))
            .iter()
            .map(|word| format!("'{word}'"))
            .collect();
        let text = format!(
            "#!/bin/sh\necho \"$$\" >> '{}'\nexec {} \"$@\"\n",
            dir.path().join("calls").display(),
            words.join(" ")
        );
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let stage = stage(&json!({"path": site.path(), "wp": [script]}));
        Some(World { site, stage, dir })
    }

    /// Another configuration of the provider, with state of its own.
    pub(crate) fn with(&mut self, config: &Json) {
        self.stage = stage(config);
    }

    /// The command that counts.
    pub(crate) fn wp(&self) -> PathBuf {
        self.dir.path().join("wp")
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// Everything the site has, but for whether WordPress was ever used, which it notes for itself.
    pub(crate) fn dump(&self) -> Dump {
        let mut dump = self.site.dump();
        for rows in dump.tables.values_mut() {
            rows.retain(|row| !row.contains("\"option_name\":\"fresh_site\""));
        }
        dump
    }

    /// How often PHP was started by the provider.
    pub(crate) fn calls(&self) -> usize {
        std::fs::read_to_string(self.dir.path().join("calls"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    /// A stack of resources.
    pub(crate) fn stack(&self, resources: &Json) -> Arc<Stack> {
        self.stage.load(&json!({ "resources": resources })).unwrap()
    }

    /// Applies, and sees that nothing is left to do.
    #[track_caller]
    pub(crate) fn settle(&self, resources: &Json) -> impl Future<Output = ()> {
        let stack = self.stack(resources);
        async move {
            let report = self.stage.settle(&stack).await;
            report.unwrap_or_else(|error| panic!("{error:?}"));
        }
    }

    pub(crate) async fn plan(&self, resources: &Json) -> Plan {
        let plan = self.stage.plan(&self.stack(resources)).await;
        plan.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Why applying fails.
    pub(crate) async fn fails(&self, resources: &Json) -> String {
        match self.stage.apply(&self.stack(resources)).await {
            Ok(report) => format!("{:?}", report.end.error.expect("the run fails")),
            Err(error) => format!("{error:?}"),
        }
    }

    /// A field of a post.
    pub(crate) fn post(&self, id: &str, field: &str) -> String {
        self.site
            .wp_cli(&["post", "get", id, &format!("--field={field}")])
    }

    /// An option.
    pub(crate) fn option(&self, name: &str) -> String {
        self.site.wp_cli(&["option", "get", name])
    }

    /// The id of a resource's object.
    pub(crate) async fn id(&self, address: &str) -> String {
        self.stage.row(address).await.unwrap().object.id
    }
}

pub(crate) fn stage(config: &Json) -> Stage {
    Stage::builder()
        .provider(provider(env()), config.clone())
        .build()
        .unwrap()
}

/// WP-CLI of a site, with what PHP compiled kept between calls: several times as fast.
pub(crate) fn command(site: &Site, kept: &std::path::Path) -> Vec<String> {
    std::fs::create_dir_all(kept).unwrap();
    let mut words = site.wp();
    let settings = [
        "opcache.enable=1".to_owned(),
        "opcache.enable_cli=1".to_owned(),
        "opcache.file_cache_only=1".to_owned(),
        format!("opcache.file_cache={}", kept.display()),
    ];
    let settings = settings
        .into_iter()
        .flat_map(|setting| ["-d".to_owned(), setting]);
    words.splice(1..1, settings);
    words
}

/// A section with a paragraph.
pub(crate) fn section(id: &str, text: &str) -> Json {
    json!({"id": id, "markup": markup(id, text)})
}

pub(crate) fn markup(id: &str, text: &str) -> String {
    format!(
        "<!-- wp:group {{\"tagName\":\"section\",\"metadata\":{{\"fabrik\":{{\"id\":\"{id}\"}}}}}} -->\n<section class=\"wp-block-group\"><!-- wp:paragraph -->\n<p>{text}</p>\n<!-- /wp:paragraph --></section>\n<!-- /wp:group -->"
    )
}

/// A small site: settings, four pages of which one lies below another, a menu, a front page.
pub(crate) fn small() -> Json {
    json!({
        "settings": {"type": "wordpress.settings", "spec": {
            "title": "Müller & Söhne \"Bau\"", "tagline": "Since <1950> \\ $HOME", "timezone": "Europe/Rome",
            "start_of_week": 1, "posts_per_page": 5, "permalinks": "/%postname%/", "search_engines": false,
            "comments": false, "admin_email": "me@example.com",
        }},
        "home": {"type": "wordpress.page", "spec": {
            "slug": "home", "title": "Home – \"welcome\" \\ it's",
            "sections": [section("home.hero", "Grüße 🎉 \\ back"), section("home.cta", "<a href=\"${resources.contact.url}\">Write</a>")],
        }},
        "about": {"type": "wordpress.page", "spec": {
            "slug": "about", "title": "About", "excerpt": "Who we are", "menu_order": 3,
            "sections": [section("about.text", "One")],
        }},
        "team": {"type": "wordpress.page", "spec": {
            "slug": "team", "title": "Team", "parent": "${resources.about.id}", "sections": [],
        }},
        "contact": {"type": "wordpress.page", "spec": {
            "slug": "contact", "title": "Contact", "sections": [section("contact.text", "Here")],
        }},
        "main": {"type": "wordpress.menu", "spec": {
            "slug": "main", "name": "Main & more", "items": [
                {"title": "Home", "page": "${resources.home.id}"},
                {"title": "About us", "page": "${resources.about.id}", "children": [
                    {"title": "Team", "page": "${resources.team.id}"},
                    {"title": "Map \\ it's", "url": "https://example.com/?a=b&c=d", "target": "_blank"},
                ]},
                {"title": "Contact", "page": "${resources.contact.id}"},
            ],
        }},
        "front": {"type": "wordpress.front_page", "spec": {"page": "${resources.home.id}"}},
    })
}

/// A text in base64.
pub(crate) fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

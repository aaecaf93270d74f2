//! The REST channel against real WordPress.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "world/mod.rs"]
mod world;

use fabrik_provider_wordpress::provider_at;
use fabrik_testkit::stack::Stage;
use fabrik_wordpress_site::{Database, Fixture, Version};
use serde_json::{Value as Json, json};
use world::{World, env, section, world_of};

/// A world reached over REST.
fn over_rest(world: &mut World, files: &std::path::Path, password: &str) {
    let config = json!({"rest": {"url": world.site.url(), "user": "admin", "password": password}});
    world.stage = Stage::builder()
        .provider(provider_at(env(), files), config)
        .build()
        .unwrap();
}

fn site(title: &str, text: &str) -> Json {
    json!({
        "settings": {"type": "wordpress.settings", "spec": {
            "title": title, "tagline": "Since <1950> & \"more\"", "timezone": "Europe/Rome", "start_of_week": 1,
            "posts_per_page": 5, "admin_email": "me@example.com", "comments": false,
        }},
        "logo": {"type": "wordpress.media", "spec": {"source": "logo.png", "alt": "Our \"logo\""}},
        "home": {"type": "wordpress.page", "spec": {"slug": "home", "title": "Home – \"it's\" \\ here", "sections": [section("home.a", text)]}},
        "about": {"type": "wordpress.page", "spec": {"slug": "about", "title": "About", "excerpt": "Who", "menu_order": 3, "sections": [section("about.a", "<a href=\"${resources.post.url}\">First</a>")]}},
        "team": {"type": "wordpress.page", "spec": {"slug": "team", "title": "Team", "parent": "${resources.about.id}", "sections": []}},
        "news": {"type": "wordpress.category", "spec": {"slug": "news", "name": "News & more", "description": "What is new"}},
        "post": {"type": "wordpress.post", "spec": {"slug": "first", "title": "First", "sections": [section("first.a", "x")], "categories": ["${resources.news.id}"], "tags": ["One", "Two"]}},
        "front": {"type": "wordpress.front_page", "spec": {"page": "${resources.home.id}"}},
        "menu": {"type": "wordpress.menu", "spec": {"slug": "main", "name": "Main", "locations": ["primary"], "items": [
            {"title": "Home", "page": "${resources.home.id}"},
            {"title": "About", "page": "${resources.about.id}", "children": [{"title": "Team", "page": "${resources.team.id}"}]},
            {"title": "Else", "url": "https://example.com/"},
        ]}},
    })
}

async fn whole(version: Version, database: Database) {
    let Some(mut world) = world_of(version, database, &[Fixture::theme("fabrik-classic")]) else {
        return;
    };
    world.site.wp_cli(&["theme", "activate", "fabrik-classic"]);
    let files = tempfile::tempdir().unwrap();
    let png = files.path().join("logo.png");
    world.site.eval(&format!(
        "$i = imagecreatetruecolor(90, 60); imagepng($i, '{}');",
        png.display()
    ));
    world.site.get("/");
    let password = world.site.password().to_owned();
    over_rest(&mut world, files.path(), &password);
    world.settle(&site("Müller & Söhne", "Grüße \\ 🎉")).await;
    let home = world.site.get("/").body;
    assert!(home.contains("Grüße \\ 🎉"), "{home}");
    assert!(
        home.contains("menu-item") && home.contains("/about/team/"),
        "{home}"
    );
    assert!(world.site.get("/tag/one/").body.contains("First"));
    // Changed, and once more nothing to do.
    world.settle(&site("Another", "Other text")).await;
    assert!(world.site.get("/").body.contains("Other text"));
    // A change by hand is seen.
    world
        .site
        .wp_cli(&["option", "update", "blogname", "By hand"]);
    assert!(
        !world
            .plan(&site("Another", "Other text"))
            .await
            .changes
            .is_empty()
    );
    world.settle(&site("Another", "Other text")).await;
    let stack = world.stack(&site("Another", "Other text"));
    world.stage.destroy(&stack).await.unwrap();
    let left = world.site.eval("foreach (get_posts(['post_type' => ['page', 'post', 'attachment', 'nav_menu_item'], 'post_status' => 'any', 'numberposts' => -1, 'orderby' => 'name', 'order' => 'ASC']) as $p) echo $p->post_name, ' '; echo count(get_terms(['taxonomy' => ['nav_menu'], 'hide_empty' => false])), get_option('blogname');");
    assert_eq!(
        left.trim_end(),
        "hello-world privacy-policy sample-page 0A site for tests"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_over_rest() {
    whole(Version::New, Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_over_rest_on_the_old_wordpress() {
    whole(Version::Old, Database::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rest_cannot_do_is_said_before() {
    let Some(mut world) = world_of(Version::New, Database::Sqlite, &[]) else {
        return;
    };
    let fresh = world.dump();
    let files = tempfile::tempdir().unwrap();
    let password = world.site.password().to_owned();
    over_rest(&mut world, files.path(), &password);
    for (resource, says) in [
        (
            json!({"type": "wordpress.settings", "spec": {"title": "T", "permalinks": "/%postname%/"}}),
            "`permalinks`",
        ),
        (
            json!({"type": "wordpress.plugin", "spec": {"slug": "polylang"}}),
            "not installed",
        ),
        (
            json!({"type": "wordpress.theme", "spec": {"slug": "astra"}}),
            "WP-CLI",
        ),
        (
            json!({"type": "wordpress.option", "spec": {"name": "x", "value": 1}}),
            "wordpress.option",
        ),
        (
            json!({"type": "wordpress.analytics", "spec": {"gtm_id": "GTM-ABC1234"}}),
            "WP-CLI",
        ),
    ] {
        let said = match world
            .stage
            .plan(&world.stack(&json!({"it": resource})))
            .await
        {
            Ok(plan) => format!("{plan:?}"),
            Err(error) => format!("{error:?}"),
        };
        assert!(said.contains(says), "{resource}: {said}");
    }
    // The wrong password: said as such, although WordPress answers public routes.
    over_rest(&mut world, files.path(), "wrong");
    let said = world
        .fails(&json!({"s": {"type": "wordpress.settings", "spec": {"title": "T"}}}))
        .await;
    assert!(
        said.contains("rest.password") || said.contains("does not know the account"),
        "{said}"
    );
    fresh.assert_same(&world.dump());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_halfway_is_taken_back() {
    let Some(mut world) = world_of(Version::New, Database::Sqlite, &[]) else {
        return;
    };
    let files = tempfile::tempdir().unwrap();
    let password = world.site.password().to_owned();
    over_rest(&mut world, files.path(), &password);
    let page = |slug: &str, parent: &str| json!({"type": "wordpress.page", "spec": {"slug": slug, "title": slug, "parent": parent, "sections": []}});
    let resources = json!({
        "one": {"type": "wordpress.page", "spec": {"slug": "one", "title": "One", "sections": []}},
        "two": page("two", "${resources.one.id}"),
        // WordPress makes another slug of this one.
        "three": {"type": "wordpress.page", "spec": {"slug": "feed", "title": "Feed", "parent": "${resources.two.id}", "sections": []}},
    });
    let said = world.fails(&resources).await;
    assert!(said.contains("feed"), "{said}");
    assert_eq!(
        world.site.wp_cli(&[
            "post",
            "list",
            "--post_type=page",
            "--post_status=any,trash",
            "--format=count"
        ]),
        "2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn installed_plugins_are_switched() {
    let fixtures = ["fabrik-a", "fabrik-harmless", "fabrik-fatal-on-front"].map(Fixture::plugin);
    let Some(mut world) = world_of(Version::New, Database::Sqlite, &fixtures) else {
        return;
    };
    let files = tempfile::tempdir().unwrap();
    let password = world.site.password().to_owned();
    over_rest(&mut world, files.path(), &password);
    let fresh = world.dump();
    let plugin = |slug: &str| json!({"type": "wordpress.plugin", "spec": {"slug": slug}});
    let two = json!({"a": plugin("fabrik-a"), "b": plugin("fabrik-harmless")});
    world.settle(&two).await;
    assert!(world.site.get("/").body.contains("fabrik-harmless"));
    world.stage.destroy(&world.stack(&two)).await.unwrap();
    let said = world
        .fails(&json!({"a": plugin("fabrik-a"), "bad": plugin("fabrik-fatal-on-front")}))
        .await;
    assert!(said.contains("answers 500"), "{said}");
    assert_eq!(world.site.get("/").status, 200);
    fresh.assert_same(&world.dump());
}

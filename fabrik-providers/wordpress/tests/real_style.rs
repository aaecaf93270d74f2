//! Looks and languages against real WordPress.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "world/mod.rs"]
mod world;

use fabrik_wordpress_site::{Database, Fixture, Version};
use serde_json::{Value as Json, json};
use world::{World, section, world_of};

fn style(theme: &str, primary: &str) -> Json {
    json!({"style": {"type": "wordpress.theme_style", "spec": {
        "theme": theme,
        "palette": [
            {"slug": "primary", "name": "Primary", "color": primary},
            {"slug": "accent", "name": "Accent", "color": "rgb(200 30 30)"},
        ],
        "fonts": {"body": "Inter, sans-serif", "heading": "Georgia, serif"},
        "colors": {"text": "#111111", "background": "#fefefe", "heading": "#222222", "link": primary, "button": primary, "button_text": "#ffffff"},
        "spacing": "normal", "radius": "6px", "css": ".fabrik-x{outline:0}",
    }}})
}

/// Set, changed, changed by hand, and taken away again.
async fn looks(world: &World, theme: &str, shows: &str, meddle: &str) {
    // What a first visit does has been done.
    world.site.get("/");
    let fresh = world.dump();
    world.settle(&style(theme, "#123456")).await;
    let page = world.site.get("/").body;
    assert!(page.contains("#123456"), "{page}");
    assert!(page.contains(shows), "{page}");
    assert!(page.contains(".fabrik-x{outline:0}"), "{page}");
    world.settle(&style(theme, "#654321")).await;
    let page = world.site.get("/").body;
    assert!(
        page.contains("#654321") && !page.contains("#123456"),
        "{page}"
    );
    // Somebody else's values beside ours stay; ours come back.
    world.site.eval(meddle);
    let plan = world.plan(&style(theme, "#654321")).await;
    assert!(!plan.changes.is_empty(), "a change by hand is seen");
    world.settle(&style(theme, "#654321")).await;
    assert!(!world.site.get("/").body.contains("#bada55"));
    let stack = world.stack(&style(theme, "#654321"));
    world.stage.destroy(&stack).await.unwrap();
    let mut after = world.dump();
    // GeneratePress makes its cached CSS again on a visit.
    world.site.get("/");
    if theme == "generatepress" {
        after = world.dump();
    }
    fresh.assert_same(&after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_theme() {
    let Some(world) = world_of(Version::New, Database::Sqlite, &[]) else {
        return;
    };
    let meddle = "$p = get_post(WP_Theme_JSON_Resolver::get_user_global_styles_post_id()); $j = json_decode($p->post_content, true); $j['styles']['color']['text'] = '#bada55'; wp_update_post(['ID' => $p->ID, 'post_content' => wp_slash(json_encode($j))]);";
    looks(
        &world,
        "block",
        "--wp--preset--color--primary: #123456",
        meddle,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_theme_on_the_old_wordpress() {
    let Some(world) = world_of(Version::Old, Database::MariaDb, &[]) else {
        return;
    };
    let meddle = "$p = get_post(WP_Theme_JSON_Resolver::get_user_global_styles_post_id()); $j = json_decode($p->post_content, true); $j['styles']['color']['text'] = '#bada55'; wp_update_post(['ID' => $p->ID, 'post_content' => wp_slash(json_encode($j))]);";
    looks(
        &world,
        "block",
        "--wp--preset--color--primary: #123456",
        meddle,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn astra() {
    let Some(world) = world_of(Version::New, Database::Sqlite, &[Fixture::theme("astra")]) else {
        return;
    };
    world.site.wp_cli(&["theme", "activate", "astra"]);
    world
        .site
        .eval("update_option('astra-settings', ['site-content-width' => 1100]);");
    let meddle = "$s = get_option('astra-settings'); $s['text-color'] = '#bada55'; update_option('astra-settings', $s);";
    looks(&world, "astra", "--ast-global-color-0:#123456", meddle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn generatepress() {
    let Some(world) = world_of(
        Version::New,
        Database::Sqlite,
        &[Fixture::theme("generatepress")],
    ) else {
        return;
    };
    world.site.wp_cli(&["theme", "activate", "generatepress"]);
    world.site.get("/");
    world.site.eval("update_option('generate_settings', ['container_width' => '1000']); delete_option('generate_dynamic_css_output');");
    let meddle = "$s = get_option('generate_settings'); $s['text_color'] = '#bada55'; update_option('generate_settings', $s); delete_option('generate_dynamic_css_output');";
    looks(
        &world,
        "generatepress",
        "h1,h2,h3,h4,h5,h6{font-family:Georgia, serif;}",
        meddle,
    )
    .await;
    // The theme's own migration was over before, so nothing of old sites came in.
    assert!(!world.option("generate_settings").contains("floats"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_style_for_another_theme_is_refused_and_bad_values_never_arrive() {
    let Some(world) = world_of(Version::New, Database::Sqlite, &[]) else {
        return;
    };
    let fresh = world.dump();
    let said = world.fails(&style("astra", "#123456")).await;
    assert!(said.contains("active theme is twentytwentyfive"), "{said}");
    for (bad, says) in [
        ("red;}</style><script>alert(1)</script>", "is no colour"),
        ("url(//x.test)", "is no colour"),
    ] {
        let said = world.fails(&style("block", bad)).await;
        assert!(said.contains(says), "{said}");
    }
    fresh.assert_same(&world.dump());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_two_languages() {
    let Some(world) = world_of(
        Version::New,
        Database::Sqlite,
        &[Fixture::plugin("polylang")],
    ) else {
        return;
    };
    world.site.wp_cli(&["plugin", "activate", "polylang"]);
    let fresh = world.dump();
    let page = |slug: &str| json!({"type": "wordpress.page", "spec": {"slug": slug, "title": slug, "sections": [section(slug, "x")]}});
    let resources = json!({
        "english": {"type": "wordpress.language", "spec": {"code": "en", "name": "English", "locale": "en_US", "default": true}},
        "italian": {"type": "wordpress.language", "spec": {"code": "it", "name": "Italiano", "locale": "it_IT"}},
        "about": page("about"),
        "chi": page("chi-siamo"),
        "pair": {"type": "wordpress.translation", "spec": {"pages": {"en": "${resources.about.id}", "it": "${resources.chi.id}"}}, "depends_on": ["resources.english", "resources.italian"]},
    });
    world.settle(&resources).await;
    let page = world.site.get("/about/").body;
    assert!(
        page.contains(r#"hreflang="it""#) && page.contains("/chi-siamo/"),
        "{page}"
    );
    assert!(
        world
            .site
            .get("/chi-siamo/")
            .body
            .contains(r#"lang="it-IT""#)
    );
    let stack = world.stack(&resources);
    world.stage.destroy(&stack).await.unwrap();
    fresh.assert_same(&world.dump());
}

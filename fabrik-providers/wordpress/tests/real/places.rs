//! The same over other databases, versions and ways.

use fabrik_wordpress_site::{Database, Version};
use serde_json::json;

use crate::world::{self, small, world_of};

/// The subset that runs on every version and database: a small site is made, nothing is left to do,
/// it is changed, and taken away without a trace.
async fn whole_life(version: Version, database: Database) {
    let Some(world) = world_of(version, database, &[]) else {
        return;
    };
    let before = world.dump();
    world.settle(&small()).await;
    let calls = world.calls();
    let plan = world.plan(&small()).await;
    assert!(plan.is_empty() && plan.drift.is_empty());
    assert_eq!(world.calls() - calls, 1);
    let mut changed = small();
    changed["settings"]["spec"]["title"] = json!("Other");
    changed["about"]["spec"]["sections"] = json!([world::section("about.text", "Two")]);
    world.settle(&changed).await;
    world.stage.destroy(&world.stack(&changed)).await.unwrap();
    before.assert_same(&world.dump());
    // One slug is taken: nothing at all is written.
    world.site.eval("wp_insert_post(array('post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'contact', 'post_title' => 'Theirs'));");
    let before = world.dump();
    let said = world.fails(&small()).await;
    assert!(
        said.contains("exists already") || said.contains("contact"),
        "{said}"
    );
    before.assert_same(&world.dump());
}

#[tokio::test]
async fn the_newest_on_mariadb() {
    whole_life(Version::New, Database::MariaDb).await;
}

#[tokio::test]
async fn the_oldest_on_mariadb() {
    whole_life(Version::Old, Database::MariaDb).await;
}

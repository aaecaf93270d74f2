//! The life of a small site.

use serde_json::json;

use crate::world::{self, small, world};

#[tokio::test]
async fn a_small_site_in_two_calls_and_nothing_to_do_after() {
    let Some(world) = world() else { return };
    let before = world.calls();
    let stack = world.stack(&small());
    let plan = world.stage.plan(&stack).await.unwrap();
    assert_eq!(world.calls() - before, 1, "a plan is one call");
    world.stage.run(plan).await.unwrap();
    assert!(
        world.calls() - before <= 3,
        "{} calls",
        world.calls() - before
    );

    let before = world.calls();
    let plan = world.stage.plan(&stack).await.unwrap();
    assert!(plan.is_empty(), "{}", fabrik_testkit::stack::said(&plan));
    assert_eq!(
        world.calls() - before,
        1,
        "a plan without changes is one call"
    );

    assert_eq!(
        world.option("blogname"),
        "Müller &amp; Söhne &quot;Bau&quot;"
    );
    let home = world.id("resources.home").await;
    let contact = world.id("resources.contact").await;
    assert_eq!(world.option("page_on_front"), home);
    assert_eq!(
        world.post(&home, "post_title"),
        "Home – \"welcome\" \\ it's"
    );
    let content = world.post(&home, "post_content");
    assert!(content.contains("Grüße 🎉 \\ back"), "{content}");
    let url = world.site.url();
    assert!(
        content.contains(&format!("href=\"{url}/contact/\"")),
        "{content}"
    );
    assert!(world.site.get("/").body.contains("Grüße"));
    assert!(world.site.get("/about/team/").body.contains("Team"));
    assert_ne!(home, contact);
    let items = world.site.wp_cli(&[
        "menu",
        "item",
        "list",
        "main",
        "--fields=title,position,menu_item_parent,link",
        "--format=json",
    ]);
    let items: serde_json::Value = serde_json::from_str(&items).unwrap();
    let titles: Vec<&str> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["title"].as_str().unwrap())
        .collect();
    assert_eq!(
        titles,
        ["Home", "About us", "Team", "Map \\ it's", "Contact"]
    );
}

#[tokio::test]
async fn changes_take_effect_and_what_goes_is_as_it_was() {
    let Some(world) = world() else { return };
    let before = world.dump();
    world.settle(&small()).await;
    let mut changed = small();
    changed["settings"]["spec"]["title"] = json!("Other");
    changed["about"]["spec"]["sections"] = json!([
        world::section("about.new", "Zero"),
        world::section("about.text", "Two")
    ]);
    changed["main"]["spec"]["items"] = json!([{"title": "About", "page": "${resources.about.id}"}]);
    changed.as_object_mut().unwrap().remove("team");
    world.settle(&changed).await;
    assert_eq!(world.option("blogname"), "Other");
    assert!(!world.site.get("/about/team/").body.contains("<title>Team"));
    world.stage.destroy(&world.stack(&changed)).await.unwrap();
    before.assert_same(&world.dump());
}

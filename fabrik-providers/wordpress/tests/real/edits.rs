//! What people do meanwhile.

use serde_json::json;

use crate::world::{self, markup, section, small, world};

#[tokio::test]
async fn what_people_write_between_and_inside_of_sections_stays_and_is_reported() {
    let Some(world) = world() else { return };
    let mut stack = json!({"page": {"type": "wordpress.page", "spec": {
        "slug": "about", "title": "About", "sections": [section("a", "One"), section("b", "Two"), section("c", "Three")],
    }}});
    world.settle(&stack).await;
    let id = world.id("resources.page").await;
    let by_hand = "<!-- wp:paragraph -->\n<p>Between \\\\ by hand</p>\n<!-- /wp:paragraph -->";
    let content = format!(
        "{}\n\n{by_hand}\n\n{}\n\n{}",
        markup("a", "One"),
        markup("b", "Changed by hand"),
        markup("c", "Three")
    );
    let code = format!(
        "wp_update_post(wp_slash(array('ID' => {id}, 'post_content' => base64_decode('{}'))));",
        world::base64(&content)
    );
    world.site.eval(&code);

    let plan = world.plan(&stack).await;
    assert!(plan.is_empty(), "{}", fabrik_testkit::stack::said(&plan));
    let drift: Vec<String> = plan
        .drift
        .iter()
        .flat_map(|drift| drift.diff.iter().map(|diff| diff.path.to_string()))
        .collect();
    assert_eq!(drift, ["sections"]);
    world.stage.run(plan).await.unwrap();
    assert_eq!(world.post(&id, "post_content"), content);

    // The spec changes another section, adds one and takes one away.
    stack["page"]["spec"]["sections"] = json!([
        section("a", "New"),
        section("b", "Two"),
        section("d", "Added")
    ]);
    world.stage.succeed(&world.stack(&stack)).await.unwrap();
    let expected = format!(
        "{}\n\n{by_hand}\n\n{}\n\n{}",
        markup("a", "New"),
        markup("b", "Changed by hand"),
        markup("d", "Added")
    );
    assert_eq!(world.post(&id, "post_content"), expected);
    let plan = world.plan(&stack).await;
    assert!(plan.is_empty(), "{}", fabrik_testkit::stack::said(&plan));

    // The spec changes the same section: it wins.
    stack["page"]["spec"]["sections"][1] = section("b", "Mine");
    world.settle(&stack).await;
    let expected = expected.replace("Changed by hand", "Mine");
    assert_eq!(world.post(&id, "post_content"), expected);
}

#[tokio::test]
async fn a_slug_of_somebody_else_is_reported_and_never_numbered() {
    let Some(world) = world() else { return };
    let theirs = world.site.wp_cli(&[
        "post",
        "create",
        "--post_type=page",
        "--post_status=publish",
        "--post_name=about",
        "--post_title=Theirs",
        "--porcelain",
    ]);
    let before = world.dump();
    let plan = world.plan(&small()).await;
    let found: Vec<_> = plan
        .findings
        .iter()
        .map(|found| {
            (
                found.address.to_string(),
                found.finding.adopt.clone(),
                found.finding.blocking,
            )
        })
        .collect();
    assert_eq!(
        found,
        [("resources.about".into(), Some(theirs.clone()), true)]
    );
    let said = world.fails(&small()).await;
    assert!(said.contains(&theirs) || said.contains("about"), "{said}");
    before.assert_same(&world.dump());

    let mut adopting = small();
    adopting["about"]["adopt"] = json!(true);
    world.settle(&adopting).await;
    assert_eq!(world.id("resources.about").await, theirs);
    assert_eq!(world.post(&theirs, "post_title"), "About");
}

#[tokio::test]
async fn a_draft_that_takes_a_slug_after_the_plan_stops_the_whole_write() {
    let Some(world) = world() else { return };
    let stack = world.stack(&small());
    let plan = world.stage.plan(&stack).await.unwrap();
    world.site.eval("wp_insert_post(array('post_type' => 'page', 'post_status' => 'draft', 'post_name' => 'contact', 'post_title' => 'Draft'));");
    let before = world.dump();
    let report = world.stage.run(plan).await.unwrap();
    let error = report.end.error.expect("the run fails");
    assert!(format!("{error:?}").contains("exists already"), "{error:?}");
    before.assert_same(&world.dump());
}

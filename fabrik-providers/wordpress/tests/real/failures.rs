//! Runs that break off.

use std::process::Command;

use fabrik_core::state::RunResult;
use serde_json::json;

use crate::world::{self, small, stage, world};

/// Each step of a small site is made to fail by a plugin of the site; the database is as before.
#[tokio::test]
async fn every_step_failed_in_turn_leaves_the_site_as_it_was() {
    let Some(world) = world() else { return };
    world.site.wp_cli(&["option", "get", "home"]);
    let mu = world
        .site
        .path()
        .join("wp-content/mu-plugins/fabrik-test-failing.php");
    // The n-th write of a post, a term or an option breaks off, now by an exception, now by `exit`.
    let code = r"<?php
        function fbt_count() {
            if (!defined('FABRIK_RUNNING')) { return; }
            static $seen = 0;
            $file = WP_CONTENT_DIR . '/fail-at';
            if (is_file($file) && ++$seen === (int) file_get_contents($file)) {
                file_put_contents(WP_CONTENT_DIR . '/failed', '1');
                if ($seen % 2) { throw new Exception('failed on purpose'); }
                exit;
            }
        }
        foreach (array('save_post', 'created_term', 'update_option', 'add_option', 'added_post_meta') as $hook) { add_action($hook, 'fbt_count', 1, 0); }
        echo 'noise before everything';
        add_action('init', function () { echo 'noise'; trigger_error('a warning', E_USER_WARNING); ob_start(function ($text) { return 'swallowed'; }); });
    ";
    std::fs::write(&mu, code).unwrap();
    let content = world.site.path().join("wp-content");
    let (fail_at, failed) = (content.join("fail-at"), content.join("failed"));
    let before = world.dump();
    let mut count = 0;
    for at in 1..200 {
        std::fs::write(&fail_at, at.to_string()).unwrap();
        let fresh = stage(&json!({"path": world.site.path(), "wp": [world.wp()]}));
        let stack = fresh.load(&json!({"resources": small()})).unwrap();
        let report = fresh.apply(&stack).await.unwrap();
        std::fs::remove_file(&fail_at).unwrap();
        if std::fs::remove_file(&failed).is_err() {
            assert!(report.end.error.is_none(), "{report:?}");
            break;
        }
        count += 1;
        assert!(
            report.end.error.is_some(),
            "step {at} failed, the run did not"
        );
        before.assert_same(&world.dump());
        if at > 12 && std::env::var_os("FABRIK_THOROUGH").is_none() {
            break;
        }
    }
    assert!(count > 10, "{count} steps");
}

#[tokio::test]
async fn a_runner_that_is_killed_leaves_the_database_unchanged_and_the_next_apply_converges() {
    let Some(mut world) = world() else { return };
    // Waits inside of the transaction, so that there is time to be killed.
    let mu = world
        .site
        .path()
        .join("wp-content/mu-plugins/fabrik-test-waiting.php");
    let code = r"<?php
        add_action('save_post', function () {
            if (is_file(WP_CONTENT_DIR . '/wait')) { file_put_contents(WP_CONTENT_DIR . '/waits', getmypid()); sleep(30); }
        });";
    std::fs::write(&mu, code).unwrap();
    let content = world.site.path().join("wp-content");
    let (wait, waits) = (content.join("wait"), content.join("waits"));
    std::fs::write(&wait, "").unwrap();
    world.with(&json!({"path": world.site.path(), "wp": [world.wp()]}));
    let killer = std::thread::spawn({
        let (wait, waits) = (wait.clone(), waits.clone());
        move || {
            for _ in 0..600 {
                std::thread::sleep(std::time::Duration::from_millis(100));
                if let Ok(pid) = std::fs::read_to_string(&waits)
                    && !pid.is_empty()
                {
                    std::fs::remove_file(&wait).unwrap();
                    let killed = Command::new("kill").args(["-9", &pid]).status().unwrap();
                    return killed.success();
                }
            }
            false
        }
    });
    let before_calls = world.calls();
    let stack = world.stack(&small());
    let report = world.stage.apply(&stack).await.unwrap();
    assert!(killer.join().unwrap(), "nothing was killed");
    // The lost reply is found out about, and the write sent again.
    std::fs::remove_file(&waits).unwrap();
    assert!(world.calls() > before_calls + 2);
    if report.end.error.is_some() {
        world.stage.settle(&stack).await.unwrap();
    }
    let plan = world.plan(&small()).await;
    assert!(plan.is_empty());
    let pages = world
        .site
        .wp_cli(&["post", "list", "--post_type=page", "--field=post_name"]);
    let mut pages: Vec<&str> = pages.lines().collect();
    pages.sort_unstable();
    assert_eq!(
        pages,
        [
            "about",
            "contact",
            "home",
            "privacy-policy",
            "sample-page",
            "team"
        ]
    );
}

#[tokio::test]
async fn what_a_failed_check_undoes_is_as_it_was() {
    let Some(world) = world() else { return };
    let mut first = small();
    first["settings"]["spec"]["title"] = json!("Before");
    world.settle(&first).await;
    let before = world.dump();
    let mut changed = small();
    changed["about"]["spec"]["sections"] = json!([world::section("about.new", "New")]);
    changed["contact"]["spec"]["title"] = json!("Write");
    changed.as_object_mut().unwrap().remove("team");
    changed["main"]["spec"]["items"] = json!([{"title": "About", "page": "${resources.about.id}"}]);
    changed["more"] = json!({"type": "wordpress.page", "spec": {"slug": "more", "title": "More"}});
    // Nobody listens there.
    let spec = json!({
        "resources": changed,
        "verify": [{"name": "answers", "tcp": "127.0.0.1:9", "within": "1s", "interval": "200ms"}],
    });
    let stack = world.stage.load(&spec).unwrap();
    let report = world.stage.apply(&stack).await.unwrap();
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    let error = format!("{:?}", report.end.error.expect("the check fails"));
    assert!(error.contains("answers"), "{error}");
    before.assert_same(&world.dump());
}

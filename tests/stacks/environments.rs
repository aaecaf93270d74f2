//! Staging and production beside each other.

use fabrik_fakes::coolify::Kind;

use crate::support::{apply, env_of, no_secret, nothing_is_left, plan, run, stage};
use crate::world::Stage;

fn record(stage: &Stage, name: &str) -> bool {
    let zone = stage.cloudflare.zone_id("example.com").unwrap();
    let records = stage.cloudflare.records(&zone);
    records.iter().any(|record| record["name"] == name)
}

#[test]
fn each_environment_is_a_graph_of_its_own() {
    let stage = stage("staging-production");
    run(&stage, &["plan"]).code(65);
    let staging = plan(&stage, &["-e", "staging"]);
    let production = plan(&stage, &["-e", "production"]);
    let addresses = |plan: &serde_json::Value| -> Vec<String> {
        let changes = plan["changes"].as_array().unwrap().iter();
        changes
            .map(|change| change["address"].as_str().unwrap().to_owned())
            .collect()
    };
    let (staging, production) = (addresses(&staging), addresses(&production));
    let mut more: Vec<&String> = production
        .iter()
        .filter(|address| !staging.contains(address) && !address.contains(".dns-"))
        .collect();
    more.sort();
    assert_eq!(
        more,
        ["apps.data.backup", "apps.web.monitor"],
        "{staging:?} {production:?}"
    );
    assert_eq!(stage.writes(), []);

    let (ran, _) = apply(&stage, &["-e", "staging"]);
    no_secret(&ran);
    assert_eq!(ran.out.trim(), "https://staging.shop.example.com");
    assert!(record(&stage, "staging.shop.example.com") && !record(&stage, "shop.example.com"));
    let (ran, _) = apply(&stage, &["-e", "production"]);
    assert_eq!(ran.out.trim(), "https://shop.example.com");
    // One of each was there before.
    assert_eq!(stage.coolify.count(Kind::Project), 3);
    assert_eq!(stage.coolify.count(Kind::Application), 3);
    assert_eq!(stage.coolify.count(Kind::Database), 2);
    assert_eq!(stage.coolify.count(Kind::Backup), 1);
    assert_eq!(stage.kuma.count("uptime_kuma.monitor"), 2);

    let there = env_of(&stage, "shop.example.com");
    let here = env_of(&stage, "staging.shop.example.com");
    assert_eq!(there["ENVIRONMENT"], "production");
    assert_eq!(here["ENVIRONMENT"], "staging");
    for own in ["DATABASE_URL", "SESSION_KEY"] {
        assert!(here[own].is_string(), "{own}");
        assert_ne!(here[own], there[own], "{own} is one of its own");
    }
    for env in ["staging", "production"] {
        nothing_is_left(&stage, &["-e", env]);
    }

    // One goes, the other stays as it is.
    run(
        &stage,
        &["destroy", "--yes", "--allow-data-loss", "-e", "staging"],
    )
    .code(0);
    assert!(!record(&stage, "staging.shop.example.com") && record(&stage, "shop.example.com"));
    assert_eq!(env_of(&stage, "shop.example.com"), there);
    assert_eq!(
        env_of(&stage, "staging.shop.example.com"),
        serde_json::Value::Null
    );
    nothing_is_left(&stage, &["-e", "production"]);
}

//! What people get wrong with this stack, and what they are told.

use crate::world::{APP, Ran, Stage};

fn refused(stage: &Stage, code: u8) -> Ran {
    stage.writes();
    let ran = stage.apply().code(code);
    assert_eq!(stage.writes(), [], "{}", ran.all());
    ran
}

#[test]
fn a_template_that_is_not_there() {
    let stage = Stage::new();
    let ran = stage.run(&["new", "pyton-api", APP]);
    assert_ne!(ran.exit, 0);
    ran.says("pyton-api").says("python-api");
}

#[test]
fn all_missing_secrets_at_once() {
    let stage = Stage::with_project("coolify");
    stage.edit(
        "    env:\n",
        "    secrets:\n      - { name: STRIPE_KEY, required: true }\n      - { name: MAIL_KEY, required: true }\n    env:\n",
    );
    let ran = refused(&stage, 65);
    println!("{}", ran.all());
    ran.says("STRIPE_KEY")
        .says("MAIL_KEY")
        .says(".env")
        .says("help: ");
}

#[test]
fn what_the_platform_cannot_honour() {
    let stage = Stage::with_project("coolify");
    stage.edit("    env:\n", "    stop: { signal: SIGINT }\n    env:\n");
    let ran = refused(&stage, 65);
    ran.says("`coolify` cannot do `stop.signal`")
        .says("fabrik.yaml:");
}

#[test]
fn a_folder_is_not_there_for_the_platform() {
    let stage = Stage::with_project("coolify");
    stage.edit("{ path: ., repo: example/demo }", ".");
    let ran = refused(&stage, 65);
    println!("{}", ran.all());
    ran.says("source.repo").says("fabrik.yaml:");
}

#[test]
fn a_domain_that_another_app_has() {
    let stage = Stage::with_project("coolify");
    stage.apply().code(0);
    // Another project of the same domain.
    let other = stage.spec().replace("id: demo", "id: other");
    let other = other.replace("  demo:\n", "  other:\n");
    stage.set_spec(&other);
    let before = stage.dump();
    let ran = stage.apply();
    println!("{}", ran.all());
    assert_ne!(ran.exit, 0);
    ran.says("demo.example.com").says("help: ");
    assert_eq!(stage.dump(), before);
}

#[test]
fn a_public_port_that_is_taken() {
    let stage = Stage::with_project("coolify");
    stage.widen();
    stage.edit(
        "    engine: postgres\n",
        "    engine: postgres\n    coolify: { public_port: 5432 }\n",
    );
    stage.apply().code(0);
    stage.edit(
        "providers:\n",
        "  more:\n    kind: database\n    engine: redis\n    version: \"7\"\n    coolify: { public_port: 5432 }\nproviders:\n",
    );
    let before = stage.dump();
    let ran = stage.apply();
    println!("{}", ran.all());
    assert_ne!(ran.exit, 0);
    ran.says("Public port already used by another database")
        .says("help: ");
    assert_eq!(stage.dump(), before);
}

#[test]
fn a_zone_that_is_not_there() {
    let stage = Stage::with_project("coolify");
    stage.edit("domain: demo.example.com", "domain: demo.example.org");
    let before = stage.dump();
    let ran = stage.apply();
    println!("{}", ran.all());
    assert_ne!(ran.exit, 0);
    ran.says("example.org").says("help: ");
    assert_eq!(stage.dump(), before);
}

#[test]
fn a_token_that_may_not_deploy() {
    let stage = Stage::with_project("coolify");
    stage.coolify.drop_ability("deploy");
    let before = stage.dump();
    let ran = stage.apply();
    println!("{}", ran.all());
    assert_ne!(ran.exit, 0);
    ran.says("deploy").says("help: ");
    assert_eq!(stage.dump(), before);
}

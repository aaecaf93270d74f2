//! The life of one app.

use crate::world::{APP, DOMAIN, Stage};

#[test]
fn from_a_template_to_a_verified_url() {
    let stage = Stage::with_project("coolify");
    let ran = stage.apply();
    println!("{}", ran.all());
    let ran = ran.code(0);
    assert_eq!(ran.out.trim(), format!("https://{DOMAIN}"));
    println!("{}", stage.run(&["status", APP]).all());
    println!("{}", stage.run(&["history", APP]).all());
    println!("{}", stage.run(&["logs", APP]).all());
    println!("{}", serde_json::to_string_pretty(&stage.dump()).unwrap());
    println!("{:#?}", stage.writes());
    println!("{}", stage.apply().all());
    println!("{:?}", stage.writes());
}

//! What is written, as Docker's own Compose sees it; skipped where there is none.

use std::process::Command;

use fabrik_compose::write;

use crate::support::{STACK, read};

#[test]
fn docker_takes_what_is_written() {
    let is_there = Command::new("docker")
        .args(["compose", "version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !is_there {
        println!("skipped: `docker compose` is not installed here");
        return;
    }
    let folder = std::env::temp_dir().join(format!("fabrik-compose-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("compose.yaml");
    std::fs::write(&path, write(&read(STACK).file)).unwrap();
    let output = Command::new("docker")
        .args(["compose", "-f"])
        .arg(&path)
        .args(["config", "--quiet"])
        .env("DB_PASSWORD", "x")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{said}");
}

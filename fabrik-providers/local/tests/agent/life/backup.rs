//! `local.backup`: what was saved comes back.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fabrik_provider_local::BackupPlayer;
use serde_json::json;

use super::database::{database, postgres, sql, url_of};
use super::roles::{expand, shown};
use super::{Stage, refer, resource, stack, with};

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

fn run(program: &Path, words: &[&str], env: &[(&str, &str)]) -> String {
    let output = Command::new(program)
        .args(words)
        .envs(env.iter().copied())
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words:?}: {problem}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_backup_is_one_resource() {
    let intent = json!({
        "what": {"kind": "database", "engine": "postgres", "id": "main-db", "name": "main_db"},
        "schedule": "0 3 * * *", "keep": 3,
    });
    let (parts, _) = expand(&BackupPlayer, &intent, &json!({"restic": true})).unwrap();
    assert_eq!(
        shown(&parts)[0][2],
        json!({"name": "shop", "database": "main-db", "schedule": "0 3 * * *", "keep": 3, "restic": true})
    );
    let volumes = json!({
        "what": {"kind": "volumes", "app": "shop", "volumes": [{"source": "/srv/a", "path": "/srv/a"}]},
        "schedule": "0 3 * * *", "to": "../saved",
    });
    let (parts, _) = expand(&BackupPlayer, &volumes, &json!({})).unwrap();
    assert_eq!(
        shown(&parts)[0][2],
        json!({"name": "shop", "folders": ["/srv/a"], "schedule": "0 3 * * *", "to": "../saved"})
    );
    let named = json!({
        "what": {"kind": "volumes", "app": "shop", "volumes": [{"name": "data", "path": "/a"}]},
        "schedule": "0 3 * * *",
    });
    let error = expand(&BackupPlayer, &named, &json!({})).unwrap_err();
    assert_eq!(error.field_path().unwrap().to_string(), "what.volumes");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_saved_and_come_back() {
    let stage = Stage::new();
    stage.write("data/deep/one", "1");
    let inputs = json!({
        "name": "files", "folders": ["data"], "schedule": "0 3 * * *", "keep": 2, "to": "saved",
    });
    let wanted = stack([resource("files", "local.backup", &inputs)]);
    stage.settle(&wanted).await;
    let saved = stage.project().join("saved");
    for number in 1..=4 {
        stage.write("data/deep/one", &number.to_string());
        let run = stage.agent().run_job("@files").await.unwrap();
        assert!(run.success, "{}", run.text);
        assert!(run.text.starts_with("wrote `"), "{}", run.text);
    }
    // Somebody else's file in the same folder is left alone.
    std::fs::write(saved.join("files-mine.tar.gz"), "mine").unwrap();
    stage.agent().run_job("@files").await.unwrap();
    let made = files(&saved);
    assert_eq!(made.len(), 3, "two backups and the other: {made:?}");
    std::fs::create_dir(stage.project().join("back")).unwrap();
    let back = stage.project().join("back");
    let words = [
        "-xzf",
        made[1].to_str().unwrap(),
        "-C",
        back.to_str().unwrap(),
    ];
    run(Path::new("tar"), &words, &[]);
    assert_eq!(
        std::fs::read_to_string(back.join("data/deep/one")).unwrap(),
        "4"
    );
    // Backups outlive what made them.
    stage.destroy(&wanted).await;
    assert_eq!(files(&saved).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_a_database_is_restored_into_another() {
    let Some(bin) = postgres() else { return };
    let stage = Stage::new();
    let inputs = json!({"name": "main", "schedule": "0 3 * * *", "keep": 2});
    let backup = with(
        resource("saved", "local.backup", &inputs),
        "database",
        refer("main", "id"),
    );
    let mut wanted = stack([
        database("main", "postgres"),
        backup,
        database("copy", "postgres"),
    ]);
    wanted.output("url", refer("main", "url"));
    wanted.output("copy", refer("copy", "url"));
    let report = stage.settle(&wanted).await;
    let url = url_of(&report);
    let copy = report
        .output("copy")
        .unwrap()
        .reveal()
        .as_str()
        .unwrap()
        .to_owned();
    sql(
        &bin,
        &url,
        "CREATE TABLE t AS SELECT n, md5(n::text) FROM generate_series(1, 1000) n",
    );
    let made = stage.agent().run_job("@main").await.unwrap();
    assert!(made.success, "{}", made.text);
    let saved = stage.state_dir().join("backups/main");
    let dumps = files(&saved);
    assert_eq!(dumps.len(), 1, "{dumps:?}");
    assert_eq!(
        dumps[0].metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    let target = format!("--dbname={copy}");
    let words = ["--no-owner", &target, dumps[0].to_str().unwrap()];
    run(&bin.join("pg_restore"), &words, &[]);
    let sum = "SELECT count(*), md5(string_agg(md5, '' ORDER BY n)) FROM t";
    assert_eq!(sql(&bin, &copy, sum), sql(&bin, &url, sum));
    // A backup of what is not there is refused when it is set.
    let inputs = json!({"name": "other", "schedule": "0 3 * * *", "database": "nothing"});
    let bad = stack([resource("bad", "local.backup", &inputs)]);
    let plan = super::plan(&stage.other(), &bad).await;
    let run = stage
        .other()
        .apply(plan, fabrik_core::engine::ApplyOptions::default());
    let error = run.finish().await.unwrap().end.error.unwrap();
    assert_eq!(error.message, "no such database `nothing`");
    stage.destroy(&wanted).await;
    assert_eq!(files(&saved).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restic_repository_holds_what_was_saved() {
    let restic = Path::new("/usr/bin/restic");
    let stage = Stage::new();
    stage.write("data/one", "1");
    let inputs = json!({
        "name": "files", "folders": ["data"], "schedule": "0 3 * * *", "keep": 2, "to": "saved", "restic": true,
    });
    let wanted = stack([resource("files", "local.backup", &inputs)]);
    stage.settle(&wanted).await;
    let made = stage.agent().run_job("@files").await.unwrap();
    if !restic.exists() {
        assert_eq!(made.text, "restic is not on this machine");
        return;
    }
    assert!(made.success, "{}", made.text);
    for number in 2..=3 {
        stage.write("data/one", &number.to_string());
        assert!(stage.agent().run_job("@files").await.unwrap().success);
    }
    let saved = stage.project().join("saved");
    let password = std::fs::read_to_string(saved.join("restic.key")).unwrap();
    let repository = saved.join("restic");
    let env = [
        ("RESTIC_PASSWORD", password.trim()),
        ("RESTIC_REPOSITORY", repository.to_str().unwrap()),
    ];
    let told = run(restic, &["--no-cache", "snapshots", "--json"], &env);
    let snapshots: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(snapshots.as_array().unwrap().len(), 2, "`keep` holds");
    let back = stage.project().join("back");
    let words = [
        "--no-cache",
        "restore",
        "latest",
        "--target",
        back.to_str().unwrap(),
    ];
    run(restic, &words, &env);
    let file = back.join(stage.project().join("data/one").strip_prefix("/").unwrap());
    assert_eq!(std::fs::read_to_string(file).unwrap(), "3");
    stage.destroy(&wanted).await;
}

//! Disks that are full, files that cannot be written, files that move away.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::filled;
use crate::error::ErrorKind;
use crate::state::{Change, EntryKind, Lease, Snapshot, SqliteStore, StateStore};
use crate::testing::store_suite;

/// A small file system in memory, unmounted when dropped.
struct Mount(tempfile::TempDir);

impl Mount {
    /// `None`, with the reason printed, where mounting is not permitted.
    fn of_size(size: &str) -> Option<Mount> {
        let mount = Mount(tempfile::tempdir().unwrap());
        let done = mount.run(&["-t", "tmpfs", "-o", &format!("size={size}"), "none"]);
        if let Err(why) = &done {
            println!("skipped: no file system can be mounted here: {why}");
        }
        done.ok().map(|()| mount)
    }

    fn run(&self, arguments: &[&str]) -> Result<(), String> {
        let output = Command::new("mount")
            .args(arguments)
            .arg(self.0.path())
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("state.db")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn large_group(run: u64, size: usize) -> Vec<crate::state::Entry> {
    let mut row = store_suite::sample_row(u128::from(run), "large");
    row.object.id = "x".repeat(size);
    let entry = store_suite::sample_entry(run, EntryKind::Resumed);
    vec![entry.change(Change::Put(Box::new(row)))]
}

#[tokio::test]
async fn a_full_disk_leaves_the_state_as_it_was() {
    let Some(mount) = Mount::of_size("2m") else {
        return;
    };
    let path = mount.path();
    let store = SqliteStore::open(&path, "s", "e").unwrap();
    let lease = store_suite::take(&store, "me").await.unwrap();
    let mut fold = Snapshot::default();
    let error = loop {
        let group = large_group(fold.head + 1, 50_000);
        match store.append(&lease, fold.head, &group).await {
            Ok(_) => fold.apply(&group),
            Err(error) => break error,
        }
        assert!(fold.head < 100, "2 MB never fill up");
    };
    assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    assert!(
        error.hint_text().unwrap().contains("disk is full"),
        "{error:?}"
    );
    assert!(fold.head > 3);
    assert_eq!(store.load().await.unwrap(), fold);
    drop(store);
    let store = SqliteStore::open(&path, "s", "e").unwrap();
    assert_eq!(store.load().await.unwrap(), fold);
    mount.run(&["-o", "remount,size=8m"]).unwrap();
    let group = large_group(50, 50_000);
    store.append(&lease, fold.head, &group).await.unwrap();
    fold.apply(&group);
    assert_eq!(store.load().await.unwrap(), fold);
}

#[tokio::test]
async fn a_disk_full_from_the_start_leaves_no_half_made_file() {
    let Some(mount) = Mount::of_size("1m") else {
        return;
    };
    std::fs::write(mount.0.path().join("ballast"), vec![1; 2 << 20]).unwrap_err();
    let store = SqliteStore::open(&mount.path(), "s", "e").unwrap();
    let error = store_suite::take(&store, "me").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
    assert!(
        error.hint_text().unwrap().contains("disk is full"),
        "{error:?}"
    );
    assert!(!mount.path().exists(), "no empty file is left");
    std::fs::remove_file(mount.0.path().join("ballast")).unwrap();
    store_suite::take(&store, "me").await.unwrap();
}

#[tokio::test]
async fn a_read_only_file_system_can_be_read() {
    let Some(mount) = Mount::of_size("8m") else {
        return;
    };
    let path = mount.path();
    let fold = filled(&path).await;
    mount.run(&["-o", "remount,ro"]).unwrap();
    let store = SqliteStore::open(&path, "s", "e").unwrap();
    assert_eq!(store.load().await.unwrap(), fold);
    assert!(!store.runs(9).await.unwrap().is_empty());
    let held = store.holder().await.unwrap().unwrap();
    let lease = Lease { token: held.token };
    let refused = [
        store.append(&lease, fold.head, &[]).await.unwrap_err(),
        store_suite::take(&store, "me").await.unwrap_err(),
        store.heartbeat(&lease).await.unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
        assert!(error.hint_text().unwrap().contains("writable"), "{error:?}");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
    let absent = SqliteStore::open(&path.with_file_name("absent.db"), "s", "e").unwrap();
    assert_eq!(absent.load().await.unwrap(), Snapshot::default());
    let error = store_suite::take(&absent, "me").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
    mount.run(&["-o", "remount,rw"]).unwrap();
    store.heartbeat(&lease).await.unwrap();
}

#[tokio::test]
#[cfg(unix)]
async fn a_run_whose_file_moves_away_writes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let fold = filled(&path).await;
    let store = SqliteStore::open(&path, "s", "e").unwrap();
    let held = store.holder().await.unwrap().unwrap();
    let lease = Lease { token: held.token };
    let aside = folder.path().join("aside.db");
    std::fs::rename(&path, &aside).unwrap();
    let error = store.append(&lease, fold.head, &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("moved or replaced"), "{error}");
    // A copy in its place is another file: the run does not go on, reading does.
    std::fs::copy(&aside, &path).unwrap();
    assert!(store.append(&lease, fold.head, &[]).await.is_err());
    assert_eq!(store.load().await.unwrap(), fold);
}

#[tokio::test]
#[cfg(unix)]
async fn a_link_to_the_file_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("real/state.db");
    let fold = filled(&path).await;
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let through = SqliteStore::open(&link, "s", "e").unwrap();
    assert_eq!(through.load().await.unwrap(), fold);
    let beside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(beside.len(), 2, "logs lie beside the real file");
    assert_eq!(
        Path::new(&path).parent().unwrap(),
        folder.path().join("real")
    );
}

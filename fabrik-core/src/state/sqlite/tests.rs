mod crash;
mod damage;
mod figures;
mod trouble;

use super::*;
use crate::testing::store_suite::{self, Place};

struct Folder(tempfile::TempDir);

impl Place for Folder {
    fn open(&self, stack: &str, env: &str) -> Result<Arc<dyn StateStore>> {
        let path = self.0.path().join("new/folder/state.db");
        Ok(Arc::new(SqliteStore::open(&path, stack, env)?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behaves_as_a_store() {
    store_suite::run(|| Ok(Folder(tempfile::tempdir().unwrap())))
        .await
        .unwrap();
}

/// A file with ten random groups, closed; and what they fold to.
async fn filled(path: &Path) -> Snapshot {
    let store = SqliteStore::open(path, "s", "e").unwrap();
    let lease = store_suite::take(&store, "me").await.unwrap();
    let mut fold = Snapshot::default();
    for group in store_suite::random_groups(5, 10) {
        store.append(&lease, fold.head, &group).await.unwrap();
        fold.apply(&group);
    }
    fold
}

#[tokio::test]
async fn stacks_of_a_file_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    assert_eq!(SqliteStore::stacks(&path).unwrap(), []);
    assert!(!path.exists(), "listing makes no file");
    for (stack, env) in [("shop", "b"), ("shop", "a"), ("blog", "a")] {
        let store = SqliteStore::open(&path, stack, env).unwrap();
        let lease = store_suite::take(&store, "me").await.unwrap();
        let group = store_suite::sample_group(4, 1, "r");
        store.append(&lease, 0, &group).await.unwrap();
    }
    let stacks = SqliteStore::stacks(&path).unwrap();
    let names: Vec<_> = stacks
        .iter()
        .map(|info| (info.stack.as_str(), info.env.as_str()))
        .collect();
    assert_eq!(names, [("blog", "a"), ("shop", "a"), ("shop", "b")]);
    assert_eq!(stacks[0].last_run.as_ref().unwrap().id, 4);
}

#[tokio::test]
#[cfg(unix)]
async fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/state.db");
    let store = SqliteStore::open(&path, "s", "e").unwrap();
    store.load().await.unwrap();
    assert!(!path.parent().unwrap().exists(), "reading makes nothing");
    store_suite::take(&store, "me").await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        ["state.db", "state.db-shm", "state.db-wal"],
        "no drafts left"
    );
}

#[tokio::test]
async fn what_is_written_is_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, "s", "e").unwrap();
    let lease = store_suite::take(&store, "me").await.unwrap();
    let put = |at: u128| {
        let row = store_suite::sample_row(at, &format!("r{at}"));
        let entry = store_suite::sample_entry(1, crate::state::EntryKind::Resumed);
        entry.change(crate::state::Change::Put(Box::new(row)))
    };
    let group: Vec<_> = (0..5_000).map(put).collect();
    let head = store.append(&lease, 0, &group).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&path, "s", "e").unwrap();
    store.append(&lease, head, &[put(7)]).await.unwrap();
    let log = std::fs::metadata(folder.path().join("state.db-wal")).unwrap();
    let state = std::fs::metadata(&path).unwrap();
    assert!(log.len() < 100_000, "{} bytes for one row", log.len());
    assert!(state.len() > 2_000_000);
}

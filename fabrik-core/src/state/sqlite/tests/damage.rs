//! Damaged files: always an error that says so, never a panic, never an empty or smaller state.

use std::path::Path;

use super::filled;
use crate::error::{ErrorKind, Result};
use crate::state::{Snapshot, SqliteStore, StateStore};
use crate::testing::store_suite;

async fn load(path: &Path) -> Result<Snapshot> {
    SqliteStore::open(path, "s", "e")?.load().await
}

/// Everything a store tells.
async fn tell(path: &Path, fold: &Snapshot) -> Result<impl PartialEq> {
    let store = SqliteStore::open(path, "s", "e")?;
    let (mut entries, mut declared) = (Vec::new(), Vec::new());
    for run in 1..=fold.last_run {
        entries.push(store.entries(run).await?);
    }
    for revision in 0..=fold.revision {
        declared.push(store.declared_at(revision).await?);
    }
    let outputs = store.outputs_of("s", "e").await?;
    Ok((
        store.load().await?,
        store.runs(99).await?,
        entries,
        declared,
        outputs,
    ))
}

/// Bytes of a page of the file.
const PAGE: usize = 4096;

#[tokio::test]
async fn a_file_cut_off_anywhere_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let fold = filled(&path).await;
    let whole = std::fs::read(&path).unwrap();
    let cuts = (0..200)
        .chain((200..whole.len()).step_by(2_003))
        .chain([whole.len() - 1]);
    for cut in cuts {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let error = match load(&path).await {
            Err(error) => error,
            // What is missing of the last page is read as zeros, and need not have meant anything.
            Ok(found) => {
                assert!(cut + PAGE > whole.len(), "at {cut}");
                assert_eq!(found, fold, "at {cut}");
                continue;
            }
        };
        assert_eq!(error.kind(), ErrorKind::Corrupt, "at {cut}: {error:?}");
        assert!(error.hint_text().is_some());
        let store = SqliteStore::open(&path, "s", "e");
        if let Ok(store) = store {
            assert!(store_suite::take(&store, "me").await.is_err(), "at {cut}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), whole[..cut], "left as it is");
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(load(&path).await.unwrap(), fold);
}

#[tokio::test]
async fn a_changed_byte_is_noticed_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let fold = filled(&path).await;
    let told = tell(&path, &fold).await.unwrap();
    let whole = std::fs::read(&path).unwrap();
    let (mut noticed, mut tried) = (0, 0);
    for at in (0..400).chain((400..whole.len()).step_by(131)) {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&path, &changed).unwrap();
        tried += 1;
        match tell(&path, &fold).await {
            Ok(state) => assert!(state == told, "byte {at}"),
            Err(error) => {
                noticed += 1;
                let kind = error.kind();
                let expected = [ErrorKind::Corrupt, ErrorKind::Newer, ErrorKind::Io];
                assert!(expected.contains(&kind), "byte {at}: {error:?}");
                assert!(error.hint_text().is_some(), "byte {at}: {error:?}");
            }
        }
        _ = std::fs::remove_file(folder.path().join("state.db-wal"));
        _ = std::fs::remove_file(folder.path().join("state.db-shm"));
    }
    // The rest are in free space and in indexes that were not needed.
    assert!(noticed > tried / 8, "{noticed} of {tried}");
}

#[tokio::test]
async fn a_missing_record_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    filled(&path).await;
    let whole = std::fs::read(&path).unwrap();
    for sql in [
        "DELETE FROM objects WHERE id = (SELECT min(id) FROM objects)",
        "DELETE FROM objects",
        "DELETE FROM facts WHERE key = (SELECT min(key) FROM facts)",
        "DELETE FROM revisions",
        "DELETE FROM journal WHERE position = (SELECT max(position) FROM journal)",
        "UPDATE objects SET body = replace(body, 'memory', 'nemory')",
        "UPDATE stacks SET revision = revision + 1",
        "UPDATE stacks SET name = 'other'",
        "DROP TABLE objects",
    ] {
        std::fs::write(&path, &whole).unwrap();
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let error = load(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_no_state_of_ours_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let refused = async |words: &str| {
        let error = load(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains(words), "{error}");
    };
    std::fs::write(&path, "").unwrap();
    refused("the file is empty").await;
    std::fs::write(&path, "{\"version\": 4, \"resources\": []}").unwrap();
    refused("not a Fabrik state").await;
    std::fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    refused("another program's database").await;
    drop(other);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    refused("it is a folder").await;
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(folder.path().join("state.db-wal"), "log").unwrap();
    refused("its log").await;
}

#[tokio::test]
async fn a_newer_format_is_refused_also_while_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let fold = filled(&path).await;
    let open = SqliteStore::open(&path, "s", "e").unwrap();
    assert_eq!(open.load().await.unwrap(), fold);
    let held = open.holder().await.unwrap().unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 2).unwrap();
    let error = load(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Newer);
    assert!(
        error.to_string().contains("format 2, this one knows 1"),
        "{error}"
    );
    assert!(error.hint_text().unwrap().contains("install"));
    let lease = crate::state::Lease { token: held.token };
    let group = store_suite::sample_group(99, 1, "r");
    let refused = open.append(&lease, fold.head, &group).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Newer, "{refused:?}");
}

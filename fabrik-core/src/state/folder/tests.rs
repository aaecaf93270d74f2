use super::*;
use crate::testing::store_suite::{self, Place, sample_group};

struct Folder(tempfile::TempDir);

impl Place for Folder {
    fn open(&self, stack: &str, env: &str) -> Result<Arc<dyn StateStore>> {
        Ok(Arc::new(FolderStore::open(
            &self.0.path().join("state"),
            stack,
            env,
        )))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behaves_as_a_store() {
    store_suite::run(|| Ok(Folder(tempfile::tempdir().unwrap())))
        .await
        .unwrap();
}

/// A store with ten groups in a folder.
async fn filled(folder: &tempfile::TempDir) -> (FolderStore, Lease, Snapshot) {
    let store = FolderStore::open(folder.path(), "s", "e");
    let lease = store_suite::take(&store, "me").await.unwrap();
    let mut fold = Snapshot::default();
    for group in store_suite::random_groups(3, 10) {
        store.append(&lease, fold.head, &group).await.unwrap();
        fold.apply(&group);
    }
    (store, lease, fold)
}

#[tokio::test]
async fn what_a_former_holder_had_under_way_finds_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let (slow, old, fold) = filled(&folder).await;
    // The former holder looked, found its lease good and its position free, and was held up.
    let now = slow.stack.advance(&mut None).unwrap();
    let quick = FolderStore::open(folder.path(), "s", "e");
    let holder = store_suite::holder("quick");
    let since = store_suite::sample_time(1);
    let answer = quick.lease(&holder, since, Some(old.token)).await.unwrap();
    let LeaseAnswer::Granted(new) = answer else {
        panic!()
    };
    let late = sample_group(9, 9, "late");
    assert!(
        !slow
            .stack
            .put(&mut None, now, old.token, late.clone())
            .unwrap()
    );
    assert_eq!(quick.load().await.unwrap(), fold);
    // The same after its place was folded and cleared away.
    quick.compact(&new, 0).await.unwrap();
    assert!(!slow.stack.put(&mut None, now, old.token, late).unwrap());
    assert_eq!(quick.load().await.unwrap(), fold);
    quick
        .append(&new, fold.head, &sample_group(9, 9, "new"))
        .await
        .unwrap();
}

#[tokio::test]
async fn lost_and_damaged_objects_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _, fold) = filled(&folder).await;
    for number in 1..=9 {
        let path = store.stack.group(number);
        let content = std::fs::read(&path).unwrap();
        for cut in [0, 1, 64, 65, content.len() / 2, content.len() - 1] {
            std::fs::write(&path, &content[..cut]).unwrap();
            assert_eq!(store.load().await.unwrap_err().kind(), ErrorKind::Corrupt);
        }
        for at in (0..content.len()).step_by(37) {
            let mut flipped = content.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, &flipped).unwrap();
            assert_eq!(store.load().await.unwrap_err().kind(), ErrorKind::Corrupt);
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(store.load().await.unwrap_err().kind(), ErrorKind::Corrupt);
        std::fs::write(&path, &content).unwrap();
    }
    assert_eq!(store.load().await.unwrap(), fold);
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, lease, _) = filled(&folder).await;
    let text = r#"{"format":99,"body":{"shape":"unknown"}}"#;
    let digest = crate::hex::encode(&<sha2::Sha256 as sha2::Digest>::digest(text));
    std::fs::write(store.stack.group(11), format!("{digest}\n{text}")).unwrap();
    assert_eq!(store.load().await.unwrap_err().kind(), ErrorKind::Newer);
    let group = sample_group(9, 9, "x");
    let refused = store.append(&lease, 0, &group).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Newer);
}

#[tokio::test]
async fn drafts_of_a_crash_are_ignored_and_compacting_clears() {
    let folder = tempfile::tempdir().unwrap();
    let (store, lease, fold) = filled(&folder).await;
    std::fs::write(store.stack.folder.join("journal/.0001.draft"), "half").unwrap();
    assert_eq!(store.load().await.unwrap(), fold);
    store.compact(&lease, 1).await.unwrap();
    store.compact(&lease, 1).await.unwrap();
    store.compact(&lease, 0).await.unwrap();
    assert_eq!(store.stack.bases().unwrap().len(), 1);
    assert!(store.stack.numbers().unwrap().len() < 10);
    assert_eq!(store.load().await.unwrap(), fold);
}

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

//! One agent per state directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::error::Error;
use crate::layout::Layout;

/// How long an agent that does not answer may hold the lock: it is about to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lock of a state directory; gone with the process, however that ends.
#[derive(Debug)]
pub(crate) struct AgentLock {
    path: PathBuf,
    file: File,
}

impl AgentLock {
    /// Takes the lock, or says who has it.
    pub(crate) async fn take(layout: &Layout) -> Result<Self, Error> {
        let path = layout.lock();
        let failed = |error: io::Error| Error::file("lock", &path, error);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .mode(0o600)
                .open(&path)
                .map_err(failed)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => {
                    let pid = std::process::id();
                    file.set_len(0)
                        .and_then(|()| file.write_all(format!("{pid}\n").as_bytes()))
                        .map_err(failed)?;
                    return Ok(Self { path, file });
                }
                // Its holder removed it between our two steps.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let pid = holder(&mut file);
                    let answers = Client::new(layout.root()).hello().await.is_ok();
                    if answers || Instant::now() > deadline {
                        let state_dir = layout.root().to_owned();
                        return Err(Error::AlreadyRunning { pid, state_dir });
                    }
                    sleep(Duration::from_millis(20)).await;
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// Whether the lock file is still where it was. If not, somebody removed the directory, and
    /// another agent may already serve a new one in its place.
    pub(crate) fn is_in_place(&self) -> bool {
        is_at(&self.file, &self.path)
    }

    /// Removes the lock file while it is still locked.
    pub(crate) fn release(self) {
        let _ = std::fs::remove_file(&self.path);
        drop(self.file);
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

fn holder(file: &mut File) -> u32 {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    text.trim().parse().unwrap_or_default()
}

//! Static sites: copies of folders, one directory per content.
//!
//! `sites/NAME/HASH/files/…` holds a copy and `sites/NAME/HASH/manifest.json` lists it. Only
//! what the list names is ever opened, so no request can reach anything else.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::agent::book::blocking;
use crate::agent::http::patterns as headers;
use crate::agent::shared::Shared;
use crate::error::Error;
use crate::hash::{TreeHasher, list};
use crate::model::{Headers, SiteInfo, SiteSpec};
use crate::names;
use crate::records::{self, FORMAT, SiteContent, SiteRecord};
use crate::socket::private_dir;

/// The page for paths without a file, unless another is named.
const NOT_FOUND: &str = "404.html";

/// The sites that are served.
#[derive(Debug)]
pub(crate) struct Sites {
    shared: Arc<Shared>,
    served: RwLock<HashMap<String, Arc<Content>>>,
    records: Mutex<BTreeMap<String, SiteRecord>>,
    /// Held by whoever changes sites.
    turn: tokio::sync::Mutex<()>,
}

/// A content that is served. Its files stay as long as a request uses it.
#[derive(Debug)]
pub(crate) struct Content {
    dir: PathBuf,
    pub(crate) spa: bool,
    /// The page for paths without a file.
    pub(crate) not_found: String,
    /// Headers to send, by path pattern.
    pub(crate) headers: Headers,
    pub(crate) since: SystemTime,
    files: HashMap<String, FileEntry>,
}

/// A file of a content.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// `manifest.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// When the copy was made, in seconds since 1970.
    since: u64,
    files: HashMap<String, FileEntry>,
}

impl Content {
    /// The entry of a file, by its relative name.
    pub(crate) fn entry(&self, name: &str) -> Option<&FileEntry> {
        self.files.get(name)
    }

    /// Where a file of the list lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join("files").join(name)
    }
}

impl Sites {
    /// Takes up the stored sites. Blocks on files.
    pub(crate) fn open(shared: &Arc<Shared>) -> Result<Self, Error> {
        let layout = &shared.layout;
        let mut all = BTreeMap::new();
        let mut served = HashMap::new();
        for name in records::names(&layout.sites())? {
            let dir = layout.site(&name);
            let record: Option<SiteRecord> = records::read(&dir.join("site.json"))?;
            let Some(record) = record.filter(|record| !record.contents.is_empty()) else {
                // The first deployment was interrupted.
                records::remove_tree(&dir)?;
                continue;
            };
            remove_others(&dir, &record)?;
            served.insert(name.clone(), Arc::new(load(&dir, &record.contents[0])?));
            all.insert(name, record);
        }
        Ok(Self {
            shared: Arc::clone(shared),
            served: RwLock::new(served),
            records: Mutex::new(all),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// What is served under a name.
    pub(crate) fn serve(&self, name: &str) -> Option<Arc<Content>> {
        self.served
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    pub(crate) fn info(&self, name: &str) -> Option<SiteInfo> {
        lock(&self.records).get(name).map(describe)
    }

    pub(crate) fn all(&self) -> Vec<SiteInfo> {
        lock(&self.records).values().map(describe).collect()
    }

    /// Copies a folder and serves the copy.
    pub(crate) async fn deploy(&self, name: &str, spec: SiteSpec) -> Result<SiteInfo, Error> {
        names::check("site", name)?;
        check_hash(&spec.hash)?;
        headers::check(&spec.headers)?;
        let _turn = self.turn.lock().await;
        let dir = self.shared.layout.site(name);
        let old = lock(&self.records).get(name).cloned();
        let (since, name) = ((self.shared.clock)(), name.to_owned());
        let made = {
            let (dir, name) = (dir.clone(), name.clone());
            blocking(move || deploy(&dir, &name, old, &spec, since)).await
        };
        let (record, content) = match made {
            Ok(made) => made,
            Err(error) => {
                if lock(&self.records).get(&name).is_none() {
                    let _ = records::remove_tree(&dir);
                }
                return Err(error);
            }
        };
        let info = describe(&record);
        lock(&self.records).insert(name.clone(), record.clone());
        let before = self
            .served
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, Arc::new(content));
        release(before).await;
        blocking(move || remove_others(&dir, &record)).await?;
        Ok(info)
    }

    /// Removes a site and its copies.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Error> {
        names::check("site", name)?;
        let _turn = self.turn.lock().await;
        let before = self
            .served
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
        release(before).await;
        let dir = self.shared.layout.site(name);
        blocking(move || {
            // First what makes it a site, so that an interrupted removal is finished later.
            records::remove(&dir.join("site.json"))
                .or_else(|error| if dir.exists() { Err(error) } else { Ok(()) })?;
            records::remove_tree(&dir)
        })
        .await?;
        lock(&self.records).remove(name);
        Ok(())
    }
}

/// Waits a little until no request uses a content any more.
async fn release(content: Option<Arc<Content>>) {
    const PATIENCE: u32 = 50;
    let Some(content) = content else { return };
    for _ in 0..PATIENCE {
        if Arc::strong_count(&content) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn deploy(
    dir: &Path,
    name: &str,
    old: Option<SiteRecord>,
    spec: &SiteSpec,
    since: SystemTime,
) -> Result<(SiteRecord, Content), Error> {
    let mut contents = old.map(|record| record.contents).unwrap_or_default();
    let known = contents
        .iter()
        .find(|content| content.hash == spec.hash)
        .cloned();
    let content = match (known, &spec.source) {
        (Some(known), _) => SiteContent {
            spa: spec.spa,
            not_found: spec.not_found.clone(),
            headers: spec.headers.clone(),
            ..known
        },
        (None, Some(source)) => copy(dir, source, spec, since)?,
        (None, None) => {
            let what = format!("content {} of site `{name}`", spec.hash);
            return Err(Error::NotFound { what });
        }
    };
    contents.retain(|other| other.hash != spec.hash);
    contents.insert(0, content.clone());
    contents.truncate(spec.keep + 1);
    let record = SiteRecord {
        format: FORMAT,
        name: name.to_owned(),
        contents,
    };
    let loaded = load(dir, &content)?;
    records::write(&dir.join("site.json"), &record)?;
    Ok((record, loaded))
}

/// Copies a folder into a directory named by its hash.
fn copy(
    dir: &Path,
    source: &Path,
    spec: &SiteSpec,
    since: SystemTime,
) -> Result<SiteContent, Error> {
    if !source.is_absolute() || !source.is_dir() {
        let message = format!(
            "`{}` is not the absolute path of a directory",
            source.display()
        );
        return Err(Error::invalid("source", message));
    }
    let temporary = dir.join("new");
    records::remove_tree(&temporary)?;
    let root = temporary.join("files");
    private_dir(dir)
        .and_then(|()| private_dir(&root))
        .map_err(|error| Error::file("make", &root, error))?;
    let mut hasher = TreeHasher::default();
    let mut files = HashMap::new();
    for found in list(source)? {
        let path = root.join(&found.relative);
        let failed = |error: io::Error| Error::file("write", &path, error);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut target = BufWriter::new(File::create(&path).map_err(failed)?);
        let content = hasher.file(&found, &mut target)?;
        target.flush().map_err(failed)?;
        let mode = if found.executable { 0o700 } else { 0o600 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(failed)?;
        let entry = FileEntry {
            sha256: content.sha256,
            bytes: content.bytes,
        };
        files.insert(found.relative, entry);
    }
    let hash = hasher.finish();
    if hash != spec.hash {
        let message = format!(
            "the content has hash {hash}, not {}: it was changed meanwhile",
            spec.hash
        );
        records::remove_tree(&temporary)?;
        return Err(Error::invalid("hash", message));
    }
    let bytes = files.values().map(|file| file.bytes).sum();
    let content = SiteContent {
        hash,
        spa: spec.spa,
        not_found: spec.not_found.clone(),
        headers: spec.headers.clone(),
        files: files.len(),
        bytes,
    };
    let since = since
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    records::write(
        &temporary.join("manifest.json"),
        &Manifest {
            format: FORMAT,
            since,
            files,
        },
    )?;
    sync_all(&temporary)?;
    let place = dir.join(&content.hash);
    records::remove_tree(&place)?;
    fs::rename(&temporary, &place).map_err(|error| Error::file("write", &place, error))?;
    Ok(content)
}

/// Makes a whole tree durable.
fn sync_all(dir: &Path) -> Result<(), Error> {
    let handle = File::open(dir).map_err(|error| Error::file("open", dir, error))?;
    #[cfg(target_os = "linux")]
    let done = rustix::fs::syncfs(&handle).map_err(io::Error::from);
    #[cfg(not(target_os = "linux"))]
    let done = handle.sync_all();
    done.map_err(|error| Error::file("write", dir, error))
}

fn load(dir: &Path, content: &SiteContent) -> Result<Content, Error> {
    let dir = dir.join(&content.hash);
    let path = dir.join("manifest.json");
    let manifest: Manifest =
        records::read(&path)?.ok_or_else(|| Error::file("read", &path, "it is missing"))?;
    Ok(Content {
        dir,
        spa: content.spa,
        not_found: content
            .not_found
            .as_deref()
            .unwrap_or(NOT_FOUND)
            .trim_start_matches('/')
            .to_owned(),
        headers: content.headers.clone(),
        since: SystemTime::UNIX_EPOCH + Duration::from_secs(manifest.since),
        files: manifest.files,
    })
}

/// Removes the copies that the record does not name.
fn remove_others(dir: &Path, record: &SiteRecord) -> Result<(), Error> {
    for name in records::names(dir)? {
        let known = name == "site.json" || record.contents.iter().any(|kept| kept.hash == name);
        if !known {
            let path = dir.join(&name);
            if path.is_dir() {
                records::remove_tree(&path)?;
            } else {
                records::remove(&path)?;
            }
        }
    }
    Ok(())
}

pub(crate) fn describe(record: &SiteRecord) -> SiteInfo {
    let mut contents = record.contents.iter();
    let served = contents.next().cloned().unwrap_or(SiteContent {
        hash: String::new(),
        spa: false,
        not_found: None,
        headers: Headers::new(),
        files: 0,
        bytes: 0,
    });
    SiteInfo {
        name: record.name.clone(),
        hash: served.hash,
        spa: served.spa,
        not_found: served.not_found,
        headers: served.headers,
        kept: contents.map(|content| content.hash.clone()).collect(),
        files: served.files,
        bytes: served.bytes,
    }
}

/// The hash becomes a directory name.
fn check_hash(hash: &str) -> Result<(), Error> {
    if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(Error::invalid("hash", "must be 64 hexadecimal digits"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The files in the state directory, and how they are written.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::layout::Layout;
use crate::model::{GenerationState, Headers, RouteSpec, ServiceSpec};

/// Version of the files. Files of a later version are refused, never overwritten.
pub(crate) const FORMAT: u32 = 1;

/// `agent.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AgentRecord {
    pub(crate) format: u32,
    /// The HTTP port that was chosen.
    pub(crate) http_port: Option<u16>,
}

/// `routes.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoutesRecord {
    pub(crate) format: u32,
    pub(crate) routes: BTreeMap<String, RouteSpec>,
}

/// `services/NAME.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServiceRecord {
    pub(crate) format: u32,
    pub(crate) name: String,
    /// Number of the next generation.
    pub(crate) next: u64,
    /// Number of the generation that gets the requests.
    pub(crate) live: Option<u64>,
    /// Set when removal has begun, which then must be finished.
    #[serde(default)]
    pub(crate) removing: Option<Removing>,
    /// Generations that were live, are, or may become so; oldest first.
    pub(crate) generations: Vec<GenerationRecord>,
}

/// A removal that has begun.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Removing {
    pub(crate) keep_logs: bool,
}

/// One generation of a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GenerationRecord {
    pub(crate) number: u64,
    pub(crate) op_id: String,
    pub(crate) spec: ServiceSpec,
    pub(crate) state: GenerationState,
    /// Processes that were started and not yet seen to be gone.
    #[serde(default)]
    pub(crate) runs: Vec<RunRecord>,
}

/// One run of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunRecord {
    pub(crate) index: u32,
    /// The mark in its environment.
    pub(crate) mark: String,
    pub(crate) port: Option<u16>,
    pub(crate) identity: Identity,
}

/// What tells a process from a later one with the same id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    /// Field 22 of `/proc/PID/stat`.
    pub(crate) start_time: u64,
    pub(crate) boot_id: String,
}

/// `sites/NAME/site.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SiteRecord {
    pub(crate) format: u32,
    pub(crate) name: String,
    /// Kept contents, the one that is served first.
    pub(crate) contents: Vec<SiteContent>,
}

/// One content of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SiteContent {
    pub(crate) hash: String,
    pub(crate) spa: bool,
    #[serde(default)]
    pub(crate) not_found: Option<String>,
    #[serde(default)]
    pub(crate) headers: Headers,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

impl ServiceRecord {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            format: FORMAT,
            name: name.to_owned(),
            next: 1,
            live: None,
            removing: None,
            generations: Vec::new(),
        }
    }

    pub(crate) fn generation(&self, number: u64) -> Option<&GenerationRecord> {
        self.generations
            .iter()
            .find(|generation| generation.number == number)
    }

    pub(crate) fn generation_mut(&mut self, number: u64) -> Option<&mut GenerationRecord> {
        self.generations
            .iter_mut()
            .find(|generation| generation.number == number)
    }

    /// A log line of a generation without the secrets it may show.
    pub(crate) fn mask(&self, number: u64, text: &str) -> String {
        match self.generation(number) {
            Some(generation) => generation.spec.env.mask(text),
            // A generation that is gone: what any other would mask.
            None => self
                .generations
                .iter()
                .fold(text.to_owned(), |text, other| other.spec.env.mask(&text)),
        }
    }

    /// The generation that an operation made and that became good.
    pub(crate) fn made_by(&self, op_id: &str) -> Option<&GenerationRecord> {
        self.generations.iter().rev().find(|generation| {
            generation.op_id == op_id && generation.state != GenerationState::Pending
        })
    }
}

/// The version alone, read before the rest.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Reads a file; `None` if it does not exist.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file("read", path, error)),
    };
    let format: Format =
        serde_json::from_slice(&text).map_err(|error| Error::file("read", path, error))?;
    if format.format > FORMAT {
        let reason = format!("written by a later version (format {})", format.format);
        return Err(Error::file("read", path, reason));
    }
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| Error::file("read", path, error))
}

/// Writes a file so that after a crash either the old or the new content is there.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let failed = |error: io::Error| Error::file("write", path, error);
    let text = serde_json::to_vec_pretty(value).map_err(|error| failed(error.into()))?;
    write_bytes(path, &text)
}

/// Writes a text as [`write`] does.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), Error> {
    write_bytes(path, text.as_bytes())
}

fn write_bytes(path: &Path, text: &[u8]) -> Result<(), Error> {
    let failed = |error: io::Error| Error::file("write", path, error);
    let temporary = path.with_added_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(failed)?;
    file.write_all(text)
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)?;
    sync_parent(path).map_err(failed)
}

/// All service records.
pub(crate) fn services(layout: &Layout) -> Result<Vec<ServiceRecord>, Error> {
    let mut found = Vec::new();
    for file in names(&layout.services())? {
        if let Some(name) = file.strip_suffix(".json") {
            found.extend(read(&layout.service(name))?);
        }
    }
    Ok(found)
}

/// Removes a file, and what an interrupted write left; succeeds if it is not there.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let _ = std::fs::remove_file(path.with_added_extension("new"));
    match std::fs::remove_file(path) {
        Ok(()) => sync_parent(path).map_err(|error| Error::file("remove", path, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::file("remove", path, error)),
    }
}

/// Removes a directory with all in it; succeeds if it is not there.
pub(crate) fn remove_tree(path: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::file("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// The names in a directory, sorted; none if it does not exist.
pub(crate) fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let failed = |error: io::Error| Error::file("read", dir, error);
    let entries = match dir.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{AgentRecord, read, write};

    #[test]
    fn files_are_private_and_a_later_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.json");
        assert!(read::<AgentRecord>(&path).unwrap().is_none());
        write(
            &path,
            &AgentRecord {
                format: 1,
                http_port: Some(8080),
            },
        )
        .unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            read::<AgentRecord>(&path).unwrap().unwrap().http_port,
            Some(8080)
        );
        write(
            &path,
            &AgentRecord {
                format: 99,
                http_port: None,
            },
        )
        .unwrap();
        let error = read::<AgentRecord>(&path).unwrap_err().to_string();
        assert!(error.contains("later version"), "{error}");
    }
}

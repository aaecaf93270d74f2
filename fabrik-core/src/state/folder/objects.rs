//! Immutable objects in a folder, as an object store would keep them: put when absent, read, list.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::state::{FORMAT, encode, files, refuse};

/// What is in every object; its first line is the digest of the rest.
#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    format: u32,
    body: T,
}

/// Only as much as every format has.
#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

/// Levels by which an entry lies deeper in a group, and yet deeper in a base, than by itself.
const WRAPPED: usize = 10;

fn seal<T: Serialize>(body: T) -> Result<Vec<u8>> {
    let format = FORMAT;
    let text = encode::encode_within(encode::DEEPEST + WRAPPED, &Envelope { format, body })?;
    Ok(format!("{}\n{text}", digest(text.as_bytes())).into_bytes())
}

fn digest(content: &[u8]) -> String {
    crate::hex::encode(&Sha256::digest(content))
}

/// Puts an object, unless the name is taken: then `false`, and nothing changed. Durable.
pub(super) fn put_new<T: Serialize>(path: &Path, body: T) -> Result<bool> {
    let content = seal(body)?;
    let failed = |error: io::Error| files::failed("writing", path, &error);
    files::private_folder(files::folder_of(path)).map_err(failed)?;
    let draft = files::beside(path)?;
    files::write_new(&draft, &content).map_err(failed)?;
    files::publish(&draft, path).map_err(failed)
}

/// Puts an object in place of what has the name.
pub(super) fn put<T: Serialize>(path: &Path, body: T) -> Result<()> {
    files::replace(path, &seal(body)?)
}

/// Reads an object; `None` when there is none.
pub(super) fn get<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let content = match std::fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(files::failed("reading", path, &error)),
    };
    let damaged = |why: &str| refuse::corrupt(&path.display(), why);
    let line = content.iter().position(|byte| *byte == b'\n');
    let (sum, text) = match line {
        Some(end) => (&content[..end], &content[end + 1..]),
        None => return Err(damaged("it was cut off")),
    };
    if digest(text).as_bytes() != sum {
        return Err(damaged("it is not as written"));
    }
    let any: AnyFormat = encode::decode(text).map_err(|why| damaged(&why))?;
    if any.format > FORMAT {
        return Err(refuse::newer(&path.display(), any.format));
    }
    let envelope: Envelope<T> = encode::decode(text).map_err(|why| damaged(&why))?;
    Ok(Some(envelope.body))
}

/// Whether an object is there.
pub(super) fn exists(path: &Path) -> Result<bool> {
    path.try_exists()
        .map_err(|error| files::failed("reading", path, &error))
}

/// The names of objects in a folder, in order; drafts left by a crash are no objects.
pub(super) fn list(folder: &Path) -> Result<Vec<String>> {
    let failed = |error: io::Error| files::failed("listing", folder, &error);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Removes an object; one that is gone is as good.
pub(super) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(files::failed("clearing", path, &error))
        }
        _ => Ok(()),
    }
}

/// A folder name for any text: two texts never share one, whatever the file system makes of case.
pub(super) fn folder_for(root: &Path, names: [&str; 2]) -> PathBuf {
    use std::fmt::Write as _;
    let mut path = root.to_owned();
    for name in names {
        let mut safe = String::new();
        for byte in name.bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => safe.push(char::from(byte)),
                _ => _ = write!(safe, "%{byte:02x}"),
            }
        }
        path.push(if safe.is_empty() { "%" } else { &safe });
    }
    path
}

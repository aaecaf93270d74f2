//! Opening and making the database file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::fail::Fault;
use crate::error::Result;
use crate::state::{FORMAT, files, migrate, refuse};

/// How long another process may hold the file.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open database.
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) writable: bool,
    file: FileId,
}

/// Tells a file from another one under the same name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl Database {
    /// Opens the database for reading, and for writing where that is possible; `None` when there
    /// is none yet.
    pub(super) fn open(path: &Path) -> Result<Option<Database>> {
        let Some(file) = find(path)? else {
            return Ok(None);
        };
        let opened = match connect(path, false) {
            Err(fault) if fault.is_unwritable() && !has_log(path) => connect(path, true),
            other => other,
        };
        let (connection, writable) = opened.map_err(|fault| fault.at(path, "opening"))?;
        Ok(Some(Database {
            connection,
            writable,
            file,
        }))
    }

    /// Opens the database for writing; makes it when there is none yet.
    pub(super) fn open_or_create(path: &Path) -> Result<Database> {
        let mut found = Database::open(path)?;
        if found.is_none() {
            create(path)?;
            found = Database::open(path)?;
        }
        let database = found.ok_or_else(|| {
            let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
            files::failed("making", path, &gone)
        })?;
        if database.writable {
            Ok(database)
        } else {
            let error = std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
            Err(files::failed("writing", path, &error))
        }
    }

    /// Whether the file opened is still the one under its name.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|found| id_of(&found) == self.file)
    }
}

/// The file, checked for what can be told without reading it.
///
/// A database is given its name only when it is whole (see [`create`]): one of 0 bytes was cut
/// off, and is never taken for a new one.
fn find(path: &Path) -> Result<Option<FileId>> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(refuse::corrupt(&path.display(), "it is a folder")),
        Ok(found) if found.len() == 0 => {
            let why = "the file is empty, and Fabrik never leaves it so";
            Err(refuse::corrupt(&path.display(), why).hint(
                "put a backup of it back; if nothing was ever applied with it, remove the file",
            ))
        }
        Ok(found) => Ok(Some(id_of(&found))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if has_log(path) {
                let why = format!(
                    "it is gone, but its log {} is there",
                    log_of(path).display()
                );
                return Err(refuse::corrupt(&path.display(), why).hint(
                    "put the file back beside its log; to start anew, move the log away too",
                ));
            }
            Ok(None)
        }
        Err(error) => Err(files::failed("opening", path, &error)),
    }
}

fn id_of(found: &std::fs::Metadata) -> FileId {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        FileId(found.dev(), found.ino())
    }
    #[cfg(not(unix))]
    {
        _ = found;
        FileId(0, 0)
    }
}

fn log_of(path: &Path) -> PathBuf {
    // SQLite follows links before it adds the ending.
    let mut name = std::fs::canonicalize(path)
        .unwrap_or_else(|_| path.to_owned())
        .into_os_string();
    name.push("-wal");
    name.into()
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0)
}

/// Connects and checks whose database it is. `frozen`: on a read-only file system, where nobody
/// can change it and SQLite cannot make the files it shares.
fn connect(path: &Path, frozen: bool) -> Result<(Connection, bool), Fault> {
    let mut connection = if frozen {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(frozen_uri(path), flags)?
    } else {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(path, flags)?
    };
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;",
    )?;
    let writable = !connection.is_readonly(rusqlite::MAIN_DB)?;
    if migrate::application_of(&connection)? != migrate::APPLICATION {
        let why = "it is not a Fabrik state (another program's database)";
        return Err(Fault::Damaged(why.to_owned()));
    }
    let format = migrate::format_of(&connection)?;
    match format.cmp(&i64::from(FORMAT)) {
        std::cmp::Ordering::Equal => {}
        std::cmp::Ordering::Greater => return Err(Fault::Newer(format)),
        std::cmp::Ordering::Less if writable => migrate::migrate(&mut connection)?,
        std::cmp::Ordering::Less => {
            let error = std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
            return Err(files::failed("bringing up to date", path, &error).into());
        }
    }
    // Reads a page of each kind: the schema is loaded, and the log found or made.
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    if writable && mode != "wal" {
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    }
    Ok((connection, writable))
}

fn frozen_uri(path: &Path) -> String {
    use std::fmt::Write as _;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let bytes = path.as_os_str().as_encoded_bytes();
    let encoded = bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            _ = write!(text, "%{byte:02X}");
        }
        text
    });
    format!("file:{encoded}?immutable=1")
}

/// Makes an empty database: whole and durable before it gets its name. When another process was
/// quicker, its database stays.
fn create(path: &Path) -> Result<()> {
    let failed = |error: std::io::Error| files::failed("making", path, &error);
    files::private_folder(files::folder_of(path)).map_err(failed)?;
    let draft = files::beside(path)?;
    files::write_new(&draft, b"").map_err(failed)?;
    let made = fill(&draft).map_err(|fault| fault.at(path, "making"));
    let done = made.and_then(|()| {
        std::fs::File::open(&draft)
            .and_then(|file| file.sync_all())
            .and_then(|()| files::publish(&draft, path))
            .map_err(failed)
    });
    if done.is_err() {
        _ = std::fs::remove_file(&draft);
        _ = std::fs::remove_file(log_of(&draft));
    }
    done.map(drop)
}

fn fill(draft: &Path) -> Result<(), Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(draft, flags)?;
    migrate::migrate(&mut connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error.into())
}

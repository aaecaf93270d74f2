//! What can go wrong with a database, and what to do about it.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::{Effect, Error, ErrorKind};
use crate::state::{files, refuse};

/// A failure inside a transaction, before it is known which file it is about.
pub(super) enum Fault {
    /// SQLite's.
    Sql(rusqlite::Error),
    /// The database can be read, but what it holds cannot be right.
    Damaged(String),
    /// Written by a newer program, in this format.
    Newer(i64),
    /// A refusal by the store's rules.
    Refused(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Refused(error)
    }
}

impl Fault {
    /// The error, now that the file and what was done are known.
    pub(super) fn at(self, path: &Path, doing: &str) -> Error {
        match self {
            Fault::Refused(error) => error,
            Fault::Newer(format) => refuse::newer(&path.display(), format),
            Fault::Damaged(why) => refuse::corrupt(&path.display(), why),
            Fault::Sql(error) => sql(&error, path, doing),
        }
    }

    /// Whether SQLite could not open what it needs, as on a read-only file system.
    pub(super) fn is_unwritable(&self) -> bool {
        matches!(self, Fault::Sql(error) if matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
        ))
    }
}

fn sql(error: &rusqlite::Error, path: &Path, doing: &str) -> Error {
    let rusqlite::Error::SqliteFailure(code, _) = error else {
        // A value of the wrong type: the tables are strict, so it was not written so.
        return refuse::corrupt(&path.display(), error);
    };
    let io = |hint: &str| {
        Error::new(
            ErrorKind::Io,
            format!("{doing} the state at {} failed: {error}", path.display()),
        )
        .code(crate::codes::STATE_IO)
        .hint(hint)
    };
    match code.code {
        ErrorCode::DiskFull => io(files::FULL).effect(Effect::None),
        _ if code.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => {
            io(files::FULL).effect(Effect::None)
        }
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
            io(files::READ_ONLY).effect(Effect::None)
        }
        ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed => {
            io("check the disk and the mount; `fabrik status` shows what was kept")
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::new(
            ErrorKind::Unavailable,
            format!("the state at {} is in use for too long", path.display()),
        )
        .effect(Effect::None)
        .cause(error)
        .hint("another program holds the file open for writing: wait for it, or close it"),
        ErrorCode::NotADatabase => {
            refuse::corrupt(&path.display(), "it is not a Fabrik state (no database)")
        }
        // Our statements fit our tables: when they do not, the tables are not what we made.
        ErrorCode::DatabaseCorrupt
        | ErrorCode::Unknown
        | ErrorCode::TypeMismatch
        | ErrorCode::ConstraintViolation
        | ErrorCode::TooBig
        | ErrorCode::SchemaChanged => refuse::corrupt(&path.display(), error),
        _ => Error::new(
            ErrorKind::Unexpected,
            format!("{doing} the state at {} failed: {error}", path.display()),
        ),
    }
}

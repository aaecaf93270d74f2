//! State in one SQLite file, of many stacks.

mod decode;
mod fail;
mod history;
mod open;
mod read;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, TransactionBehavior};

use self::fail::Fault;
use self::open::Database;
use self::read::Head;
use super::{
    Entry, FORMAT, HeldLease, Holder, Lease, LeaseAnswer, Position, Revision, RunId, RunSummary,
    Snapshot, StateStore, migrate, refuse,
};
use crate::address::Address;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::stack::Declared;
use crate::value::Value;

/// State in a SQLite file.
///
/// One file holds any number of stacks and environments. Handles may be in one process or in many:
/// each group is one transaction that checks the lease and the position first and is on disk when
/// it returns (write-ahead log, full synchronisation). What is written is what changed.
///
/// *Behaviour*, besides that of every [`StateStore`]
/// - the file is made by the first write, for its owner alone (mode 0600, folders it makes 0700),
///   and gets its name when it is whole: an empty file is never a new one, it was cut off, and is
///   reported as [`ErrorKind::Corrupt`]. Remove such a file to start anew.
/// - every record has a sum, and objects are counted: a changed or missing one is
///   [`ErrorKind::Corrupt`], never a smaller state.
/// - a full disk or a file that cannot be written is [`ErrorKind::Io`]; state is as it was before.
///   Reading works on a read-only file system too, unless a crash left a log to be replayed.
/// - file work is done on tokio's threads for blocking work, one operation of a handle at a time.
/// - a run whose file was moved away or replaced writes nothing more.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    file: Arc<File>,
    stack: Arc<str>,
    env: Arc<str>,
}

/// One stack of a file, as [`SqliteStore::stacks`] lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct StackInfo {
    /// Its name.
    pub stack: String,
    /// Its environment.
    pub env: String,
    /// Its revision; 0 when nothing was applied yet.
    pub revision: Revision,
    /// Its last run.
    pub last_run: Option<RunSummary>,
}

struct File {
    path: PathBuf,
    database: Mutex<Option<Database>>,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.fmt(f)
    }
}

/// What an operation needs of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// To look at it as it is now.
    Reading,
    /// To take or break the lock: the file is made when there is none.
    Locking,
    /// To go on with a run: the file must be the one the run began with.
    Running,
}

impl SqliteStore {
    /// Opens the state of a stack in an environment. A file that exists is checked; one that does
    /// not is made by the first write. Does file work on this thread.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`], [`ErrorKind::Newer`], [`ErrorKind::Io`].
    pub fn open(path: &Path, stack: &str, env: &str) -> Result<SqliteStore> {
        let file = File {
            path: path.to_owned(),
            database: Mutex::new(Database::open(path)?),
        };
        Ok(SqliteStore {
            file: Arc::new(file),
            stack: stack.into(),
            env: env.into(),
        })
    }

    /// Every stack of a file, by name, then environment. Does file work on this thread.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn stacks(path: &Path) -> Result<Vec<StackInfo>> {
        let Some(mut database) = Database::open(path)? else {
            return Ok(Vec::new());
        };
        let list = |connection: &Connection| {
            let mut stacks = read::heads(connection)?
                .into_iter()
                .map(|head| {
                    Ok(StackInfo {
                        last_run: history::runs(connection, &head, 1)?.pop(),
                        stack: head.name,
                        env: head.env,
                        revision: head.revision,
                    })
                })
                .collect::<Result<Vec<_>, Fault>>()?;
            stacks.sort_by(|a, b| (&a.stack, &a.env).cmp(&(&b.stack, &b.env)));
            Ok(stacks)
        };
        transaction(&mut database, TransactionBehavior::Deferred, list)
            .map_err(|fault| fault.at(path, "reading"))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Reads in one transaction; `None` when there is no file yet.
    async fn read<T, W>(&self, work: W) -> Result<Option<T>>
    where
        T: Send + 'static,
        W: FnOnce(&Connection, Option<Head>) -> Result<T, Fault> + Send + 'static,
    {
        let (stack, env) = (self.stack.clone(), self.env.clone());
        self.blocking(For::Reading, "reading", move |connection| {
            let head = read::head(connection, &stack, &env)?;
            work(connection, head)
        })
        .await
    }

    /// Writes in one transaction on behalf of a lease.
    async fn write<T, W>(&self, lease: &Lease, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection, Head) -> Result<T, Fault> + Send + 'static,
    {
        let (stack, env, token) = (self.stack.clone(), self.env.clone(), lease.token);
        let done = self
            .blocking(For::Running, "writing", move |connection| {
                let Some(head) = read::head(connection, &stack, &env)? else {
                    return Err(refuse::lease_lost(None).into());
                };
                let (_, holds) = read::lock(connection, head.id)?;
                write::check_lease(holds.as_ref(), token)?;
                work(connection, head)
            })
            .await?;
        done.ok_or_else(|| refuse::lease_lost(None))
    }

    async fn blocking<T, W>(&self, what: For, doing: &'static str, work: W) -> Result<Option<T>>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || file.with(what, doing, work))
            .await
            .map_err(|error| {
                Error::new(
                    ErrorKind::Unexpected,
                    format!("{doing} state stopped: {error}"),
                )
            })?
    }
}

impl File {
    fn with<T>(
        &self,
        what: For,
        doing: &str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<Option<T>> {
        let path = &self.path;
        let mut slot = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|database| !database.is_at(path)) {
            if what == For::Running {
                return Err(moved(path));
            }
            *slot = None;
        }
        let database = match (&mut *slot, what) {
            (Some(database), For::Reading) => database,
            (Some(database), _) if database.writable => database,
            (slot, For::Reading) => match Database::open(path)? {
                Some(database) => slot.insert(database),
                None => return Ok(None),
            },
            (None, For::Running) => return Ok(None),
            (slot, _) => slot.insert(Database::open_or_create(path)?),
        };
        let behaviour = match what {
            For::Reading => TransactionBehavior::Deferred,
            _ => TransactionBehavior::Immediate,
        };
        transaction(database, behaviour, work)
            .map(Some)
            .map_err(|fault| fault.at(path, doing))
    }
}

fn transaction<T>(
    database: &mut Database,
    behaviour: TransactionBehavior,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = database.connection.transaction_with_behavior(behaviour)?;
    // A newer program may have changed the form since the file was opened.
    let format = migrate::format_of(&transaction)?;
    if format > i64::from(FORMAT) {
        return Err(Fault::Newer(format));
    }
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

fn moved(path: &Path) -> Error {
    Error::new(
        ErrorKind::Io,
        format!(
            "the state at {} was moved or replaced during this run",
            path.display()
        ),
    )
    .effect(Effect::None)
    .code(crate::codes::STATE_IO)
    .hint("put the file of this run back; then `fabrik apply` goes on from what it holds")
}

#[async_trait]
impl StateStore for SqliteStore {
    async fn lease(
        &self,
        holder: &Holder,
        now: jiff::Timestamp,
        take_over: Option<u64>,
    ) -> Result<LeaseAnswer> {
        let (stack, env, holder) = (self.stack.clone(), self.env.clone(), holder.clone());
        let answer = self
            .blocking(For::Locking, "locking", move |connection| {
                let head = write::head_or_new(connection, &stack, &env)?;
                let (last, holds) = read::lock(connection, head.id)?;
                if let Some(other) = holds.filter(|other| take_over != Some(other.token)) {
                    return Ok(LeaseAnswer::Held(other));
                }
                let token = last + 1;
                write::grant(connection, head.id, token, &holder, now)?;
                Ok(LeaseAnswer::Granted(Lease { token }))
            })
            .await?;
        answer.ok_or_else(|| Error::new(ErrorKind::Unexpected, "the state file was not made"))
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<()> {
        self.write(lease, |connection, head| write::beat(connection, head.id))
            .await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let freed = self
            .write(lease, |connection, head| write::free(connection, head.id))
            .await;
        match freed {
            Err(error) if error.kind() == ErrorKind::LeaseLost => Ok(()),
            other => other,
        }
    }

    async fn holder(&self) -> Result<Option<HeldLease>> {
        let held = self
            .read(|connection, head| match head {
                Some(head) => Ok(read::lock(connection, head.id)?.1),
                None => Ok(None),
            })
            .await?;
        Ok(held.flatten())
    }

    async fn break_lease(&self, token: u64) -> Result<()> {
        if self.holder().await?.is_none() {
            return Err(refuse::other_lock(token, None));
        }
        let (stack, env) = (self.stack.clone(), self.env.clone());
        self.blocking(For::Locking, "unlocking", move |connection| {
            let head = write::head_or_new(connection, &stack, &env)?;
            match read::lock(connection, head.id)?.1 {
                Some(lock) if lock.token == token => write::free(connection, head.id),
                other => Err(refuse::other_lock(token, other.as_ref()).into()),
            }
        })
        .await
        .map(drop)
    }

    async fn load(&self) -> Result<Snapshot> {
        let loaded = self
            .read(|connection, head| match head {
                Some(head) => read::load(connection, &head),
                None => Ok(Snapshot::default()),
            })
            .await?;
        Ok(loaded.unwrap_or_default())
    }

    async fn append(&self, lease: &Lease, at: Position, group: &[Entry]) -> Result<Position> {
        let group = group.to_vec();
        self.write(lease, move |connection, head| {
            if head.next != at {
                return Err(refuse::conflict(at, head.next).into());
            }
            write::append(connection, head, &group)
        })
        .await
    }

    async fn compact(&self, lease: &Lease, keep_runs: u64) -> Result<()> {
        self.write(lease, move |connection, head| {
            write::compact(connection, head, keep_runs)
        })
        .await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>> {
        let runs = self
            .read(move |connection, head| match head {
                Some(head) => history::runs(connection, &head, limit),
                None => Ok(Vec::new()),
            })
            .await?;
        Ok(runs.unwrap_or_default())
    }

    async fn entries(&self, run: RunId) -> Result<Vec<(Position, Entry)>> {
        let entries = self
            .read(move |connection, head| match head {
                Some(head) => history::entries(connection, &head, run),
                None => Ok(Vec::new()),
            })
            .await?;
        Ok(entries.unwrap_or_default())
    }

    async fn declared_at(&self, revision: Revision) -> Result<BTreeMap<Address, Declared>> {
        let declared = self
            .read(move |connection, head| history::declared_at(connection, head.as_ref(), revision))
            .await?;
        match declared {
            Some(declared) => Ok(declared),
            None if revision == 0 => Ok(BTreeMap::new()),
            None => Err(refuse::no_revision(revision)),
        }
    }

    async fn outputs_of(
        &self,
        stack: &str,
        env: &str,
    ) -> Result<Option<BTreeMap<Arc<str>, Value>>> {
        let (stack, env) = (stack.to_owned(), env.to_owned());
        let outputs = self
            .blocking(For::Reading, "reading", move |connection| {
                let heads = read::heads(connection)?;
                heads
                    .iter()
                    .find(|head| head.name == stack && head.env == env && head.revision > 0)
                    .map(|head| read::outputs(connection, head))
                    .transpose()
            })
            .await?;
        Ok(outputs.flatten())
    }
}

#[cfg(test)]
mod tests;

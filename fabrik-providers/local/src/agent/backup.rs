//! Backups: dumps of databases and archives of folders, as files or in a restic repository.
//!
//! A file comes to be under another name and gets its own only once it was written and read again;
//! so what bears the name of a backup is one.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::agent::databases::Databases;
use crate::agent::shared::Shared;
use crate::agent::tool::{self, Tool};
use crate::error::Error;
use crate::hash::hex;
use crate::model::{BackupSource, BackupSpec};
use crate::records;

/// How long one step of a backup may take.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);

/// Whether a backup can be kept.
pub(crate) fn check(spec: &BackupSpec) -> Result<(), Error> {
    if !spec.to.is_absolute() {
        return Err(Error::invalid("to", "must be an absolute path"));
    }
    if spec.keep == 0 {
        return Err(Error::invalid("keep", "must be at least 1"));
    }
    if let BackupSource::Folders(folders) = &spec.source {
        if folders.is_empty() {
            return Err(Error::invalid("folders", "there is nothing to back up"));
        }
        for folder in folders {
            if !folder.is_dir() {
                let message = format!("there is no folder `{}`", folder.display());
                return Err(Error::invalid("folders", message));
            }
            if spec.to.starts_with(folder) {
                let message = format!("the backups would go into `{}` itself", folder.display());
                return Err(Error::invalid("to", message));
            }
        }
    }
    Ok(())
}

/// Makes one backup; says what it made.
pub(crate) async fn run(
    shared: &Shared,
    databases: &Databases,
    title: &str,
    spec: &BackupSpec,
    now: SystemTime,
) -> Result<String, Error> {
    check(spec)?;
    make_folder(&spec.to)?;
    let backup = Backup {
        shared,
        databases,
        title,
        spec,
    };
    if spec.restic {
        backup.to_restic().await
    } else {
        backup.to_file(now).await
    }
}

struct Backup<'a> {
    shared: &'a Shared,
    databases: &'a Databases,
    title: &'a str,
    spec: &'a BackupSpec,
}

impl Backup<'_> {
    async fn to_file(&self, now: SystemTime) -> Result<String, Error> {
        let to = &self.spec.to;
        let kind = match &self.spec.source {
            BackupSource::Database(name) => self.databases.access(name).await?.dump_suffix(),
            BackupSource::Folders(_) => "tar.gz",
        };
        let (start, end) = (format!("{}-", self.title), format!(".{kind}"));
        let unfinished = |name: &str| name.starts_with(&format!(".{start}"));
        for left in records::names(to)?.iter().filter(|name| unfinished(name)) {
            records::remove(&to.join(left))?;
        }
        let stamp = stamp(now);
        let name = format!("{start}{stamp}{end}");
        let (file, part) = (to.join(&name), to.join(format!(".{name}.part")));
        self.write(&part).await?;
        let bytes = fs::metadata(&part).map_or(0, |found| found.len());
        fs::rename(&part, &file).map_err(|error| Error::file("write", &file, error))?;
        let mut made = records::names(to)?;
        made.retain(|name| is_backup(name, &start, &end));
        let surplus = made.len().saturating_sub(self.spec.keep);
        for old in &made[..surplus] {
            records::remove(&to.join(old))?;
        }
        Ok(format!("wrote `{}`, {bytes} bytes", file.display()))
    }

    /// Writes what is backed up into a file, and reads it again.
    async fn write(&self, file: &Path) -> Result<(), Error> {
        // Made here, so that nobody else may ever read it.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(file)
            .map_err(|error| Error::file("write", file, error))?;
        match &self.spec.source {
            BackupSource::Database(name) => {
                let access = self.databases.access(name).await?;
                access.dump(self.shared, file).await
            }
            BackupSource::Folders(folders) => {
                let mut words = vec!["tar".to_owned(), "-czf".into(), shown(file)];
                for folder in folders {
                    words.push("-C".into());
                    words.push(shown(folder.parent().unwrap_or(Path::new("/"))));
                    words.push(folder.file_name().map_or_else(String::new, |name| {
                        // Not taken for an option.
                        format!("./{}", name.to_string_lossy())
                    }));
                }
                self.tool(words, BTreeMap::new()).await?;
                let list = vec!["tar".to_owned(), "-tzf".into(), shown(file)];
                self.tool(list, BTreeMap::new()).await.map(drop)
            }
        }
    }

    /// Adds a snapshot to the repository `restic` in the folder. Its password lies beside it, in
    /// `restic.key`: whoever has the folder can restore.
    async fn to_restic(&self) -> Result<String, Error> {
        let Some(restic) = tool::find(self.shared, "restic", &[]) else {
            return Err(Error::Missing {
                program: "restic".to_owned(),
                package: "restic".to_owned(),
            });
        };
        let to = &self.spec.to;
        let password = password(&to.join("restic.key"))?;
        let repository = shown(&to.join("restic"));
        let env = BTreeMap::from([
            ("RESTIC_PASSWORD", password.as_str()),
            ("RESTIC_REPOSITORY", repository.as_str()),
        ]);
        let call = |words: &[&str]| {
            let mut all = vec![shown(&restic), "--no-cache".to_owned()];
            all.extend(words.iter().map(|word| (*word).to_owned()));
            all
        };
        if !to.join("restic/config").is_file() {
            self.tool(call(&["init"]), env.clone()).await?;
        }
        let scratch = self.shared.layout.scratch(self.title);
        let made = async {
            let mut words = call(&["backup", "--json", "--tag", self.title]);
            match &self.spec.source {
                BackupSource::Database(name) => {
                    make_folder(&scratch)?;
                    let suffix = self.databases.access(name).await?.dump_suffix();
                    let file = scratch.join(format!("{name}.{suffix}"));
                    self.write(&file).await?;
                    words.push(shown(&file));
                }
                BackupSource::Folders(folders) => words.extend(folders.iter().map(|at| shown(at))),
            }
            let told = self.tool(words, env.clone()).await?;
            let keep = self.spec.keep.to_string();
            let forget = [
                "forget",
                "--tag",
                self.title,
                "--keep-last",
                &keep,
                "--prune",
            ];
            // Without `--group-by`, a dump at another path would be counted on its own.
            let forget = [&forget[..], &["--group-by", "tags"]].concat();
            self.tool(call(&forget), env.clone()).await?;
            self.tool(call(&["check"]), env.clone()).await?;
            Ok(format!(
                "added snapshot {} to `{repository}`",
                snapshot(&told)
            ))
        };
        let made = made.await;
        records::remove_tree(&scratch)?;
        made
    }

    async fn tool(&self, words: Vec<String>, env: BTreeMap<&str, &str>) -> Result<String, Error> {
        let tool = Tool {
            words,
            dir: &self.spec.to,
            env,
            input: String::new(),
            patience: PATIENCE,
        };
        Ok(tool.run(self.shared).await?)
    }
}

/// The id in restic's last line.
fn snapshot(told: &str) -> String {
    let summary: Option<serde_json::Value> = told
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok());
    summary
        .and_then(|summary| {
            summary["snapshot_id"]
                .as_str()
                .map(|id| id.chars().take(8).collect())
        })
        .unwrap_or_default()
}

/// The password in a file, made with the file.
fn password(path: &Path) -> Result<String, Error> {
    let failed = |error: io::Error| Error::file("write", path, error);
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::file("read", path, error)),
    }
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|error| failed(io::Error::other(error)))?;
    let made = hex(&bytes);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    io::Write::write_all(&mut file, made.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    Ok(made)
}

/// Whether a file is one of ours, not that of a backup whose name begins the same.
fn is_backup(name: &str, start: &str, end: &str) -> bool {
    name.strip_prefix(start)
        .and_then(|rest| rest.strip_suffix(end))
        .is_some_and(|stamp| {
            let plain = |byte: u8| byte.is_ascii_digit() || byte == b'T' || byte == b'Z';
            stamp.len() == STAMP && stamp.bytes().all(plain)
        })
}

/// Length of a time in a file's name: `20261120T165500123Z`.
const STAMP: usize = 19;

/// The time in a file's name: names sort as they were made.
fn stamp(now: SystemTime) -> String {
    let now = Timestamp::try_from(now).unwrap_or_default();
    let millis = now.subsec_millisecond();
    format!("{}{millis:03}Z", now.strftime("%Y%m%dT%H%M%S"))
}

fn make_folder(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| Error::file("make", path, error))
}

fn shown(path: &Path) -> String {
    PathBuf::from(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ones_own_backups_are_counted() {
        let name = format!("db-{}.dump", stamp(SystemTime::UNIX_EPOCH));
        assert_eq!(name, "db-19700101T000000000Z.dump");
        assert!(is_backup(&name, "db-", ".dump"));
        for other in [
            "db-copy-19700101T000000000Z.dump",
            "db-mine.dump",
            "db-.dump",
        ] {
            assert!(!is_backup(other, "db-", ".dump"), "{other}");
        }
    }

    #[test]
    fn backups_do_not_go_into_what_they_save() {
        let dir = tempfile::tempdir().unwrap();
        let spec = BackupSpec {
            source: BackupSource::Folders(vec![dir.path().to_owned()]),
            to: dir.path().join("backups"),
            keep: 1,
            restic: false,
        };
        let error = check(&spec).unwrap_err().to_string();
        assert!(error.contains("would go into"), "{error}");
    }
}

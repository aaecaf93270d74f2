//! Log files of services: `GENERATION-INSTANCE.log`, written by the processes themselves.
//!
//! A process keeps its file open, so a file that became too long is copied to `….log.1` and cut;
//! what is written between the two steps is lost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::model::{LogChunk, LogLine, LogQuery};
use crate::socket::private_dir;

/// How much one read hands out of each file.
const CHUNK: u64 = 256 * 1024;
/// How far from the end of a file its last lines are looked for.
const TAIL: u64 = 64 * 1024;

/// The log directory of one service.
#[derive(Clone, Debug)]
pub(crate) struct LogDir(PathBuf);

impl LogDir {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn file(&self, generation: u64, index: u32) -> PathBuf {
        self.0.join(format!("{generation}-{index}.log"))
    }

    /// Opens the file of an instance for a process to write to.
    pub(crate) fn open(&self, generation: u64, index: u32) -> io::Result<File> {
        private_dir(&self.0)?;
        let path = self.file(generation, index);
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
    }

    /// Writes a line of the agent's own into the log of an instance.
    pub(crate) fn note(&self, generation: u64, index: u32, text: &str) {
        let written = self
            .open(generation, index)
            .and_then(|mut file| file.write_all(format!("[fabrik] {text}\n").as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, "could not write to a log file");
        }
    }

    /// The last lines of a generation, of all its instances one after the other.
    pub(crate) fn last_lines(&self, generation: u64, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for file in self
            .files()
            .into_iter()
            .filter(|file| file.generation == generation)
        {
            lines.extend(tail(&file.path, count).0);
        }
        lines.split_off(lines.len().saturating_sub(count))
    }

    /// Answers a query; blocks on files.
    pub(crate) fn read(&self, query: &LogQuery, mask: &dyn Fn(u64, &str) -> String) -> LogChunk {
        let mut chunk = LogChunk::default();
        let files = self.files();
        let wanted = query.generation;
        for file in files
            .iter()
            .filter(|file| wanted.is_none_or(|only| file.generation == only))
        {
            let known = query.cursor.as_ref().map(|cursor| &cursor.0);
            let (lines, end, more) = match known {
                None if query.tail > 0 => {
                    let (lines, end) = tail(&file.path, query.tail);
                    (lines, end, false)
                }
                None => lines_from(&file.path, 0),
                Some(cursor) => lines_from(
                    &file.path,
                    cursor.get(&file.name).copied().unwrap_or_default(),
                ),
            };
            chunk.lines.extend(lines.into_iter().map(|text| LogLine {
                generation: file.generation,
                instance: file.index,
                text: mask(file.generation, &text),
            }));
            chunk.cursor.0.insert(file.name.clone(), end);
            chunk.more |= more;
        }
        if query.cursor.is_none() && query.tail > 0 {
            let surplus = chunk.lines.len().saturating_sub(query.tail);
            chunk.lines.drain(..surplus);
        }
        chunk
    }

    /// Cuts files that became too long.
    pub(crate) fn rotate(&self, max_bytes: u64) {
        for file in self.files() {
            let rotated = || -> io::Result<()> {
                if file.path.metadata()?.len() > max_bytes {
                    fs::copy(&file.path, file.path.with_added_extension("1"))?;
                    OpenOptions::new()
                        .write(true)
                        .open(&file.path)?
                        .set_len(0)?;
                }
                Ok(())
            };
            if let Err(error) = rotated()
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %file.path.display(), "could not rotate a log file");
            }
        }
    }

    /// Removes the files of all generations but these.
    pub(crate) fn keep_only(&self, generations: &[u64]) {
        for file in self
            .files()
            .iter()
            .filter(|file| !generations.contains(&file.generation))
        {
            let _ = fs::remove_file(&file.path);
            let _ = fs::remove_file(file.path.with_added_extension("1"));
        }
    }

    fn files(&self) -> Vec<LogFile> {
        let mut files: Vec<LogFile> = self
            .0
            .read_dir()
            .into_iter()
            .flatten()
            .filter_map(|entry| LogFile::parse(&self.0, entry.ok()?.file_name().to_str()?))
            .collect();
        files.sort_by_key(|file| (file.generation, file.index));
        files
    }
}

#[derive(Debug)]
struct LogFile {
    generation: u64,
    index: u32,
    name: String,
    path: PathBuf,
}

impl LogFile {
    fn parse(dir: &Path, name: &str) -> Option<Self> {
        let (generation, index) = name.strip_suffix(".log")?.split_once('-')?;
        Some(Self {
            generation: generation.parse().ok()?,
            index: index.parse().ok()?,
            name: name.to_owned(),
            path: dir.join(name),
        })
    }
}

/// The last lines of a file, and where it ends. An unfinished line counts.
fn tail(path: &Path, count: usize) -> (Vec<String>, u64) {
    let Ok((bytes, start, _)) = read_from(path, |len| len.saturating_sub(TAIL), TAIL) else {
        return (Vec::new(), 0);
    };
    let end = start + bytes.len() as u64;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    (lines.split_off(lines.len().saturating_sub(count)), end)
}

/// Whole lines from an offset on, where they end, and whether there are more. A file that was cut
/// meanwhile is read from its beginning.
fn lines_from(path: &Path, offset: u64) -> (Vec<String>, u64, bool) {
    let from = |len| if offset > len { 0 } else { offset };
    let Ok((mut bytes, start, len)) = read_from(path, from, CHUNK) else {
        return (Vec::new(), offset, false);
    };
    let full = bytes.len() as u64 == CHUNK;
    match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(last) => bytes.truncate(last + 1),
        // A line that fills the whole chunk is handed out in pieces.
        None if full => {}
        None => bytes.clear(),
    }
    let end = start + bytes.len() as u64;
    let lines = String::from_utf8_lossy(&bytes)
        .lines()
        .map(str::to_owned)
        .collect();
    (lines, end, full && end < len)
}

fn read_from(
    path: &Path,
    start: impl FnOnce(u64) -> u64,
    most: u64,
) -> io::Result<(Vec<u8>, u64, u64)> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let start = start(len);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok((bytes, start, len))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::LogDir;
    use crate::model::LogQuery;

    fn texts(dir: &LogDir, query: &LogQuery) -> (Vec<String>, LogQuery) {
        let chunk = dir.read(query, &|_, text| text.to_owned());
        let next = LogQuery {
            cursor: Some(chunk.cursor),
            ..LogQuery::default()
        };
        (
            chunk.lines.into_iter().map(|line| line.text).collect(),
            next,
        )
    }

    #[test]
    fn follows_over_new_files_half_lines_and_rotation() {
        let root = tempfile::tempdir().unwrap();
        let dir = LogDir::new(root.path().join("api"));
        let mut first = dir.open(1, 0).unwrap();
        write!(first, "a\nb\nhalf").unwrap();
        let (lines, next) = texts(
            &dir,
            &LogQuery {
                tail: 0,
                ..LogQuery::default()
            },
        );
        assert_eq!(lines, ["a", "b"]);
        writeln!(first, " done").unwrap();
        writeln!(dir.open(2, 0).unwrap(), "second").unwrap();
        let (lines, next) = texts(&dir, &next);
        assert_eq!(lines, ["half done", "second"]);
        dir.rotate(4);
        writeln!(first, "x").unwrap();
        let (lines, _) = texts(&dir, &next);
        assert_eq!(lines, ["x"]);
        assert!(
            fs::read_to_string(dir.path().join("1-0.log.1"))
                .unwrap()
                .starts_with("a\nb\n")
        );
        let (lines, _) = texts(
            &dir,
            &LogQuery {
                tail: 1,
                ..LogQuery::default()
            },
        );
        assert_eq!(lines.len(), 1);
        dir.keep_only(&[2]);
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["2-0.log", "2-0.log.1"]);
    }
}

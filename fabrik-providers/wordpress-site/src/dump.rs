//! What a site is, as data that can be compared.

use std::{collections::BTreeMap, fmt::Write as _, fs, os::unix::fs::MetadataExt as _, path::Path};

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::template::hex;

/// All rows and files of a site, after a normalisation that leaves out what WordPress changes by
/// itself, and nothing else:
///
/// - numbers that only name a row: `option_id`, `umeta_id`, `meta_id` (those of posts, terms, users
///   and comments stay: others refer to them),
/// - transients and cron: options `_transient_*`, `_site_transient_*`, `cron`,
/// - revisions and automatic drafts, with their meta; rows of meta and terms of posts that are gone,
/// - who is editing and logged in: meta `_edit_lock`, `session_tokens`; when and from where an
///   application password was last used,
/// - what is computed anew from the rest when it is missing: the options `rewrite_rules` and
///   `can_compress_scripts`; which plugins were active until lately: `recently_activated`,
/// - our own notes, the options `fabrik_journal` and `fabrik_structure`; the former is in
///   [`journal`](Self::journal) instead.
///
/// Files: all of them, a hash each. Those WordPress brought that are untouched are listed as `=`.
/// Not listed are the database itself, and the folders of `wp-content/uploads`, `languages`,
/// `upgrade` and `upgrade-temp-backup`, which WordPress makes when it looks there (files in them are).
#[derive(Clone, Debug)]
pub struct Dump {
    /// Rows by table, each a JSON object's text, sorted.
    pub tables: BTreeMap<String, Vec<String>>,
    /// SHA-256 by path from the site's folder. Folders end with a slash and have no hash.
    pub files: BTreeMap<String, String>,
    /// Our own journal's value, if there is one. Not compared.
    pub journal: Option<String>,
}

impl PartialEq for Dump {
    fn eq(&self, other: &Self) -> bool {
        self.tables == other.tables && self.files == other.files
    }
}

impl Dump {
    /// What differs, a line each: `-` was only there before, `+` only in `after`. Empty when both
    /// are equal.
    pub fn difference(&self, after: &Self) -> String {
        let mut text = String::new();
        for table in self.tables.keys().chain(
            after
                .tables
                .keys()
                .filter(|t| !self.tables.contains_key(*t)),
        ) {
            match (self.tables.get(table), after.tables.get(table)) {
                (Some(_), None) => {
                    let _ = writeln!(text, "- table {table}");
                }
                (None, Some(_)) => {
                    let _ = writeln!(text, "+ table {table}");
                }
                (Some(old), Some(new)) => {
                    for row in old.iter().filter(|row| !new.contains(row)) {
                        let _ = writeln!(text, "- {table} {row}");
                    }
                    for row in new.iter().filter(|row| !old.contains(row)) {
                        let _ = writeln!(text, "+ {table} {row}");
                    }
                    if old != new && old.len() != new.len() && text.is_empty() {
                        let _ = writeln!(
                            text,
                            "  {table}: the same rows, but {} and then {}",
                            old.len(),
                            new.len()
                        );
                    }
                }
                (None, None) => {}
            }
        }
        for (path, hash) in &self.files {
            if after.files.get(path) != Some(hash) {
                let _ = writeln!(text, "- {path} {hash}");
            }
        }
        for (path, hash) in &after.files {
            if self.files.get(path) != Some(hash) {
                let _ = writeln!(text, "+ {path} {hash}");
            }
        }
        text
    }

    /// Fails with the differences unless `after` is the same.
    ///
    /// # Panics
    ///
    /// When it is not.
    #[track_caller]
    pub fn assert_same(&self, after: &Self) {
        let difference = self.difference(after);
        assert!(self == after, "the site is not what it was:\n{difference}");
    }
}

pub(crate) fn dump(tables: &str, root: &Path, shipped: &Path) -> Dump {
    let tables: Map<String, Value> = serde_json::from_str(tables).expect("tables as JSON");
    let mut rows: BTreeMap<String, Vec<Map<String, Value>>> = tables
        .iter()
        .map(|(name, table)| (name.clone(), objects(table)))
        .collect();
    let journal = take_journal(&mut rows);
    normalise(&mut rows);
    let tables = rows
        .into_iter()
        .map(|(name, rows)| {
            let mut rows: Vec<String> = rows
                .into_iter()
                .map(|row| Value::Object(row).to_string())
                .collect();
            rows.sort();
            (name, rows)
        })
        .collect();
    let mut files = BTreeMap::new();
    walk(root, "", shipped, &mut files);
    Dump {
        tables,
        files,
        journal,
    }
}

fn objects(table: &Value) -> Vec<Map<String, Value>> {
    let columns: Vec<&str> = table["columns"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let rows = table["rows"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_array);
    rows.map(|row| {
        columns
            .iter()
            .map(|c| (*c).to_owned())
            .zip(row.iter().cloned())
            .collect()
    })
    .collect()
}

fn text<'a>(row: &'a Map<String, Value>, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

fn take_journal(rows: &mut BTreeMap<String, Vec<Map<String, Value>>>) -> Option<String> {
    let options = rows.get_mut("wp_options")?;
    let at = options
        .iter()
        .position(|row| text(row, "option_name") == "fabrik_journal")?;
    Some(text(&options.remove(at), "option_value").to_owned())
}

fn normalise(rows: &mut BTreeMap<String, Vec<Map<String, Value>>>) {
    if let Some(options) = rows.get_mut("wp_options") {
        options.retain(|row| {
            let name = text(row, "option_name");
            !(name.starts_with("_transient_")
                || name.starts_with("_site_transient_")
                || [
                    "cron",
                    "rewrite_rules",
                    "can_compress_scripts",
                    "recently_activated",
                    "fabrik_structure",
                ]
                .contains(&name))
        });
    }
    let mut there = Vec::new();
    if let Some(posts) = rows.get_mut("wp_posts") {
        posts.retain(|row| {
            !["revision", "auto-draft"].contains(&text(row, "post_type"))
                && text(row, "post_status") != "auto-draft"
        });
        there = posts.iter().map(|row| text(row, "ID").to_owned()).collect();
    }
    for (table, key) in [
        ("wp_postmeta", "post_id"),
        ("wp_term_relationships", "object_id"),
    ] {
        // A link's terms have ids of links: there are no links since WordPress 3.5.
        if let Some(rows) = rows.get_mut(table) {
            rows.retain(|row| there.iter().any(|id| id == text(row, key)));
        }
    }
    for (table, own) in [
        ("wp_options", "option_id"),
        ("wp_postmeta", "meta_id"),
        ("wp_termmeta", "meta_id"),
        ("wp_commentmeta", "meta_id"),
        ("wp_usermeta", "umeta_id"),
    ] {
        for row in rows.get_mut(table).into_iter().flatten() {
            row.remove(own);
        }
    }
    if let Some(meta) = rows.get_mut("wp_postmeta") {
        meta.retain(|row| text(row, "meta_key") != "_edit_lock");
    }
    if let Some(meta) = rows.get_mut("wp_usermeta") {
        meta.retain(|row| text(row, "meta_key") != "session_tokens");
        for row in meta
            .iter_mut()
            .filter(|row| text(row, "meta_key") == "_application_passwords")
        {
            let value = unused(text(row, "meta_value"));
            row.insert("meta_value".into(), value.into());
        }
    }
}

/// Serialised application passwords without `last_used` and `last_ip`.
fn unused(serialised: &str) -> String {
    let mut text = serialised.to_owned();
    for key in [r#"s:9:"last_used";"#, r#"s:7:"last_ip";"#] {
        let mut from = 0;
        while let Some(at) = text[from..].find(key).map(|at| from + at + key.len()) {
            let Some(end) = text[at..].find(';').map(|end| at + end + 1) else {
                break;
            };
            text.replace_range(at..end, "N;");
            from = at;
        }
    }
    text
}

fn walk(root: &Path, below: &str, shipped: &Path, files: &mut BTreeMap<String, String>) {
    let dir = root.join(below);
    for entry in fs::read_dir(&dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        let kind = entry.file_type().expect("its type");
        if kind.is_symlink() {
            let target = fs::read_link(entry.path()).expect("the link's target");
            files.insert(path, format!("-> {}", target.display()));
        } else if kind.is_dir() {
            if path == "wp-content/database" {
                continue;
            }
            let made = ["uploads", "languages", "upgrade", "upgrade-temp-backup"];
            let second = path
                .strip_prefix("wp-content/")
                .and_then(|rest| rest.split('/').next());
            if !second.is_some_and(|name| made.contains(&name)) {
                files.insert(format!("{path}/"), String::new());
            }
            walk(root, &path, shipped, files);
        } else {
            let hash = if same_file(&entry.path(), &shipped.join(&path)) {
                "=".into()
            } else {
                hash(&entry.path())
            };
            files.insert(path, hash);
        }
    }
}

/// Whether both are one file under two names.
fn same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

fn hash(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    hex(&Sha256::digest(&bytes))
}

//! What the project depends on: not too much, from one place, under licences that fit.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::support::{read, root};

/// Most packages the lock file may name. Raising it is a decision, not a habit.
const MOST: usize = 400;

/// Never depended on: each has a better or lighter counterpart here.
const BANNED: &[(&str, &str)] = &[
    ("aws-lc-sys", "rustls with ring needs no cmake"),
    ("chrono", "jiff"),
    ("native-tls", "rustls"),
    ("openssl-sys", "rustls"),
    ("serde_yaml", "the spanned reader of the spec"),
];

/// In one version only: values of theirs cross crates, or two copies are costly.
const SINGLE: &[&str] = &[
    "fabrik-core",
    "http",
    "hyper",
    "jiff",
    "reqwest",
    "rusqlite",
    "rustls",
    "schemars",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
];

/// Licences that may be combined with ours.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Name and version of every package, and where it comes from.
fn packages(lock: &str) -> Vec<(String, String, Option<String>)> {
    let field = |block: &str, name: &str| {
        let line = block
            .lines()
            .find(|line| line.starts_with(&format!("{name} = ")))?;
        Some(line.split('"').nth(1)?.to_owned())
    };
    lock.split("[[package]]")
        .skip(1)
        .map(|block| {
            let must = |name| field(block, name).unwrap_or_else(|| panic!("{name}: {block}"));
            (must("name"), must("version"), field(block, "source"))
        })
        .collect()
}

#[test]
fn the_lock_file_stays_small_and_clean() {
    let packages = packages(&read("Cargo.lock"));
    assert!(packages.len() <= MOST, "{} packages", packages.len());
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, version, source) in &packages {
        versions.entry(name).or_default().insert(version);
        let from = source.as_deref().unwrap_or("registry+");
        assert!(from.starts_with("registry+"), "{name} is from {from}");
    }
    for (name, instead) in BANNED {
        assert!(!versions.contains_key(name), "not {name}: {instead}");
    }
    for name in SINGLE {
        let found = versions.get(name).map_or(0, BTreeSet::len);
        assert!(found <= 1, "{name} in {found} versions");
    }
}

#[test]
fn licences_fit() {
    let cargo = crate::support::variable("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    // Only what is built for this platform: the rest need not even be downloaded.
    let built: BTreeSet<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or_default();
        // Good enough for how crates write it: one of the alternatives fits, in all its parts.
        let fits = licence.replace('/', " OR ").split(" OR ").any(|choice| {
            choice
                .split(" AND ")
                .map(|part| part.trim_matches(|letter| "() ".contains(letter)))
                .all(|part| LICENCES.contains(&part))
        });
        if built.contains(package["id"].as_str().unwrap()) && !fits {
            wrong.push(format!("{}: {licence:?}", package["name"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

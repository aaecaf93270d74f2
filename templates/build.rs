//! Embeds every folder beside this file that has a `template.json`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let mut code = String::from("&[\n");
    for name in names(&here) {
        let folder = here.join(&name);
        if !folder.join("template.json").is_file() {
            continue;
        }
        println!("cargo::rerun-if-changed={}", folder.display());
        let about = folder.join("template.json").display().to_string();
        let mut files = Vec::new();
        walk(&folder.join("files"), "", &mut files);
        let _ = writeln!(
            code,
            "    Embedded {{ name: {name:?}, about: include_str!({about:?}), files: &["
        );
        for file in files {
            let path = folder.join("files").join(&file).display().to_string();
            let _ = writeln!(code, "        ({file:?}, include_str!({path:?})),");
        }
        code.push_str("    ] },\n");
    }
    code.push(']');
    println!("cargo::rerun-if-changed={}", here.display());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo"));
    std::fs::write(out.join("embedded.rs"), code).expect("the output folder can be written");
}

/// Names in a folder, sorted: the same order on every machine.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| {
            entry
                .expect("a readable entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort();
    names
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for name in names(folder) {
        let path = folder.join(&name);
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            walk(&path, &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}

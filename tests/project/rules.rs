//! Rules of the source that no compiler knows.

use crate::support::{files, read};

/// Longest source file, tests inside it included.
const LONGEST: usize = 700;

fn sources() -> Vec<String> {
    files("")
        .into_iter()
        .filter(|file| file.contains("src/"))
        .filter(|file| {
            std::path::Path::new(file)
                .extension()
                .is_some_and(|end| end == "rs")
        })
        .collect()
}

#[test]
fn no_source_file_is_too_long() {
    let sources = sources();
    assert!(sources.len() > 150, "the sources are found");
    let long: Vec<String> = sources
        .iter()
        .map(|file| (file, read(file).lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(file, lines)| format!("{file}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines: {long:#?}");
}

/// The linter looks at code; examples in documentation are code that people copy.
#[test]
fn nothing_is_left_to_be_written() {
    let stands_in = [concat!("to", "do!("), concat!("unimple", "mented!(")];
    let found: Vec<String> = sources()
        .into_iter()
        .chain(files("examples"))
        // Pictures.
        .filter(|file| !file.ends_with(".png") && !file.ends_with(".jpg"))
        .filter(|file| {
            let text = read(file);
            stands_in.iter().any(|word| text.contains(word))
        })
        .collect();
    assert!(found.is_empty(), "something is missing in {found:?}");
}

/// A file without its comments and without the tests at its end.
fn code(file: &str) -> String {
    let text = read(file);
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The core's sources, without files of tests.
fn core() -> Vec<String> {
    let mut files = files("fabrik-core/src");
    files.retain(|file| {
        file.ends_with(".rs") && !file.contains("/tests") && !file.contains("testing")
    });
    files
}

#[test]
fn the_core_names_no_provider() {
    // Not `wordpress`, which is also the name of a kind of app.
    let mut names: Vec<String> = ["cloudflare", "coolify", "duplicati", "kuma", "namecheap"]
        .into_iter()
        .chain(["powerdns", "restic", "supabase", "kubernetes"])
        .map(str::to_owned)
        .collect();
    // Folders of crates that are no providers.
    let not = [
        "all", "checks", "compose", "dns", "exec", "fakes", "http", "testkit",
    ];
    let folders = std::fs::read_dir(crate::support::root().join("fabrik-providers")).unwrap();
    for entry in folders.flatten() {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() && !not.contains(&name.as_str()) {
            // `local` is also a word; as a provider it stands in quotes. `memory` is also a field,
            // `wordpress` also a kind of app.
            if name != "memory" && name != "wordpress" {
                names.push(format!("\"{name}\""));
            }
            names.push(format!("\"{name}."));
        }
    }
    let allowed = [
        // Examples in the pages of error codes.
        "fabrik-core/src/codes/",
        // The runtime when nothing else is configured.
        "fabrik-core/src/spec/roles.rs",
    ];
    let mut found = Vec::new();
    for file in core() {
        if allowed.iter().any(|prefix| file.starts_with(prefix)) {
            continue;
        }
        let code = code(&file).to_ascii_lowercase();
        found.extend(
            names
                .iter()
                .filter(|name| code.contains(name.as_str()))
                .map(|name| format!("{file}: {name}")),
        );
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_core_prints_nothing_and_exits_nowhere() {
    // Clippy says so, too; but an `expect` there would silence it.
    let calls = [
        "println!(",
        "eprintln!(",
        "print!(",
        "process::exit(",
        "std::env::var",
    ];
    for file in core() {
        let code = code(&file);
        for call in calls {
            assert!(!code.contains(call), "{file}: {call}");
        }
    }
}

#[test]
fn no_file_knows_where_it_was_written() {
    // In two pieces, so that this file does not hold them either.
    let places = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/home/", "runner"),
    ];
    for file in files("") {
        let bytes = std::fs::read(crate::support::root().join(&file)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for place in places {
            assert!(!text.contains(place), "{file} mentions {place}");
        }
    }
}

#[test]
fn every_package_says_what_it_is() {
    for file in files("") {
        if !file.ends_with("Cargo.toml") || file == "Cargo.toml" || file.contains("third-party") {
            continue;
        }
        let text = read(&file);
        for needed in [
            "description = ",
            "license.workspace = true",
            "[lints]\nworkspace = true",
        ] {
            assert!(text.contains(needed), "{file} lacks {needed:?}");
        }
    }
}

#[test]
fn every_error_code_has_a_page() {
    let mut missing = Vec::new();
    for file in sources() {
        let code = code(&file);
        for (at, _) in code.match_indices("\"FAB") {
            let name = &code[at + 1..(at + 8).min(code.len())];
            let is_code = name.len() == 7 && name[3..].bytes().all(|byte| byte.is_ascii_digit());
            if is_code && fabrik_core::codes::explain(name).is_none() {
                missing.push(format!("{file}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

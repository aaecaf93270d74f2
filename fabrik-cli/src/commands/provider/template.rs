//! The files of a new provider: those of `templates/provider`, a provider of the service Acme, with
//! its name replaced. The guide shows the same files.

use std::path::Path;
use std::path::PathBuf;

/// What a provider talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A service with an HTTP API.
    Http,
    /// Anything else.
    Plain,
}

/// Where a crate gets Fabrik from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A checkout.
    Path(PathBuf),
    /// The registry.
    Registry,
}

/// Files of a folder of `templates/provider`: where each goes, and its text.
macro_rules! files {
    ($folder:literal: $($from:literal => $to:literal),* $(,)?) => {
        &[$((
            $to,
            include_str!(concat!(
                "../../../templates/provider/", $folder, "/", $from)),
        )),*]
    };
}

type Files = &'static [(&'static str, &'static str)];

const COMMON: Files = files!("common":
    "gitignore" => ".gitignore",
    "ci.yml" => ".github/workflows/ci.yml",
    "LICENSE" => "LICENSE",
    "main.rs" => "src/main.rs",
);
const HTTP: Files = files!("http":
    "Cargo.toml.in" => "Cargo.toml",
    "README.md" => "README.md",
    "AGENTS.md" => "AGENTS.md",
    "CONFORMANCE.md" => "CONFORMANCE.md",
    "src/lib.rs" => "src/lib.rs",
    "src/client.rs" => "src/client.rs",
    "src/config.rs" => "src/config.rs",
    "src/note.rs" => "src/note.rs",
    "tests/conformance.rs" => "tests/conformance.rs",
    "tests/fake/mod.rs" => "tests/fake/mod.rs",
    "tests/schemas/acme.note.json" => "tests/schemas/acme.note.json",
);
const PLAIN: Files = files!("plain":
    "Cargo.toml.in" => "Cargo.toml",
    "README.md" => "README.md",
    "AGENTS.md" => "AGENTS.md",
    "CONFORMANCE.md" => "CONFORMANCE.md",
    "src/lib.rs" => "src/lib.rs",
    "src/config.rs" => "src/config.rs",
    "src/note.rs" => "src/note.rs",
    "tests/conformance.rs" => "tests/conformance.rs",
    "tests/schemas/acme.note.json" => "tests/schemas/acme.note.json",
);

/// Fabrik's packages that a template depends on, and where they are in a checkout.
const PACKAGES: [(&str, &str); 4] = [
    ("fabrik-cli", "fabrik-cli"),
    ("fabrik-core", "fabrik-core"),
    ("fabrik-http", "fabrik-providers/http"),
    ("fabrik-testkit", "fabrik-providers/testkit"),
];

/// Whether a name can be a provider's, a module's and the first half of a type's.
pub(super) fn is_name(name: &str) -> bool {
    let words = ["crate", "self", "super", "fabrik", "core", "std", "test"];
    name.len() <= 40
        && !words.contains(&name)
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('_')
        && !name.contains("__")
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The package of a provider.
pub(super) fn package(name: &str) -> String {
    format!("fabrik-provider-{}", name.replace('_', "-"))
}

/// Every file of a provider of this name: path and text.
pub(super) fn render(kind: Kind, name: &str, source: &Source) -> Vec<(String, String)> {
    let own = match kind {
        Kind::Http => HTTP,
        Kind::Plain => PLAIN,
    };
    let files = COMMON.iter().chain(own);
    files
        .map(|(path, text)| {
            let text = named(text, name);
            let text = match *path {
                "Cargo.toml" => dependencies(&text, source),
                _ => text,
            };
            (named(path, name), text)
        })
        .collect()
}

/// The text with another name than Acme's.
fn named(text: &str, name: &str) -> String {
    let title: String = name
        .split('_')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect();
    text.replace("fabrik-provider-acme", &package(name))
        .replace("acme", name)
        .replace("Acme", &title)
        .replace("ACME", &name.to_uppercase())
}

/// The manifest with Fabrik's packages from their source. In the template a line is
/// `fabrik-core = { fabrik, features = … }`.
fn dependencies(manifest: &str, source: &Source) -> String {
    let mut text = String::new();
    for line in manifest.lines() {
        let package = PACKAGES.iter().find(|(package, _)| {
            line.strip_prefix(package)
                .is_some_and(|rest| rest.starts_with(" = { fabrik"))
        });
        match package {
            Some((_, folder)) => {
                let from = match source {
                    Source::Path(path) => format!("path = {:?}", path.join(Path::new(folder)).display().to_string()),
                    Source::Registry => format!("version = {:?}", env!("CARGO_PKG_VERSION")),
                };
                text.push_str(&line.replacen("{ fabrik", &format!("{{ {from}"), 1));
            }
            None if line == "# fabrik" => text.push_str(match source {
                Source::Path(_) => "# Fabrik from a checkout; for others to build this, name versions instead.",
                Source::Registry => "# Fabrik by its version; with a checkout of it, `{ path = \"…/fabrik-core\" }` and so on.",
            }),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["acme", "my_api", "s3", "a"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "", "Acme", "my-api", "3s", "_a", "a_", "a__b", "é", "self", "a b",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn nothing_is_left_of_the_template() {
        for (kind, source) in [
            (Kind::Http, Source::Path(PathBuf::from("../fabrik"))),
            (Kind::Plain, Source::Registry),
        ] {
            let files = render(kind, "my_api", &source);
            for (path, text) in &files {
                assert!(!text.to_lowercase().contains("acme"), "{path}");
                assert!(
                    !text.contains("{ fabrik") && !text.contains("# fabrik\n"),
                    "{path}"
                );
            }
            let text = |name: &str| &files.iter().find(|(path, _)| path == name).unwrap().1;
            assert!(text("Cargo.toml").contains("name = \"fabrik-provider-my-api\""));
            assert!(text("src/note.rs").contains("\"my_api.note\""));
            let from = match source {
                Source::Path(_) => "fabrik-core = { path = \"../fabrik/fabrik-core\" }",
                Source::Registry => "fabrik-core = { version = \"0.1.0\" }",
            };
            assert!(text("Cargo.toml").contains(from), "{}", text("Cargo.toml"));
        }
    }
}

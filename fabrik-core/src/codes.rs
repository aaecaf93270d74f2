//! Error codes and the page that explains each (`fabrik explain CODE`).
//!
//! A code is a constant and a [`Page`] in one of the tables; [`explain`] finds it. To add codes,
//! write a table like those of `FAB1xxx` and name it in `TABLES`.

mod engine;
mod spec;

pub use engine::*;
pub use spec::*;

/// What there is to say about a code.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The code: `FAB1003`.
    pub code: &'static str,
    /// One lower-case line.
    pub title: &'static str,
    /// Why it happens and what it means.
    pub text: &'static str,
    /// Something that gives it.
    pub example: &'static str,
    /// What to do.
    pub fix: &'static str,
}

/// Every table of pages.
const TABLES: &[&[Page]] = &[spec::PAGES, engine::PAGES];

/// The page of a code, in upper or lower case.
///
/// ```
/// let page = fabrik_core::codes::explain("fab1003").expect("a known code");
/// assert_eq!(page.title, "unknown field");
/// assert!(fabrik_core::codes::explain("FAB0000").is_none());
/// ```
pub fn explain(code: &str) -> Option<&'static Page> {
    all().find(|page| page.code.eq_ignore_ascii_case(code))
}

/// Every page, table by table.
pub fn all() -> impl Iterator<Item = &'static Page> {
    TABLES.iter().copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes written as text in a source file.
    fn codes_in(text: &str) -> Vec<&str> {
        text.match_indices("FAB")
            .filter_map(|(at, _)| text.get(at..at + 7))
            .filter(|code| code[3..].bytes().all(|byte| byte.is_ascii_digit()))
            .collect()
    }

    #[test]
    fn every_code_in_the_sources_has_a_page() {
        fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    found.extend(codes_in(&text).into_iter().map(str::to_owned));
                }
            }
        }
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut crates = vec![root.join("fabrik-core"), root.join("fabrik-cli")];
        for entry in std::fs::read_dir(root.join("fabrik-providers")).unwrap() {
            crates.push(entry.unwrap().path());
        }
        let mut found = Vec::new();
        for source in crates.iter().map(|root| root.join("src")) {
            if source.is_dir() {
                walk(&source, &mut found);
            }
        }
        assert!(found.len() > 60);
        found.retain(|code| code != "FAB0000"); // the one that never is
        for code in found {
            assert!(explain(&code).is_some(), "{code} has no page");
        }
    }

    #[test]
    fn every_page_is_complete_and_once() {
        let mut seen = std::collections::BTreeSet::new();
        for page in all() {
            assert!(seen.insert(page.code), "{} twice", page.code);
            assert!(
                page.code.len() == 7 && page.code.starts_with("FAB"),
                "{}",
                page.code
            );
            for text in [page.title, page.text, page.example, page.fix] {
                assert!(!text.trim().is_empty(), "{}", page.code);
            }
        }
    }
}

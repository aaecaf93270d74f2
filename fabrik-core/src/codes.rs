//! Error codes and the page that explains each (`fabrik explain CODE`).
//!
//! A code is a constant and a [`Page`] in one of the tables; [`explain`] finds it. To add codes,
//! write a table like [`spec`]'s and name it in `TABLES`.

mod spec;

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
const TABLES: &[&[Page]] = &[spec::PAGES];

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

    #[test]
    fn every_page_is_complete_and_once() {
        let mut seen = std::collections::BTreeSet::new();
        for page in all() {
            assert!(seen.insert(page.code), "{} twice", page.code);
            assert!(page.code.len() == 7 && page.code.starts_with("FAB"), "{}", page.code);
            for text in [page.title, page.text, page.example, page.fix] {
                assert!(!text.trim().is_empty(), "{}", page.code);
            }
        }
    }
}

//! Patterns in which `*` stands for anything, also for nothing.

/// Whether a text fits a pattern.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_stand_for_anything() {
        let cases = [
            ("/*", "/", true),
            ("/*", "/a/b", true),
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/assets/*", "/assets/x.js", true),
            ("/assets/*", "/other", false),
            ("/*.js", "/a/b.js", true),
            ("/*.js", "/a/b.css", false),
            ("/a/*/c/*.js", "/a/b/c/d.js", true),
            ("*.db-*", "x.db-wal", true),
            ("target", "targets", false),
            ("*", "anything", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}

//! Words for a POSIX shell.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Appends a word so that a POSIX shell reads back the very same bytes.
///
/// Within single quotes nothing is special but the quote itself: POSIX.1-2017, Shell Command
/// Language, 2.2.2.
pub(crate) fn push_word(text: &mut Vec<u8>, word: &OsStr) {
    let bytes = word.as_bytes();
    let is_plain = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b',' | b'@')
    };
    if !bytes.is_empty() && bytes.iter().all(is_plain) {
        text.extend_from_slice(bytes);
        return;
    }
    text.push(b'\'');
    for &byte in bytes {
        if byte == b'\'' {
            text.extend_from_slice(br"'\''");
        } else {
            text.push(byte);
        }
    }
    text.push(b'\'');
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use proptest::prelude::*;

    use super::*;

    /// What a real `sh` makes of the words.
    fn round_trip(words: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut text = br"printf '%s\0' x".to_vec();
        for word in words {
            text.push(b' ');
            push_word(&mut text, &OsString::from_vec(word.clone()));
        }
        let out = std::process::Command::new("sh")
            .arg("-c")
            .arg(OsString::from_vec(text))
            .output()
            .unwrap();
        assert!(out.status.success(), "{out:?}");
        let mut found: Vec<Vec<u8>> = out
            .stdout
            .split(|byte| *byte == 0)
            .map(<[u8]>::to_vec)
            .collect();
        // After the last NUL, and the first word.
        found.pop();
        found.remove(0);
        found
    }

    #[test]
    fn what_shells_find_special_survives() {
        let words: Vec<Vec<u8>> = [
            "", "'", "''", "\\", "\\'", "$HOME", "`id`", "$(id)", "a b", "a\nb", "!x", "~",
            "~root", "*", "{a,b}", "-n", "--", "a=b", "#", ";", "&", "|", "\u{e9}",
        ]
        .iter()
        .map(|word| word.as_bytes().to_vec())
        .collect();
        assert_eq!(round_trip(&words), words);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_bytes_but_nul_survive(words in prop::collection::vec(prop::collection::vec(1_u8..=255, 0..40), 1..6)) {
            prop_assert_eq!(round_trip(&words), words);
        }
    }
}

//! One-time passwords for two-factor logins (RFC 6238 with its usual settings: HMAC-SHA1, 30 s
//! steps, six digits), as authenticator apps make them.

use std::fmt::Write as _;

use sha1::{Digest as _, Sha1};

/// Length of a step in seconds.
pub(crate) const STEP: u64 = 30;

/// Whether the text is a finished code rather than a key.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The code of a key at a time in Unix seconds; `None` when the key is no base32.
pub(crate) fn code(key: &str, seconds: u64) -> Option<String> {
    let key = base32(key)?;
    let mac = hmac(&key, &(seconds / STEP).to_be_bytes());
    let start = usize::from(mac[19] & 15);
    let bits = mac[start..start + 4]
        .iter()
        .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    let mut code = String::with_capacity(6);
    write!(code, "{:06}", (bits & 0x7fff_ffff) % 1_000_000).ok()?;
    Some(code)
}

fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text
        .bytes()
        .filter(|byte| !matches!(byte, b' ' | b'-' | b'='))
    {
        let five = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(five)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 20] {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..20].copy_from_slice(&Sha1::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let hash = |pad: u8, text: &[u8]| -> [u8; 20] {
        let mut hash = Sha1::new();
        hash.update(block.map(|byte| byte ^ pad));
        hash.update(text);
        hash.finalize().into()
    };
    hash(0x5c, &hash(0x36, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 6238, appendix B, cut to six digits; the key is `12345678901234567890`.
    #[test]
    fn codes_are_those_of_the_standard() {
        let key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(key, seconds).as_deref(), Some(expected));
        }
        assert_eq!(
            code("gezd gnbv gy3t qojq gezd gnbv gy3t qojq", 59).as_deref(),
            Some("287082")
        );
        assert_eq!(code("not base32!", 59), None);
        assert!(is_code("012345"));
        assert!(!is_code("GEZDGN"));
    }
}

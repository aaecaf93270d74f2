//! Stored records as JSON, with what guards them against damage.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Effect, Error, ErrorKind, Result};

/// Deepest nesting stored: the reader refuses more than 128, and a record may lie inside another.
pub(super) const DEEPEST: usize = 100;

/// The stored form.
///
/// # Errors
/// [`ErrorKind::Unexpected`] for a secret that was not sealed, [`ErrorKind::Invalid`] for data
/// nested so deep that it could not be read back.
pub(super) fn encode<T: Serialize + ?Sized>(record: &T) -> Result<String> {
    encode_within(DEEPEST, record)
}

/// As [`encode`], for what holds records.
pub(super) fn encode_within<T: Serialize + ?Sized>(deepest: usize, record: &T) -> Result<String> {
    let text = serde_json::to_string(record).map_err(|error| {
        Error::new(
            ErrorKind::Unexpected,
            format!("state cannot be written: {error}"),
        )
        .effect(Effect::None)
    })?;
    if depth(text.as_bytes()) > deepest {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("state is not kept of data nested more than {deepest} levels deep"),
        ));
    }
    Ok(text)
}

/// Reads a stored form; the error says why it cannot be one.
pub(super) fn decode<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A 64-bit sum over parts of a record, to find damage (not forgery). Any change within eight
/// aligned bytes changes the sum for certain.
#[derive(Clone, Copy)]
pub(super) struct Sum(u64);

impl Sum {
    /// A sum of a kind of record: equal bytes of two kinds have different sums.
    pub(super) fn of(kind: &str) -> Sum {
        Sum(0x5bd1_e995_9d1f_4a3b).text(kind.as_bytes())
    }

    /// Adds bytes, with their length.
    pub(super) fn text(self, bytes: &[u8]) -> Sum {
        let mut sum = self.number(bytes.len() as u64);
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0_u8; 8];
            word.copy_from_slice(chunk);
            sum = sum.number(u64::from_le_bytes(word));
        }
        let rest = chunks.remainder();
        let mut word = [0_u8; 8];
        word[..rest.len()].copy_from_slice(rest);
        sum.number(u64::from_le_bytes(word))
    }

    /// Adds a number.
    pub(super) fn number(self, number: u64) -> Sum {
        let mixed = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Sum(mixed ^ (mixed >> 29))
    }

    /// The sum as SQL keeps it.
    pub(super) fn value(self) -> i64 {
        self.0.cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn every_flipped_bit_changes_the_sum() {
        let text = b"{\"id\":\"0123456789\",\"port\":8080}".to_vec();
        let sum = |bytes: &[u8]| Sum::of("row").text(bytes).value();
        for at in 0..text.len() * 8 {
            let mut other = text.clone();
            other[at / 8] ^= 1 << (at % 8);
            assert_ne!(sum(&text), sum(&other), "bit {at}");
        }
        assert_ne!(sum(b"a"), sum(b"a\0"));
        assert_ne!(Sum::of("a").value(), Sum::of("b").value());
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let nested = |depth| (0..depth).fold(Value::Null, |inner, _| Value::list([inner]));
        assert!(encode(&nested(DEEPEST)).is_ok());
        assert_eq!(
            encode(&nested(DEEPEST + 1)).unwrap_err().kind(),
            ErrorKind::Invalid
        );
        assert_eq!(depth(br#"{"a[[[\"[[":[{}]}"#), 3);
        assert_eq!(
            encode(&Value::secret("x")).unwrap_err().kind(),
            ErrorKind::Unexpected
        );
    }
}

//! Sharing of equal texts while much is decoded at once.
//!
//! State of 100,000 resources repeats a few hundred texts (field names, types, regions) and small
//! containers (tags, settings) millions of times. Inside [`sharing`] each of them is kept once.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use serde::de::{Deserializer, Error, Visitor};

use super::Value;

/// Distinct texts looked after; beyond, new ones are not shared.
const MOST: usize = 1 << 16;
/// Distinct containers looked after.
const MOST_CONTAINERS: usize = 1 << 12;
/// Items of the largest container shared.
const SMALL: usize = 4;
/// Longest text value shared (keys always are): longer ones rarely repeat.
const LONGEST: usize = 32;

/// Hashes short texts that are the user's own, such as addresses, quickly.
pub(crate) type Quick = BuildHasherDefault<Mixer>;

type Texts = HashSet<Arc<str>, Quick>;

#[derive(Default)]
struct Shared {
    texts: Texts,
    addresses: Texts,
    containers: HashMap<u64, Value, Quick>,
}

thread_local! {
    static SHARED: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// Runs `work` with equal texts shared among everything it decodes on this thread.
pub(crate) fn sharing<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Shared>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            SHARED.with(|shared| *shared.borrow_mut() = before);
        }
    }
    let before = SHARED.with(|shared| shared.borrow_mut().replace(Shared::default()));
    let _restore = Restore(before);
    work()
}

/// The text, shared when it is short and sharing is on.
pub(super) fn text(text: &str) -> Arc<str> {
    if text.len() > LONGEST {
        return text.into();
    }
    key(text)
}

/// The text of a key, shared when sharing is on.
pub(crate) fn key(text: &str) -> Arc<str> {
    with(text, |shared| &mut shared.texts, MOST)
}

/// The text of an address, shared when sharing is on: dependencies repeat them.
pub(crate) fn address(text: &str) -> Arc<str> {
    with(text, |shared| &mut shared.addresses, usize::MAX)
}

/// A list or map just decoded, shared when it is small, plain, and sharing is on.
pub(super) fn container(new: Value) -> Value {
    let Some(hash) = hash_of(&new) else {
        return new;
    };
    SHARED.with(|shared| {
        let mut shared = shared.borrow_mut();
        let Some(shared) = shared.as_mut() else {
            return new;
        };
        match shared.containers.get(&hash) {
            Some(known) if *known == new => return known.clone(),
            None if shared.containers.len() < MOST_CONTAINERS => {
                shared.containers.insert(hash, new.clone());
            }
            _ => {}
        }
        new
    })
}

/// A hash of a small container of short scalars; `None` for anything else.
fn hash_of(value: &Value) -> Option<u64> {
    fn scalar(value: &Value, mixer: &mut Mixer) -> Option<()> {
        match value {
            Value::Null => mixer.write_u8(0),
            Value::Bool(flag) => mixer.write_u8(1 + u8::from(*flag)),
            Value::Num(number) => mixer.write(number.as_str().as_bytes()),
            Value::Str(text) if text.len() <= LONGEST => mixer.write(text.as_bytes()),
            _ => return None,
        }
        Some(())
    }
    let mut mixer = Mixer::default();
    match value {
        Value::List(items) if items.len() <= SMALL => {
            for item in items.iter() {
                scalar(item, &mut mixer)?;
            }
        }
        Value::Map(map) if map.len() <= SMALL => {
            for (key, item) in map.iter() {
                mixer.write(key.as_bytes());
                scalar(item, &mut mixer)?;
            }
        }
        _ => return None,
    }
    Some(mixer.finish())
}

fn with(text: &str, of: fn(&mut Shared) -> &mut Texts, most: usize) -> Arc<str> {
    SHARED.with(|shared| {
        let mut shared = shared.borrow_mut();
        let Some(texts) = shared.as_mut().map(of) else {
            return text.into();
        };
        if let Some(known) = texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        if texts.len() < most {
            texts.insert(new.clone());
        }
        new
    })
}

/// For `deserialize_with`: a text that repeats, such as the name of a type.
pub(crate) fn repeated<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = Arc<str>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("text")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Arc<str>, E> {
            Ok(key(text))
        }
    }
    deserializer.deserialize_str(Text)
}

/// A quick hash for short texts that come from our own state.
#[derive(Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0_u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_only_inside() {
        let (one, two) = sharing(|| (key("region"), key("region")));
        assert!(Arc::ptr_eq(&one, &two));
        assert!(!Arc::ptr_eq(&key("region"), &key("region")));
        let list = |item: i64| container(Value::list([Value::from(item)]));
        sharing(|| {
            let (Value::List(one), Value::List(two)) = (list(1), list(1)) else {
                unreachable!()
            };
            assert!(Arc::ptr_eq(&one, &two));
            assert_ne!(list(1), list(2));
        });
        let long = "x".repeat(LONGEST + 1);
        sharing(|| assert!(!Arc::ptr_eq(&text(&long), &text(&long))));
    }
}

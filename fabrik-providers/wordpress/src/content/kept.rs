//! What is kept beside an object, to undo its writes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// What a write did with a value of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Set it.
    Set(String),
    /// Made it what it was before Fabrik set it.
    PutBack(String),
    /// Left it alone.
    Not,
}

/// Kept in [`fabrik_core::provider::Object::private`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    /// The row as it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<Json>,
    /// The row from before the last write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Json>,
    /// The hash of the row that the last write left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hash: Option<String>,
    /// For values of the site itself: by their names, what they were before Fabrik set them; null
    /// for one that was not set.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) first: Map<String, Json>,
}

impl Kept {
    /// From the bytes of an object; nothing where there are none.
    pub(crate) fn read(bytes: &[u8]) -> Kept {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// Of an object that was read.
    pub(crate) fn of_raw(raw: &Json) -> Kept {
        Kept {
            raw: Some(raw.clone()),
            ..Kept::default()
        }
    }

    /// After a write: what the site gave of it, what was kept before, and the values of the site that
    /// were written, in their order.
    pub(crate) fn after(result: &Json, former: &Kept, sent: &[Sent]) -> Kept {
        let mut first = former.first.clone();
        let before = result.get("before");
        let values = before.and_then(|before| before.get("values")?.as_array());
        for (sent, value) in sent.iter().zip(values.into_iter().flatten()) {
            match sent {
                Sent::Set(name) => {
                    first.entry(name.clone()).or_insert_with(|| value.clone());
                }
                Sent::PutBack(name) => {
                    first.remove(name);
                }
                Sent::Not => {}
            }
        }
        Kept {
            raw: None,
            before: before.filter(|_| sent.is_empty()).cloned(),
            hash: hash(result),
            first,
        }
    }

    /// As bytes of an object.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The row to put back, when what is there is still what the last write left.
    pub(crate) fn untouched(&self, raw: Option<&Json>) -> Option<&Json> {
        let same = self.hash.is_some() && raw.and_then(hash) == self.hash;
        self.before.as_ref().filter(|_| same)
    }
}

/// The hash that the site gives with a row.
pub(crate) fn hash(raw: &Json) -> Option<String> {
    raw.get("hash")?.as_str().map(str::to_owned)
}

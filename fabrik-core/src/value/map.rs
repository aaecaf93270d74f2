//! The named values of a map, dense in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Value;

type Entry = (Arc<str>, Value);

/// The named values of a [`Value::Map`], in the order of their names.
///
/// They lie side by side in one list: a stack has hundreds of thousands of maps of a few entries,
/// and a tree's node of one entry takes ten times the room. Looking up is a binary search. Adding
/// at the end is quick, adding elsewhere moves what follows: many entries in no order are better
/// collected.
#[derive(Clone, PartialEq, Default)]
pub struct Map(Vec<Entry>);

/// The entries of a [`Map`], by name.
pub type Iter<'a> =
    std::iter::Map<std::slice::Iter<'a, Entry>, fn(&'a Entry) -> (&'a Arc<str>, &'a Value)>;

impl Map {
    /// None yet.
    pub const fn new() -> Map {
        Map(Vec::new())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        match self.0.last() {
            // In order, as when much is read.
            Some((last, _)) if &**last < key => Err(self.0.len()),
            _ => self.0.binary_search_by(|(name, _)| (**name).cmp(key)),
        }
    }

    /// The value of a name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    /// The value of a name, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.find(key).ok().map(|at| &mut self.0[at].1)
    }

    /// Whether there is a value of a name.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// Sets the value of a name; gives the one it had.
    pub fn insert(&mut self, key: Arc<str>, value: Value) -> Option<Value> {
        match self.find(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                // Most maps are small: what is added one by one takes no more than it needs.
                if self.0.len() < 4 {
                    self.0.reserve_exact(1);
                }
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// The value of a name; what `make` gives when there is none yet.
    pub fn get_or_insert_with(
        &mut self,
        key: Arc<str>,
        make: impl FnOnce() -> Value,
    ) -> &mut Value {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, make()));
                at
            }
        };
        &mut self.0[at].1
    }

    /// Takes a name out; gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    /// Keeps the entries that fit.
    pub fn retain(&mut self, mut fits: impl FnMut(&Arc<str>, &mut Value) -> bool) {
        self.0.retain_mut(|(key, value)| fits(key, value));
    }

    /// The entries, by name.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The entries, by name, to change their values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Arc<str>, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The names, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Arc<str>> + ExactSizeIterator + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values, by name.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, by name, to change them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

impl FromIterator<Entry> for Map {
    /// Of one name given twice, the later value counts.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Map {
        let mut entries: Vec<Entry> = entries.into_iter().collect();
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        entries.shrink_to_fit();
        Map(entries)
    }
}

impl Extend<Entry> for Map {
    fn extend<I: IntoIterator<Item = Entry>>(&mut self, entries: I) {
        let more: Map = entries.into_iter().collect();
        if self.is_empty() {
            *self = more;
        } else {
            *self = std::mem::take(self).into_iter().chain(more).collect();
        }
    }
}

impl<const N: usize> From<[Entry; N]> for Map {
    fn from(entries: [Entry; N]) -> Map {
        entries.into_iter().collect()
    }
}

impl From<BTreeMap<Arc<str>, Value>> for Map {
    fn from(entries: BTreeMap<Arc<str>, Value>) -> Map {
        Map(entries.into_iter().collect())
    }
}

impl IntoIterator for Map {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Arc<str>, &'a Value);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// It does what a tree does, whatever is done to it.
        #[test]
        fn it_behaves_as_a_tree(doings in prop::collection::vec((0_u8..4, "[a-e]{0,2}", 0_i64..9), 0..60)) {
            let mut map = Map::new();
            let mut tree: BTreeMap<Arc<str>, Value> = BTreeMap::new();
            for (doing, key, number) in doings {
                let key: Arc<str> = key.into();
                let value = Value::from(number);
                match doing {
                    0 => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                    1 => {
                        let more = [(key.clone(), Value::Null), (key.clone(), value)];
                        map.extend(more.clone());
                        tree.extend(more);
                    }
                    _ => prop_assert_eq!(map.insert(key.clone(), value.clone()), tree.insert(key.clone(), value)),
                }
                prop_assert_eq!(map.get(&key), tree.get(&key));
                prop_assert_eq!(map.contains_key(&key), tree.contains_key(&key));
                prop_assert!(map.iter().eq(tree.iter()));
            }
            prop_assert_eq!(&map, &Map::from(tree.clone()));
            let reversed: Map = tree.into_iter().rev().collect();
            prop_assert_eq!(map, reversed);
        }
    }
}

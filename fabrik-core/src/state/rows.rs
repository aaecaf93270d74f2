//! Objects in state, found by id without a search.

use std::collections::HashMap;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Row;
use crate::provider::OpId;

/// The objects of a [`super::Snapshot`]: reads like a slice of [`Row`]s, and puts, removes and
/// finds one by its id in constant time.
///
/// *Behaviour*
/// - a store loads it in order of address, then id; changes made later do not keep that order
///   ([`Rows::sort`] restores it).
/// - two are equal when they hold the same rows, in whatever order.
#[derive(Clone, Default)]
pub struct Rows {
    rows: Vec<Row>,
    index: HashMap<OpId, usize>,
}

impl Rows {
    /// The row of an id.
    pub fn get(&self, oid: OpId) -> Option<&Row> {
        self.index.get(&oid).map(|at| &self.rows[*at])
    }

    /// Puts a row; one of the same id is replaced and returned.
    pub fn put(&mut self, row: Row) -> Option<Row> {
        if let Some(at) = self.index.get(&row.oid) {
            return Some(std::mem::replace(&mut self.rows[*at], row));
        }
        self.index.insert(row.oid, self.rows.len());
        self.rows.push(row);
        None
    }

    /// Removes the row of an id; the last row takes its place.
    pub fn remove(&mut self, oid: OpId) -> Option<Row> {
        let at = self.index.remove(&oid)?;
        let row = self.rows.swap_remove(at);
        if let Some(moved) = self.rows.get(at) {
            self.index.insert(moved.oid, at);
        }
        Some(row)
    }

    /// Orders by address, then id.
    pub fn sort(&mut self) {
        let key = |row: &Row| (row.address.clone(), row.oid);
        if !self
            .rows
            .is_sorted_by(|a, b| (&a.address, a.oid) <= (&b.address, b.oid))
        {
            self.rows.sort_by_cached_key(key);
            self.index = index(&self.rows);
        }
    }

    /// Visits every row to change what is in it; its id must stay.
    pub(crate) fn try_each_mut<E>(
        &mut self,
        change: impl FnMut(&mut Row) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows.iter_mut().try_for_each(change)
    }
}

fn index(rows: &[Row]) -> HashMap<OpId, usize> {
    rows.iter()
        .enumerate()
        .map(|(at, row)| (row.oid, at))
        .collect()
}

impl Deref for Rows {
    type Target = [Row];
    fn deref(&self) -> &[Row] {
        &self.rows
    }
}

impl From<Vec<Row>> for Rows {
    /// The rows in this order; of several with one id the last counts.
    fn from(rows: Vec<Row>) -> Self {
        let index = index(&rows);
        if index.len() == rows.len() {
            Rows { rows, index }
        } else {
            rows.into_iter().collect()
        }
    }
}

impl From<Rows> for Vec<Row> {
    fn from(rows: Rows) -> Self {
        rows.rows
    }
}

impl FromIterator<Row> for Rows {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        let mut all = Rows::default();
        all.extend(rows);
        all
    }
}

impl Extend<Row> for Rows {
    fn extend<I: IntoIterator<Item = Row>>(&mut self, rows: I) {
        for row in rows {
            self.put(row);
        }
    }
}

impl IntoIterator for Rows {
    type Item = Row;
    type IntoIter = std::vec::IntoIter<Row>;
    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = &'a Row;
    type IntoIter = std::slice::Iter<'a, Row>;
    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|row| other.get(row.oid) == Some(row))
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.rows).finish()
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Rows::from(Vec::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::store_suite::sample_row as row;

    #[test]
    fn rows_are_put_found_replaced_and_removed() {
        let mut rows: Rows = [row(3, "c"), row(1, "a"), row(2, "b")]
            .into_iter()
            .collect();
        assert_eq!(
            rows.put(row(1, "z")).unwrap().address.as_str(),
            "resources.a"
        );
        assert_eq!(rows.remove(OpId(3)).unwrap().oid, OpId(3));
        assert!(rows.remove(OpId(3)).is_none());
        rows.sort();
        let order: Vec<_> = rows.iter().map(|row| row.address.as_str()).collect();
        assert_eq!(order, ["resources.b", "resources.z"]);
        assert_eq!(rows.get(OpId(2)).unwrap().address.as_str(), "resources.b");
        assert_eq!(rows.get(OpId(1)).unwrap().address.as_str(), "resources.z");
    }

    #[test]
    fn of_several_rows_with_one_id_the_last_counts() {
        let rows = Rows::from(vec![row(1, "a"), row(1, "b")]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].address.as_str(), "resources.b");
    }
}

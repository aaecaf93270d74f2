//! Record sets as they are: ids, marks, what is read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, Object, OpId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{DnsRecordInputs, DnsRecordOutputs, RecordType, Seen, at, zone_of};
use crate::api::RecordObject;
use crate::client::Cloudflare;
use crate::names;
use crate::refs::ZoneRef;
use crate::values;

/// What a mark begins with; the number is the version of its form.
const MARK: &str = "fabrik:v1:";
/// What stands between a comment and the mark.
const BETWEEN: &str = " | ";

/// The id of a record set: `ZONE/NAME/TYPE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordId {
    pub(super) zone: String,
    pub(super) name: String,
    pub(super) kind: RecordType,
}

impl RecordId {
    /// The id in a text; a name below the zone and `@` are fine, for imports.
    pub(super) fn parse(text: &str) -> Result<RecordId> {
        let wrong = |why: String| {
            Error::new(
                ErrorKind::Invalid,
                format!("`{text}` is no id of a record set: {why}"),
            )
            .hint("it is written `ZONE/NAME/TYPE`, such as `example.com/www.example.com/A`")
        };
        let shape = || wrong("it must be `ZONE/NAME/TYPE`".to_owned());
        let (zone, rest) = text.split_once('/').ok_or_else(shape)?;
        let (name, kind) = rest.rsplit_once('/').ok_or_else(shape)?;
        let zone = names::host(zone).map_err(wrong)?;
        let name = names::in_zone(name, &zone).map_err(wrong)?;
        let kind = RecordType::named(&kind.to_ascii_uppercase()).ok_or_else(|| {
            let message = format!("there are no records of type `{kind}` here");
            Error::new(ErrorKind::NotFound, message)
        })?;
        Ok(RecordId { zone, name, kind })
    }

    /// Whether a record belongs to the set.
    pub(super) fn holds(&self, record: &RecordObject) -> bool {
        record.kind == self.kind.name() && record.name.eq_ignore_ascii_case(&self.name)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.zone, self.name, self.kind.name())
    }
}

/// Where a set's inputs put it; `None` when its zone is not there, or they are wrong, which is told
/// elsewhere.
pub(super) async fn place(
    cx: &Cx,
    client: &Cloudflare,
    spec: &DnsRecordInputs,
) -> Result<Option<(Arc<ZoneRef>, RecordId)>> {
    let zone = match zone_of(cx, client, spec.zone.as_deref(), &spec.name).await {
        Ok(zone) => zone,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let id = id_in(&zone, spec).ok();
    Ok(id.map(|id| (zone, id)))
}

pub(super) fn id_in(zone: &ZoneRef, spec: &DnsRecordInputs) -> Result<RecordId> {
    let name = names::in_zone(&spec.name, &zone.name)
        .map_err(|why| Error::new(ErrorKind::Invalid, why).field(at("name")))?;
    Ok(RecordId {
        zone: zone.name.clone(),
        name,
        kind: spec.kind,
    })
}

/// What is kept with the object, never shown: the records behind the values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Private {
    /// The mark that the records carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<String>,
    pub(super) records: Vec<Kept>,
}

/// One record of a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) id: String,
    /// The digest of its value: a value may be a secret, and this is not encrypted.
    pub(super) value: String,
    pub(super) ttl: u32,
    pub(super) proxied: bool,
    /// As it is, with the mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
}

impl Kept {
    pub(super) fn of(record: &RecordObject) -> Kept {
        let proxied = record.proxied.unwrap_or(false);
        let ttl = record.ttl.and_then(|ttl| u32::try_from(ttl).ok());
        Kept {
            id: record.id.clone(),
            value: digest(&values::from_wire(record)),
            ttl: if proxied { 1 } else { ttl.unwrap_or(1) },
            proxied,
            comment: record.comment.clone().filter(|comment| !comment.is_empty()),
            tags: sorted(record.tags.clone().unwrap_or_default()),
        }
    }
}

/// What stands for a canonical value where it must not be readable.
pub(super) fn digest(value: &str) -> String {
    let digest = Sha256::digest(value.as_bytes());
    fabrik_core::hex::encode(&digest[..16])
}

pub(super) fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort();
    tags.dedup();
    tags
}

impl Private {
    pub(super) fn of(records: &[&RecordObject]) -> Private {
        let records: Vec<Kept> = records.iter().map(|record| Kept::of(record)).collect();
        let mark = records
            .iter()
            .find_map(|record| split_comment(record.comment.as_deref()).1);
        Private { mark, records }
    }

    /// What was kept with an object; `None` when nothing was.
    pub(super) fn kept(object: &Object) -> Option<Private> {
        serde_json::from_slice(&object.private).ok()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The records that may be changed.
pub(super) fn changeable(records: &[RecordObject]) -> Vec<&RecordObject> {
    let records = records.iter().filter(|record| !record.is_read_only());
    records.collect()
}

/// The changeable records by name and type.
pub(super) fn by_name_and_type(
    records: &[RecordObject],
) -> BTreeMap<(&str, &str), Vec<&RecordObject>> {
    let mut sets: BTreeMap<(&str, &str), Vec<&RecordObject>> = BTreeMap::new();
    for record in changeable(records) {
        let key = (record.name.as_str(), record.kind.as_str());
        sets.entry(key).or_default().push(record);
    }
    sets
}

/// A set from its records. What is not the same for all of them is shown as not set, so that it
/// differs from whatever is wanted.
pub(super) fn observe(zone: &ZoneRef, id: &RecordId, records: &[&RecordObject]) -> Seen {
    let private = Private::of(records);
    let kept = &private.records;
    let mut values: Vec<String> = records
        .iter()
        .map(|record| values::from_wire(record))
        .collect();
    values.sort();
    values.dedup();
    let comments: Vec<Option<String>> = kept
        .iter()
        .map(|record| split_comment(record.comment.as_deref()).0)
        .collect();
    let spec = DnsRecordInputs {
        zone: Some(zone.name.clone()),
        name: id.name.clone(),
        kind: id.kind,
        values,
        ttl: alike(kept.iter().map(|record| record.ttl)),
        proxied: alike(kept.iter().map(|record| record.proxied)),
        comment: alike(comments).flatten(),
        tags: alike(kept.iter().map(|record| record.tags.clone())).unwrap_or_default(),
    };
    Observed {
        private: private.bytes(),
        ..Observed::new(spec, outputs(zone, id))
    }
}

pub(super) fn outputs(zone: &ZoneRef, id: &RecordId) -> DnsRecordOutputs {
    DnsRecordOutputs {
        name: id.name.clone(),
        zone_id: zone.id.clone(),
    }
}

fn alike<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Option<T> {
    let mut items = items.into_iter();
    let first = items.next()?;
    items.all(|item| item == first).then_some(first)
}

/// The mark of an operation: short, for comments are.
pub(super) fn mark_of(op: OpId) -> String {
    let op = op.to_string();
    format!("{MARK}{}", op.get(..16).unwrap_or(&op))
}

/// Whether a text looks like a mark, or holds one.
pub(super) fn has_mark(text: &str) -> bool {
    text.contains(MARK)
}

/// A comment without its mark, and the mark.
pub(super) fn split_comment(comment: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(comment) = comment.filter(|comment| !comment.is_empty()) else {
        return (None, None);
    };
    let Some(from) = comment.rfind(MARK) else {
        return (Some(comment.to_owned()), None);
    };
    let (before, mark) = comment.split_at(from);
    let whole = mark.len() == MARK.len() + 16
        && mark[MARK.len()..]
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit());
    if !whole {
        return (Some(comment.to_owned()), None);
    }
    let before = before.strip_suffix(BETWEEN).unwrap_or(before);
    let before = (!before.is_empty()).then(|| before.to_owned());
    (before, Some(mark.to_owned()))
}

/// A comment with the mark, where both have room; the user's words come first.
pub(super) fn join_comment(
    comment: Option<&str>,
    mark: Option<&str>,
    most: usize,
) -> Option<String> {
    let Some(mark) = mark else {
        return comment.map(str::to_owned);
    };
    let Some(comment) = comment else {
        return Some(mark.to_owned());
    };
    let joined = format!("{comment}{BETWEEN}{mark}");
    if joined.chars().count() <= most {
        Some(joined)
    } else {
        Some(comment.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_shape() {
        let id = RecordId::parse("example.com/www/a").unwrap();
        assert_eq!(id.to_string(), "example.com/www.example.com/A");
        let error = RecordId::parse("example.com/www/SPF").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let id = RecordId::parse("example.com/4/27.2.0.192.example.com/PTR").unwrap();
        assert_eq!(id.name, "4/27.2.0.192.example.com");
        for (text, why) in [
            ("nothing", "it must be `ZONE/NAME/TYPE`"),
            ("example.com/www", "it must be `ZONE/NAME/TYPE`"),
        ] {
            let error = RecordId::parse(text).unwrap_err();
            assert_eq!(
                error.message(),
                format!("`{text}` is no id of a record set: {why}")
            );
            assert!(
                error
                    .hint_text()
                    .unwrap()
                    .contains("example.com/www.example.com/A")
            );
        }
    }

    #[test]
    fn marks_stand_at_the_end_of_comments() {
        let mark = mark_of(OpId(0x0123_4567_89ab_cdef_0000_0000_0000_0000));
        assert_eq!(mark, "fabrik:v1:0123456789abcdef");
        for (comment, text) in [
            (None, "fabrik:v1:0123456789abcdef"),
            (Some("mail"), "mail | fabrik:v1:0123456789abcdef"),
        ] {
            let joined = join_comment(comment, Some(&mark), 100).unwrap();
            assert_eq!(joined, text);
            let (before, found) = split_comment(Some(&joined));
            assert_eq!(
                (before.as_deref(), found.as_deref()),
                (comment, Some(mark.as_str()))
            );
        }
        let long = "x".repeat(90);
        assert_eq!(
            join_comment(Some(&long), Some(&mark), 100),
            Some(long.clone())
        );
        assert_eq!(split_comment(Some("fabrik:v1:nothing")).1, None);
        assert_eq!(split_comment(Some("")), (None, None));
    }
}

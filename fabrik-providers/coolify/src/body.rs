//! Request bodies, and marks in descriptions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fabrik_core::provider::OpId;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::client::Row;

/// A request body put together: what is not set is not sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Body(pub(crate) Map<String, Json>);

impl Body {
    /// Sets a field.
    pub(crate) fn set(&mut self, field: &str, value: impl Serialize) {
        self.0.insert(
            field.to_owned(),
            serde_json::to_value(value).unwrap_or_default(),
        );
    }

    /// Sets a field where there is a value.
    pub(crate) fn some(&mut self, field: &str, value: Option<impl Serialize>) {
        if let Some(value) = value {
            self.set(field, value);
        }
    }

    /// What has to be sent so that `there` becomes this: fields that differ, and the reset of those
    /// that were sent before and are no longer wanted.
    pub(crate) fn changes(
        &self,
        there: &Body,
        before: Option<&Body>,
        reset: impl Fn(&str) -> Option<Json>,
    ) -> Body {
        let mut changes = Body::default();
        for (field, value) in &self.0 {
            let shown = there.0.get(field);
            let is_same = match shown {
                Some(shown) => same(shown, value),
                // Not shown: what was sent last counts.
                None => before
                    .and_then(|before| before.0.get(field))
                    .is_some_and(|sent| same(sent, value)),
            };
            if !is_same {
                changes.0.insert(field.clone(), value.clone());
            }
        }
        for field in before
            .iter()
            .flat_map(|before| before.0.keys())
            .chain(there.0.keys())
        {
            let was_sent = before.is_some_and(|before| before.0.contains_key(field));
            if was_sent
                && !self.0.contains_key(field)
                && let Some(value) = reset(field)
                && there.0.get(field).is_none_or(|shown| !same(shown, &value))
            {
                changes.0.insert(field.clone(), value);
            }
        }
        changes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Numbers may come back as text.
fn same(left: &Json, right: &Json) -> bool {
    let text = |json: &Json| match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    left == right || (!left.is_null() && !right.is_null() && text(left) == text(right))
}

/// Base64 of a text.
pub(crate) fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

/// The text of base64; the text itself when it is none.
pub(crate) fn decode(text: &str) -> String {
    let decoded = STANDARD
        .decode(text.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| text.to_owned())
}

/// A description with the mark of the operation that made the object: it finds a create whose reply
/// was lost. Free of characters that projects refuse.
pub(crate) fn marked(description: Option<&str>, mark: &str) -> String {
    match description.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => format!("{text} fabrik={mark}"),
        None => format!("fabrik={mark}"),
    }
}

/// The mark of an operation.
pub(crate) fn mark_of(op: OpId) -> String {
    op.to_string()
}

/// Tells a description and its mark apart.
pub(crate) fn unmarked(row: &Row) -> (Option<String>, Option<String>) {
    let Some(text) = text(row, "description") else {
        return (None, None);
    };
    let Some((before, mark)) = text.rsplit_once("fabrik=") else {
        return (Some(text), None);
    };
    if mark.len() != 32 || !mark.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return (Some(text.clone()), None);
    }
    let before = before.trim();
    (
        (!before.is_empty()).then(|| before.to_owned()),
        Some(mark.to_owned()),
    )
}

/// The description to send so that the mark of what is there stays.
pub(crate) fn remarked(description: Option<&str>, there: &Row) -> Json {
    match (unmarked(there).1, description) {
        (Some(mark), _) => Json::String(marked(description, &mark)),
        (None, Some(text)) => Json::String(text.to_owned()),
        (None, None) => Json::Null,
    }
}

/// The one of several objects that carries the mark of an operation.
pub(crate) fn with_mark(rows: Vec<Row>, op: OpId) -> Option<Row> {
    let wanted = mark_of(op);
    rows.into_iter()
        .find(|row| unmarked(row).1.as_deref() == Some(wanted.as_str()))
}

/// A text field; `None` for null, empty and absent.
pub(crate) fn text(row: &Row, field: &str) -> Option<String> {
    match row.get(field)? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A flag; some come as numbers.
pub(crate) fn flag(row: &Row, field: &str) -> Option<bool> {
    match row.get(field)? {
        Json::Bool(flag) => Some(*flag),
        Json::Number(number) => Some(number.as_i64() != Some(0)),
        _ => None,
    }
}

/// A whole number; some come as text.
pub(crate) fn whole(row: &Row, field: &str) -> Option<i64> {
    match row.get(field)? {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A whole number in the range of its type.
pub(crate) fn number<T: TryFrom<i64>>(row: &Row, field: &str) -> Option<T> {
    whole(row, field).and_then(|number| T::try_from(number).ok())
}

/// Whether the service shows the field at all: a token without `read:sensitive` gets none.
pub(crate) fn is_shown(row: &Row, field: &str) -> bool {
    row.get(field).is_some_and(|value| !value.is_null())
}

/// The id of an object.
pub(crate) fn uuid(row: &Row) -> String {
    text(row, "uuid").unwrap_or_default()
}

/// What a create answers.
#[derive(serde::Deserialize)]
pub(crate) struct Made {
    /// Absent where Coolify answers that a deployment was queued already.
    #[serde(default)]
    pub(crate) uuid: Option<String>,
}

impl Made {
    /// The id.
    ///
    /// # Errors
    /// When there is none: then it is not known what was made.
    pub(crate) fn uuid(self) -> fabrik_core::error::Result<String> {
        self.uuid.filter(|uuid| !uuid.is_empty()).ok_or_else(|| {
            fabrik_core::error::Error::new(
                fabrik_core::error::ErrorKind::Misbehaved,
                "Coolify told no id of what it made",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(description: &str) -> Row {
        Map::from_iter([("description".to_owned(), json!(description))])
    }

    #[test]
    fn a_mark_stays_out_of_the_users_text() {
        let op = OpId(7);
        let text = marked(Some("My api"), &mark_of(op));
        assert_eq!(text, format!("My api fabrik={op}"));
        assert_eq!(
            unmarked(&row(&text)),
            (Some("My api".to_owned()), Some(op.to_string()))
        );
        assert_eq!(
            unmarked(&row(&marked(None, &mark_of(op)))),
            (None, Some(op.to_string()))
        );
        assert_eq!(
            unmarked(&row("fabrik=me")),
            (Some("fabrik=me".to_owned()), None)
        );
        assert_eq!(
            remarked(Some("new"), &row(&text)),
            json!(format!("new fabrik={op}"))
        );
        assert_eq!(remarked(None, &row("by hand")), Json::Null);
        assert!(with_mark(vec![row("x"), row(&text)], op).is_some());
        assert!(with_mark(vec![row(&text)], OpId(8)).is_none());
    }

    #[test]
    fn only_what_differs_is_sent() {
        let body = |pairs: &[(&str, Json)]| {
            Body(
                pairs
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), value.clone()))
                    .collect(),
            )
        };
        let wanted = body(&[
            ("name", json!("a")),
            ("port", json!("80")),
            ("password", json!("new")),
        ]);
        let there = body(&[
            ("name", json!("b")),
            ("port", json!(80)),
            ("start", json!("run")),
        ]);
        let before = body(&[
            ("name", json!("a")),
            ("start", json!("run")),
            ("password", json!("old")),
        ]);
        let changes = wanted.changes(&there, Some(&before), |_| Some(Json::Null));
        assert_eq!(
            changes,
            body(&[
                ("name", json!("a")),
                ("password", json!("new")),
                ("start", Json::Null)
            ])
        );
    }
}

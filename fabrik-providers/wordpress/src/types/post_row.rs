//! What pages and posts have in common: rows of the table of posts.

use fabrik_core::error::Result;
use fabrik_core::provider::Verb;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::content::Write;
use crate::content::ids;
use crate::content::sections::{self, Section};

/// Who can see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everybody.
    #[default]
    Publish,
    /// Nobody yet.
    Draft,
    /// Nobody yet; an editor is to look at it.
    Pending,
    /// Those who may read private pages.
    Private,
    /// Everybody from its date on.
    Future,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Publish => "publish",
            Status::Draft => "draft",
            Status::Pending => "pending",
            Status::Private => "private",
            Status::Future => "future",
        }
    }

    pub(crate) fn read(word: &str) -> Status {
        match word {
            "publish" => Status::Publish,
            "pending" => Status::Pending,
            "private" => Status::Private,
            "future" => Status::Future,
            _ => Status::Draft,
        }
    }
}

/// The operation that writes a row: `set` are its fields but the content, with what each is when it
/// is no longer set; `of` gives the sections of a spec.
pub(crate) fn write<S>(
    write: &Write<'_, S>,
    post_type: &str,
    set: impl FnOnce(&S) -> Map<String, Json>,
    of: impl Fn(&S) -> &[Section],
) -> Result<Json> {
    let mut op = json!({"kind": "post", "type": post_type, "do": write.word()});
    if write.verb == Verb::Delete {
        op["id"] = json!(ids::check(write.id)?);
        return Ok(op);
    }
    let wanted = write.wanted()?;
    if write.verb == Verb::Create {
        let mut set = set(wanted);
        set.retain(|_, value| !is_nothing(value));
        set.insert("content".into(), json!(sections::join(of(wanted))));
        op["set"] = Json::Object(set);
        return Ok(op);
    }
    op["id"] = json!(ids::check(write.id)?);
    let raw = write.raw.unwrap_or(&Json::Null);
    op["expect"] = raw["hash"].clone();
    if write.undoes
        && let Some(before) = write.kept.untouched(write.raw)
    {
        op["set"] = whole(before);
        op["modified"] = before["modified"].clone();
        op["modified_here"] = before["modified_here"].clone();
        return Ok(op);
    }
    let mut set = set(wanted);
    let sent = write.prior.map(&of).unwrap_or_default();
    let content = sections::merge(&ids::text(raw, "content"), sent, of(wanted));
    set.insert("content".into(), json!(content));
    op["set"] = Json::Object(set);
    Ok(op)
}

fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty() || text == "0",
        Json::Number(number) => number.as_i64() == Some(0),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// All fields of a row as it was.
fn whole(before: &Json) -> Json {
    const FIELDS: &[&str] = &[
        "slug",
        "title",
        "status",
        "parent",
        "content",
        "excerpt",
        "order",
        "author",
        "date",
        "template",
        "thumbnail",
        "category",
        "post_tag",
        "meta",
    ];
    let there = FIELDS.iter().filter_map(|field| {
        let value = before.get(*field)?;
        Some(((*field).to_owned(), value.clone()))
    });
    Json::Object(there.collect())
}

/// A field that is not set and was not set before is left alone; one that was set becomes nothing.
pub(crate) fn unset<T: Serialize>(
    set: &mut Map<String, Json>,
    field: &str,
    wanted: Option<&T>,
    sent: bool,
    nothing: Json,
) {
    match wanted {
        Some(value) => {
            set.insert(field.to_owned(), json!(value));
        }
        None if sent => {
            set.insert(field.to_owned(), nothing);
        }
        None => {}
    }
}

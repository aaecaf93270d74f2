//! Posts of the blog.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::TypeInfo;
use fabrik_core::stack::OnDrift;
use fabrik_core::value::{Path, Value};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::post_row::{self, Status, unset};
use crate::content::sections::{self, Section};
use crate::content::{Content, Write, ids, is_open};
use crate::request::Survey;

/// A post of the blog. Its sections are Fabrik's, as those of a page are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostSpec {
    /// The last part of its address: lower-case letters and digits, with single `-` or `_` between.
    #[schemars(length(min = 1, max = 190))]
    pub slug: String,
    /// Title, as text.
    #[schemars(length(min = 1))]
    pub title: String,
    /// Who can see it.
    #[serde(default)]
    pub status: Status,
    /// When it was or will be published: `2026-03-01` or `2026-03-01T09:00:00Z`. The time of its
    /// making unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// What is in it, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "ordered:id"}))]
    pub sections: Vec<Section>,
    /// A summary, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// Its categories, by their ids. The site's default category unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"list": "set", "sticky": true}))]
    pub categories: Option<Vec<String>>,
    /// Its tags, by their names; those that do not exist are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub tags: Vec<String>,
    /// Who wrote it, by the id of the account. The account that Fabrik acts by unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub author: Option<String>,
    /// The image that stands for it, by the id of its media.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub featured_media: Option<String>,
}

/// What WordPress tells of a post.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PostOutputs {
    /// Address.
    pub url: String,
    /// Address without the site.
    pub path: String,
}

/// The type `wordpress.post`.
pub struct Post;

/// A date as WordPress stores it in UTC.
fn stored(date: &str) -> Option<String> {
    let time = if let Ok(time) = date.parse::<Timestamp>() {
        time
    } else {
        let day: Date = date.parse().ok()?;
        let time: DateTime = day.at(0, 0, 0, 0);
        time.to_zoned(TimeZone::UTC).ok()?.timestamp()
    };
    Some(time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A stored date as one of a spec.
fn shown(stored_date: &str, sent: Option<&String>) -> Option<String> {
    if stored_date.is_empty() || stored_date.starts_with("0000") {
        return None;
    }
    let as_sent = sent.filter(|sent| stored(sent).as_deref() == Some(stored_date));
    Some(
        as_sent
            .cloned()
            .unwrap_or_else(|| format!("{}Z", stored_date.replacen(' ', "T", 1))),
    )
}

fn texts(raw: &Json, key: &str) -> Vec<String> {
    let items = raw[key].as_array().into_iter().flatten();
    items.filter_map(Json::as_str).map(str::to_owned).collect()
}

impl Content for Post {
    const TYPE: &'static str = "wordpress.post";
    const LOOKS: bool = true;
    type Spec = PostSpec;
    type Outputs = PostOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            on_drift: OnDrift::Keep,
            import_id: "NUMBER".into(),
            ..info
        }
    }

    fn normal(desired: &Value, last: Option<&Value>) -> Value {
        let path = Path::key("date");
        let moment = |inputs: &Value| inputs.at(&path)?.as_str().and_then(stored);
        let Some(last) = last else {
            return desired.clone();
        };
        match (moment(desired), last.at(&path)) {
            (Some(wanted), Some(sent)) if moment(last).as_ref() == Some(&wanted) => {
                desired.with(&path, sent)
            }
            _ => desired.clone(),
        }
    }

    fn check(spec: &PostSpec) -> Result<()> {
        ids::slug(&spec.slug)?;
        ids::title("title", &spec.title)?;
        if let Some(date) = &spec.date
            && !is_open(date)
            && stored(date).is_none()
        {
            return Err(
                Error::new(ErrorKind::Invalid, format!("`{date}` is not a date"))
                    .field(Path::key("date"))
                    .hint("write `2026-03-01` or `2026-03-01T09:00:00Z`"),
            );
        }
        for (at, id) in spec.categories.iter().flatten().enumerate() {
            ids::field(&format!("categories[{at}]"), id)?;
        }
        for (at, tag) in spec.tags.iter().enumerate() {
            ids::title(&format!("tags[{at}]"), tag)?;
        }
        for (field, id) in [
            ("author", &spec.author),
            ("featured_media", &spec.featured_media),
        ] {
            if let Some(id) = id {
                ids::field(field, id)?;
            }
        }
        sections::check(&spec.sections)
    }

    fn named(spec: &PostSpec, survey: &Survey) -> Option<String> {
        let mut posts = survey.posts.iter().filter(|post| post.kind == "post");
        posts
            .find(|post| post.slug == spec.slug)
            .map(|post| post.id.clone())
    }

    fn read(id: &str, _: Option<&PostSpec>) -> Result<Json> {
        Ok(json!({"kind": "post", "type": "post", "do": "read", "id": ids::check(id)?}))
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "post", "type": "post", "do": "list"}))
    }

    fn seen(raw: &Json, prior: Option<&PostSpec>) -> Result<(PostSpec, PostOutputs)> {
        let sent = prior
            .map(|prior| prior.sections.as_slice())
            .unwrap_or_default();
        let spec = PostSpec {
            slug: ids::text(raw, "slug"),
            title: ids::text(raw, "title"),
            status: Status::read(&ids::text(raw, "status")),
            date: shown(
                &ids::text(raw, "date"),
                prior.and_then(|prior| prior.date.as_ref()),
            ),
            sections: sections::found(&ids::text(raw, "content"), sent),
            excerpt: ids::some(raw, "excerpt"),
            categories: Some(texts(raw, "category")),
            tags: texts(raw, "post_tag"),
            author: ids::some(raw, "author"),
            featured_media: ids::some(raw, "thumbnail"),
        };
        let outputs = PostOutputs {
            url: ids::text(raw, "url"),
            path: ids::text(raw, "path"),
        };
        Ok((spec, outputs))
    }

    fn write(write: &Write<'_, PostSpec>) -> Result<Json> {
        let prior = write.prior;
        let set = |spec: &PostSpec| {
            let mut set = Map::new();
            set.insert("slug".into(), json!(spec.slug));
            set.insert("title".into(), json!(spec.title));
            set.insert("status".into(), json!(spec.status.word()));
            if let Some(date) = spec.date.as_deref().and_then(stored) {
                set.insert("date".into(), json!(date));
            }
            let had = |is: fn(&PostSpec) -> bool| prior.is_some_and(is);
            let sent = had(|was| was.excerpt.is_some());
            unset(&mut set, "excerpt", spec.excerpt.as_ref(), sent, json!(""));
            let sent = had(|was| was.featured_media.is_some());
            let media = spec.featured_media.as_ref();
            unset(&mut set, "thumbnail", media, sent, json!(""));
            if let Some(categories) = &spec.categories {
                let mut categories = categories.clone();
                categories.sort_by_key(|id| id.parse::<u64>().unwrap_or(u64::MAX));
                set.insert("category".into(), json!(categories));
            }
            if !spec.tags.is_empty() || had(|was| !was.tags.is_empty()) {
                set.insert("post_tag".into(), json!(spec.tags));
            }
            if let Some(author) = &spec.author {
                set.insert("author".into(), json!(author));
            }
            set
        };
        post_row::write(write, "post", set, |spec| &spec.sections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_stored_in_utc_and_shown_as_they_were_written() {
        assert_eq!(stored("2026-03-01").as_deref(), Some("2026-03-01 00:00:00"));
        let offset = "2026-03-01T09:00:00+02:00";
        assert_eq!(stored(offset).as_deref(), Some("2026-03-01 07:00:00"));
        assert_eq!(stored("yesterday"), None);
        let sent = offset.to_owned();
        assert_eq!(shown("2026-03-01 07:00:00", Some(&sent)), Some(sent));
        let found = shown("2026-03-01 07:00:00", None);
        assert_eq!(found.as_deref(), Some("2026-03-01T07:00:00Z"));
        assert_eq!(shown("0000-00-00 00:00:00", None), None);
    }

    #[test]
    fn a_date_that_says_the_same_stays_as_it_was_sent() {
        let of = |date: &str| fabrik_core::value::from_json(&json!({"title": "x", "date": date}));
        let last = of("2026-03-01T07:00:00Z");
        let same = of("2026-03-01T09:00:00+02:00");
        let other = of("2026-03-01T09:00:00Z");
        assert_eq!(Post::normal(&same, Some(&last)), last);
        assert_eq!(Post::normal(&other, Some(&last)), other);
        assert_eq!(Post::normal(&same, None), same);
    }
}

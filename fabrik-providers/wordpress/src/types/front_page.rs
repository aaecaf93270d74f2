//! Which page visitors see first.

use fabrik_core::error::Result;
use fabrik_core::provider::TypeInfo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::values::{self, Entry, Values, text};
use crate::content::{Content, Write, ids, nothing};

/// The page that visitors see first, and the one with the newest posts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrontPageSpec {
    /// The first page, by its id.
    pub page: String,
    /// The page that lists the newest posts, by its id; none unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts_page: Option<String>,
}

/// What WordPress tells besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FrontPageOutputs {
    /// The site's address.
    pub url: String,
}

/// The type `wordpress.front_page`.
pub struct FrontPage;

fn entries(spec: Option<&FrontPageSpec>) -> Vec<Entry> {
    let posts = spec.and_then(|spec| spec.posts_page.as_ref());
    vec![
        Entry::option("page", "page_on_front", spec.map(|spec| json!(spec.page))),
        Entry::option("posts_page", "page_for_posts", posts.map(|id| json!(id))),
        Entry::option("shown", "show_on_front", spec.map(|_| json!("page"))),
    ]
}

impl Content for FrontPage {
    const TYPE: &'static str = "wordpress.front_page";
    const ONCE: bool = true;
    type Spec = FrontPageSpec;
    type Outputs = FrontPageOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: ids::SITE.into(),
            ..info
        }
    }

    fn check(spec: &FrontPageSpec) -> Result<()> {
        ids::field("page", &spec.page)?;
        match &spec.posts_page {
            Some(page) => ids::field("posts_page", page),
            None => Ok(()),
        }
    }

    fn read(id: &str, _: Option<&FrontPageSpec>) -> Result<Json> {
        if !ids::site(id)? {
            return Ok(nothing());
        }
        Ok(values::read(ids::SITE, &entries(None)))
    }

    fn seen(raw: &Json, _: Option<&FrontPageSpec>) -> Result<(FrontPageSpec, FrontPageOutputs)> {
        let values = Values::of(raw);
        let id = |at: usize| {
            values
                .at(at)
                .and_then(text)
                .filter(|id| id != "0" && !id.is_empty())
        };
        let shown = values.at(2).and_then(text).as_deref() == Some("page");
        let spec = FrontPageSpec {
            page: id(0).filter(|_| shown).unwrap_or_default(),
            posts_page: id(1).filter(|_| shown),
        };
        Ok((
            spec,
            FrontPageOutputs {
                url: ids::text(raw, "url"),
            },
        ))
    }

    fn write(write: &Write<'_, FrontPageSpec>) -> Result<Json> {
        let mut op = values::write(write, ids::SITE, &entries);
        if let Some(spec) = write.spec {
            op["posts"] = json!({"page": spec.page, "posts_page": spec.posts_page});
        }
        Ok(op)
    }
}

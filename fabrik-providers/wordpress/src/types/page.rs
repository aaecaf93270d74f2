//! Pages.

use fabrik_core::error::Result;
use fabrik_core::provider::TypeInfo;
use fabrik_core::stack::OnDrift;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::post_row::{self, Status, unset};
use crate::content::sections::{self, Section};
use crate::content::{Content, Write, ids};
use crate::request::Survey;

/// A page.
///
/// Its sections are Fabrik's; what people write before, between and behind them stays, and what they
/// change inside of one is kept and shown as drift, unless `on_drift` says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSpec {
    /// The last part of its address: lower-case letters and digits, with single `-` or `_` between.
    #[schemars(length(min = 1, max = 190))]
    pub slug: String,
    /// Title, as text. Without white space at its ends, which WordPress takes off.
    #[schemars(length(min = 1))]
    pub title: String,
    /// The page it lies below, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Who can see it.
    #[serde(default)]
    pub status: Status,
    /// A template of the theme, by its file or name. The theme's own for pages unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub template: Option<String>,
    /// What is on it, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "ordered:id"}))]
    pub sections: Vec<Section>,
    /// A summary, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// The image that stands for it, by the id of its media.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub featured_media: Option<String>,
    /// Where it stands among pages that are sorted by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub menu_order: Option<i32>,
}

/// What WordPress tells of a page.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PageOutputs {
    /// Address.
    pub url: String,
    /// Address without the site: `/about/`.
    pub path: String,
}

/// The type `wordpress.page`.
pub struct Page;

impl Content for Page {
    const TYPE: &'static str = "wordpress.page";
    const LOOKS: bool = true;
    type Spec = PageSpec;
    type Outputs = PageOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            on_drift: OnDrift::Keep,
            holds_data: false,
            import_id: "NUMBER".into(),
            ..info
        }
    }

    fn check(spec: &PageSpec) -> Result<()> {
        ids::slug(&spec.slug)?;
        ids::title("title", &spec.title)?;
        if let Some(parent) = &spec.parent {
            ids::field("parent", parent)?;
        }
        if let Some(media) = &spec.featured_media {
            ids::field("featured_media", media)?;
        }
        sections::check(&spec.sections)
    }

    fn named(spec: &PageSpec, survey: &Survey) -> Option<String> {
        let parent = spec.parent.as_deref().unwrap_or("0");
        let mut pages = survey.posts.iter().filter(|post| post.kind == "page");
        pages
            .find(|page| page.slug == spec.slug && page.parent == parent)
            .map(|page| page.id.clone())
    }

    fn read(id: &str, _: Option<&PageSpec>) -> Result<Json> {
        Ok(json!({"kind": "post", "type": "page", "do": "read", "id": ids::check(id)?}))
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "post", "type": "page", "do": "list"}))
    }

    fn seen(raw: &Json, prior: Option<&PageSpec>) -> Result<(PageSpec, PageOutputs)> {
        let sent = prior
            .map(|prior| prior.sections.as_slice())
            .unwrap_or_default();
        let order = raw["order"]
            .as_i64()
            .and_then(|order| i32::try_from(order).ok());
        let spec = PageSpec {
            slug: ids::text(raw, "slug"),
            title: ids::text(raw, "title"),
            parent: ids::some(raw, "parent"),
            status: Status::read(&ids::text(raw, "status")),
            template: ids::some(raw, "template").filter(|name| name != "default"),
            sections: sections::found(&ids::text(raw, "content"), sent),
            excerpt: ids::some(raw, "excerpt"),
            featured_media: ids::some(raw, "thumbnail"),
            // No order is the order 0.
            menu_order: order.filter(|order| {
                *order != 0 || prior.is_some_and(|prior| prior.menu_order == Some(0))
            }),
        };
        let outputs = PageOutputs {
            url: ids::text(raw, "url"),
            path: ids::text(raw, "path"),
        };
        Ok((spec, outputs))
    }

    fn write(write: &Write<'_, PageSpec>) -> Result<Json> {
        let prior = write.prior;
        let set = |spec: &PageSpec| {
            let mut set = Map::new();
            set.insert("slug".into(), json!(spec.slug));
            set.insert("title".into(), json!(spec.title));
            set.insert("status".into(), json!(spec.status.word()));
            let had = |is: fn(&PageSpec) -> bool| prior.is_some_and(is);
            let none = || json!("0");
            let (parent, media) = (spec.parent.as_ref(), spec.featured_media.as_ref());
            unset(
                &mut set,
                "parent",
                parent,
                had(|was| was.parent.is_some()),
                none(),
            );
            let sent = had(|was| was.featured_media.is_some());
            unset(&mut set, "thumbnail", media, sent, json!(""));
            let sent = had(|was| was.template.is_some());
            unset(
                &mut set,
                "template",
                spec.template.as_ref(),
                sent,
                json!(""),
            );
            let sent = had(|was| was.excerpt.is_some());
            unset(&mut set, "excerpt", spec.excerpt.as_ref(), sent, json!(""));
            let sent = had(|was| was.menu_order.is_some());
            unset(&mut set, "order", spec.menu_order.as_ref(), sent, json!(0));
            set
        };
        post_row::write(write, "page", set, |spec| &spec.sections)
    }
}

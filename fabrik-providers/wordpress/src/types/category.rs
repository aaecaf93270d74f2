//! Categories of posts.

use fabrik_core::error::Result;
use fabrik_core::provider::{TypeInfo, Verb};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::{Content, Write, ids};
use crate::request::Survey;

/// A category of posts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CategorySpec {
    /// Its name in addresses: lower-case letters and digits, with single `-` or `_` between.
    #[schemars(length(min = 1, max = 190))]
    pub slug: String,
    /// Its name for people, as text.
    #[schemars(length(min = 1, max = 190))]
    pub name: String,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The category it lies below, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// What WordPress tells of a category.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CategoryOutputs {
    /// Address of the list of its posts.
    pub url: String,
    /// Address without the site.
    pub path: String,
}

/// The type `wordpress.category`.
pub struct Category;

impl Content for Category {
    const TYPE: &'static str = "wordpress.category";
    type Spec = CategorySpec;
    type Outputs = CategoryOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "NUMBER".into(),
            ..info
        }
    }

    fn check(spec: &CategorySpec) -> Result<()> {
        ids::slug(&spec.slug)?;
        ids::title("name", &spec.name)?;
        match &spec.parent {
            Some(parent) => ids::field("parent", parent),
            None => Ok(()),
        }
    }

    fn named(spec: &CategorySpec, survey: &Survey) -> Option<String> {
        let mut terms = survey
            .terms
            .iter()
            .filter(|term| term.taxonomy == "category");
        terms
            .find(|term| term.slug == spec.slug)
            .map(|term| term.id.clone())
    }

    fn read(id: &str, _: Option<&CategorySpec>) -> Result<Json> {
        Ok(json!({"kind": "term", "taxonomy": "category", "do": "read", "id": ids::check(id)?}))
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "term", "taxonomy": "category", "do": "list"}))
    }

    fn seen(raw: &Json, _: Option<&CategorySpec>) -> Result<(CategorySpec, CategoryOutputs)> {
        let spec = CategorySpec {
            slug: ids::text(raw, "slug"),
            name: ids::text(raw, "name"),
            description: Some(ids::text(raw, "description")).filter(|text| !text.is_empty()),
            parent: ids::some(raw, "parent"),
        };
        let outputs = CategoryOutputs {
            url: ids::text(raw, "url"),
            path: ids::text(raw, "path"),
        };
        Ok((spec, outputs))
    }

    fn write(write: &Write<'_, CategorySpec>) -> Result<Json> {
        let mut op = json!({"kind": "term", "taxonomy": "category", "do": write.word()});
        if write.verb != Verb::Create {
            op["id"] = json!(ids::check(write.id)?);
        }
        if write.verb == Verb::Delete {
            return Ok(op);
        }
        let spec = write.wanted()?;
        let mut set = json!({"slug": spec.slug, "name": spec.name});
        let had = |is: fn(&CategorySpec) -> bool| write.prior.is_some_and(is);
        if spec.description.is_some() || had(|was| was.description.is_some()) {
            set["description"] = json!(spec.description.as_deref().unwrap_or_default());
        }
        if spec.parent.is_some() || had(|was| was.parent.is_some()) {
            set["parent"] = json!(spec.parent.as_deref().unwrap_or("0"));
        }
        op["set"] = set;
        Ok(op)
    }
}

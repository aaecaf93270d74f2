//! Which pages are translations of each other, by Polylang.

use std::collections::BTreeMap;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Finding, TypeInfo, Verb};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::{Content, Write, ids};
use crate::request::Facts;

/// Pages or posts that say the same in several languages. Visitors and search engines are sent from
/// each to the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TranslationSpec {
    /// The pages, by the codes of their languages: `{en: ID, it: ID}`.
    pub pages: BTreeMap<String, String>,
}

/// What WordPress tells besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TranslationOutputs {
    /// The page by which the group is known.
    pub id: String,
}

/// The type `wordpress.translation`.
pub struct Translation;

impl Content for Translation {
    const TYPE: &'static str = "wordpress.translation";
    type Spec = TranslationSpec;
    type Outputs = TranslationOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "PAGE_ID".into(),
            ..info
        }
    }

    fn check(spec: &TranslationSpec) -> Result<()> {
        if spec.pages.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "there are no pages")
                .field(Path::key("pages"))
                .hint("`pages: {en: ID, it: ID}`"));
        }
        for (code, page) in &spec.pages {
            ids::field(&format!("pages.{code}"), page)?;
        }
        Ok(())
    }

    fn preflight(_: &TranslationSpec, facts: &Facts) -> Vec<Finding> {
        super::language::needs_polylang(facts)
    }

    fn read(id: &str, _: Option<&TranslationSpec>) -> Result<Json> {
        Ok(json!({"kind": "translation", "do": "read", "id": ids::check(id)?}))
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "translation", "do": "list", "id": ""}))
    }

    fn seen(
        raw: &Json,
        _: Option<&TranslationSpec>,
    ) -> Result<(TranslationSpec, TranslationOutputs)> {
        let pages = raw["pages"].as_object().into_iter().flatten();
        let pages =
            pages.map(|(code, page)| (code.clone(), page.as_str().unwrap_or_default().to_owned()));
        Ok((
            TranslationSpec {
                pages: pages.collect(),
            },
            TranslationOutputs { id: ids::of(raw) },
        ))
    }

    fn write(write: &Write<'_, TranslationSpec>) -> Result<Json> {
        let former: Vec<&String> = write
            .prior
            .into_iter()
            .flat_map(|prior| prior.pages.values())
            .collect();
        if write.verb == Verb::Delete {
            return Ok(
                json!({"kind": "translation", "do": "delete", "id": ids::check(write.id)?, "former": former}),
            );
        }
        let spec = write.wanted()?;
        // The group is known by the page of its first language, as the site answers.
        Ok(
            json!({"kind": "translation", "do": write.word(), "id": write.id, "pages": spec.pages, "former": former}),
        )
    }
}

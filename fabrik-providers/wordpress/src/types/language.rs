//! Languages of a site, by Polylang.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Finding, TypeInfo, Verb};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::{Content, Write, ids};
use crate::request::Facts;

/// A language in which there are pages. Needs the plugin Polylang.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LanguageSpec {
    /// Its code, which is part of addresses: `it`.
    #[schemars(length(min = 2, max = 20), extend("x-fabrik" = {"replace": true}))]
    pub code: String,
    /// Its name for people: `Italiano`.
    #[schemars(length(min = 1, max = 80))]
    pub name: String,
    /// What WordPress calls it: `it_IT`.
    #[schemars(length(min = 2, max = 20))]
    pub locale: String,
    /// Whether pages without a language are in it. One language of a site is.
    #[serde(default)]
    pub default: bool,
}

/// What WordPress tells besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LanguageOutputs {
    /// Its code.
    pub id: String,
}

/// The type `wordpress.language`.
pub struct Language;

fn code(code: &str) -> Result<&str> {
    let good = (2..=20).contains(&code.len())
        && code
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()));
    if good {
        return Ok(code);
    }
    Err(
        Error::new(ErrorKind::Invalid, "this cannot be the code of a language")
            .field(Path::key("code"))
            .hint("lower-case letters: `it`, `pt-br`"),
    )
}

/// A site of several languages needs the plugin that knows them.
pub(super) fn needs_polylang(facts: &Facts) -> Vec<Finding> {
    if facts.has_plugin("polylang") {
        return Vec::new();
    }
    vec![Finding {
        // It may come with the same apply.
        blocking: false,
        message: "the plugin Polylang is not active yet, and languages need it".to_owned(),
        hint: Some("have it in the stack as `wordpress.plugin` with `slug: polylang`".to_owned()),
        field: None,
        adopt: None,
    }]
}

impl Content for Language {
    const TYPE: &'static str = "wordpress.language";
    type Spec = LanguageSpec;
    type Outputs = LanguageOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "CODE".into(),
            ..info
        }
    }

    fn check(spec: &LanguageSpec) -> Result<()> {
        code(&spec.code)?;
        let mut parts = spec.locale.split('_');
        let first = parts.next().unwrap_or_default();
        let good = (2..=3).contains(&first.len())
            && first.bytes().all(|b| b.is_ascii_lowercase())
            && parts
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !good {
            return Err(
                Error::new(ErrorKind::Invalid, "this is no language of WordPress")
                    .field(Path::key("locale"))
                    .hint("write it as `it_IT`"),
            );
        }
        ids::title("name", &spec.name)
    }

    fn preflight(_: &LanguageSpec, facts: &Facts) -> Vec<Finding> {
        needs_polylang(facts)
    }

    fn read(id: &str, _: Option<&LanguageSpec>) -> Result<Json> {
        Ok(json!({"kind": "language", "do": "read", "id": code(id)?}))
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "language", "do": "list", "id": ""}))
    }

    fn seen(raw: &Json, prior: Option<&LanguageSpec>) -> Result<(LanguageSpec, LanguageOutputs)> {
        let is_default = raw["default"] == true;
        let spec = LanguageSpec {
            code: ids::of(raw),
            name: ids::text(raw, "name"),
            locale: ids::text(raw, "locale"),
            // The only language is the default one, whatever was wanted.
            default: is_default && prior.is_none_or(|prior| prior.default),
        };
        Ok((spec, LanguageOutputs { id: ids::of(raw) }))
    }

    fn write(write: &Write<'_, LanguageSpec>) -> Result<Json> {
        if write.verb == Verb::Delete {
            return Ok(json!({"kind": "language", "do": "delete", "id": code(write.id)?}));
        }
        let spec = write.wanted()?;
        Ok(json!({
            "kind": "language", "do": write.word(), "id": code(&spec.code)?,
            "name": spec.name, "locale": spec.locale, "default": spec.default,
        }))
    }
}

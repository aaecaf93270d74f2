//! Which page is the privacy policy.

use fabrik_core::error::Result;
use fabrik_core::provider::TypeInfo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::values::{self, Entry, Values, text};
use crate::content::{Content, Write, ids, nothing};

/// The page that is the site's privacy policy: WordPress links it from the login and from forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivacyPageSpec {
    /// The page, by its id.
    pub page: String,
}

/// What WordPress tells besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PrivacyPageOutputs {
    /// The site's address.
    pub url: String,
}

/// The type `wordpress.privacy_page`.
pub struct PrivacyPage;

fn entries(spec: Option<&PrivacyPageSpec>) -> Vec<Entry> {
    let page = spec.map(|spec| json!(spec.page));
    vec![Entry::option("page", "wp_page_for_privacy_policy", page)]
}

impl Content for PrivacyPage {
    const TYPE: &'static str = "wordpress.privacy_page";
    const ONCE: bool = true;
    type Spec = PrivacyPageSpec;
    type Outputs = PrivacyPageOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: ids::SITE.into(),
            ..info
        }
    }

    fn check(spec: &PrivacyPageSpec) -> Result<()> {
        ids::field("page", &spec.page)
    }

    fn read(id: &str, _: Option<&PrivacyPageSpec>) -> Result<Json> {
        if !ids::site(id)? {
            return Ok(nothing());
        }
        Ok(values::read(ids::SITE, &entries(None)))
    }

    fn seen(
        raw: &Json,
        _: Option<&PrivacyPageSpec>,
    ) -> Result<(PrivacyPageSpec, PrivacyPageOutputs)> {
        let page = Values::of(raw).at(0).and_then(text).unwrap_or_default();
        let outputs = PrivacyPageOutputs {
            url: ids::text(raw, "url"),
        };
        Ok((PrivacyPageSpec { page }, outputs))
    }

    fn write(write: &Write<'_, PrivacyPageSpec>) -> Result<Json> {
        let mut op = values::write(write, ids::SITE, &entries);
        if let Some(spec) = write.spec {
            op["posts"] = json!({"page": spec.page});
        }
        Ok(op)
    }
}

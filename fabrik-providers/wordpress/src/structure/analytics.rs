//! Counting visitors: a small file of ours that WordPress always loads.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{
    Change, Created, Found, Observed, ReadAnswer, Resource, decode,
};
use fabrik_core::provider::{Cx, Keys, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{Structure, keys, one, repeatable, told};
use crate::content::ids;
use crate::site::Site;

/// Google Analytics 4 or Google Tag Manager on every page, without a plugin. Nothing is stored about a
/// visitor before they agree, unless `consent` is false: the site's consent banner says when by
/// `gtag('consent', 'update', …)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalyticsSpec {
    /// Id of a data stream of Google Analytics 4: `G-ABC123XYZ9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub google_analytics_id: Option<String>,
    /// Id of a container of Google Tag Manager: `GTM-ABC1234`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtm_id: Option<String>,
    /// Whether visitors are asked first (Google's consent mode, denied until updated).
    #[serde(default = "super::plugin::yes")]
    pub consent: bool,
}

/// What is known besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AnalyticsOutputs {
    /// The file's name, below `wp-content/mu-plugins`.
    pub file: String,
}

/// The type `wordpress.analytics`.
pub struct Analytics;

const FILE: &str = "fabrik-analytics.php";
const CODE: &str = include_str!("../../php/mu/fabrik-analytics.php");
const MARK: &str = "// fabrik: ";

impl AnalyticsSpec {
    fn check(&self) -> Result<()> {
        let wrong = |field: &str, text: String, hint: &str| {
            Err(Error::new(ErrorKind::Invalid, text)
                .field(Path::key(field))
                .hint(hint.to_owned()))
        };
        let is = |id: &str, prefix: &str| {
            id.strip_prefix(prefix).is_some_and(|rest| {
                (4..=20).contains(&rest.len())
                    && rest
                        .bytes()
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            })
        };
        if let Some(id) = self
            .google_analytics_id
            .as_deref()
            .filter(|id| !is(id, "G-"))
        {
            let id = super::short(id);
            return wrong(
                "google_analytics_id",
                format!("`{id}` is no id of Google Analytics 4"),
                "it looks like `G-ABC123XYZ9`; ids that begin with `UA-` no longer work",
            );
        }
        if let Some(id) = self.gtm_id.as_deref().filter(|id| !is(id, "GTM-")) {
            let id = super::short(id);
            return wrong(
                "gtm_id",
                format!("`{id}` is no id of Google Tag Manager"),
                "it looks like `GTM-ABC1234`",
            );
        }
        if self.google_analytics_id.is_none() && self.gtm_id.is_none() {
            return wrong(
                "google_analytics_id",
                "there is nothing to count with".to_owned(),
                "set `google_analytics_id` or `gtm_id`",
            );
        }
        Ok(())
    }

    /// The file. What is in it is checked: capital letters, digits and a hyphen.
    fn file(&self) -> Result<String> {
        self.check()?;
        let settings = serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::Unexpected, "a spec does not serialise").cause(error)
        })?;
        let quoted = |id: &Option<String>| id.clone().unwrap_or_default();
        Ok(CODE
            .replace("{{settings}}", &settings)
            .replace("{{analytics}}", &quoted(&self.google_analytics_id))
            .replace("{{manager}}", &quoted(&self.gtm_id))
            .replace("'{{consent}}'", if self.consent { "true" } else { "false" }))
    }
}

impl Structure for Analytics {
    const NAME: &'static str = "wordpress.analytics";
    type Spec = AnalyticsSpec;
    type Outputs = AnalyticsOutputs;

    fn ask(_: &str, _: Option<&AnalyticsSpec>) -> Result<Json> {
        Ok(json!({"kind": "mu_file", "do": "read", "id": FILE}))
    }

    fn seen(
        raw: &Json,
        _: Option<&AnalyticsSpec>,
    ) -> Result<Observed<AnalyticsSpec, AnalyticsOutputs>> {
        let text = ids::text(raw, "text");
        let settings = text.lines().find_map(|line| line.strip_prefix(MARK));
        let spec: AnalyticsSpec = settings
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        // A file that says one thing and does another was changed by hand.
        let spec = if spec.file().is_ok_and(|file| file == text) {
            spec
        } else {
            AnalyticsSpec {
                google_analytics_id: Some("(changed by hand)".into()),
                ..spec
            }
        };
        Ok(Observed::new(
            spec,
            AnalyticsOutputs {
                file: FILE.to_owned(),
            },
        ))
    }
}

async fn put(cx: &Cx, site: &Site, spec: &AnalyticsSpec) -> Result<AnalyticsOutputs> {
    let text = spec.file()?;
    let raw = told(
        cx,
        site,
        json!({"kind": "mu_file", "do": "update", "id": FILE, "text": text}),
    )
    .await?;
    if ids::text(&raw, "text") != text {
        return Err(Error::new(
            ErrorKind::Misbehaved,
            "the file is not as it was written",
        ));
    }
    Ok(AnalyticsOutputs {
        file: FILE.to_owned(),
    })
}

impl Resource for Analytics {
    const TYPE: &'static str = <Analytics as Structure>::NAME;
    type Client = Site;
    type Spec = AnalyticsSpec;
    type Outputs = AnalyticsOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: FILE.into(),
            ..repeatable(info)
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        site: &Site,
        spec: &AnalyticsSpec,
    ) -> Result<Created<AnalyticsOutputs>> {
        Ok(Created::new(FILE, put(cx, site, spec).await?))
    }

    async fn read(
        &self,
        cx: &Cx,
        site: &Site,
        id: &str,
    ) -> ReadAnswer<AnalyticsSpec, AnalyticsOutputs> {
        one::<Analytics>(cx, site, id, None).await
    }

    async fn update(
        &self,
        cx: &Cx,
        site: &Site,
        _: &str,
        change: &Change<'_, AnalyticsSpec>,
    ) -> Result<AnalyticsOutputs> {
        put(cx, site, change.spec).await
    }

    async fn delete(&self, cx: &Cx, site: &Site, _: &str) -> Result<()> {
        told(
            cx,
            site,
            json!({"kind": "mu_file", "do": "delete", "id": FILE}),
        )
        .await
        .map(|_| ())
    }

    fn keys(&self, _: &Site, _: &Value) -> Keys {
        keys(&["analytics"])
    }

    async fn plan(&self, cx: &Cx, site: &Site, proposal: Proposal<'_>) -> Result<Planned> {
        if let Ok(spec) = decode::<AnalyticsSpec>(proposal.desired) {
            spec.check()?;
        }
        site.cli()?;
        let facts = site.facts(cx).await?;
        Ok(Planned {
            inputs: proposal.desired.clone(),
            findings: crate::types::rights(&facts, &["install_plugins"]),
            ..Planned::default()
        })
    }

    async fn list(
        &self,
        cx: &Cx,
        site: &Site,
    ) -> Result<Vec<Found<AnalyticsSpec, AnalyticsOutputs>>> {
        let found = one::<Analytics>(cx, site, FILE, None).await?;
        Ok(found
            .map(|observed| Found {
                id: FILE.to_owned(),
                observed,
                marked: false,
            })
            .into_iter()
            .collect())
    }
}

//! WordPress itself.

use std::collections::BTreeMap;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{
    Change, Created, Found, Observed, ReadAnswer, Resource, decode,
};
use fabrik_core::provider::{Cx, Keys, Object, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    First, Structure, asked, at_least, begin, begun, finding, keys, one, repeatable, short, told,
    why,
};
use crate::content::ids;
use crate::site::Site;

/// WordPress itself: the least version, the language, constants in `wp-config.php`. It is not updated;
/// an older version is refused before anything is touched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoreSpec {
    /// The site's language: `it_IT`, `en_US`. Installed from wordpress.org where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The least version of WordPress that will do: `6.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Constants to be set in `wp-config.php`, by their names: `DISALLOW_FILE_EDIT: true`. They stand in
    /// a block of their own; those that somebody else set there are refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, Json>,
}

/// What WordPress tells of itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CoreOutputs {
    /// Its version.
    pub wordpress: String,
    /// The version of PHP.
    pub php: String,
}

/// The type `wordpress.core`.
pub struct Core;

/// What connects the site with its database and keeps it safe is not for a spec.
const NOT_OURS: &[&str] = &[
    "DB_NAME",
    "DB_USER",
    "DB_PASSWORD",
    "DB_HOST",
    "DB_CHARSET",
    "DB_COLLATE",
    "ABSPATH",
    "WP_HOME",
    "WP_SITEURL",
];

impl CoreSpec {
    fn check(&self) -> Result<()> {
        let wrong = |field: Path, text: String, hint: &str| {
            Err(Error::new(ErrorKind::Invalid, text)
                .field(field)
                .hint(hint.to_owned()))
        };
        if let Some(code) = &self.language {
            let good = code.len() <= 20
                && code.split('_').all(|part| {
                    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric())
                });
            if !good || !code.starts_with(|c: char| c.is_ascii_lowercase()) {
                return wrong(
                    Path::key("language"),
                    format!("`{}` is no language of WordPress", short(code)),
                    "write it as `it_IT`, `en_US`, `de_DE_formal`",
                );
            }
        }
        super::package::version(self.version.as_deref())?;
        for (name, value) in &self.constants {
            let field = Path::key("constants").join(name.as_str());
            let good = !name.is_empty()
                && name.len() <= 64
                && name
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
                && !name.starts_with(|c: char| c.is_ascii_digit());
            if !good {
                return wrong(
                    field,
                    format!("`{}` is no name of a constant", short(name)),
                    "capital letters, digits and `_`: `WP_POST_REVISIONS`",
                );
            }
            if NOT_OURS.contains(&name.as_str())
                || name.ends_with("_KEY")
                || name.ends_with("_SALT")
            {
                return wrong(
                    field,
                    format!("`{name}` is not set from a spec"),
                    "it belongs to the installation; keep it in wp-config.php",
                );
            }
            if !fits(value) {
                return wrong(
                    field,
                    format!("`{name}` has to be true, false, a whole number or a text of one line"),
                    "write its value as it is",
                );
            }
        }
        Ok(())
    }
}

fn fits(value: &Json) -> bool {
    match value {
        Json::Bool(_) => true,
        Json::Number(number) => number.as_i64().is_some(),
        Json::String(text) => text.len() <= 1000 && !text.chars().any(char::is_control),
        _ => false,
    }
}

impl Structure for Core {
    const NAME: &'static str = "wordpress.core";
    type Spec = CoreSpec;
    type Outputs = CoreOutputs;

    fn ask(_: &str, _: Option<&CoreSpec>) -> Result<Json> {
        Ok(json!({"kind": "core", "do": "read", "id": ids::SITE}))
    }

    fn seen(raw: &Json, prior: Option<&CoreSpec>) -> Result<Observed<CoreSpec, CoreOutputs>> {
        let found = ids::text(raw, "version");
        let version = prior.and_then(|prior| prior.version.clone());
        let spec = CoreSpec {
            language: Some(ids::text(raw, "language")),
            // A least version holds, or what there is stands in its place.
            version: version.map(|least| {
                if at_least(&found, &least) {
                    least
                } else {
                    found.clone()
                }
            }),
            constants: serde_json::from_value(raw["constants"].clone()).unwrap_or_default(),
        };
        Ok(Observed::new(
            spec,
            CoreOutputs {
                wordpress: found,
                php: ids::text(raw, "php"),
            },
        ))
    }
}

async fn bring(
    cx: &Cx,
    site: &Site,
    spec: &CoreSpec,
    private: Option<&[u8]>,
) -> Result<(CoreOutputs, Json)> {
    spec.check()?;
    let started = begun(told(cx, site, begin("core", ids::SITE, cx.op()?)).await?)?;
    let first = private.map_or(started.first, First::of);
    let row = started.row.unwrap_or_default();
    if let Some(least) = &spec.version
        && !at_least(&ids::text(&row, "version"), least)
    {
        return Err(older(&ids::text(&row, "version"), least));
    }
    let wanted = spec
        .language
        .clone()
        .unwrap_or_else(|| ids::text(&first, "language"));
    set_language(cx, site, &row, &wanted).await?;
    let mut raw = row;
    if serde_json::to_value(&spec.constants).unwrap_or_default() != raw["constants"] {
        raw = told(cx, site, json!({"kind": "core", "do": "constants", "id": ids::SITE, "constants": spec.constants})).await?;
    }
    Ok((Core::seen(&raw, Some(spec))?.outputs, first))
}

async fn set_language(cx: &Cx, site: &Site, row: &Json, wanted: &str) -> Result<()> {
    if wanted.is_empty() || ids::text(row, "language") == wanted {
        return Ok(());
    }
    let there = row["installed"]
        .as_array()
        .is_some_and(|all| all.iter().any(|code| code == wanted));
    if !there {
        let cli = site.cli()?;
        let output = cli
            .run(cx, &cli.wp(["language", "core", "install", wanted]))
            .await?;
        if !output.is_success() {
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "the language `{wanted}` cannot be installed: {}",
                    why(&output)
                ),
            )
            .field(Path::key("language"))
            .effect(Effect::None)
            .hint("is the code right, and does the server reach wordpress.org?"));
        }
    }
    told(
        cx,
        site,
        json!({"kind": "core", "do": "language", "id": ids::SITE, "language": wanted}),
    )
    .await?;
    Ok(())
}

fn older(found: &str, least: &str) -> Error {
    Error::new(
        ErrorKind::Invalid,
        format!("WordPress {} is older than {least}", short(found)),
    )
    .field(Path::key("version"))
    .effect(Effect::None)
    .hint("update it (`wp core update`), or lower `version`")
}

impl Resource for Core {
    const TYPE: &'static str = <Core as Structure>::NAME;
    type Client = Site;
    type Spec = CoreSpec;
    type Outputs = CoreOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: ids::SITE.into(),
            volatile: ["wordpress", "php"].map(Path::key).to_vec(),
            ..repeatable(info)
        }
    }

    async fn create(&self, cx: &Cx, site: &Site, spec: &CoreSpec) -> Result<Created<CoreOutputs>> {
        let (outputs, first) = bring(cx, site, spec, None).await?;
        let mut created = Created::new(ids::SITE, outputs);
        created.private = First::bytes(&first);
        Ok(created)
    }

    async fn read(&self, cx: &Cx, site: &Site, id: &str) -> ReadAnswer<CoreSpec, CoreOutputs> {
        one::<Core>(cx, site, id, None).await
    }

    async fn update(
        &self,
        cx: &Cx,
        site: &Site,
        _: &str,
        change: &Change<'_, CoreSpec>,
    ) -> Result<CoreOutputs> {
        let private = change.object.map(|object| object.private.as_slice());
        Ok(bring(cx, site, change.spec, private).await?.0)
    }

    async fn delete(&self, cx: &Cx, site: &Site, id: &str) -> Result<()> {
        self.delete_object(
            cx,
            site,
            &Object {
                id: id.to_owned(),
                ..Object::default()
            },
        )
        .await
    }

    async fn delete_object(&self, cx: &Cx, site: &Site, object: &Object) -> Result<()> {
        let first = First::of(&object.private);
        let sent: Option<CoreSpec> = decode(&object.inputs).ok();
        let row = asked(cx, site, Core::ask(ids::SITE, None)?).await?;
        // Back to what it was, where it still is what was sent.
        if sent.is_some_and(|sent| {
            sent.language
                .is_some_and(|sent| sent == ids::text(&row, "language"))
        }) {
            if first["language"].is_string() {
                set_language(cx, site, &row, &ids::text(&first, "language")).await?;
            } else if first.is_object() {
                told(cx, site, json!({"kind": "core", "do": "language", "id": ids::SITE, "language": "en_US", "unset": true})).await?;
            }
        }
        let before = if first["constants"].is_object() {
            first["constants"].clone()
        } else {
            json!({})
        };
        if row["constants"] != before {
            told(
                cx,
                site,
                json!({"kind": "core", "do": "constants", "id": ids::SITE, "constants": before}),
            )
            .await?;
        }
        Ok(())
    }

    fn keys(&self, _: &Site, _: &Value) -> Keys {
        keys(&["core"])
    }

    async fn plan(&self, cx: &Cx, site: &Site, proposal: Proposal<'_>) -> Result<Planned> {
        let mut planned = Planned {
            inputs: proposal.desired.clone(),
            ..Planned::default()
        };
        site.cli()?;
        if let Ok(spec) = decode::<CoreSpec>(proposal.desired) {
            spec.check()?;
            let facts = site.facts(cx).await?;
            if let Some(least) = &spec.version
                && !at_least(&facts.wordpress, least)
            {
                planned.findings.push(finding(
                    true,
                    "version",
                    older(&facts.wordpress, least).message().to_owned(),
                    "update it (`wp core update`), or lower `version`",
                ));
            }
            planned
                .findings
                .extend(crate::types::rights(&facts, &["manage_options"]));
        }
        Ok(planned)
    }

    async fn list(&self, cx: &Cx, site: &Site) -> Result<Vec<Found<CoreSpec, CoreOutputs>>> {
        let found = one::<Core>(cx, site, ids::SITE, None).await?;
        Ok(found
            .map(|observed| Found {
                id: ids::SITE.to_owned(),
                observed,
                marked: false,
            })
            .into_iter()
            .collect())
    }
}

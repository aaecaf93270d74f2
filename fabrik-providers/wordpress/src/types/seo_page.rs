//! What search engines see of a page.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Finding, TypeInfo, Verb};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::seo::SeoPlugin;
use crate::content::values::{self, Entry, Values, text};
use crate::content::{Content, Write, ids};
use crate::request::Facts;

/// What search engines and social networks see of a page or post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeoPageSpec {
    /// Who prints it; as in `wordpress.seo_site`.
    #[serde(default)]
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub plugin: SeoPlugin,
    /// The page or post, by its id.
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub page: String,
    /// Title in results, as text; `%title%`, `%sep%`, `%sitename%`, `%tagline%` are filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description in results, as text; best below 160 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The words it should be found by; for the plugin's own advice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus_keyword: Option<String>,
    /// The address that counts, where the same is to be found at several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<String>,
    /// Whether search engines are asked to leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noindex: Option<bool>,
    /// The image that social networks show, by its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub og_image: Option<String>,
    /// What it is in words of schema.org: `AboutPage`, `ContactPage`, `FAQPage`. Not with Rank Math.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_type: Option<String>,
}

/// It tells nothing besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SeoPageOutputs {}

/// The type `wordpress.seo_page`.
pub struct SeoPage;

/// The keys of the plugins, in the order of the fields: title, description, focus keyword,
/// canonical, robots, image, type.
fn keys(plugin: SeoPlugin) -> [&'static str; 7] {
    match plugin {
        SeoPlugin::Fabrik => [
            "_fabrik_seo_title",
            "_fabrik_seo_description",
            "_fabrik_seo_focus_keyword",
            "_fabrik_seo_canonical",
            "_fabrik_seo_noindex",
            "_fabrik_seo_og_image",
            "_fabrik_seo_schema_type",
        ],
        SeoPlugin::RankMath => [
            "rank_math_title",
            "rank_math_description",
            "rank_math_focus_keyword",
            "rank_math_canonical_url",
            "rank_math_robots",
            "rank_math_facebook_image",
            "rank_math_schema_type",
        ],
        SeoPlugin::Yoast => [
            "_yoast_wpseo_title",
            "_yoast_wpseo_metadesc",
            "_yoast_wpseo_focuskw",
            "_yoast_wpseo_canonical",
            "_yoast_wpseo_meta-robots-noindex",
            "_yoast_wpseo_opengraph-image",
            "_yoast_wpseo_schema_page_type",
        ],
    }
}

fn robots(plugin: SeoPlugin, noindex: bool) -> Json {
    match (plugin, noindex) {
        (SeoPlugin::RankMath, true) => json!(["noindex"]),
        (SeoPlugin::RankMath, false) => json!(["index"]),
        (_, true) => json!("1"),
        (SeoPlugin::Yoast, false) => json!("2"),
        (SeoPlugin::Fabrik, false) => json!("0"),
    }
}

fn entries(plugin: SeoPlugin, spec: Option<&SeoPageSpec>) -> Vec<Entry> {
    let filled = |value: Option<&String>| value.map(|value| json!(plugin.variables(value)));
    let plain = |value: Option<&String>| value.map(|value| json!(value));
    let values = [
        filled(spec.and_then(|spec| spec.title.as_ref())),
        filled(spec.and_then(|spec| spec.description.as_ref())),
        plain(spec.and_then(|spec| spec.focus_keyword.as_ref())),
        plain(spec.and_then(|spec| spec.canonical.as_ref())),
        spec.and_then(|spec| spec.noindex)
            .map(|noindex| robots(plugin, noindex)),
        plain(spec.and_then(|spec| spec.og_image.as_ref())),
        plain(spec.and_then(|spec| spec.schema_type.as_ref())),
    ];
    let pairs = keys(plugin).into_iter().zip(values);
    pairs
        .map(|(key, value)| Entry::option(key, key, value))
        .collect()
}

fn parts(id: &str) -> Result<(SeoPlugin, &str)> {
    let wrong = || {
        Error::new(
            ErrorKind::Invalid,
            format!("`{id}` is no id here: PLUGIN/NUMBER, such as `fabrik/42`"),
        )
    };
    let (plugin, page) = id.split_once('/').ok_or_else(wrong)?;
    let plugin = SeoPlugin::read(plugin).map_err(|_| wrong())?;
    Ok((plugin, ids::check(page).map_err(|_| wrong())?))
}

impl Content for SeoPage {
    const TYPE: &'static str = "wordpress.seo_page";
    type Spec = SeoPageSpec;
    type Outputs = SeoPageOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "PLUGIN/NUMBER".into(),
            ..info
        }
    }

    fn check(spec: &SeoPageSpec) -> Result<()> {
        ids::field("page", &spec.page)?;
        let texts = [
            ("title", &spec.title),
            ("description", &spec.description),
            ("focus_keyword", &spec.focus_keyword),
        ];
        for (field, value) in texts {
            if let Some(value) = value {
                ids::title(field, value)?;
            }
        }
        for (field, value) in [("canonical", &spec.canonical), ("og_image", &spec.og_image)] {
            if let Some(value) = value {
                ids::address(field, value)?;
            }
        }
        if let Some(kind) = &spec.schema_type {
            let name = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric());
            if spec.plugin == SeoPlugin::RankMath || !name {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    format!("`schema_type` cannot be `{kind}` here"),
                )
                .field(Path::key("schema_type"))
                .hint("write a type of schema.org, such as `AboutPage`; Rank Math keeps types in a form of its own, so leave it out there"));
            }
        }
        Ok(())
    }

    fn preflight(spec: &SeoPageSpec, facts: &Facts) -> Vec<Finding> {
        spec.plugin.preflight(facts)
    }

    fn read(id: &str, _: Option<&SeoPageSpec>) -> Result<Json> {
        let (plugin, page) = parts(id)?;
        Ok(values::read_meta(id, page, &entries(plugin, None)))
    }

    fn seen(raw: &Json, _: Option<&SeoPageSpec>) -> Result<(SeoPageSpec, SeoPageOutputs)> {
        let id = ids::of(raw);
        let (plugin, page) = parts(&id)?;
        let values = Values::of(raw);
        let get = |at: usize| values.at(at).and_then(text).filter(|text| !text.is_empty());
        let noindex = values.at(4).and_then(|found| match found {
            Json::Array(words) if words.is_empty() => None,
            Json::Array(words) => Some(words.contains(&json!("noindex"))),
            other => match text(other).as_deref() {
                Some("1") => Some(true),
                Some("2") => Some(false),
                Some("0") if plugin == SeoPlugin::Fabrik => Some(false),
                _ => None,
            },
        });
        let spec = SeoPageSpec {
            plugin,
            page: page.to_owned(),
            title: get(0).map(|text| plugin.plain(&text)),
            description: get(1).map(|text| plugin.plain(&text)),
            focus_keyword: get(2),
            canonical: get(3),
            noindex,
            og_image: get(5),
            schema_type: get(6),
        };
        Ok((spec, SeoPageOutputs {}))
    }

    fn write(write: &Write<'_, SeoPageSpec>) -> Result<Json> {
        let (plugin, page) = match write.spec.filter(|_| write.verb == Verb::Create) {
            Some(spec) => (spec.plugin, spec.page.as_str()),
            None => parts(write.id)?,
        };
        let id = format!("{}/{page}", plugin.word());
        let mut op = values::write_meta(write, &id, page, &|spec| entries(plugin, spec));
        if let Some(folder) = plugin.folder() {
            op["needs"] = json!(folder);
        }
        Ok(op)
    }
}

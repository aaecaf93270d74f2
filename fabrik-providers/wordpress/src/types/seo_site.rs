//! What search engines see of the site.

use std::collections::BTreeMap;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Finding, TypeInfo};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::seo::SeoPlugin;
use crate::content::values::{self, Entry, Values, text};
use crate::content::{Content, Write, ids, nothing};
use crate::request::Facts;

/// What search engines and social networks see of the whole site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SeoSiteSpec {
    /// Who prints it.
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub plugin: SeoPlugin,
    /// How titles are formed, as text with `%title%`, `%sep%`, `%sitename%`, `%tagline%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title_template: Option<String>,
    /// What `%sep%` is: `-`, `–`, `|`, `·`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8))]
    pub separator: Option<String>,
    /// Title of the first page, as text with the same variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_title: Option<String>,
    /// Description of the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_description: Option<String>,
    /// Whose site it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
    /// The owner's pages elsewhere, by the network: `facebook`, `twitter` (its address), and with
    /// `fabrik` any other.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub social: BTreeMap<String, String>,
    /// Whether there is a sitemap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sitemap: Option<bool>,
    /// Codes by which search engines know the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
}

/// Whose site it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Organisation {
    /// Name, as text.
    pub name: String,
    /// Its logo, by its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: OrganisationKind,
}

/// What the owner of a site is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// A company, a club, an office.
    #[default]
    Company,
    /// Somebody.
    Person,
}

/// Codes by which search engines know the owner: the value, not the whole tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Verification {
    /// Google Search Console.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub google: Option<String>,
    /// Bing Webmaster Tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bing: Option<String>,
    /// Yandex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yandex: Option<String>,
    /// Baidu.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baidu: Option<String>,
}

/// It tells nothing besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SeoSiteOutputs {}

/// The type `wordpress.seo_site`.
pub struct SeoSite;

const OWN: &str = "fabrik_seo";
const OWN_CODE: &str = include_str!("../../php/mu/fabrik-seo.php");

/// Yoast's names of separators.
const SEPARATORS: &[(&str, &str)] = &[
    ("-", "sc-dash"),
    ("–", "sc-ndash"),
    ("—", "sc-mdash"),
    (":", "sc-colon"),
    ("·", "sc-middot"),
    ("•", "sc-bull"),
    ("*", "sc-star"),
    ("|", "sc-pipe"),
    ("~", "sc-tilde"),
    ("«", "sc-laquo"),
    ("»", "sc-raquo"),
    ("<", "sc-lt"),
    (">", "sc-gt"),
];

fn separator(plugin: SeoPlugin, sign: &str) -> String {
    let named = SEPARATORS.iter().find(|(own, _)| *own == sign);
    match (plugin, named) {
        (SeoPlugin::Yoast, Some((_, name))) => (*name).to_owned(),
        _ => sign.to_owned(),
    }
}

/// All values of a plugin; one is set where the spec sets it.
fn entries(plugin: SeoPlugin, spec: Option<&SeoSiteSpec>) -> Vec<Entry> {
    let none = SeoSiteSpec {
        plugin,
        ..SeoSiteSpec::default()
    };
    let spec = spec.unwrap_or(&none);
    let filled = |text: Option<&String>| text.map(|text| json!(plugin.variables(text)));
    let plain = |text: Option<&String>| text.map(|text| json!(text));
    let owner = spec.organisation.as_ref();
    let codes = spec.verification.clone().unwrap_or_default();
    let template = filled(spec.title_template.as_ref());
    let sign = spec
        .separator
        .as_ref()
        .map(|sign| json!(separator(plugin, sign)));
    let home = filled(spec.home_title.as_ref());
    let describes = filled(spec.home_description.as_ref());
    let name = owner.map(|owner| json!(owner.name));
    let logo = plain(owner.and_then(|owner| owner.logo.as_ref()));
    let kind = owner.map(|owner| match (owner.kind, plugin) {
        (OrganisationKind::Person, _) => json!("person"),
        (OrganisationKind::Company, _) => json!("company"),
    });
    let social = |network: &str| plain(spec.social.get(network));
    match plugin {
        SeoPlugin::Fabrik => {
            let inside = |key: &str, value| Entry::inside(key, OWN, key, value);
            let below = |field: &str, path: [&str; 2], value| Entry {
                path: path.map(str::to_owned).to_vec(),
                ..Entry::option(field, OWN, value)
            };
            let networks = (!spec.social.is_empty()).then(|| json!(spec.social));
            vec![
                inside("title_template", template),
                inside("separator", sign),
                inside("home_title", home),
                inside("home_description", describes),
                below("organisation.name", ["organisation", "name"], name),
                below("organisation.logo", ["organisation", "logo"], logo),
                below("organisation.type", ["organisation", "type"], kind),
                inside("social", networks),
                inside("sitemap", spec.sitemap.map(Json::from)),
                below(
                    "verification.google",
                    ["verification", "google"],
                    plain(codes.google.as_ref()),
                ),
                below(
                    "verification.bing",
                    ["verification", "bing"],
                    plain(codes.bing.as_ref()),
                ),
                below(
                    "verification.yandex",
                    ["verification", "yandex"],
                    plain(codes.yandex.as_ref()),
                ),
                below(
                    "verification.baidu",
                    ["verification", "baidu"],
                    plain(codes.baidu.as_ref()),
                ),
            ]
        }
        SeoPlugin::RankMath => {
            let titles = |field: &str, key: &str, value| {
                Entry::inside(field, "rank-math-options-titles", key, value)
            };
            let general = |field: &str, key: &str, value| {
                Entry::inside(field, "rank-math-options-general", key, value)
            };
            vec![
                titles("title_template", "pt_page_title", template.clone()),
                titles("title_template.post", "pt_post_title", template),
                titles("separator", "title_separator", sign),
                titles("home_title", "homepage_title", home),
                titles("home_description", "homepage_description", describes),
                titles("organisation.name", "knowledgegraph_name", name),
                titles("organisation.logo", "knowledgegraph_logo", logo),
                titles("organisation.type", "knowledgegraph_type", kind),
                titles("social.facebook", "social_url_facebook", social("facebook")),
                titles("social.twitter", "twitter_author_names", social("twitter")),
                Entry::member("sitemap", "rank_math_modules", "sitemap", spec.sitemap),
                general(
                    "verification.google",
                    "google_verify",
                    plain(codes.google.as_ref()),
                ),
                general(
                    "verification.bing",
                    "bing_verify",
                    plain(codes.bing.as_ref()),
                ),
                general(
                    "verification.yandex",
                    "yandex_verify",
                    plain(codes.yandex.as_ref()),
                ),
                general(
                    "verification.baidu",
                    "baidu_verify",
                    plain(codes.baidu.as_ref()),
                ),
            ]
        }
        SeoPlugin::Yoast => {
            let titles =
                |field: &str, key: &str, value| Entry::inside(field, "wpseo_titles", key, value);
            let general = |field: &str, key: &str, value| Entry::inside(field, "wpseo", key, value);
            let networks =
                |field: &str, key: &str, value| Entry::inside(field, "wpseo_social", key, value);
            vec![
                titles("title_template", "title-page", template.clone()),
                titles("title_template.post", "title-post", template),
                titles("separator", "separator", sign),
                titles("home_title", "title-home-wpseo", home),
                titles("home_description", "metadesc-home-wpseo", describes),
                titles("organisation.name", "company_name", name),
                titles("organisation.logo", "company_logo", logo),
                titles("organisation.type", "company_or_person", kind),
                networks("social.facebook", "facebook_site", social("facebook")),
                networks("social.twitter", "twitter_site", social("twitter")),
                general(
                    "sitemap",
                    "enable_xml_sitemap",
                    spec.sitemap.map(Json::from),
                ),
                general(
                    "verification.google",
                    "googleverify",
                    plain(codes.google.as_ref()),
                ),
                general("verification.bing", "msverify", plain(codes.bing.as_ref())),
                general(
                    "verification.yandex",
                    "yandexverify",
                    plain(codes.yandex.as_ref()),
                ),
                general(
                    "verification.baidu",
                    "baiduverify",
                    plain(codes.baidu.as_ref()),
                ),
            ]
        }
    }
}

impl Content for SeoSite {
    const TYPE: &'static str = "wordpress.seo_site";
    type Spec = SeoSiteSpec;
    type Outputs = SeoSiteOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "PLUGIN".into(),
            ..info
        }
    }

    fn check(spec: &SeoSiteSpec) -> Result<()> {
        let wrong = |field: &str, text: String, hint: &str| {
            Err(Error::new(ErrorKind::Invalid, text)
                .field(Path::parse(field))
                .hint(hint.to_owned()))
        };
        let texts = [
            ("title_template", &spec.title_template),
            ("home_title", &spec.home_title),
            ("home_description", &spec.home_description),
        ];
        for (field, value) in texts {
            if let Some(value) = value {
                ids::title(field, value)?;
            }
        }
        if let Some(sign) = &spec.separator
            && spec.plugin == SeoPlugin::Yoast
            && !SEPARATORS.iter().any(|(own, _)| own == sign)
        {
            let known: Vec<&str> = SEPARATORS.iter().map(|(own, _)| *own).collect();
            return wrong(
                "separator",
                format!("Yoast has no separator `{sign}`"),
                &format!("it has {}", known.join(" ")),
            );
        }
        if let Some(owner) = &spec.organisation {
            if owner.name.is_empty() {
                return wrong(
                    "organisation.name",
                    "the organisation has no name".into(),
                    "say whose site it is",
                );
            }
            ids::title("organisation.name", &owner.name)?;
            if let Some(logo) = &owner.logo {
                ids::address("organisation.logo", logo)?;
            }
        }
        for (network, address) in &spec.social {
            let known = ["facebook", "twitter"].contains(&network.as_str());
            if spec.plugin != SeoPlugin::Fabrik && !known {
                return wrong(
                    "social",
                    format!("`{network}` is not managed for this plugin"),
                    "`facebook` and `twitter` are; others with `plugin: fabrik`",
                );
            }
            if spec.plugin == SeoPlugin::Fabrik || network == "facebook" {
                ids::address(&format!("social.{network}"), address)?;
            }
        }
        let codes = spec.verification.clone().unwrap_or_default();
        let codes = [
            ("google", codes.google),
            ("bing", codes.bing),
            ("yandex", codes.yandex),
            ("baidu", codes.baidu),
        ];
        for (engine, code) in codes {
            let good = |c: char| c.is_ascii_alphanumeric() || "-_=.".contains(c);
            if let Some(code) = code
                && (code.is_empty() || !code.chars().all(good))
            {
                return wrong(
                    &format!("verification.{engine}"),
                    "this is no verification code".into(),
                    "write the value of `content` alone, not the whole tag",
                );
            }
        }
        Ok(())
    }

    fn preflight(spec: &SeoSiteSpec, facts: &Facts) -> Vec<Finding> {
        spec.plugin.preflight(facts)
    }

    fn read(id: &str, _: Option<&SeoSiteSpec>) -> Result<Json> {
        let plugin = match SeoPlugin::read(id) {
            Err(_) if ids::word(id) => return Ok(nothing()),
            plugin => plugin?,
        };
        Ok(values::read(plugin.word(), &entries(plugin, None)))
    }

    fn seen(raw: &Json, prior: Option<&SeoSiteSpec>) -> Result<(SeoSiteSpec, SeoSiteOutputs)> {
        let plugin = SeoPlugin::read(&ids::of(raw))?;
        let values = Values::of(raw);
        let names = entries(plugin, None);
        let found = |field: &str| {
            let at = names.iter().position(|entry| entry.field == field)?;
            values.at(at)
        };
        let get = |field: &str| found(field).and_then(text).filter(|text| !text.is_empty());
        let filled = |field: &str| get(field).map(|text| plugin.plain(&text));
        let sign = get("separator").map(|sign| {
            let named = SEPARATORS.iter().find(|(_, name)| *name == sign);
            named.map_or(sign.clone(), |(own, _)| (*own).to_owned())
        });
        let owner = get("organisation.name").map(|name| Organisation {
            name,
            logo: get("organisation.logo"),
            kind: match get("organisation.type").as_deref() {
                Some("person") => OrganisationKind::Person,
                _ => OrganisationKind::Company,
            },
        });
        let mut social = BTreeMap::new();
        if let Some(map) = found("social").and_then(Json::as_object) {
            let pairs = map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), text(value)?)));
            social.extend(pairs);
        }
        for network in ["facebook", "twitter"] {
            if let Some(address) = get(&format!("social.{network}")) {
                social.insert(network.to_owned(), address);
            }
        }
        let codes = Verification {
            google: get("verification.google"),
            bing: get("verification.bing"),
            yandex: get("verification.yandex"),
            baidu: get("verification.baidu"),
        };
        let had = prior.is_some_and(|prior| prior.verification.is_some());
        let spec = SeoSiteSpec {
            plugin,
            title_template: filled("title_template"),
            separator: sign,
            home_title: filled("home_title"),
            home_description: filled("home_description"),
            organisation: owner,
            social,
            sitemap: found("sitemap")
                .map(|flag| !matches!(text(flag).as_deref(), None | Some("" | "0" | "off"))),
            verification: Some(codes.clone()).filter(|_| had || codes != Verification::default()),
        };
        Ok((spec, SeoSiteOutputs {}))
    }

    fn write(write: &Write<'_, SeoSiteSpec>) -> Result<Json> {
        let plugin = match write.spec {
            Some(spec) => spec.plugin,
            None => SeoPlugin::read(write.id)?,
        };
        let mut op = values::write(write, plugin.word(), &|spec| entries(plugin, spec));
        match plugin.folder() {
            Some(folder) => op["needs"] = json!(folder),
            None => op["mu"] = json!({"name": "fabrik-seo.php", "code": OWN_CODE}),
        }
        if plugin == SeoPlugin::RankMath && write.spec.is_some() {
            // Without these the plugin waits for its wizard.
            let ready = ["rank_math_registration_skip", "rank_math_wizard_completed"];
            if let Some(entries) = op["entries"].as_array_mut() {
                for name in ready {
                    entries.push(json!({"field": name, "name": name, "value": "1"}));
                }
            }
        }
        Ok(op)
    }
}

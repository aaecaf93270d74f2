//! General settings.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Finding, TypeInfo};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::values::{self, Entry, Values, text};
use crate::content::{Content, Write, ids, nothing};
use crate::request::Facts;

/// General settings of the site: those under *Settings* in WordPress. What is left out is left alone;
/// what is no longer set becomes what it was before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsSpec {
    /// The site's name, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The line below the name, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tagline: Option<String>,
    /// A name of the time zone database: `Europe/Rome`, `UTC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How dates are written, in letters of PHP: `j F Y`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_format: Option<String>,
    /// How times are written, in letters of PHP: `H:i`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
    /// The first day of the week: 0 is Sunday, 1 is Monday.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 6))]
    pub start_of_week: Option<u8>,
    /// How many posts a page of the blog shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub posts_per_page: Option<u16>,
    /// How addresses of posts are formed: `/%postname%/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permalinks: Option<String>,
    /// Whether search engines may list the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_engines: Option<bool>,
    /// Where WordPress writes to about the site. It takes effect at once, without a confirmation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_email: Option<String>,
    /// Whether new posts can be commented on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<bool>,
    /// The icon in browser tabs, by the id of its media; square, at least 512 pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_icon: Option<String>,
    /// The logo, by the id of its media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_logo: Option<String>,
    /// The site's language: `it_IT`, `en_US`. It must be installed (`wordpress.core`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// What WordPress tells besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SettingsOutputs {
    /// The site's address, with a slash at its end.
    pub url: String,
}

/// The type `wordpress.settings`.
pub struct Settings;

fn of<T: Serialize>(field: &str, name: &str, value: Option<&T>) -> Entry {
    Entry::option(field, name, value.map(|value| json!(value)))
}

fn entries(spec: Option<&SettingsSpec>) -> Vec<Entry> {
    let none = SettingsSpec::default();
    let spec = spec.unwrap_or(&none);
    let flag = |value: Option<bool>, on: &'static str, off: &'static str| {
        value.map(|value| if value { on } else { off })
    };
    let language = spec
        .language
        .as_ref()
        .map(|language| match language.as_str() {
            "en_US" => "",
            other => other,
        });
    vec![
        of("title", "blogname", spec.title.as_ref()).html(),
        of("tagline", "blogdescription", spec.tagline.as_ref()).html(),
        of("timezone", "timezone_string", spec.timezone.as_ref()),
        of("date_format", "date_format", spec.date_format.as_ref()),
        of("time_format", "time_format", spec.time_format.as_ref()),
        of(
            "start_of_week",
            "start_of_week",
            spec.start_of_week.as_ref(),
        ),
        of(
            "posts_per_page",
            "posts_per_page",
            spec.posts_per_page.as_ref(),
        ),
        of(
            "permalinks",
            "permalink_structure",
            spec.permalinks.as_ref(),
        ),
        of(
            "search_engines",
            "blog_public",
            flag(spec.search_engines, "1", "0").as_ref(),
        ),
        of("admin_email", "admin_email", spec.admin_email.as_ref()),
        of(
            "comments",
            "default_comment_status",
            flag(spec.comments, "open", "closed").as_ref(),
        ),
        of("site_icon", "site_icon", spec.site_icon.as_ref()),
        of("site_logo", "site_logo", spec.site_logo.as_ref()),
        of("language", "WPLANG", language.as_ref()),
    ]
}

impl Content for Settings {
    const TYPE: &'static str = "wordpress.settings";
    const ONCE: bool = true;
    type Spec = SettingsSpec;
    type Outputs = SettingsOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: ids::SITE.into(),
            ..info
        }
    }

    fn check(spec: &SettingsSpec) -> Result<()> {
        let wrong = |field: &str, text: String, hint: &str| {
            Err(Error::new(ErrorKind::Invalid, text)
                .field(Path::key(field))
                .hint(hint.to_owned()))
        };
        for (field, value) in [("title", &spec.title), ("tagline", &spec.tagline)] {
            if let Some(value) = value {
                ids::title(field, value)?;
            }
        }
        if let Some(zone) = &spec.timezone
            && (zone.starts_with('+') || zone.starts_with("UTC+") || zone.starts_with("UTC-"))
        {
            return wrong(
                "timezone",
                format!("`{zone}` is an offset, not a time zone"),
                "write a place, such as `Europe/Rome`, so that summer time is followed",
            );
        }
        if let Some(links) = &spec.permalinks
            && !(links.is_empty() || links.starts_with('/') && links.contains('%'))
        {
            return wrong(
                "permalinks",
                format!("`{links}` does not form addresses"),
                "write `/%postname%/`, or an empty text for plain addresses",
            );
        }
        if let Some(email) = &spec.admin_email {
            ids::email("admin_email", email)?;
        }
        for (field, id) in [
            ("site_icon", &spec.site_icon),
            ("site_logo", &spec.site_logo),
        ] {
            if let Some(id) = id {
                ids::field(field, id)?;
            }
        }
        Ok(())
    }

    fn preflight(_: &SettingsSpec, facts: &Facts) -> Vec<Finding> {
        super::rights(facts, &["manage_options"])
    }

    fn read(id: &str, _: Option<&SettingsSpec>) -> Result<Json> {
        if !ids::site(id)? {
            return Ok(nothing());
        }
        Ok(values::read(ids::SITE, &entries(None)))
    }

    fn seen(raw: &Json, _: Option<&SettingsSpec>) -> Result<(SettingsSpec, SettingsOutputs)> {
        let values = Values::of(raw);
        let names = entries(None);
        let get = |field: &str| {
            let at = names.iter().position(|entry| entry.field == field)?;
            values.at(at).and_then(text)
        };
        let media = |field: &str| get(field).filter(|id| !id.is_empty() && id != "0");
        let spec = SettingsSpec {
            title: get("title"),
            tagline: get("tagline"),
            timezone: get("timezone"),
            date_format: get("date_format"),
            time_format: get("time_format"),
            start_of_week: get("start_of_week").and_then(|day| day.parse().ok()),
            posts_per_page: get("posts_per_page").and_then(|posts| posts.parse().ok()),
            permalinks: get("permalinks"),
            search_engines: get("search_engines").map(|flag| flag != "0" && !flag.is_empty()),
            admin_email: get("admin_email"),
            comments: get("comments").map(|word| word == "open"),
            site_icon: media("site_icon"),
            site_logo: media("site_logo"),
            language: Some(
                get("language")
                    .filter(|code| !code.is_empty())
                    .unwrap_or_else(|| "en_US".into()),
            ),
        };
        Ok((
            spec,
            SettingsOutputs {
                url: ids::text(raw, "url"),
            },
        ))
    }

    fn write(write: &Write<'_, SettingsSpec>) -> Result<Json> {
        let mut op = values::write(write, ids::SITE, &entries);
        if let Some(spec) = write.spec {
            op["posts"] = json!({"site_icon": spec.site_icon, "site_logo": spec.site_logo});
        }
        Ok(op)
    }
}

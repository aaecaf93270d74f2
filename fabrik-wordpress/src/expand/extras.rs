//! Settings, options, SEO, analytics, languages, translations, front page, privacy page, editor.

use std::collections::BTreeMap;

use fabrik_core::error::Result;
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::kinds::app_name;
use fabrik_core::role::Parts;
use fabrik_core::value::{Map, Value};

use super::pages::Page;
use super::posts::Post;
use super::site::{Site, fields, slug, take, text_of};
use crate::note::{invalid, unknown};

/// Declares everything that stands beside pages and posts.
pub(super) fn declare(site: &mut Site<'_>, pages: &[Page], posts: &[Post]) -> Result<()> {
    settings(site)?;
    if let Some(options) = site
        .at("options")
        .and_then(|options| options.as_map().cloned())
    {
        for (name, value) in options {
            option(site, &name, &value)?;
        }
    }
    front(site, pages)?;
    seo(site, pages, posts)?;
    analytics(site)?;
    languages(site, pages)?;
    editor(site)?;
    super::library::declare(site)
}

/// An option of WordPress or a plugin: a map is merged, anything else replaces.
pub(super) fn option(site: &mut Site<'_>, name: &str, value: &Value) -> Result<()> {
    let field = match value {
        Value::Map(_) => "merge",
        _ => "value",
    };
    let inputs = Map::from([
        ("name".into(), Value::from(name)),
        (field.into(), value.clone()),
    ]);
    let part = format!("option-{}", slug(&name.replace('_', "-")));
    site.add_content(&part, "wordpress.option", inputs)
        .map(|_| ())
}

fn settings(site: &mut Site<'_>) -> Result<()> {
    let written = site.at("settings").unwrap_or_default();
    let names = [
        "timezone",
        "date_format",
        "time_format",
        "start_of_week",
        "posts_per_page",
        "permalinks",
        "search_engines",
        "admin_email",
        "comments",
    ];
    let mut inputs = take(&written, &names.map(|name| (name, name)));
    inputs.extend(fields([
        ("title", site.at("title")),
        ("tagline", site.at("tagline")),
        ("language", site.at("language")),
    ]));
    inputs.get_or_insert_with("permalinks".into(), || Value::from("/%postname%/"));
    for (field, to) in [("logo", "site_logo"), ("favicon", "site_icon")] {
        if let Some(key) = site.text(&format!("brand.{field}"))
            && let Some(picture) = site.picture(&key, &format!("brand.{field}"))
        {
            if field == "favicon" && picture.facts.width != picture.facts.height {
                let text = format!(
                    "the icon `{key}` is {} by {} pixels, and must be square",
                    picture.facts.width, picture.facts.height
                );
                site.mistake(invalid("brand.favicon", text));
            }
            inputs.insert(to.into(), site.picture_id(&picture)?);
        }
    }
    site.add_content("settings", "wordpress.settings", inputs)
        .map(|_| ())
}

fn front(site: &mut Site<'_>, pages: &[Page]) -> Result<()> {
    let is_original = |page: &&Page| page.translation_of().is_none();
    let front = pages.iter().filter(is_original).find(|page| page.front);
    let posts = pages.iter().filter(is_original).find(|page| page.posts);
    if let Some(front) = front
        && let Some(address) = site.page_parts.get(&front.id).cloned()
    {
        let mut inputs = Map::from([("page".into(), Parts::output(&address, "id"))]);
        if let Some(posts) = posts.and_then(|posts| site.page_parts.get(&posts.id)) {
            inputs.insert("posts_page".into(), Parts::output(posts, "id"));
        }
        site.add_content("front-page", "wordpress.front_page", inputs)?;
    } else if let Some(posts) = posts {
        let text = format!("`{}` lists the posts, but there is no front page", posts.id);
        let hint = "mark another page with `front: true`, or call it `home`";
        site.mistake(invalid(&format!("{}.posts", posts.at), text).hint(hint));
    }
    if let Some(address) = site.page_parts.get("privacy").cloned() {
        let inputs = Map::from([("page".into(), Parts::output(&address, "id"))]);
        site.add_content("privacy-page", "wordpress.privacy_page", inputs)?;
    }
    Ok(())
}

/// Who prints it; `None` when nobody does.
fn seo_plugin(site: &Site<'_>) -> Option<String> {
    match site.text("seo.plugin").as_deref() {
        Some("none") => None,
        Some(plugin) => Some(plugin.to_owned()),
        // A must-use plugin is a file, which the REST API cannot write.
        None if site.placed.rest => None,
        None => Some("fabrik".to_owned()),
    }
}

fn seo(site: &mut Site<'_>, pages: &[Page], posts: &[Post]) -> Result<()> {
    let Some(plugin) = seo_plugin(site) else {
        return Ok(());
    };
    let seo = site.at("seo").unwrap_or_default();
    let names = [
        ("title_template", "title_template"),
        ("separator", "separator"),
        ("title", "home_title"),
        ("description", "home_description"),
        ("sitemap", "sitemap"),
        ("verification", "verification"),
    ];
    let mut inputs = take(&seo, &names);
    inputs.insert("plugin".into(), Value::from(plugin.as_str()));
    let social = site.at("seo.social").or_else(|| site.at("contact.social"));
    if let Some(social) = social {
        inputs.insert("social".into(), social);
    }
    let mut organisation = site
        .at("seo.organisation")
        .and_then(|organisation| organisation.as_map().cloned())
        .unwrap_or_default();
    if let Some(company) = site.at("contact.company") {
        organisation.get_or_insert_with("name".into(), || company);
    }
    if !organisation.is_empty() {
        let key = organisation
            .remove("logo")
            .and_then(|logo| logo.as_str().map(str::to_owned))
            .map(|key| (key, "seo.organisation.logo"))
            .or_else(|| Some((site.text("brand.logo")?, "brand.logo")));
        if let Some((key, field)) = key
            && let Some(picture) = site.picture(&key, field)
        {
            let address = site.picture_address(&picture)?;
            organisation.insert("logo".into(), Parts::output(&address, "url"));
        }
        organisation.get_or_insert_with("type".into(), || Value::from("company"));
        inputs.insert("organisation".into(), Value::map(organisation));
    }
    site.add_content("site-seo", "wordpress.seo_site", inputs)?;
    for page in pages {
        if let Some(address) = site.page_parts.get(&page.id).cloned() {
            let name = format!("seo-{}", page.id);
            let written = page.block.get("seo").cloned();
            page_seo(site, &plugin, &name, &address, written.as_ref(), &page.at)?;
        }
    }
    for post in posts {
        if let Some(address) = &post.address {
            let name = format!("seo-post-{}", post.slug);
            page_seo(
                site,
                &plugin,
                &name,
                address,
                post.block.get("seo"),
                &post.at,
            )?;
        }
    }
    Ok(())
}

fn page_seo(
    site: &mut Site<'_>,
    plugin: &str,
    name: &str,
    address: &fabrik_core::address::Address,
    written: Option<&Value>,
    at: &str,
) -> Result<()> {
    let Some(seo) = written.filter(|seo| seo.as_map().is_some_and(|map| !map.is_empty())) else {
        return Ok(());
    };
    let names = [
        ("title", "title"),
        ("description", "description"),
        ("keyword", "focus_keyword"),
        ("canonical", "canonical"),
        ("noindex", "noindex"),
        ("schema", "schema_type"),
    ];
    let mut inputs = take(seo, &names);
    inputs.insert("plugin".into(), Value::from(plugin));
    inputs.insert("page".into(), Parts::output(address, "id"));
    if let Some(key) = text_of(seo, "image")
        && let Some(picture) = site.picture(&key, &format!("{at}.seo.image"))
    {
        let address = site.picture_address(&picture)?;
        inputs.insert("og_image".into(), Parts::output(&address, "url"));
    }
    site.add_content(name, "wordpress.seo_page", inputs)
        .map(|_| ())
}

fn analytics(site: &mut Site<'_>) -> Result<()> {
    let Some(analytics) = site.at("analytics") else {
        return Ok(());
    };
    let names = ["google_analytics_id", "gtm_id", "consent"];
    let inputs = take(&analytics, &names.map(|name| (name, name)));
    if !inputs.contains_key("google_analytics_id") && !inputs.contains_key("gtm_id") {
        let text = "`analytics` counts nothing";
        site.mistake(invalid("analytics", text).hint("set `google_analytics_id` or `gtm_id`"));
        return Ok(());
    }
    let after = site.foundation.clone();
    let address = site.add("analytics", "wordpress.analytics", inputs)?;
    site.depend(&address, after);
    Ok(())
}

fn languages(site: &mut Site<'_>, pages: &[Page]) -> Result<()> {
    let languages = site.list("languages");
    let default = super::pages::default_language(site);
    let mut parts = Vec::new();
    let mut codes = Vec::new();
    for (index, language) in languages.iter().enumerate() {
        let Some(code) = text_of(language, "code") else {
            continue;
        };
        let names = ["code", "name", "locale"];
        let mut inputs = take(language, &names.map(|name| (name, name)));
        inputs.insert(
            "default".into(),
            Value::Bool(default.as_ref() == Some(&code)),
        );
        if codes.contains(&code) {
            let at = format!("languages[{index}]");
            site.mistake(invalid(
                &at,
                format!("the language `{code}` is listed twice"),
            ));
            continue;
        }
        let address =
            site.add_content(&format!("language-{code}"), "wordpress.language", inputs)?;
        parts.push(address);
        codes.push(code);
    }
    let mut groups: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for page in pages {
        let of = page.translation_of();
        let Some(language) = page.language.clone().or_else(|| default.clone()) else {
            if let Some(of) = of {
                let text = format!(
                    "`{}` is a translation of `{of}`, but there are no `languages`",
                    page.id
                );
                site.mistake(invalid(&format!("{}.translation_of", page.at), text));
            }
            continue;
        };
        if !codes.contains(&language) {
            let text = format!("`{language}` is none of the site's languages");
            let known = codes.iter().map(String::as_str);
            let error = unknown(&format!("{}.language", page.at), text, &language, known);
            site.mistake(error);
            continue;
        }
        let group = of.clone().unwrap_or_else(|| page.id.clone());
        if of.is_some() && !pages.iter().any(|other| other.id == group) {
            let known = pages.iter().map(|page| page.id.as_str());
            let text = format!("there is no page `{group}`");
            let error = unknown(&format!("{}.translation_of", page.at), text, &group, known);
            site.mistake(error);
            continue;
        }
        let old = groups
            .entry(group.clone())
            .or_default()
            .insert(language.clone(), page.id.clone());
        if let Some(old) = old {
            let text = format!(
                "`{old}` and `{}` are both `{group}` in `{language}`",
                page.id
            );
            site.mistake(invalid(&page.at, text));
        }
    }
    for (group, members) in groups {
        let pages = members.iter().filter_map(|(language, id)| {
            let address = site.page_parts.get(id)?;
            Some((language.clone(), Parts::output(address, "id")))
        });
        let inputs = Map::from([("pages".into(), Value::map(pages))]);
        let name = format!("translation-{group}");
        let address = site.add_content(&name, "wordpress.translation", inputs)?;
        site.depend(&address, parts.clone());
    }
    Ok(())
}

fn editor(site: &mut Site<'_>) -> Result<()> {
    let Some(editor) = site.at("editor") else {
        return Ok(());
    };
    let names = ["login", "email", "name", "role", "password"];
    let mut inputs = take(&editor, &names.map(|name| (name, name)));
    inputs.get_or_insert_with("role".into(), || Value::from("editor"));
    let name = app_name(site.cx.parts().base());
    let secret = format!("{name}_wp_editor_password")
        .replace('-', "_")
        .to_uppercase();
    inputs.get_or_insert_with("password".into(), || {
        Value::from(Expr::from(Reference::secret(secret)))
    });
    site.add_content("editor", "wordpress.user", inputs)
        .map(|_| ())
}

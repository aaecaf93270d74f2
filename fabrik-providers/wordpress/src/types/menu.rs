//! Menus.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Finding, TypeInfo, Verb};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::{Content, Write, ids, is_open};
use crate::request::{Facts, Survey};

/// A menu with all its items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MenuSpec {
    /// Its name in addresses and code: lower-case letters and digits, with single `-` between.
    #[schemars(length(min = 1, max = 190), extend("x-fabrik" = {"replace": true}))]
    pub slug: String,
    /// Its name for people, as text.
    #[schemars(length(min = 1, max = 190))]
    pub name: String,
    /// Where the theme shows it: `primary`, `footer`, … as the theme calls its places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub locations: Vec<String>,
    /// Its items, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<MenuItem>,
}

/// An item of a menu: exactly one of `page`, `category` and `url` says where it leads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MenuItem {
    /// What it says, as text.
    pub title: String,
    /// The page or post it leads to, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The category it leads to, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The address it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `_blank` opens it in a new window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Items below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<MenuItem>,
}

/// What WordPress tells of a menu.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MenuOutputs {
    /// How many items it has.
    pub count: usize,
}

/// The type `wordpress.menu`.
pub struct Menu;

/// Most items below items.
const DEEPEST: usize = 10;

fn check_items(items: &[MenuItem], place: &str, depth: usize) -> Result<()> {
    for (at, item) in items.iter().enumerate() {
        let place = format!("{place}[{at}]");
        let wrong = |field: &str, text: String, hint: &str| {
            Err(Error::new(ErrorKind::Invalid, text)
                .field(Path::parse(&format!("{place}{field}")))
                .hint(hint.to_owned()))
        };
        let targets = [&item.page, &item.category, &item.url];
        if targets.iter().filter(|target| target.is_some()).count() != 1 {
            return wrong(
                "",
                format!(
                    "the menu item `{}` leads nowhere or to several places",
                    item.title
                ),
                "set exactly one of `page`, `category` and `url`",
            );
        }
        ids::title(&format!("{place}.title"), &item.title)?;
        if item.title.is_empty() {
            return wrong(
                ".title",
                "a menu item has no title".into(),
                "say what it says",
            );
        }
        for (field, id) in [("page", &item.page), ("category", &item.category)] {
            if let Some(id) = id {
                ids::field(&format!("{place}.{field}"), id)?;
            }
        }
        if let Some(url) = &item.url
            && !is_address(url)
        {
            return wrong(
                ".url",
                format!("`{url}` is no address that a menu can lead to"),
                "begin it with `https://`, `/`, `#`, `mailto:` or `tel:`",
            );
        }
        if item
            .target
            .as_ref()
            .is_some_and(|target| target != "_blank")
        {
            return wrong(
                ".target",
                "`target` can only be `_blank`".into(),
                "leave it out",
            );
        }
        if depth == DEEPEST {
            return wrong(
                ".children",
                "a menu is too deep".into(),
                "ten levels are the most",
            );
        }
        check_items(&item.children, &format!("{place}.children"), depth + 1)?;
    }
    Ok(())
}

fn is_address(url: &str) -> bool {
    let good = ["http://", "https://", "mailto:", "tel:", "/", "#", "?"];
    let plain =
        !url.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"'`".contains(c));
    let own = url
        .strip_prefix('/')
        .is_none_or(|rest| !rest.starts_with('/'));
    is_open(url) || (plain && own && good.iter().any(|begin| url.starts_with(begin)))
}

fn op_items(items: &[MenuItem]) -> Json {
    let items = items.iter().map(|item| {
        let (kind, object, target) = match (&item.page, &item.category) {
            (Some(page), _) => ("post_type", "page", page.as_str()),
            (None, Some(category)) => ("taxonomy", "category", category.as_str()),
            (None, None) => ("custom", "custom", "0"),
        };
        json!({
            "title": item.title, "type": kind, "object": object, "target": target,
            "url": item.url.as_deref().unwrap_or_default(),
            "window": item.target.as_deref().unwrap_or_default(),
            "children": op_items(&item.children),
        })
    });
    Json::Array(items.collect())
}

/// The items below one, from a row's flat list.
fn tree(rows: &[Json], parent: &str, depth: usize) -> Vec<MenuItem> {
    if depth > DEEPEST {
        return Vec::new();
    }
    let below = rows.iter().filter(|row| ids::text(row, "parent") == parent);
    below
        .map(|row| {
            let kind = ids::text(row, "type");
            let target = ids::some(row, "target");
            MenuItem {
                title: ids::some(row, "title").unwrap_or_else(|| ids::text(row, "shown")),
                page: target.clone().filter(|_| kind == "post_type"),
                category: target.filter(|_| kind == "taxonomy"),
                url: Some(ids::text(row, "url")).filter(|_| kind == "custom"),
                target: ids::some(row, "window"),
                children: tree(rows, &ids::of(row), depth + 1),
            }
        })
        .collect()
}

impl Content for Menu {
    const TYPE: &'static str = "wordpress.menu";
    const LOOKS: bool = true;
    type Spec = MenuSpec;
    type Outputs = MenuOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "NUMBER".into(),
            ..info
        }
    }

    fn check(spec: &MenuSpec) -> Result<()> {
        ids::slug(&spec.slug)?;
        ids::title("name", &spec.name)?;
        check_items(&spec.items, "items", 1)
    }

    fn preflight(spec: &MenuSpec, facts: &Facts) -> Vec<Finding> {
        let mut findings = super::rights(facts, &["edit_theme_options"]);
        let unknown = spec.locations.iter().find(|location| {
            !is_open(location) && !facts.locations.is_empty() && !facts.locations.contains(location)
        });
        if let Some(location) = unknown {
            // A theme of the same plan may bring it.
            findings.push(Finding {
                blocking: false,
                message: format!(
                    "the theme `{}` has no menu location `{location}`",
                    facts.theme
                ),
                hint: Some(format!("it has: {}", facts.locations.join(", "))),
                field: Some(Path::key("locations")),
                adopt: None,
            });
        }
        findings
    }

    fn named(spec: &MenuSpec, survey: &Survey) -> Option<String> {
        let mut menus = survey
            .terms
            .iter()
            .filter(|term| term.taxonomy == "nav_menu");
        menus
            .find(|menu| menu.slug == spec.slug || menu.name == spec.name)
            .map(|menu| menu.id.clone())
    }

    fn read(id: &str, _: Option<&MenuSpec>) -> Result<Json> {
        Ok(json!({"kind": "menu", "do": "read", "id": ids::check(id)?}))
    }

    fn list() -> Option<Json> {
        Some(json!({"kind": "menu", "do": "list"}))
    }

    fn seen(raw: &Json, _: Option<&MenuSpec>) -> Result<(MenuSpec, MenuOutputs)> {
        let rows = raw["items"].as_array().cloned().unwrap_or_default();
        let locations = raw["locations"].as_array().into_iter().flatten();
        let spec = MenuSpec {
            slug: ids::text(raw, "slug"),
            name: ids::text(raw, "name"),
            locations: locations
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect(),
            items: tree(&rows, "0", 1),
        };
        Ok((spec, MenuOutputs { count: rows.len() }))
    }

    fn write(write: &Write<'_, MenuSpec>) -> Result<Json> {
        let mut op = json!({"kind": "menu", "do": write.word()});
        if write.verb != Verb::Create {
            op["id"] = json!(ids::check(write.id)?);
        }
        if write.verb == Verb::Delete {
            return Ok(op);
        }
        let spec = write.wanted()?;
        if let Some(raw) = write.raw {
            op["expect"] = raw["hash"].clone();
        }
        let mut set = json!({"slug": spec.slug, "name": spec.name, "items": op_items(&spec.items)});
        let had = write.prior.is_some_and(|prior| !prior.locations.is_empty());
        if had || !spec.locations.is_empty() {
            set["locations"] = json!(spec.locations);
        }
        op["set"] = set;
        if write.undoes && write.kept.untouched(write.raw).is_some() {
            op["back"] = json!(true);
        }
        Ok(op)
    }
}

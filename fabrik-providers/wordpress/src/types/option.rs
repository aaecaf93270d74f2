//! Any option of WordPress or a plugin.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::TypeInfo;
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::content::values::{self, Entry, Values};
use crate::content::{Content, Write, ids, is_open};

/// An option of WordPress, a theme or a plugin: the whole value, or some values inside of it, where
/// the rest stays. What leaves the spec becomes what it was before Fabrik set it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionSpec {
    /// Its name in the table of options.
    #[schemars(length(min = 1, max = 190), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// The whole value. WordPress keeps numbers and flags as texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// Values inside of it: maps are gone into, anything else is set. Not together with `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Map<String, Json>>,
}

/// Options tell nothing besides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OptionOutputs {}

/// The type `wordpress.option`.
pub struct SiteOption;

/// Options that another type manages, or that nobody should.
const NOT: &[(&str, &str)] = &[
    ("active_plugins", "use `wordpress.plugin`"),
    ("template", "use `wordpress.theme`"),
    ("stylesheet", "use `wordpress.theme`"),
    ("blogname", "use `wordpress.settings`"),
    ("blogdescription", "use `wordpress.settings`"),
    ("permalink_structure", "use `wordpress.settings`"),
    ("siteurl", "moving a site takes more than this option"),
    ("home", "moving a site takes more than this option"),
    ("cron", "WordPress keeps its timers in it"),
    ("rewrite_rules", "WordPress computes it"),
    ("db_version", "WordPress keeps it"),
    ("wp_user_roles", "roles belong to WordPress and its plugins"),
];

fn leaves(map: &Map<String, Json>, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Json)>) {
    for (key, value) in map {
        path.push(key.clone());
        match value {
            Json::Object(below) if !below.is_empty() => leaves(below, path, found),
            _ => found.push((path.clone(), value.clone())),
        }
        path.pop();
    }
}

fn entries(spec: Option<&OptionSpec>) -> Vec<Entry> {
    let Some(spec) = spec else { return Vec::new() };
    match &spec.merge {
        None => vec![Entry::option("value", &spec.name, spec.value.clone())],
        Some(merge) => {
            let mut found = Vec::new();
            leaves(merge, &mut Vec::new(), &mut found);
            let entry = |(path, value): (Vec<String>, Json)| Entry {
                path: path.clone(),
                ..Entry::option(
                    &format!("merge.{}", path.join(".")),
                    &spec.name,
                    Some(value),
                )
            };
            found.into_iter().map(entry).collect()
        }
    }
}

fn whole(name: &str) -> Vec<Entry> {
    vec![Entry::option("value", name, None)]
}

impl Content for SiteOption {
    const TYPE: &'static str = "wordpress.option";
    type Spec = OptionSpec;
    type Outputs = OptionOutputs;

    fn describe(info: TypeInfo) -> TypeInfo {
        TypeInfo {
            import_id: "NAME".into(),
            ..info
        }
    }

    fn check(spec: &OptionSpec) -> Result<()> {
        let wrong = |field: &str, text: String, hint: &str| {
            Err(Error::new(ErrorKind::Invalid, text)
                .field(Path::key(field))
                .hint(hint.to_owned()))
        };
        if spec.value.is_some() == spec.merge.is_some() {
            return wrong(
                "value",
                "an option takes exactly one of `value` and `merge`".into(),
                "`value` is the whole option, `merge` some values inside of it",
            );
        }
        if is_open(&spec.name) {
            return Ok(());
        }
        let name = spec.name.as_str();
        let foreign = name.starts_with("fabrik_") || name.contains("_transient_");
        if let Some((_, why)) = NOT.iter().find(|(not, _)| *not == name) {
            return wrong(
                "name",
                format!("`{name}` is not to be set as an option"),
                why,
            );
        }
        if foreign || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return wrong(
                "name",
                format!("`{name}` cannot be an option of a spec"),
                "write the name of an option that WordPress, the theme or a plugin reads",
            );
        }
        Ok(())
    }

    fn read(id: &str, prior: Option<&OptionSpec>) -> Result<Json> {
        if id.is_empty() || id.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("`{id}` is not the NAME of an option"),
            ));
        }
        let entries = match prior {
            Some(_) => entries(prior),
            None => whole(id),
        };
        let mut op = values::read(id, &entries);
        // An option that is not set is not there; what a site always has reads as empty instead.
        op["some"] = Json::Bool(true);
        Ok(op)
    }

    fn seen(raw: &Json, prior: Option<&OptionSpec>) -> Result<(OptionSpec, OptionOutputs)> {
        let found = Values::of(raw);
        let name = ids::of(raw);
        let Some(prior) = prior else {
            let spec = OptionSpec {
                name,
                value: found.at(0).cloned(),
                merge: None,
            };
            return Ok((spec, OptionOutputs {}));
        };
        let mut spec = OptionSpec {
            name,
            value: None,
            merge: prior.merge.as_ref().map(|_| Map::new()),
        };
        for (at, entry) in entries(Some(prior)).into_iter().enumerate() {
            let Some(there) = found.at(at) else { continue };
            let sent = entry.value.filter(|sent| values::same(sent, there));
            let value = sent.unwrap_or_else(|| there.clone());
            match &mut spec.merge {
                Some(merge) => put(merge, &entry.path, value),
                None => spec.value = Some(value),
            }
        }
        Ok((spec, OptionOutputs {}))
    }

    fn write(write: &Write<'_, OptionSpec>) -> Result<Json> {
        let name = match write.spec {
            Some(spec) => spec.name.clone(),
            None => write.id.to_owned(),
        };
        Ok(values::write(write, &name, &entries))
    }
}

fn put(map: &mut Map<String, Json>, path: &[String], value: Json) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        map.insert(first.clone(), value);
        return;
    }
    let below = map
        .entry(first.clone())
        .or_insert_with(|| Json::Object(Map::new()));
    if let Json::Object(below) = below {
        put(below, rest, value);
    }
}

//! Reference pages made from schemas: what validates a spec also explains it.

use std::fmt::Write as _;
use std::sync::Arc;

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Mode, Registry, TypeInfo, Undo};
use fabrik_core::spec::Section;
use serde_json::Value as Json;

/// Deepest nesting of fields shown.
const DEPTH: usize = 4;

/// The type of a name; the error also knows the kinds of apps.
///
/// # Errors
/// [`ErrorKind::NotFound`], with the nearest name.
pub(crate) fn type_info<'a>(registry: &'a Registry, name: &str) -> Result<&'a Arc<TypeInfo>> {
    if let Some(info) = registry.types().find(|info| &*info.name == name) {
        return Ok(info);
    }
    let sections = fabrik_core::spec::fields();
    let known: Vec<&str> = registry
        .types()
        .map(|info| &*info.name)
        .chain(registry.component_kinds())
        .chain(registry.providers().map(|provider| &*provider.info().name))
        .chain(TOPICS.iter().map(|(topic, _)| *topic))
        .chain(sections.iter().map(|section| section.name))
        .collect();
    let message = format!("nothing is known about `{name}`");
    let error = Error::new(ErrorKind::NotFound, message);
    Err(match did_you_mean(name, known) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`fabrik docs` lists what there is"),
    })
}

/// Topics besides types, kinds and providers.
pub(crate) const TOPICS: &[(&str, &str)] = &[
    ("exit-codes", "what the program's exit codes mean"),
    ("env", "environment variables the program reads"),
];

/// The page of a type, as Markdown.
pub(crate) fn type_page(info: &TypeInfo) -> String {
    let mut page = format!("# {}\n\n", info.name);
    if !info.description.is_empty() {
        _ = writeln!(page, "{}\n", info.description.trim());
    }
    let facts = facts(info);
    for fact in &facts {
        _ = writeln!(page, "- {fact}");
    }
    if !facts.is_empty() {
        page.push('\n');
    }
    page.push_str("## Example\n\n```yaml\nresources:\n");
    let name = info
        .name
        .rsplit('.')
        .next()
        .unwrap_or("it")
        .replace('_', "-");
    _ = writeln!(page, "  - id: {name}\n    type: {}", info.name);
    let example = example(&info.schema, &info.schema, 3);
    if example.is_empty() {
        page.push_str("    spec: {}\n");
    } else {
        _ = write!(page, "    spec:\n{example}");
    }
    page.push_str("```\n\n## Fields\n\n");
    fields(&info.schema, &info.schema, 0, true, &mut page);
    page.push_str("\n## Outputs\n\n- `id`: the service's id\n");
    fields(&info.outputs, &info.outputs, 0, false, &mut page);
    page
}

/// The page of anything that is described by a schema alone.
pub(crate) fn schema_page(title: &str, intro: &str, schema: &Json) -> String {
    let mut page = format!("# {title}\n\n");
    if !intro.trim().is_empty() {
        _ = writeln!(page, "{}\n", intro.trim());
    }
    let text = text_of(schema, "description").map(str::trim);
    if let Some(text) = text.filter(|text| !intro.contains(text)) {
        _ = writeln!(page, "{text}\n");
    }
    page.push_str("## Fields\n\n");
    fields(schema, schema, 0, true, &mut page);
    page
}

/// The page of a part of the language.
pub(crate) fn section_page(section: &Section) -> String {
    let mut page = format!("# {}\n\n{}\n\n## Fields\n\n", section.name, section.about);
    for field in &section.fields {
        let later = if field.ready { "" } else { " (not built yet)" };
        _ = writeln!(page, "- `{}`{later}: {}", field.name, field.about);
    }
    page
}

fn facts(info: &TypeInfo) -> Vec<String> {
    let mut facts = Vec::new();
    match info.mode {
        Mode::Managed if !info.updatable => {
            facts.push("every change replaces it".to_owned());
        }
        Mode::Managed => {}
        Mode::Lookup => facts.push("a lookup: it is only read".to_owned()),
        Mode::Action => {
            facts.push("an action: it runs when its inputs or what it watches change".to_owned());
        }
    }
    if info.holds_data {
        facts.push("holds data: deleting or replacing it needs `--allow-data-loss`".to_owned());
    }
    match info.undo_delete {
        Undo::Full => {}
        Undo::Partial => facts.push("a delete can be undone in part".to_owned()),
        Undo::None => facts.push("a delete cannot be undone".to_owned()),
    }
    if info.mode == Mode::Managed {
        let shape = match &*info.import_id {
            "" => "ID",
            shape => shape,
        };
        facts.push(format!(
            "taken over by `fabrik import {} NAME {shape}`",
            info.name
        ));
    }
    facts
}

/// A field's own schema with `$ref`s into `$defs` followed.
fn follow<'a>(schema: &'a Json, root: &'a Json) -> &'a Json {
    let mut here = schema;
    for _ in 0..8 {
        let Some(pointer) = text_of(here, "$ref").and_then(|text| text.strip_prefix('#')) else {
            break;
        };
        match root.pointer(pointer) {
            Some(found) => here = found,
            None => break,
        }
    }
    here
}

fn text_of<'a>(schema: &'a Json, key: &str) -> Option<&'a str> {
    schema.get(key)?.as_str()
}

fn required(schema: &Json) -> Vec<&str> {
    schema
        .get("required")
        .and_then(Json::as_array)
        .map(|names| names.iter().filter_map(Json::as_str).collect())
        .unwrap_or_default()
}

/// The schemas that a schema is put together from.
fn parts<'a>(schema: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    schema
        .get(key)
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
}

/// Every property of a schema and of what it is composed of.
fn properties<'a>(schema: &'a Json, root: &'a Json) -> Vec<(&'a str, &'a Json, bool)> {
    let schema = follow(schema, root);
    let must = required(schema);
    let own = schema.get("properties").and_then(Json::as_object);
    let mut found: Vec<_> = own
        .into_iter()
        .flatten()
        .map(|(name, field)| (name.as_str(), field, must.contains(&name.as_str())))
        .collect();
    for part in parts(schema, "allOf") {
        found.extend(properties(part, root));
    }
    // Of alternatives (`Option<T>` is one) nothing is required by all.
    for part in parts(schema, "anyOf").chain(parts(schema, "oneOf")) {
        let only = parts(schema, "anyOf").chain(parts(schema, "oneOf"));
        let several = only
            .filter(|part| part.get("type") != Some(&Json::from("null")))
            .count()
            > 1;
        let fields = properties(part, root).into_iter();
        found.extend(fields.map(|(name, field, must)| (name, field, must && !several)));
    }
    found.sort_by_key(|(name, _, must)| (!must, *name));
    found.dedup_by_key(|(name, _, _)| *name);
    found
}

/// The fields of a schema as a nested list. What is asked for says whether it is required.
fn fields(schema: &Json, root: &Json, depth: usize, asked: bool, page: &mut String) {
    for (name, field, must) in properties(schema, root) {
        let target = follow(field, root);
        let mut notes = vec![kind(target, root)];
        if must && asked {
            notes.push("required".to_owned());
        }
        let default = field.get("default").or_else(|| target.get("default"));
        if let Some(default) = default.filter(|default| *default != "" && !default.is_null()) {
            notes.push(format!("default `{}`", compact(default)));
        }
        notes.extend(limits(target));
        notes.extend(marks(field));
        let pad = "  ".repeat(depth);
        _ = write!(page, "{pad}- `{name}` ({})", notes.join(", "));
        match text_of(field, "description").or_else(|| text_of(target, "description")) {
            Some(text) => {
                let words: Vec<&str> = text.split_whitespace().collect();
                _ = writeln!(page, ": {}", words.join(" "));
            }
            None => page.push('\n'),
        }
        if depth < DEPTH {
            alternatives(target, root, depth + 1, page);
            fields(target, root, depth + 1, asked, page);
            for key in ["items", "additionalProperties"] {
                if let Some(items) = target.get(key).filter(|items| items.is_object()) {
                    fields(items, root, depth + 1, asked, page);
                }
            }
        }
    }
}

/// Values that are explained one by one.
fn alternatives(schema: &Json, root: &Json, depth: usize, page: &mut String) {
    for key in ["anyOf", "oneOf"] {
        for part in parts(schema, key) {
            let part = follow(part, root);
            match (part.get("const"), text_of(part, "description")) {
                (Some(value), Some(text)) => {
                    let words: Vec<&str> = text.split_whitespace().collect();
                    let (pad, words) = ("  ".repeat(depth), words.join(" "));
                    _ = writeln!(page, "{pad}- `{}`: {words}", compact(value));
                }
                _ => alternatives(part, root, depth, page),
            }
        }
    }
}

/// How long, large or many a value may be, in words.
fn limits(schema: &Json) -> Vec<String> {
    let number = |key: &str| {
        schema
            .get(key)
            .filter(|value| value.is_number())
            .map(compact)
    };
    let mut limits = Vec::new();
    for (least, most, unit) in [
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
        ("minimum", "maximum", ""),
    ] {
        limits.extend(match (number(least), number(most)) {
            // A type of the program's, not a rule of the service's.
            (Some(least), None) if least == "0" && unit.is_empty() => None,
            (Some(least), None) if least == "1" && !unit.is_empty() => Some("not empty".to_owned()),
            (Some(least), None) => Some(format!("at least {least}{unit}")),
            (None, Some(most)) => Some(format!("at most {most}{unit}")),
            (Some(least), Some(most)) if is_type_range(&least, &most) => None,
            (Some(least), Some(most)) => Some(format!("{least} to {most}{unit}")),
            (None, None) => None,
        });
    }
    if let Some(pattern) = text_of(schema, "pattern") {
        limits.push(format!("of the form `{pattern}`"));
    }
    limits
}

/// Whether a range is that of a small integer type.
fn is_type_range(least: &str, most: &str) -> bool {
    matches!(
        (least, most),
        ("0", "255" | "65535") | ("-128", "127") | ("-32768", "32767")
    )
}

fn compact(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a field holds, in words.
fn kind(schema: &Json, root: &Json) -> String {
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        return one_of(values.iter());
    }
    if let Some(value) = schema.get("const") {
        return format!("`{}`", compact(value));
    }
    for key in ["anyOf", "oneOf"] {
        let mut values = parts(schema, key).map(|part| follow(part, root).get("const"));
        if schema.get(key).is_some() && values.all(|value| value.is_some()) {
            return one_of(parts(schema, key).filter_map(|part| follow(part, root).get("const")));
        }
        if let Some(parts) = schema.get(key).and_then(Json::as_array) {
            let mut kinds: Vec<String> = parts
                .iter()
                .map(|part| kind(follow(part, root), root))
                .filter(|kind| kind != "nothing")
                .collect();
            kinds.dedup();
            return kinds.join(" or ");
        }
    }
    match schema.get("type") {
        Some(Json::String(name)) => word(name, schema, root),
        Some(Json::Array(names)) => {
            let words: Vec<String> = names
                .iter()
                .filter_map(Json::as_str)
                .filter(|name| *name != "null")
                .map(|name| word(name, schema, root))
                .collect();
            words.join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

fn one_of<'a>(values: impl Iterator<Item = &'a Json>) -> String {
    let values = values.filter(|value| !value.is_null());
    let values: Vec<String> = values
        .map(|value| format!("`{}`", compact(value)))
        .collect();
    format!("one of {}", values.join(", "))
}

fn word(name: &str, schema: &Json, root: &Json) -> String {
    match name {
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "null" => "nothing".to_owned(),
        "array" => match schema.get("items") {
            Some(items) => format!("list of {}", kind(follow(items, root), root)),
            None => "list".to_owned(),
        },
        "object" => match schema.get("additionalProperties") {
            Some(items) if items.is_object() => {
                format!("map of {}", kind(follow(items, root), root))
            }
            _ => "map".to_owned(),
        },
        other => other.to_owned(),
    }
}

/// What `x-fabrik` says of a field.
fn marks(field: &Json) -> Vec<String> {
    let Some(facts) = field.get("x-fabrik") else {
        return Vec::new();
    };
    let is = |key: &str| facts.get(key).and_then(Json::as_bool) == Some(true);
    let mut marks: Vec<String> = [
        ("replace", "changing it replaces"),
        ("sensitive", "secret"),
        ("write_only", "not shown by the service"),
        ("computed", "filled in by the service when left out"),
        ("sticky", "stays when removed from the spec"),
        ("data_loss", "changing it loses data"),
        ("deprecated", "deprecated"),
    ]
    .iter()
    .filter(|(key, _)| is(key))
    .map(|(_, text)| (*text).to_owned())
    .collect();
    if let Some(name) = text_of(facts, "env") {
        marks.push(format!("else from the variable `{name}`"));
    }
    marks
}

/// The required fields as YAML, with something fitting in each.
fn example(schema: &Json, root: &Json, depth: usize) -> String {
    let pad = "  ".repeat(depth);
    let mut out = String::new();
    for (name, field, must) in properties(schema, root) {
        if !must {
            continue;
        }
        let target = follow(field, root);
        let nested = example(target, root, depth + 1);
        if nested.is_empty() {
            _ = writeln!(out, "{pad}{name}: {}", sample(field, target));
        } else {
            _ = write!(out, "{pad}{name}:\n{nested}");
        }
    }
    out
}

fn sample(field: &Json, target: &Json) -> String {
    let given = |schema: &Json| {
        let first = schema.get("examples").and_then(|all| all.get(0));
        let value = schema.get("default").or(first);
        let first = schema.get("oneOf").and_then(|all| all.get(0)?.get("const"));
        value
            .filter(|value| !value.is_null())
            .or_else(|| schema.get("enum").and_then(|all| all.get(0)))
            .or(first)
            .map(ToString::to_string)
    };
    given(field).or_else(|| given(target)).unwrap_or_else(|| {
        match text_of(target, "type") {
            Some("integer" | "number") => "1",
            Some("boolean") => "true",
            Some("array") => "[…]",
            Some("object") => "{}",
            _ => "…",
        }
        .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_tells_everything_the_schema_knows() {
        let schema = json!({
            "type": "object",
            "required": ["path"],
            "properties": {
                "git": {"anyOf": [{"$ref": "#/$defs/git"}, {"type": "null"}]},
                "kind": {"oneOf": [{"const": "x", "description": "The\n first."}, {"const": "y"}]},
                "maybe": {"enum": ["p", null], "default": null},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "size": {"type": "integer", "minimum": 5, "maximum": 9},
                "port": {"type": "integer", "minimum": 0, "maximum": 65535},
                "token": {"type": "string", "minLength": 1, "x-fabrik": {"sensitive": true, "env": "T"}},
                "path": {"type": "string", "description": "Where it\n lies.", "x-fabrik": {"replace": true}},
                "mode": {"enum": ["a", "b"], "default": "a"},
                "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
            },
            "$defs": {
                "git": {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}},
                "tag": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}}},
        });
        let outputs = json!({"type": "object", "properties": {"sha256": {"type": "string"}}});
        let mut info = TypeInfo::new("local.file", schema, outputs);
        info.holds_data = true;
        insta::assert_snapshot!(type_page(&info), @r#"
        # local.file

        - holds data: deleting or replacing it needs `--allow-data-loss`
        - taken over by `fabrik import local.file NAME ID`

        ## Example

        ```yaml
        resources:
          - id: file
            type: local.file
            spec:
              path: …
        ```

        ## Fields

        - `path` (text, required, changing it replaces): Where it lies.
        - `git` (map)
          - `url` (text, required)
        - `kind` (one of `x`, `y`)
          - `x`: The first.
        - `labels` (map of text)
        - `maybe` (one of `p`)
        - `mode` (one of `a`, `b`, default `a`)
        - `port` (whole number)
        - `size` (whole number, 5 to 9)
        - `tags` (list of map)
          - `name` (text)
        - `token` (text, not empty, secret, else from the variable `T`)

        ## Outputs

        - `id`: the service's id
        - `sha256` (text)
        "#);
    }
}

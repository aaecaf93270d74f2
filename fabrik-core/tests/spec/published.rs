//! The published schema agrees with the loader.

use fabrik_core::spec::{node::Node, parse, schema};
use fabrik_core::value::to_wire;
use serde_json::Value as Json;

use crate::{doubles, fixtures};

/// Invalid fixtures whose mistake is no matter of shape: only the loader can see it.
const SEMANTIC: &[(&str, &str)] = &[
    ("app_ambiguous", "who is configured"),
    ("app_cannot", "what a player can do"),
    ("app_choice_changed", "what was chosen before"),
    ("app_nobody_plays", "who is configured"),
    ("app_place_unknown", "what a player can do"),
    ("each_needs_key", "what references name"),
    ("each_not_known", "what is known when planning"),
    (
        "env_overlay_points_into_overlay",
        "the mistake is in the overlay",
    ),
    ("env_required", "which environment is chosen"),
    ("env_unknown", "which environment is chosen"),
    ("expr_file", "files"),
    ("expr_functions", "expressions"),
    ("expr_syntax", "expressions"),
    ("expr_type_of_known_value", "values of variables"),
    ("expr_too_large", "sizes of values"),
    ("ref_cycle_apps", "cycles"),
    ("ref_cycle_resources", "cycles"),
    ("ref_cycle_vars", "cycles"),
    ("ref_not_here", "where references may stand"),
    ("ref_unknown", "names"),
    ("ref_unknown_output", "names"),
    ("res_duplicate", "names"),
    ("res_map_id_differs", "names"),
    ("res_provider", "names"),
    ("secret_twice", "names"),
    ("secret_undeclared", "names"),
    ("top_requires", "the running version"),
    ("var_override", "the mistake is on the command line"),
    ("when_switched_off", "values of variables"),
];

fn as_json(node: &Node) -> Json {
    to_wire(&node.plain_value()).unwrap()
}

fn read(path: &std::path::Path) -> Option<Json> {
    let bytes = std::fs::read(path).unwrap();
    let text = std::str::from_utf8(&bytes)
        .ok()?
        .trim_start_matches('\u{feff}')
        .to_owned();
    let mut found = Vec::new();
    let node = parse::parse(&text, 0, &mut found)?;
    found.is_empty().then(|| as_json(&node))
}

#[test]
fn what_loads_is_valid_and_what_is_misshapen_is_not() {
    let registry = doubles::registry();
    let published = schema(&registry);
    jsonschema::meta::validate(&published).expect("a valid schema");
    let validator = jsonschema::validator_for(&published).unwrap();
    let mut wrong = Vec::new();
    for path in fixtures::folder("valid") {
        let Some(json) = read(&path) else { continue };
        for error in validator.iter_errors(&json) {
            wrong.push(format!(
                "{} at {}: {error}",
                path.display(),
                error.instance_path()
            ));
        }
    }
    for path in fixtures::folder("invalid") {
        // What is not YAML has no shape.
        let Some(json) = read(&path) else { continue };
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let semantic = SEMANTIC.iter().any(|row| row.0 == name);
        if validator.is_valid(&json) != semantic {
            wrong.push(format!("{name}: valid by schema is not {semantic}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
